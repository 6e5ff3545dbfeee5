// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/rcu.h"

#include "core/percpu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "core/spinlock.h"
#include "hv/error.h"
#include "lib/bitmap.h"

/*
 * Grace periods are numbered and run one at a time. One ends when every CPU that was online at its start
 * has been through rcu_quiescent(). A CPU's callbacks wait in two lists: "waiting" for the
 * period wait_for, "fresh" for one that has not started.
 */
static struct {
	struct spinlock lock;	/* LOCK_RCU, interrupts off */
	u64 started, completed; /* equal: none is under way */
	u64 wanted;		/* highest number that anybody waits for */
	struct cpu_set missing; /* CPUs that have not been quiescent since started */
} gp = {.lock = SPINLOCK_INIT(LOCK_RCU)};

struct rcu_list {
	struct rcu_head *first, **last;
};
struct rcu_cpu {
	struct rcu_list fresh, waiting;
	u64 wait_for;
	unsigned int readers; /* debug builds */
};
DEFINE_PER_CPU(struct rcu_cpu, rcu);

static void list_append(struct rcu_list *list, struct rcu_head *head)
{
	head->next = NULL;
	if (!list->first) {
		list->last = &list->first;
	}
	*list->last = head;
	list->last = &head->next;
}

void rcu_read_lock(void)
{
#ifndef NDEBUG
	this_cpu_ptr(rcu)->readers++;
#endif
	barrier();
}

void rcu_read_unlock(void)
{
	barrier();
#ifndef NDEBUG
	ASSERT(this_cpu_ptr(rcu)->readers > 0);
	this_cpu_ptr(rcu)->readers--;
#endif
}

void rcu_call(struct rcu_head *head, void (*callback)(struct rcu_head *head))
{
	unsigned long flags = arch_irq_save();

	head->callback = callback;
	list_append(&this_cpu_ptr(rcu)->fresh, head);
	softirq_raise(SOFTIRQ_RCU);
	arch_irq_restore(flags);
}

/*
 * The CPUs of missing must look up from their guests, or from HLT. An interrupt alone is not enough: one
 * that has been through rcu_quiescent() and not yet off its interrupts would take it, enter its
 * guest, and perhaps never leave it. The softirq is looked at after that; this CPU's own, too.
 */
static void start_period_locked(void)
{
	cpu_t cpu;

	gp.missing = *smp_online();
	store_release(&gp.started, gp.started + 1);
	for_each_cpu(cpu, &gp.missing) {
		softirq_raise_cpu(SOFTIRQ_RCU, cpu);
	}
}

static void end_period_locked(void)
{
	cpu_t cpu;

	store_release(&gp.completed, gp.started);
	for_each_cpu(cpu, smp_online()) {
		if (load_relaxed(&per_cpu_ptr(rcu, cpu)->waiting.first)) {
			softirq_raise_cpu(SOFTIRQ_RCU, cpu);
		}
	}
	if (gp.wanted > gp.completed) {
		start_period_locked();
	}
}

void rcu_quiescent(void)
{
	unsigned long flags;

	ASSERT(this_cpu_ptr(rcu)->readers == 0);
	/* Nothing under way: the usual case. pairs with start_period_locked() */
	if (likely(load_acquire(&gp.started) == load_relaxed(&gp.completed))) {
		return;
	}
	if (!bitmap_test(gp.missing.words, smp_cpu_id())) {
		return;
	}
	flags = spin_lock_irqsave(&gp.lock);
	if (gp.started != gp.completed && bitmap_test(gp.missing.words, smp_cpu_id())) {
		bitmap_clear(gp.missing.words, smp_cpu_id());
		if (bitmap_find_set(gp.missing.words, CPU_MAX, 0) == CPU_MAX) {
			end_period_locked();
		}
	}
	spin_unlock_irqrestore(&gp.lock, flags);
}

/* Callbacks whose period is over, and the next list into its place. */
static struct rcu_head *take_due(struct rcu_cpu *cpu)
{
	struct rcu_head *due = NULL;
	unsigned long flags;

	if (cpu->waiting.first && load_acquire(&gp.completed) >= cpu->wait_for) {
		due = cpu->waiting.first;
		cpu->waiting = (struct rcu_list){0};
	}
	if (!cpu->waiting.first && cpu->fresh.first) {
		flags = spin_lock_irqsave(&gp.lock);
		cpu->waiting.first = cpu->fresh.first;
		cpu->fresh = (struct rcu_list){0};
		/* A period that is under way may have begun before the objects were unlinked. */
		cpu->wait_for = gp.started + 1;
		gp.wanted = MAX(gp.wanted, cpu->wait_for);
		if (gp.started == gp.completed) {
			start_period_locked();
		}
		spin_unlock_irqrestore(&gp.lock, flags);
	}
	return due;
}

static void run_callbacks(void)
{
	struct rcu_head *head, *next;
	unsigned long flags;

	rcu_quiescent(); /* softirqs run at the top of a CPU's loop only, where nothing is read */
	flags = arch_irq_save();
	head = take_due(this_cpu_ptr(rcu));
	arch_irq_restore(flags);
	for (; head; head = next) {
		next = head->next;
		head->callback(head);
	}
}

void rcu_setup(void)
{
	softirq_register(SOFTIRQ_RCU, run_callbacks);
}

#ifdef HV_UNIT
void rcu_forget_all(void)
{
	gp.started = gp.completed = gp.wanted = 0;
	gp.missing = (struct cpu_set){{0}};
}
#endif

void rcu_barrier_poll(void)
{
	run_callbacks();
}
