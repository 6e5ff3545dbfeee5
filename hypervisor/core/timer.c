// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/timer.h"

#include "core/percpu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "core/spinlock.h"
#include "hv/error.h"

struct timer_queue {
	struct spinlock lock; /* LOCK_TIMER, interrupts off */
	struct rb_tree tree;
	struct timer *running; /* its callback is being called */
	ns_t armed;	       /* what the hardware was told */
};
DEFINE_PER_CPU(struct timer_queue, timers) = {
	.lock = SPINLOCK_INIT(LOCK_TIMER),
	.armed = NS_NEVER,
};

ns_t clock_now(void)
{
	return arch_clock_read();
}

static bool is_before(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct timer, node)->deadline < container_of(b, struct timer, node)->deadline;
}

static struct timer *first_of(struct timer_queue *q)
{
	struct rb_node *n = rb_first(&q->tree);

	return n ? container_of(n, struct timer, node) : NULL;
}

/* The queue that t belongs to, locked; t may move while we wait for the lock. */
static struct timer_queue *lock_queue(const struct timer *t, unsigned long *flags) NO_THREAD_SAFETY
{
	struct timer_queue *q;
	cpu_t cpu;

	for (;;) {
		cpu = load_relaxed(&t->cpu);
		q = per_cpu_ptr(timers, cpu);
		*flags = spin_lock_irqsave(&q->lock);
		if (load_relaxed(&t->cpu) == cpu) {
			return q;
		}
		spin_unlock_irqrestore(&q->lock, *flags);
	}
}

static void dequeue_locked(struct timer_queue *q, struct timer *t)
{
	if (t->is_queued) {
		rb_remove(&q->tree, &t->node);
		t->is_queued = false;
	}
}

/* True when the queue's CPU must be told, because the earliest deadline is now an earlier one. */
static bool enqueue_locked(struct timer_queue *q, struct timer *t)
{
	rb_insert(&q->tree, &t->node, is_before);
	t->is_queued = true;
	return first_of(q) == t && t->deadline < q->armed;
}

static void arm_locked(struct timer_queue *q)
{
	struct timer *first = first_of(q);
	ns_t deadline = first ? first->deadline : NS_NEVER;

	if (q->armed != deadline) {
		q->armed = deadline;
		arch_timer_arm(deadline);
	}
}

static void notify(struct timer_queue *q, cpu_t cpu)
{
	if (cpu == smp_cpu_id()) {
		arm_locked(q);
	} else {
		softirq_raise_cpu(SOFTIRQ_TIMER, cpu);
	}
}

void timer_init(struct timer *t, void (*callback)(void *data), void *data, cpu_t cpu)
{
	*t = (struct timer){.deadline = NS_NEVER, .callback = callback, .data = data, .cpu = cpu};
}

void timer_set(struct timer *t, ns_t deadline) NO_THREAD_SAFETY
{
	unsigned long flags;
	struct timer_queue *q = lock_queue(t, &flags);

	dequeue_locked(q, t);
	t->deadline = deadline;
	if (deadline != NS_NEVER && enqueue_locked(q, t)) {
		notify(q, t->cpu);
	}
	spin_unlock_irqrestore(&q->lock, flags);
}

void timer_stop(struct timer *t) NO_THREAD_SAFETY
{
	struct timer_queue *q;
	unsigned long flags;

	if (!t->callback) {
		return; /* never initialised */
	}
	q = lock_queue(t, &flags);
	for (;;) {
		dequeue_locked(q, t);
		t->deadline = NS_NEVER;
		if (q->running != t || t->cpu == smp_cpu_id()) {
			break;
		}
		/* The callback runs elsewhere, and may arm again: wait, and look again. */
		spin_unlock_irqrestore(&q->lock, flags);
		arch_cpu_relax();
		q = lock_queue(t, &flags);
	}
	spin_unlock_irqrestore(&q->lock, flags);
}

void timer_migrate(struct timer *t, cpu_t cpu) NO_THREAD_SAFETY
{
	unsigned long flags;
	struct timer_queue *q;
	bool was_queued;

	if (t->cpu == cpu) {
		return;
	}
	q = lock_queue(t, &flags);
	while (q->running == t && t->cpu != smp_cpu_id()) {
		spin_unlock_irqrestore(&q->lock, flags);
		arch_cpu_relax();
		q = lock_queue(t, &flags);
	}
	was_queued = t->is_queued;
	dequeue_locked(q, t);
	store_relaxed(&t->cpu, cpu);
	spin_unlock_irqrestore(&q->lock, flags);
	if (was_queued) {
		timer_set(t, t->deadline);
	}
}

static void run_expired(void)
{
	struct timer_queue *q = this_cpu_ptr(timers);
	unsigned long flags = spin_lock_irqsave(&q->lock);
	struct timer *t;

	while ((t = first_of(q)) && t->deadline <= clock_now()) {
		dequeue_locked(q, t);
		t->deadline = NS_NEVER;
		q->running = t;
		spin_unlock_irqrestore(&q->lock, flags);
		t->callback(t->data);
		flags = spin_lock_irqsave(&q->lock);
		q->running = NULL;
	}
	q->armed = NS_NEVER; /* the shot was fired, or somebody asked us to look */
	arm_locked(q);
	spin_unlock_irqrestore(&q->lock, flags);
}

void timer_setup(void)
{
	softirq_register(SOFTIRQ_TIMER, run_expired);
}
