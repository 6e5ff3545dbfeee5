/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time: the time page, set_timer_op, singleshot and periodic timers. */
#include "lib/event.h"

#include <xen/vcpu.h>

#define OP(cmd, arg) hypercall3(__HYPERVISOR_vcpu_op, cmd, 0, arg)
#define MS	     1000000UL

static evtchn_port_t timer;

/* System time by the pvclock rules (xen/xen.h: struct vcpu_time_info). */
static uint64_t system_time(void)
{
	const volatile struct vcpu_time_info *t = &event_vcpu_info()->time;
	uint64_t ns;
	uint32_t version;

	do {
		uint64_t delta;

		version = t->version;
		barrier();
		delta = rdtsc() - t->tsc_timestamp;
		delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
		ns = t->system_time +
		     (uint64_t)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
		barrier();
	} while ((version & 1) || version != t->version);
	return ns;
}

TEST(system_time_grows_at_the_right_speed)
{
	uint64_t start, tsc_start, elapsed, frequency;

	event_init();
	frequency = cpuid(xen_leaf + 3, 0).ecx; /* kHz */
	start = system_time();
	tsc_start = rdtsc();
	delay_us(20000);
	elapsed = system_time() - start;
	EXPECT(elapsed >= 19 * MS && elapsed < 1000 * MS);
	if (frequency) {
		uint64_t by_tsc = (rdtsc() - tsc_start) * 1000000 / frequency;

		EXPECT(by_tsc >= elapsed - elapsed / 50 - MS &&
		       by_tsc <= elapsed + elapsed / 50 + 50 * MS);
	}
}

TEST(system_time_never_goes_back)
{
	uint64_t last = system_time();

	for (unsigned i = 0; i < 20000; i++) {
		uint64_t now = system_time();

		if (!EXPECT(now >= last)) {
			break;
		}
		last = now;
	}
}

TEST(wall_clock_is_this_century)
{
	EXPECT(shared_info->wc_sec > 1600000000U);
	EXPECT(shared_info->wc_nsec < 1000000000U);
	EXPECT_EQ(shared_info->wc_version & 1, 0);
}

TEST(set_timer_op_fires_in_time)
{
	uint64_t deadline, late;

	EXPECT_EQ(event_bind_virq(VIRQ_TIMER, 0, &timer), 0);
	deadline = system_time() + 5 * MS;
	EXPECT_EQ(hypercall1(__HYPERVISOR_set_timer_op, deadline), 0);
	EXPECT(WAIT_FOR(event_seen[timer] == 1, 1000));
	late = system_time() - deadline;
	EXPECT(late < 500 * MS);
}

TEST(zero_stops_the_timer)
{
	uint64_t deadline;
	unsigned before;

	do { /* again when the machine is so slow that the timer was due before it was stopped */
		event_clear(timer);
		before = event_seen[timer];
		deadline = system_time() + 20 * MS;
		EXPECT_EQ(hypercall1(__HYPERVISOR_set_timer_op, deadline), 0);
		EXPECT_EQ(hypercall1(__HYPERVISOR_set_timer_op, 0), 0);
	} while (system_time() >= deadline);
	EXPECT(!WAIT_FOR(event_seen[timer] != before, 60));
}

TEST(a_deadline_in_the_past_fires_at_once)
{
	unsigned before = event_seen[timer];

	EXPECT_EQ(hypercall1(__HYPERVISOR_set_timer_op, 1), 0);
	EXPECT(WAIT_FOR(event_seen[timer] == before + 1, 1000));
}

TEST(singleshot_fires_once)
{
	struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = system_time() + 5 * MS};
	unsigned before = event_seen[timer];

	EXPECT_EQ(OP(VCPUOP_set_singleshot_timer, &t), 0);
	EXPECT(WAIT_FOR(event_seen[timer] == before + 1, 1000));
	EXPECT(!WAIT_FOR(event_seen[timer] != before + 1, 30));
}

/* The flag is a dead letter in 4.17: a deadline that is over fires at once. */
TEST(the_future_only_flag_is_ignored)
{
	struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = 1, .flags = VCPU_SSHOTTMR_future};

	unsigned before = event_seen[timer];

	EXPECT_EQ(OP(VCPUOP_set_singleshot_timer, &t), 0);
	EXPECT(WAIT_FOR(event_seen[timer] == before + 1, 1000));
	EXPECT_EQ(OP(VCPUOP_stop_singleshot_timer, 0), 0);
}

TEST(stop_singleshot_stops)
{
	struct vcpu_set_singleshot_timer t = {0};
	unsigned before;

	do { /* as in zero_stops_the_timer */
		WAIT_FOR(false, 2); /* let an earlier one arrive */
		before = event_seen[timer];
		t.timeout_abs_ns = system_time() + 30 * MS;
		EXPECT_EQ(OP(VCPUOP_set_singleshot_timer, &t), 0);
		EXPECT_EQ(OP(VCPUOP_stop_singleshot_timer, 0), 0);
	} while (system_time() >= t.timeout_abs_ns);
	EXPECT(!WAIT_FOR(event_seen[timer] != before, 60));
}

TEST(periodic_timer_repeats_until_stopped)
{
	struct vcpu_set_periodic_timer t = {.period_ns = 5 * MS};
	unsigned before = event_seen[timer];

	EXPECT_EQ(OP(VCPUOP_set_periodic_timer, &t), 0);
	EXPECT(WAIT_FOR(event_seen[timer] >= before + 3, 2000));
	EXPECT_EQ(OP(VCPUOP_stop_periodic_timer, 0), 0);
	WAIT_FOR(false, 20);
	before = event_seen[timer];
	EXPECT(!WAIT_FOR(event_seen[timer] != before, 30));
}

TEST(refusals)
{
	struct vcpu_set_periodic_timer t = {.period_ns = 1};

	EXPECT_EQ(OP(VCPUOP_set_periodic_timer, &t), -EINVAL);
	EXPECT_EQ(OP(VCPUOP_set_periodic_timer, 0x800000000000UL), -EFAULT);
	EXPECT_EQ(OP(VCPUOP_set_singleshot_timer, 0x800000000000UL), -EFAULT);
	EXPECT_EQ(hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 99, &t), -ENOENT);
}

TEST(halt_wakes_for_the_timer)
{
	unsigned before = event_seen[timer];

	EXPECT_EQ(hypercall1(__HYPERVISOR_set_timer_op, system_time() + 10 * MS), 0);
	for (unsigned i = 0; i < 1000 && event_seen[timer] == before; i++) {
		__asm__ volatile("sti; hlt; cli");
	}
	EXPECT_EQ(event_seen[timer], before + 1);
}
