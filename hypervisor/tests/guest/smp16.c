/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sixteen vCPUs start, count together, and stay alive. */
#include "lib/guest.h"

static volatile unsigned long count;

static void add(void *arg)
{
	for (unsigned i = 0; i < 1000; i++) {
		__atomic_fetch_add(&count, 1, __ATOMIC_SEQ_CST);
	}
	(void)arg;
}

TEST(sixteen_vcpus_start)
{
	apic_enable();
	for (unsigned i = 1; i < MAX_CPUS; i++) {
		if (!EXPECT(cpu_start(i))) {
			finish("FAIL", "a vCPU does not start");
		}
	}
}

TEST(all_of_them_work)
{
	for (unsigned i = 1; i < MAX_CPUS; i++) {
		cpu_call(i, add, NULL);
	}
	add(NULL);
	for (unsigned i = 1; i < MAX_CPUS; i++) {
		EXPECT(cpu_wait(i));
	}
	EXPECT_EQ(count, MAX_CPUS * 1000);
}
