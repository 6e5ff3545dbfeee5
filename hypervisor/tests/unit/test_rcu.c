// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/unit/unit.h"
#include "base/test.h"
#include "core/rcu.h"
#include "core/softirq.h"

static int freed;

static void count(struct rcu_head *head)
{
	freed++;
}

static void set_up(cpu_t cpus)
{
	static bool is_set;

	unit_reset(cpus);
	rcu_forget_all();
	if (!is_set) {
		rcu_setup();
		is_set = true;
	}
	freed = 0;
}

/* The top of the run loop of one CPU. */
static void loop_as(cpu_t cpu)
{
	unit_cpu(cpu);
	rcu_quiescent();
	softirq_run();
	unit_cpu(0);
}

TEST(rcu, callback_waits_for_every_cpu)
{
	struct rcu_head head;

	set_up(3);
	rcu_call(&head, count);
	loop_as(0); /* starts the period */
	EXPECT(unit_kick_count[1] > 0 && unit_kick_count[2] > 0);
	loop_as(0);
	loop_as(1);
	loop_as(0);
	EXPECT_EQ(freed, 0);
	loop_as(2);
	loop_as(0);
	EXPECT_EQ(freed, 1);
}

TEST(rcu, one_queued_during_a_period_waits_for_the_next)
{
	struct rcu_head a, b;

	set_up(3);
	rcu_call(&a, count);
	loop_as(0);
	loop_as(1); /* CPU 1 is through; then it takes a new reference to b's object */
	unit_cpu(1);
	rcu_call(&b, count);
	softirq_run();
	unit_cpu(0);
	loop_as(0);
	EXPECT_EQ(freed, 0);
	loop_as(2); /* ends the first period, and the second one begins */
	loop_as(0);
	EXPECT_EQ(freed, 1);
	loop_as(0);
	EXPECT_EQ(freed, 1);
	loop_as(1);
	EXPECT_EQ(freed, 2);
}

/* It takes the interrupt before it has them off, and has nothing that would make it leave its guest. */
TEST(rcu, a_cpu_on_its_way_into_a_guest_is_called_back)
{
	struct rcu_head head;

	for (int was_raised = 0; was_raised < 2; was_raised++) {
		set_up(2);
		unit_cpu(1);
		if (was_raised) {
			softirq_raise(SOFTIRQ_RCU);
		}
		rcu_quiescent();
		unit_cpu(0);
		rcu_call(&head, count);
		loop_as(0);
		unit_cpu(1);
		EXPECT(softirq_is_pending());
		softirq_run();
		loop_as(0);
		EXPECT_EQ(freed, 1);
	}
}

TEST(rcu, the_cpu_that_begins_a_period_is_called_back_too)
{
	struct rcu_head head;

	set_up(1);
	rcu_call(&head, count);
	softirq_run();
	EXPECT_EQ(freed, 1);
}

TEST(rcu, many_from_all_cpus_all_run)
{
	static struct rcu_head heads[300];
	unsigned int i, round;

	set_up(4);
	for (i = 0; i < 300; i++) {
		unit_cpu(i % 4);
		rcu_call(&heads[i], count);
		unit_cpu(0);
		if (i % 7 == 0) {
			loop_as(i % 4);
		}
	}
	for (round = 0; round < 20; round++) {
		loop_as(round % 4);
	}
	EXPECT_EQ(freed, 300);
}

TEST(rcu, nothing_under_way_costs_no_interrupts)
{
	set_up(2);
	loop_as(0);
	loop_as(1);
	EXPECT_EQ(unit_kick_count[0] + unit_kick_count[1], 0);
}

TEST_MAIN()
