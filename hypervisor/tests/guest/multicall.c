/* SPDX-License-Identifier: GPL-2.0-or-later */
/* multicall: several hypercalls in one, each with its own result. */
#include "lib/guest.h"

#include <xen/version.h>

static struct multicall_entry list[64];

static long run_list(unsigned long count)
{
	return hypercall2(__HYPERVISOR_multicall, list, count);
}

TEST(empty_list_is_fine)
{
	EXPECT_EQ(run_list(0), 0);
}

TEST(results_are_written_to_each_entry)
{
	list[0] =
		(struct multicall_entry){.op = __HYPERVISOR_xen_version, .args = {XENVER_version}};
	list[1] = (struct multicall_entry){.op = 63};
	list[2] =
		(struct multicall_entry){.op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize}};
	EXPECT_EQ(run_list(3), 0);
	EXPECT_EQ(list[0].result, 4 << 16 | 17);
	EXPECT_EQ(list[1].result, -ENOSYS);
	EXPECT_EQ(list[2].result, 4096);
}

TEST(a_long_list_is_done_completely)
{
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		list[i] = (struct multicall_entry){
			.op = __HYPERVISOR_xen_version, .args = {XENVER_version}, .result = 1};
	}
	EXPECT_EQ(run_list(ARRAY_SIZE(list)), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		EXPECT_EQ(list[i].result, 4 << 16 | 17);
	}
}

TEST(a_multicall_in_a_multicall_is_refused)
{
	list[0] = (struct multicall_entry){.op = __HYPERVISOR_multicall,
					   .args = {(unsigned long)&list[1], 1}};
	list[1] = (struct multicall_entry){.op = __HYPERVISOR_xen_version, .result = 77};
	EXPECT_EQ(run_list(1), 0);
	EXPECT_EQ(list[0].result, -EINVAL);
	EXPECT_EQ(list[1].result, 77);
}

TEST(bad_lists_are_efault)
{
	EXPECT_EQ(hypercall2(__HYPERVISOR_multicall, 0x800000000000UL, 1), -EFAULT);
	EXPECT_EQ(hypercall2(__HYPERVISOR_multicall, 0xfffffffffffffff0UL, 1), -EFAULT);
	EXPECT_EQ(hypercall2(__HYPERVISOR_multicall, 0x100000000000UL, 1), -EFAULT);
}
