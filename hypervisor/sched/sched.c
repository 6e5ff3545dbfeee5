/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mechanism: which vCPU is on which CPU, and the changes between them. What makes it
 * right on many CPUs:
 *
 *   - v->is_running changes only under the queue's lock. It is set before the state is loaded and
 *     cleared after it was saved, so nobody picks a vCPU whose registers are still in a CPU.
 *   - A vCPU is on the queue exactly when it is runnable and not running.
 *   - Whoever makes a vCPU runnable (or not) changes its state first and takes the lock then;
 *     the scheduler looks at the state under the lock. So either the scheduler sees the
 *     change, or the other side sees what the scheduler did. No wake-up is lost.
 */
#include "sched/sched.h"

#include "arch/contract/guest.h"
#include "arch/contract/host.h"
#include "core/percpu.h"
#include "core/rcu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "core/spinlock.h"
#include "core/timer.h"
#include "domain/service.h"
#include "lib/list.h"
#include "mm/heap.h"

#define SLICE_NS (10 * NS_PER_MS)

struct sched_vcpu {
	struct vcpu *vcpu;
	struct list link;
	bool is_queued;
	ns_t picked_at;
};

struct sched_cpu {
	struct vcpu *current;
	bool is_due; /* look for another vCPU at the next turn; any CPU sets it through the softirq
		      */
	bool is_idle;
	ns_t idle_ns;
	struct timer slice;
};

static DEFINE_PER_CPU(struct sched_cpu, sched_cpu);
static struct spinlock queue_lock = SPINLOCK_INIT(LOCK_SCHED);
static struct list queue = LIST_INIT(queue); /* queue_lock */

struct vcpu *vcpu_current(void)
{
	return this_cpu_ptr(sched_cpu)->current;
}

static void handle_sched_softirq(void)
{
	this_cpu_ptr(sched_cpu)->is_due = true;
}

static void handle_slice_end(void *data)
{
	((struct sched_cpu *)data)->is_due = true;
}

void sched_setup(void)
{
	cpu_t cpu;

	softirq_register(SOFTIRQ_SCHED, handle_sched_softirq);
	for (cpu = 0; cpu < smp_cpu_count(); cpu++) {
		struct sched_cpu *sc = per_cpu_ptr(sched_cpu, cpu);

		timer_init(&sc->slice, handle_slice_end, sc, cpu);
	}
}

/* --- the queue; all under queue_lock --- */

static int runstate_off_cpu(const struct vcpu *v)
{
	if (vcpu_is_runnable(v)) {
		return RUNSTATE_runnable;
	}
	return load_relaxed(&v->is_blocked) && load_relaxed(&v->pause_count) == 0 && v->is_up
		       ? RUNSTATE_blocked
		       : RUNSTATE_offline;
}

static void set_runstate(struct vcpu *v, int runstate, ns_t now)
{
	if (v->runstate != runstate) {
		vcpu_runstate_change(v, runstate, now);
	}
}

static void enqueue(struct vcpu *v)
{
	list_add_tail(&queue, &v->sched->link);
	v->sched->is_queued = true;
}

static void dequeue(struct vcpu *v)
{
	list_remove(&v->sched->link);
	v->sched->is_queued = false;
}

static bool may_run_on(const struct vcpu *v, cpu_t cpu)
{
	return bitmap_test(v->hard_affinity.words, cpu);
}

/* The first in the queue that may run on cpu, or NULL. */
static struct sched_vcpu *first_for(cpu_t cpu)
{
	struct sched_vcpu *sv;

	list_for_each(sv, &queue, link) {
		if (may_run_on(sv->vcpu, cpu)) {
			return sv;
		}
	}
	return NULL;
}

/* Someone has to run v, which was just queued: an idle CPU if there is one, its last one first. */
static void find_cpu_for(struct vcpu *v)
{
	cpu_t cpu, count = smp_cpu_count();
	unsigned int i;

	for (i = 0; i < count; i++) {
		cpu = (v->cpu + i) % count;
		if (may_run_on(v, cpu) && per_cpu_ptr(sched_cpu, cpu)->is_idle) {
			per_cpu_ptr(sched_cpu, cpu)->is_idle = false; /* promised to v */
			softirq_raise_cpu(SOFTIRQ_SCHED, cpu);
			return;
		}
	}
	for (cpu = 0; cpu < count; cpu++) {
		struct sched_cpu *sc = per_cpu_ptr(sched_cpu, cpu);

		if (sc->slice.deadline == NS_NEVER) {
			timer_set(&sc->slice, clock_now() + SLICE_NS);
		}
	}
}

void sched_wake(struct vcpu *v)
{
	unsigned long flags = spin_lock_irqsave(&queue_lock);

	if (vcpu_is_runnable(v) && !v->is_running && !v->sched->is_queued) {
		set_runstate(v, RUNSTATE_runnable, clock_now());
		enqueue(v);
		find_cpu_for(v);
	}
	spin_unlock_irqrestore(&queue_lock, flags);
}

void sched_sleep(struct vcpu *v)
{
	unsigned long flags = spin_lock_irqsave(&queue_lock);

	if (!vcpu_is_runnable(v)) {
		if (v->is_running) {
			softirq_raise_cpu(SOFTIRQ_SCHED, v->cpu);
		} else {
			if (v->sched->is_queued) {
				dequeue(v);
			}
			set_runstate(v, runstate_off_cpu(v), clock_now());
		}
	}
	spin_unlock_irqrestore(&queue_lock, flags);
}

void sched_sleep_sync(struct vcpu *v)
{
	sched_sleep(v);
	/* Acquire: what its CPU saved is visible; pairs with the release in switch_from(). */
	while (load_acquire(&v->is_running) && !vcpu_is_runnable(v)) {
		arch_cpu_relax();
	}
}

void sched_yield(struct vcpu *v)
{
	ASSERT(v == vcpu_current());
	this_cpu_ptr(sched_cpu)->is_due = true;
}

void sched_affinity_changed(struct vcpu *v)
{
	unsigned long flags = spin_lock_irqsave(&queue_lock);

	if (v->is_running && !may_run_on(v, v->cpu)) {
		softirq_raise_cpu(SOFTIRQ_SCHED, v->cpu);
	} else if (v->sched->is_queued) {
		find_cpu_for(v);
	}
	spin_unlock_irqrestore(&queue_lock, flags);
}

void sched_weight_changed(struct domain *d)
{
	/* Turns are of one length here; the values are kept for the tools. */
}

ns_t sched_idle_time(cpu_t cpu)
{
	return load_relaxed(&per_cpu_ptr(sched_cpu, cpu)->idle_ns);
}

/* prev's state is saved: it belongs to nobody now. */
static void switch_from(struct vcpu *prev, ns_t now)
{
	set_runstate(prev, runstate_off_cpu(prev), now);
	store_release(&prev->is_running, false); /* pairs with sched_sleep_sync() */
	if (vcpu_is_runnable(prev)) {
		enqueue(prev);
		if (!may_run_on(prev, smp_cpu_id())) {
			find_cpu_for(prev);
		}
	}
}

static struct vcpu *take_first(cpu_t cpu, ns_t now)
{
	struct sched_vcpu *first = first_for(cpu);
	struct vcpu *v;

	if (!first) {
		return NULL;
	}
	v = first->vcpu;
	dequeue(v);
	v->cpu = cpu;
	v->is_running = true;
	v->sched->picked_at = now;
	set_runstate(v, RUNSTATE_running, now);
	return v;
}

/* What this CPU shall run until it is due again; its state is loaded. NULL: idle. */
static struct vcpu *pick(struct sched_cpu *sc)
{
	struct vcpu *prev = sc->current, *next;
	unsigned long flags;
	bool is_kept;

	if (likely(!sc->is_due && prev && vcpu_is_runnable(prev))) {
		return prev;
	}

	sc->is_due = false; /* before the look at the queue: a later raise means another look */
	flags = spin_lock_irqsave(&queue_lock);
	is_kept = prev && vcpu_is_runnable(prev) && may_run_on(prev, smp_cpu_id()) &&
		  !first_for(smp_cpu_id());
	spin_unlock_irqrestore(&queue_lock, flags);
	if (is_kept) {
		return prev;
	}

	if (prev) {
		arch_vcpu_save(prev);
	}
	flags = spin_lock_irqsave(&queue_lock);
	if (prev) {
		switch_from(prev, clock_now());
	}
	next = take_first(smp_cpu_id(), clock_now());
	sc->current = next;
	sc->is_idle = !next;
	if (!next) {
		timer_stop(&sc->slice);
	} else if (!list_is_empty(&queue)) {
		timer_set(&sc->slice, clock_now() + SLICE_NS);
	}
	spin_unlock_irqrestore(&queue_lock, flags);

	if (next) {
		arch_vcpu_load(next);
	}
	return next;
}

void sched_run_cpu(void)
{
	struct sched_cpu *sc = this_cpu_ptr(sched_cpu);
	struct vcpu *v;

	sc->is_due = true;
	for (;;) {
		rcu_quiescent();
		softirq_run();
		v = pick(sc);
		if (v) {
			arch_vcpu_run(v);
		} else {
			ns_t start = clock_now();

			arch_cpu_idle();
			store_relaxed(&sc->idle_ns, sc->idle_ns + clock_now() - start);
		}
	}
}

/* --- domain service --- */

static int sched_vcpu_init(struct vcpu *v)
{
	struct sched_vcpu *sv = heap_alloc(sizeof(*sv));

	if (!sv) {
		return -ENOMEM;
	}
	sv->vcpu = v;
	list_init(&sv->link);
	v->sched = sv;
	v->cpu = vcpu_id_raw(v->id) % smp_cpu_count();
	return 0;
}

static void sched_vcpu_fini(struct vcpu *v)
{
	ASSERT(!v->is_running);
	if (v->sched) {
		ASSERT(!v->sched->is_queued);
		heap_free(v->sched);
		v->sched = NULL;
	}
}

const struct domain_service sched_service = {
	.name = "sched",
	.vcpu_init = sched_vcpu_init,
	.vcpu_fini = sched_vcpu_fini,
};
