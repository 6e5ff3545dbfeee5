// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/unit/unit.h"
#include "base/test.h"
#include "core/softirq.h"
#include "core/timer.h"

static int fired;
static struct timer other;

static void count(void *data)
{
	fired++;
}

static void set_up(cpu_t cpus)
{
	static bool is_set;

	unit_reset(cpus);
	if (!is_set) {
		timer_setup();
		is_set = true;
	}
	fired = 0;
}

static void run_as(cpu_t cpu)
{
	unit_cpu(cpu);
	softirq_run();
	unit_cpu(0);
}

TEST(timer, fires_at_its_deadline_and_not_before)
{
	struct timer t;

	set_up(1);
	timer_init(&t, count, NULL, 0);
	timer_set(&t, 100);
	EXPECT_EQ(unit_timer_deadline[0], 100);
	unit_advance(99);
	softirq_run();
	EXPECT_EQ(fired, 0);
	unit_advance(1);
	softirq_run();
	EXPECT_EQ(fired, 1);
	EXPECT_EQ(unit_timer_deadline[0], NS_NEVER);
	EXPECT_EQ(t.deadline, NS_NEVER);
}

TEST(timer, a_stopped_one_does_not_fire)
{
	struct timer t;

	set_up(1);
	timer_init(&t, count, NULL, 0);
	timer_set(&t, 100);
	timer_stop(&t);
	unit_advance(1000);
	softirq_run();
	EXPECT_EQ(fired, 0);
	timer_stop(&t); /* twice does nothing */
}

TEST(timer, an_earlier_one_rearms_the_hardware)
{
	struct timer a, b;

	set_up(1);
	timer_init(&a, count, NULL, 0);
	timer_init(&b, count, NULL, 0);
	timer_set(&a, 200);
	timer_set(&b, 100);
	EXPECT_EQ(unit_timer_deadline[0], 100);
	unit_advance(150);
	softirq_run();
	EXPECT_EQ(fired, 1);
	EXPECT_EQ(unit_timer_deadline[0], 200);
	timer_set(&a, NS_NEVER);
	unit_advance(1000);
	softirq_run();
	EXPECT_EQ(fired, 1);
}

TEST(timer, another_cpu_is_told_of_an_earlier_deadline)
{
	struct timer t;

	set_up(2);
	timer_init(&t, count, NULL, 1);
	timer_set(&t, 100);
	EXPECT_EQ(unit_kick_count[1], 1);
	EXPECT_EQ(unit_timer_deadline[1], NS_NEVER);
	run_as(1);
	EXPECT_EQ(unit_timer_deadline[1], 100);
	unit_advance(100);
	run_as(0);
	EXPECT_EQ(fired, 0);
	run_as(1);
	EXPECT_EQ(fired, 1);
}

TEST(timer, migration_keeps_the_deadline)
{
	struct timer t;

	set_up(2);
	timer_init(&t, count, NULL, 0);
	timer_set(&t, 100);
	timer_migrate(&t, 1);
	EXPECT_EQ(t.cpu, 1);
	run_as(1);
	unit_advance(100);
	run_as(0);
	EXPECT_EQ(fired, 0);
	run_as(1);
	EXPECT_EQ(fired, 1);
}

static void again(void *data)
{
	struct timer *t = data;

	fired++;
	if (fired < 5) {
		timer_set(t, unit_now + 10);
	}
}

TEST(timer, a_callback_may_arm_its_own_timer)
{
	struct timer t;
	int i;

	set_up(1);
	timer_init(&t, again, &t, 0);
	timer_set(&t, 10);
	for (i = 0; i < 10; i++) {
		unit_advance(10);
		softirq_run();
	}
	EXPECT_EQ(fired, 5);
}

static void stop_both(void *data)
{
	fired++;
	timer_stop(data);
	timer_stop(&other);
}

TEST(timer, a_callback_may_stop_itself_and_others)
{
	struct timer t;

	set_up(1);
	timer_init(&t, stop_both, &t, 0);
	timer_init(&other, count, NULL, 0);
	timer_set(&t, 10);
	timer_set(&other, 20);
	unit_advance(100);
	softirq_run();
	EXPECT_EQ(fired, 1);
}

TEST_MAIN()
