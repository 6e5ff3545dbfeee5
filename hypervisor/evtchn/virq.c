/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual interrupts: events without a sender domain. Some belong to each vCPU, the others
 * (global) go to one domain: dom0, or who was named by XEN_DOMCTL_set_virq_handler.
 */
#include "evtchn/evtchn.h"

#include <xen/sched.h>

#include "core/rcu.h"
#include "evtchn/table.h"

static struct domain *handlers[NR_VIRQS]; /* NULL: dom0; read under RCU */

bool evtchn_virq_is_global(u32 virq)
{
	switch (virq) {
	case VIRQ_TIMER:
	case VIRQ_DEBUG:
	case VIRQ_XENOPROF:
	case VIRQ_XENPMU:
		return false;
	default:
		return true;
	}
}

static void raise_port(struct domain *d, u32 port, unsigned int virq)
{
	struct evtchn *ch = port ? evtchn_lookup(d, port_of(port)) : NULL;

	if (ch && load_acquire(&ch->state) == EVTCHN_VIRQ && ch->virq == virq) {
		evtchn_raise(ch);
	}
}

void evtchn_virq_vcpu(struct vcpu *v, unsigned int virq)
{
	ASSERT(virq < NR_VIRQS && !evtchn_virq_is_global(virq));
	rcu_read_lock();
	raise_port(v->domain, load_acquire(&v->virq_port[virq]), virq);
	rcu_read_unlock();
}

void evtchn_virq_global(unsigned int virq)
{
	struct domain *d;
	struct vcpu *v;

	ASSERT(virq < NR_VIRQS && evtchn_virq_is_global(virq));
	rcu_read_lock();
	d = rcu_load(&handlers[virq]);
	if (!d) {
		d = load_acquire(&dom0);
	}
	v = d && d->vcpu_count ? load_acquire(&d->vcpus[0]) : NULL;
	if (v) {
		raise_port(d, load_acquire(&v->virq_port[virq]), virq);
	}
	rcu_read_unlock();
}

void evtchn_tell_shutdown(struct domain *d)
{
	bool is_suspend = load_relaxed(&d->shutdown_code) == SHUTDOWN_suspend && !domain_is_dying(d);

	/* Who waits for a suspend has a port of its own; everything else is for xenstored. */
	if (is_suspend && d->suspend_port.v && evtchn_send(d, d->suspend_port) == 0) {
		return;
	}
	evtchn_virq_global(VIRQ_DOM_EXC);
}

int evtchn_virq_set_handler(struct domain *d, u32 virq)
{
	if (virq >= NR_VIRQS || !evtchn_virq_is_global(virq)) {
		return -EINVAL;
	}
	spin_lock(&d->evtchn->lock);
	if (domain_is_dying(d)) {
		spin_unlock(&d->evtchn->lock);
		return -EINVAL;
	}
	rcu_publish(&handlers[index_clamp(virq, NR_VIRQS)], d == dom0 ? NULL : d);
	spin_unlock(&d->evtchn->lock);
	return 0;
}

void evtchn_virq_forget(struct domain *d)
{
	spin_lock(&d->evtchn->lock);
	for (unsigned int i = 0; i < NR_VIRQS; i++) {
		struct domain *expected = d;

		(void)__atomic_compare_exchange_n(&handlers[i], &expected, NULL, false,
						  __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	}
	spin_unlock(&d->evtchn->lock);
}
