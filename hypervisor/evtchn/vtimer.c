/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evtchn/vtimer.h"

#include "core/smp.h"
#include "evtchn/evtchn.h"

static void handle_singleshot(void *data)
{
	evtchn_virq_vcpu(data, VIRQ_TIMER);
}

/* A tick that comes late does not shift those after it; ticks that were missed are one. */
static void handle_periodic(void *data)
{
	struct vcpu *v = data;
	ns_t period = load_relaxed(&v->periodic_ns), now = clock_now(), next;

	if (!period) {
		return;
	}
	next = v->periodic.deadline == NS_NEVER ? now + period : v->periodic.deadline + period;
	evtchn_virq_vcpu(v, VIRQ_TIMER);
	timer_set(&v->periodic, next > now ? next : now + period);
}

void vtimer_init(struct vcpu *v)
{
	timer_init(&v->singleshot, handle_singleshot, v, v->cpu);
	timer_init(&v->periodic, handle_periodic, v, v->cpu);
}

static void move_here(struct timer *t)
{
	if (t->cpu != smp_cpu_id()) {
		timer_migrate(t, smp_cpu_id());
	}
}

void vtimer_set_singleshot(struct vcpu *v, ns_t deadline)
{
	if (deadline == NS_NEVER) {
		timer_stop(&v->singleshot);
		return;
	}
	move_here(&v->singleshot);
	timer_set(&v->singleshot, deadline);
}

void vtimer_set_periodic(struct vcpu *v, ns_t period_ns)
{
	store_relaxed(&v->periodic_ns, period_ns);
	if (!period_ns) {
		timer_stop(&v->periodic);
		return;
	}
	move_here(&v->periodic);
	timer_set(&v->periodic, clock_now() + period_ns);
}
