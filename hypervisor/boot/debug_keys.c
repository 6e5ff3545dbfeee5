// SPDX-License-Identifier: GPL-2.0-or-later
#include "boot/debug_keys.h"

#include "arch/contract/host.h"
#include "boot/secret_free.h"
#include "core/debug_key.h"
#include "core/log.h"
#include "core/rcu.h"
#include "core/smp.h"
#include "core/timer.h"
#include "domain/domain.h"
#include "domain/service.h"
#include "domain/vcpu.h"
#include "mm/frame_alloc.h"
#include "mm/heap.h"

#define DUMPED_MAX 64u /* domains, so that a dump ends */

static void reboot(void)
{
	arch_reboot();
}

static void print_this_cpu(void *data)
{
	struct vcpu *v = vcpu_current();

	if (v) {
		log_info("cpu %u runs d%uv%u\n", smp_cpu_id(), v->domain->id.v, v->id.v);
	} else {
		log_info("cpu %u is idle\n", smp_cpu_id());
	}
	arch_backtrace();
}

static void registers(void)
{
	smp_call(smp_online(), print_this_cpu, NULL);
}

static void print_vcpu(const struct vcpu *v)
{
	log_info("  v%u cpu %u: %s%s%spause %u, runstate %d\n", v->id.v, v->cpu, v->is_running ? "running " : "",
		 v->is_up ? "" : "down ", v->is_blocked ? "blocked " : "",
		 load_relaxed(&v->pause_count), v->runstate);
}

static void print_domain(struct domain *d)
{
	const struct domain_service *const *s;
	struct vcpu *v;

	log_info("d%u: %u vCPUs, %lu of %lu frames, %lu heap pages, %u references%s%s%s\n", d->id.v,
		 d->vcpu_count, d->frame_count, d->frame_limit, d->heap_pages,
		 refcount_read(&d->references), domain_is_dying(d) ? ", dying" : "",
		 d->is_shut_down ? ", shut down" : "", load_relaxed(&d->pause_count) ? ", paused" : "");
	for_each_vcpu(v, d) {
		print_vcpu(v);
	}
	for (s = domain_services; *s; s++) {
		if ((*s)->dump) {
			(*s)->dump(d);
		}
	}
}

static void domains(void)
{
	unsigned int left = DUMPED_MAX;
	struct domain *d;

	rcu_read_lock();
	for_each_domain(d) {
		if (!left--) {
			log_info("and more\n");
			break;
		}
		print_domain(d);
	}
	rcu_read_unlock();
}

static void dom0_state(void)
{
	if (dom0) {
		print_domain(dom0);
	}
}

static void memory(void)
{
	log_info("frames: %lu, %lu free; heap: %lu pages, %lu free\n", frame_total_count(),
		 frame_free_count(), heap_page_count(), heap_free_page_count());
}

static void print_run_state(const struct domain *d, const struct vcpu *v)
{
	log_info("  d%uv%u cpu %u runstate %d since %lld us\n", d->id.v, v->id.v, v->cpu, v->runstate,
		 (clock_now() - v->runstate_since) / NS_PER_US);
}

/* Who runs, and who waits to. */
static void run_queues(void)
{
	struct domain *d;
	struct vcpu *v;

	rcu_read_lock();
	for_each_domain(d) {
		for_each_vcpu(v, d) {
			if (v->is_running || vcpu_is_runnable(v)) {
				print_run_state(d, v);
			}
		}
	}
	rcu_read_unlock();
}

void debug_keys_register(void)
{
	debug_key_register('0', "state of dom0", dom0_state);
	debug_key_register('R', "reboot", reboot);
	debug_key_register('d', "what the CPUs do", registers);
	debug_key_register('m', "memory", memory);
	debug_key_register('q', "domains", domains);
	debug_key_register('r', "running and runnable vCPUs", run_queues);
	debug_key_register('s', "look for guest memory in the hypervisor's page tables", secret_free_check);
}
