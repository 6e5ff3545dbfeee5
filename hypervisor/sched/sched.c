/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mechanism: which vCPU is on which CPU, and the changes between them; fair.c decides. What
 * makes it right on many CPUs:
 *
 *   - v->is_running changes only under the lock. It is set before the state is loaded and
 *     cleared after it was saved, so nobody picks a vCPU whose registers are still in a CPU.
 *   - Whoever makes a vCPU runnable (or not) changes its state first and takes the lock then;
 *     the scheduler looks at the state under the lock. So either the scheduler sees the
 *     change, or the other side sees what the scheduler did. No wake-up is lost.
 *   - A look at the queue that somebody asks for is a softirq on that CPU: a guest is never
 *     entered, and idle never begun, while one is pending.
 */
#include "sched/sched.h"

#include "arch/contract/guest.h"
#include "arch/contract/host.h"
#include "core/percpu.h"
#include "core/rcu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "domain/service.h"
#include "mm/heap.h"
#include "sched/sched_private.h"

struct sched_cpu {
	struct vcpu *current;
	bool is_due; /* ask fair.c at the next turn; only this CPU writes it */
	ns_t idle_ns;
	struct timer slice;
	struct cpu_set to_tell; /* by sched_unlock(): other CPUs that are to look */
	bool has_to_tell;
};

static DEFINE_PER_CPU(struct sched_cpu, sched_cpu);

struct spinlock sched_lock = SPINLOCK_INIT(LOCK_SCHED);
struct fair sched_fair;

struct vcpu *vcpu_current(void)
{
	return this_cpu_ptr(sched_cpu)->current;
}

/* --- what fair.c asks for --- */

/* Under sched_lock. */
static void tell(cpu_t cpu)
{
	struct sched_cpu *here = this_cpu_ptr(sched_cpu);

	if (cpu == smp_cpu_id()) {
		softirq_raise(SOFTIRQ_SCHED);
		return;
	}
	bitmap_set(here->to_tell.words, cpu);
	here->has_to_tell = true;
}

/*
 * An interrupt is sent when the lock is free: where CPUs are emulated that takes as long as all
 * else, and the others wait meanwhile.
 */
void sched_unlock(unsigned long flags)
{
	struct sched_cpu *here = this_cpu_ptr(sched_cpu);
	cpu_t cpu;

	spin_unlock(&sched_lock);
	if (here->has_to_tell) {
		for_each_cpu(cpu, &here->to_tell) {
			softirq_raise_cpu(SOFTIRQ_SCHED, cpu);
		}
		here->to_tell = (struct cpu_set){{0}};
		here->has_to_tell = false;
	}
	arch_irq_restore(flags);
}

static void look(struct fair *f, cpu_t cpu, ns_t at)
{
	if (at <= clock_now()) {
		tell(cpu);
	} else {
		timer_set(&per_cpu_ptr(sched_cpu, cpu)->slice, at);
	}
}

static void refill(struct fair *f, struct fair_domain *d, ns_t at)
{
	timer_set(&container_of(d, struct sched_domain, fair)->refill, at);
}

static const struct fair_ops fair_ops = {look, refill};

static void handle_sched_softirq(void)
{
	this_cpu_ptr(sched_cpu)->is_due = true;
}

static void handle_slice_end(void *data)
{
	((struct sched_cpu *)data)->is_due = true;
}

static void handle_refill(void *data)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);

	fair_refill(&sched_fair, data, clock_now());
	sched_unlock(flags);
}

void sched_setup(void)
{
	cpu_t cpu;

	softirq_register(SOFTIRQ_SCHED, handle_sched_softirq);
	for (cpu = 0; cpu < smp_cpu_count(); cpu++) {
		struct sched_cpu *sc = per_cpu_ptr(sched_cpu, cpu);

		timer_init(&sc->slice, handle_slice_end, sc, cpu);
	}
	fair_init(&sched_fair, smp_cpu_count(), &fair_ops);
	sched_pool_setup();
}

/* --- states of a vCPU --- */

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

void sched_wake(struct vcpu *v)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);
	ns_t now = clock_now();

	if (vcpu_is_runnable(v) && !v->is_running) {
		set_runstate(v, RUNSTATE_runnable, now);
		fair_wake(&sched_fair, &v->sched->unit, now);
	}
	sched_unlock(flags);
}

void sched_sleep(struct vcpu *v)
{
	unsigned long flags;

	if (v == vcpu_current()) {
		softirq_raise(SOFTIRQ_SCHED); /* its CPU is this one: it looks before it goes on */
		return;
	}
	flags = spin_lock_irqsave(&sched_lock);
	if (!vcpu_is_runnable(v)) {
		if (v->is_running) {
			tell(v->cpu);
		} else {
			fair_sleep(&v->sched->unit);
			set_runstate(v, runstate_off_cpu(v), clock_now());
		}
	}
	sched_unlock(flags);
}

void sched_sleep_sync(struct vcpu *v)
{
	sched_sleep(v);
	/* Acquire: what its CPU saved is visible; pairs with the release in take_off(). */
	while (load_acquire(&v->is_running) && !vcpu_is_runnable(v)) {
		arch_cpu_relax();
	}
}

void sched_yield(struct vcpu *v)
{
	ASSERT(v == vcpu_current());
	store_relaxed(&v->sched->unit.is_yielding, true);
	this_cpu_ptr(sched_cpu)->is_due = true;
}

void sched_affinity_changed(struct vcpu *v)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);

	fair_affinity_changed(&sched_fair, &v->sched->unit, clock_now());
	sched_unlock(flags);
}

void sched_weight_changed(struct domain *d)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);

	fair_set_weight(&sched_fair, &d->sched->fair, load_relaxed(&d->sched_weight),
			load_relaxed(&d->sched_cap), clock_now());
	sched_unlock(flags);
}

ns_t sched_idle_time(cpu_t cpu)
{
	return load_relaxed(&per_cpu_ptr(sched_cpu, cpu)->idle_ns);
}

/* --- the run loop --- */

/*
 * prev's registers leave this CPU. Its run state changes here, before the lock: while is_running is set
 * nobody else changes it, and the guest's memory is not written with all CPUs waiting.
 */
static void save(struct vcpu *prev)
{
	ns_t now = clock_now();

	arch_vcpu_save(prev);
	set_runstate(prev, runstate_off_cpu(prev), now);
	vcpu_runstate_publish(prev, now);
}

/* next is this CPU's. */
static void load(struct vcpu *next)
{
	vcpu_runstate_publish(next, clock_now());
	arch_vcpu_load(next);
}

/* prev's state is saved: it belongs to nobody now. */
static void take_off(struct vcpu *prev, cpu_t cpu, ns_t now)
{
	bool wants_to_run = vcpu_is_runnable(prev);

	set_runstate(prev, runstate_off_cpu(prev), now); /* if that has changed once more */
	store_release(&prev->is_running, false); /* pairs with sched_sleep_sync() */
	fair_put(&sched_fair, cpu, wants_to_run, now);
}

static struct vcpu *put_on(cpu_t cpu, ns_t now)
{
	struct fair_unit *u = fair_take(&sched_fair, cpu, now);
	struct vcpu *v;

	if (!u) {
		return NULL;
	}
	v = u->owner;
	v->cpu = cpu;
	v->is_running = true;
	set_runstate(v, RUNSTATE_running, now);
	return v;
}

/* What this CPU shall run until it is due again; its state is loaded. NULL: idle. */
static struct vcpu *pick(struct sched_cpu *sc)
{
	struct vcpu *prev = sc->current, *next;
	cpu_t cpu = smp_cpu_id();
	unsigned long flags;
	bool is_kept;

	/* An idle CPU that was woken by something else has no business with the queue's lock. */
	if (likely(!sc->is_due && (!prev || vcpu_is_runnable(prev)))) {
		return prev;
	}

	sc->is_due = false; /* before the look at the queue: a later raise means another look */
	if (prev && vcpu_is_runnable(prev)) {
		flags = spin_lock_irqsave(&sched_lock);
		is_kept = fair_keep(&sched_fair, cpu, clock_now());
		sched_unlock(flags);
		if (is_kept) {
			return prev;
		}
	}

	if (prev) {
		save(prev);
	}
	flags = spin_lock_irqsave(&sched_lock);
	if (prev) {
		take_off(prev, cpu, clock_now());
	}
	next = put_on(cpu, clock_now());
	sc->current = next;
	if (!next) {
		timer_stop(&sc->slice);
	}
	sched_unlock(flags);

	if (next) {
		load(next);
	}
	return next;
}

void sched_run_cpu(void)
{
	struct sched_cpu *sc = this_cpu_ptr(sched_cpu);
	struct vcpu *v;
	ns_t start;

	sc->is_due = true;
	for (;;) {
		rcu_quiescent();
		softirq_run();
		v = pick(sc);
		if (v) {
			arch_vcpu_run(v);
		} else {
			start = clock_now();
			arch_cpu_idle();
			store_relaxed(&sc->idle_ns, sc->idle_ns + clock_now() - start);
		}
	}
}

/* --- domain service --- */

static int sched_domain_init(struct domain *d, const struct domain_config *config)
{
	struct sched_domain *sd = heap_alloc(sizeof(*sd));
	unsigned long flags;

	if (!sd) {
		return -ENOMEM;
	}
	fair_domain_init(&sd->fair, d);
	timer_init(&sd->refill, handle_refill, &sd->fair, smp_cpu_id());
	d->sched = sd;
	flags = spin_lock_irqsave(&sched_lock);
	sched_pool_count_domain(0, 1);
	sched_unlock(flags);
	return 0;
}

static int sched_vcpu_init(struct vcpu *v)
{
	struct sched_domain *sd = v->domain->sched;
	struct sched_vcpu *sv = heap_alloc(sizeof(*sv));
	unsigned long flags;

	if (!sv) {
		return -ENOMEM;
	}
	v->sched = sv;
	v->cpu = vcpu_id_raw(v->id) % smp_cpu_count();
	flags = spin_lock_irqsave(&sched_lock);
	fair_unit_init(&sv->unit, &sd->fair, sched_pool_get(sd->pool), &v->hard_affinity,
		       &v->soft_affinity, v);
	sv->unit.cpu = v->cpu;
	sched_unlock(flags);
	return 0;
}

static void sched_vcpu_fini(struct vcpu *v)
{
	unsigned long flags;

	CHECK(!v->is_running);
	if (v->sched) {
		flags = spin_lock_irqsave(&sched_lock);
		fair_sleep(&v->sched->unit);
		fair_unit_fini(&v->sched->unit);
		sched_unlock(flags);
		heap_free(v->sched);
		v->sched = NULL;
	}
}

static void sched_domain_fini(struct domain *d)
{
	unsigned long flags;

	if (!d->sched) {
		return;
	}
	timer_stop(&d->sched->refill);
	flags = spin_lock_irqsave(&sched_lock);
	sched_pool_count_domain(d->sched->pool, -1);
	sched_unlock(flags);
	heap_free(d->sched);
	d->sched = NULL;
}

const struct domain_service sched_service = {
	.name = "sched",
	.init = sched_domain_init,
	.vcpu_init = sched_vcpu_init,
	.vcpu_fini = sched_vcpu_fini,
	.fini = sched_domain_fini,
};
