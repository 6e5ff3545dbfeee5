/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <xen/sched.h>
#include <xen/xen.h>

#include "core/smp.h"
#include "domain/watchdog.h"
#include "evtchn/evtchn.h"
#include "hypercall/hypercall.h"
#include "lib/bitmap.h"
#include "memory/guest_access.h"
#include "policy/policy.h"
#include "sched/sched.h"

#define POLL_PORTS_MAX 128u

/* 1: one of the ports is pending; 0: none; negative: error. */
static int poll_ports(struct domain *d, const struct sched_poll *a)
{
	evtchn_port_t port;
	int rc;

	for (unsigned int i = 0; i < a->nr_ports; i++) {
		if (guest_read_element(&port, handle_ptr(a->ports), i, sizeof(port))) {
			return -EFAULT;
		}
		rc = evtchn_poll(d, port_of(port));
		if (rc) {
			return rc;
		}
	}
	return 0;
}

static long do_poll(struct vcpu *v, guest_ptr_t at)
{
	struct domain *d = v->domain;
	struct sched_poll a;
	evtchn_port_t only = 0;
	int rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.nr_ports > POLL_PORTS_MAX) {
		return -EINVAL;
	}
	if (a.nr_ports == 1 && guest_read_element(&only, handle_ptr(a.ports), 0, sizeof(only))) {
		return -EFAULT;
	}
	v->poll_port = only;
	__atomic_store_n(&v->is_blocked, true, __ATOMIC_SEQ_CST);
	bitmap_atomic_test_and_set(d->poll_mask, v->id.v);

	/* Looking comes after saying that we wait; pairs with evtchn_check_pollers(). */
	rc = poll_ports(d, &a);
	if (rc || !bitmap_test(d->poll_mask, v->id.v)) {
		(void)vcpu_poll_end(v);
		__atomic_store_n(&v->is_blocked, false, __ATOMIC_SEQ_CST);
		return rc < 0 ? rc : 0;
	}
	if (a.timeout) {
		timer_migrate(&v->poll_timer, smp_cpu_id());
		timer_set(&v->poll_timer, (ns_t)MIN(a.timeout, (u64)NS_NEVER - 1));
	} else {
		timer_stop(&v->poll_timer);
	}
	sched_sleep(v);
	return 0;
}

static long do_shutdown(struct domain *d, guest_ptr_t at, bool is_code_only)
{
	struct sched_shutdown a;
	u8 none = SHUTDOWN_CODE_NONE;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (is_code_only) {
		/* Only the first one counts; it says why for the shutdown to come. */
		if (a.reason > SHUTDOWN_MAX ||
		    !__atomic_compare_exchange_n(&d->shutdown_code, &none, (u8)a.reason, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			return -EINVAL;
		}
		return 0;
	}
	domain_shutdown(d, a.reason > SHUTDOWN_MAX ? SHUTDOWN_crash : (u8)a.reason);
	return 0;
}

static long do_remote_shutdown(struct domain *caller, guest_ptr_t at)
{
	struct sched_remote_shutdown a;
	struct domain *d;
	int rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	d = a.domain_id == DOMID_SELF ? NULL : domain_get(domain_id_of(a.domain_id));
	if (!d) {
		return -ESRCH;
	}
	rc = d == caller ? -EPERM : policy_device_model(caller, d);
	if (!rc) {
		domain_shutdown(d, (u8)MIN(a.reason, (unsigned int)SHUTDOWN_MAX));
	}
	domain_put(d);
	return rc;
}

static long do_watchdog(struct domain *d, guest_ptr_t at)
{
	struct sched_watchdog a;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	return domain_watchdog_set(d, a.id, a.timeout);
}

/* dom0's firmware calls that must run on one CPU: for a while the vCPU is tied to it. */
static long do_pin_override(struct vcpu *v, guest_ptr_t at)
{
	struct sched_pin_override a;
	int rc = policy_pin_override(v->domain);

	if (rc) {
		return rc;
	}
	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.pcpu >= (s32)smp_cpu_count()) {
		return -EINVAL;
	}
	spin_lock(&v->domain->lock);
	if (a.pcpu < 0) {
		rc = v->is_pinned ? 0 : -EINVAL;
		if (!rc) {
			v->hard_affinity = v->unpinned_affinity;
			v->is_pinned = false;
		}
	} else if (v->is_pinned) {
		rc = -EBUSY;
	} else {
		v->unpinned_affinity = v->hard_affinity;
		v->hard_affinity = (struct cpu_set){.words = {0}};
		bitmap_set(v->hard_affinity.words, (unsigned long)a.pcpu);
		v->is_pinned = true;
	}
	spin_unlock(&v->domain->lock);
	if (!rc) {
		sched_affinity_changed(v);
	}
	return rc;
}

/* arg: command, pointer. */
long op_sched(struct hypercall *call)
{
	struct vcpu *v = call->caller;
	guest_ptr_t at = call_ptr(call, 1);

	switch ((u32)call->arg[0]) {
	case SCHEDOP_yield:
		sched_yield(v);
		return 0;
	case SCHEDOP_block:
		vcpu_block(v);
		return 0;
	case SCHEDOP_shutdown:
		return do_shutdown(v->domain, at, false);
	case SCHEDOP_poll:
		return do_poll(v, at);
	case SCHEDOP_remote_shutdown:
		return do_remote_shutdown(v->domain, at);
	case SCHEDOP_shutdown_code:
		return do_shutdown(v->domain, at, true);
	case SCHEDOP_watchdog:
		return do_watchdog(v->domain, at);
	case SCHEDOP_pin_override:
		return do_pin_override(v, at);
	default:
		return -ENOSYS;
	}
}
