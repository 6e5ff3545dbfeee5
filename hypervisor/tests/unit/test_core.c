// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Locks, softirqs, calls to other CPUs, interrupt vectors.
 */
#include "arch/contract/host.h"
#include "arch/unit/unit.h"
#include "base/test.h"
#include "core/irq.h"
#include "core/irq_dispatch.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "core/spinlock.h"
#include "hv/error.h"

static struct spinlock outer = SPINLOCK_INIT(LOCK_DOMAIN), inner = SPINLOCK_INIT(LOCK_HEAP);
static struct spinlock twin = SPINLOCK_INIT(LOCK_DOMAIN);
static unsigned int runs[8];

TEST(spinlock, order_inwards_is_fine)
{
	unit_reset(1);
	spin_lock(&outer);
	EXPECT(spin_is_held_here(&outer));
	spin_lock(&inner);
	spin_unlock(&inner);
	spin_unlock(&outer);
	EXPECT(!spin_is_held_here(&outer));
}

TEST(spinlock, order_outwards_panics_with_both_names)
{
	unit_reset(1);
	spin_lock(&inner);
	EXPECT(UNIT_PANICS(spin_lock(&outer)));
	EXPECT(strstr(unit_panic_text, "DOMAIN") && strstr(unit_panic_text, "HEAP"));
	spin_unlock(&inner);
}

TEST(spinlock, two_of_one_kind_only_as_a_pair)
{
	unit_reset(1);
	spin_lock_pair(&outer, &twin);
	EXPECT(spin_is_held_here(&outer) && spin_is_held_here(&twin));
	spin_unlock_pair(&outer, &twin);
	spin_lock_pair(&outer, &outer);
	spin_unlock_pair(&outer, &outer);
	spin_lock(&outer);
	EXPECT(UNIT_PANICS(spin_lock(&twin)));
	spin_unlock(&outer);
}

TEST(spinlock, trylock_says_no_and_changes_nothing)
{
	unit_reset(1);
	EXPECT(spin_trylock(&outer));
	EXPECT(!spin_trylock(&outer));
	spin_unlock(&outer);
	EXPECT(spin_trylock(&outer));
	spin_unlock(&outer);
}

TEST(spinlock, irqsave_keeps_what_was)
{
	unsigned long flags, more;

	unit_reset(1);
	flags = spin_lock_irqsave(&outer);
	EXPECT(!arch_irq_is_enabled());
	more = spin_lock_irqsave(&inner);
	spin_unlock_irqrestore(&inner, more);
	EXPECT(!arch_irq_is_enabled());
	spin_unlock_irqrestore(&outer, flags);
	EXPECT(arch_irq_is_enabled());
}

static void count_sched(void)
{
	runs[smp_cpu_id()]++;
	if (runs[smp_cpu_id()] == 1) {
		softirq_raise(SOFTIRQ_SCHED); /* again, in the same round */
	}
}

TEST(softirq, runs_until_none_is_pending)
{
	static bool is_set;

	unit_reset(2);
	memset(runs, 0, sizeof(runs));
	if (!is_set) {
		softirq_register(SOFTIRQ_SCHED, count_sched);
		is_set = true;
	}
	EXPECT(UNIT_PANICS(softirq_register(SOFTIRQ_SCHED, count_sched)));
	EXPECT(!softirq_is_pending());
	softirq_raise(SOFTIRQ_SCHED);
	EXPECT(softirq_is_pending());
	softirq_run();
	EXPECT_EQ(runs[0], 2);
	EXPECT(!softirq_is_pending());
}

TEST(softirq, another_cpu_is_interrupted_once)
{
	unit_reset(2);
	softirq_raise_cpu(SOFTIRQ_SCHED, 1);
	softirq_raise_cpu(SOFTIRQ_SCHED, 1);
	EXPECT_EQ(unit_kick_count[1], 1);
	softirq_raise_cpu(SOFTIRQ_SCHED, 0);
	EXPECT_EQ(unit_kick_count[0], 0);
	EXPECT(softirq_is_pending());
}

static void count_call(void *data)
{
	EXPECT(!arch_irq_is_enabled());
	(*(unsigned int *)data)++;
	runs[smp_cpu_id()]++;
}

TEST(smp, call_runs_once_on_each_cpu_of_the_set)
{
	struct cpu_set set = {{0}};
	unsigned int calls = 0;

	unit_reset(4);
	memset(runs, 0, sizeof(runs));
	bitmap_set(set.words, 0);
	bitmap_set(set.words, 2);
	bitmap_set(set.words, 3);
	smp_call(&set, count_call, &calls);
	EXPECT_EQ(calls, 3);
	EXPECT(runs[0] == 1 && runs[1] == 0 && runs[2] == 1 && runs[3] == 1);
	EXPECT(arch_irq_is_enabled());
	smp_call(smp_online(), count_call, &calls);
	EXPECT_EQ(calls, 7);
	EXPECT_EQ(smp_cpu_count(), 4);
}

static void count_irq(void *data)
{
	(*(unsigned int *)data)++;
}

TEST(irq, vector_reaches_its_handler_on_its_cpu_only)
{
	struct irq_target a, b;
	unsigned int x = 0, y = 0;

	unit_reset(2);
	EXPECT_EQ(irq_alloc(0, count_irq, &x, &a), 0);
	EXPECT_EQ(irq_alloc(1, count_irq, &y, &b), 0);
	irq_dispatch(a.vector);
	EXPECT(x == 1 && y == 0);
	unit_cpu(1);
	irq_dispatch(b.vector);
	unit_cpu(0);
	EXPECT(x == 1 && y == 1);
	irq_free(a);
	irq_dispatch(a.vector);
	EXPECT_EQ(x, 1);
	irq_free(b);
}

TEST(irq, vectors_run_out_with_an_error_and_come_back)
{
	static struct irq_target t[300];
	struct irq_target more;
	unsigned int n = 0, x = 0, i;

	unit_reset(1);
	while (n < 300 && irq_alloc(0, count_irq, &x, &t[n]) == 0) {
		EXPECT(t[n].vector >= 0x30 && t[n].vector < 0xf0);
		n++;
	}
	EXPECT_EQ(n, 0xc0);
	EXPECT_EQ(irq_alloc(0, count_irq, &x, &more), -ENOSPC);
	irq_free(t[17]);
	EXPECT_EQ(irq_alloc(0, count_irq, &x, &more), 0);
	EXPECT_EQ(more.vector, t[17].vector);
	for (i = 0; i < n; i++) {
		irq_free(i == 17 ? more : t[i]);
	}
}

TEST(irq, a_stray_vector_is_harmless)
{
	unit_reset(1);
	irq_dispatch(0x20);
	irq_dispatch(0x80);
	irq_dispatch(0xff);
}

TEST_MAIN()
