/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nonsense to every hypercall, in an order that a seed fixes. Nothing may fault here or in the
 * hypervisor, and it must still answer afterwards. Left out are only those that would end the test
 * as they should: shutdown, kexec, and what unmaps the guest's own memory.
 */
#include "lib/guest.h"

#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/version.h>

#define CALLS 30000

static uint64_t state;
/* The last page is taken out of the guest's page tables: a count without end runs into it. */
static uint8_t scratch[5 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
#define USABLE (4 * PAGE_SIZE)

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t argument(void)
{
	switch (next() % 8) {
	case 0:
		return 0;
	case 1:
		return next() % 64;
	case 2:
		return ~0UL - next() % 64;
	case 3:
		return 0x800000000000UL - next() % 64;
	case 4:
		return next();
	case 5:
		return (uint64_t)scratch + 2 * PAGE_SIZE - next() % 64;
	default:
		return (uint64_t)scratch + next() % PAGE_SIZE;
	}
}

static bool is_left_out(uint64_t nr, uint64_t cmd)
{
	switch (nr) {
	case __HYPERVISOR_sched_op: /* block, poll, shutdown and its kin stop this vCPU */
		return cmd != SCHEDOP_yield && cmd < 8;
	case __HYPERVISOR_sched_op_compat:
	case __HYPERVISOR_kexec_op:
	case __HYPERVISOR_domctl: /* would pause or destroy this very domain */
	case __HYPERVISOR_sysctl:
	case __HYPERVISOR_platform_op: /* may sleep, or take CPUs away */
	case __HYPERVISOR_multicall:   /* could hold any of these */
	case __HYPERVISOR_console_io:  /* floods the log */
		return true;
	case __HYPERVISOR_vcpu_op:
		return cmd < 4;
	case __HYPERVISOR_memory_op: /* may take away the pages that the test lives in */
		cmd &= 63;
		return cmd == XENMEM_decrease_reservation || cmd == XENMEM_add_to_physmap ||
		       cmd == XENMEM_remove_from_physmap || cmd == XENMEM_exchange ||
		       cmd == XENMEM_add_to_physmap_batch || cmd == XENMEM_populate_physmap;
	default:
		return false;
	}
}

TEST(nonsense_gets_an_answer)
{
	unsigned done = 0;

	map_page((uint64_t)scratch + USABLE, 0);
	map_page(PAGE_SIZE, 0); /* the same behind small numbers taken for pointers */
	state = 0x9e3779b97f4a7c15UL;
	for (unsigned i = 0; i < CALLS; i++) {
		uint64_t nr = next() % 66;
		uint64_t cmd = next() % 4 ? next() % 48 : argument();

		if (is_left_out(nr, cmd)) {
			continue;
		}
		for (unsigned word = 0; word < 32; word++) {
			((uint64_t *)scratch)[next() % (USABLE / 8)] = argument();
		}
		hypercall(nr, cmd, argument(), argument(), argument(), argument());
		done++;
	}
	print("%u hypercalls\n", done);
	EXPECT(done > CALLS / 3);
}

TEST(the_hypervisor_still_answers)
{
	EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_version, 0), 4 << 16 | 17);
}
