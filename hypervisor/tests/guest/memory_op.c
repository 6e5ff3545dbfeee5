/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_op: reservation, physmap, limits, and the refusals of each. */
#include "lib/guest.h"

#include <xen/memory.h>

#define OP(cmd, arg) hypercall2(__HYPERVISOR_memory_op, cmd, arg)
#define FOREIGN_ID   0x7ff5 /* no such domain */

static uint8_t victim[4 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static long change(unsigned cmd, uint64_t *frames, unsigned long count, unsigned order, domid_t who)
{
	struct xen_memory_reservation r = {
		.nr_extents = count, .extent_order = order, .domid = who};

	set_xen_guest_handle(r.extent_start, frames);
	return OP(cmd, &r);
}

TEST(maximum_ram_page_is_above_us)
{
	long last = OP(XENMEM_maximum_ram_page, 0);

	EXPECT(last > 0x1000 && last < 1L << 40);
}

TEST(current_and_maximum_reservation)
{
	domid_t self = DOMID_SELF;
	domid_t zero = 0;
	domid_t nobody = FOREIGN_ID;
	long current = OP(XENMEM_current_reservation, &self);
	long most = OP(XENMEM_maximum_reservation, &self);

	EXPECT(current > 1000);
	EXPECT(most >= current);
	EXPECT_EQ(OP(XENMEM_current_reservation, &zero), is_dom0() ? current : -EPERM);
	EXPECT_EQ(OP(XENMEM_current_reservation, &nobody), -ESRCH);
	EXPECT_EQ(OP(XENMEM_maximum_reservation, &nobody), -ESRCH);
}

TEST(maximum_gpfn_is_sane)
{
	domid_t self = DOMID_SELF;
	long last = OP(XENMEM_maximum_gpfn, &self);

	EXPECT(last > 0x200 && last < 1L << 40);
}

TEST(decrease_and_populate_give_a_page_back_and_forth)
{
	domid_t self = DOMID_SELF;
	long before = OP(XENMEM_current_reservation, &self);
	uint64_t frame = (uint64_t)victim / PAGE_SIZE;

	victim[0] = 0x77;
	EXPECT_EQ(change(XENMEM_decrease_reservation, &frame, 1, 0, DOMID_SELF), 1);
	EXPECT_EQ(OP(XENMEM_current_reservation, &self), before - 1);
	frame = (uint64_t)victim / PAGE_SIZE;
	EXPECT_EQ(change(XENMEM_populate_physmap, &frame, 1, 0, DOMID_SELF), 1);
	EXPECT_EQ(OP(XENMEM_current_reservation, &self), before);
	victim[0] = 0x12;
	victim[PAGE_SIZE - 1] = 0x34;
	EXPECT_EQ(victim[0], 0x12);
	EXPECT_EQ(victim[PAGE_SIZE - 1], 0x34);
}

TEST(decreasing_what_is_not_there_does_nothing)
{
	uint64_t frame = scratch_frame();

	EXPECT_EQ(change(XENMEM_decrease_reservation, &frame, 1, 0, DOMID_SELF), 0);
	frame = 1UL << 40;
	EXPECT_EQ(change(XENMEM_decrease_reservation, &frame, 1, 0, DOMID_SELF), 0);
	frame = ~0UL;
	EXPECT_EQ(change(XENMEM_decrease_reservation, &frame, 1, 0, DOMID_SELF), 0);
}

/* A reservation answers with how many extents it did, also when it refuses the first. */
TEST(bad_reservations_do_nothing)
{
	uint64_t frame = scratch_frame();

	EXPECT_EQ(change(XENMEM_decrease_reservation, &frame, 1, 0, FOREIGN_ID), 0);
	EXPECT_EQ(change(XENMEM_populate_physmap, &frame, 1, 0, FOREIGN_ID), 0);
	EXPECT_EQ(change(XENMEM_populate_physmap, &frame, 1, 40, DOMID_SELF), 0);
	EXPECT_EQ(change(XENMEM_populate_physmap, &frame, 0, 0, DOMID_SELF), 0);
}

TEST(extent_array_must_be_readable)
{
	EXPECT_EQ(
		change(XENMEM_decrease_reservation, (uint64_t *)0x800000000000UL, 1, 0, DOMID_SELF),
		0);
	EXPECT_EQ(OP(XENMEM_decrease_reservation, 0x800000000000UL), 0);
	EXPECT_EQ(OP(XENMEM_populate_physmap, 0xfffffffffffffff0UL), 0);
}

/* There is nothing to exchange where all frames are alike; bad arguments are told first. */
TEST(exchange_is_for_others)
{
	uint64_t in = (uint64_t)victim / PAGE_SIZE, out = scratch_frame();
	struct xen_memory_exchange x = {.in = {.nr_extents = 1, .domid = DOMID_SELF},
					.out = {.nr_extents = 1, .domid = DOMID_SELF}};

	set_xen_guest_handle(x.in.extent_start, &in);
	set_xen_guest_handle(x.out.extent_start, &out);
	victim[0] = 0x55;
	EXPECT_EQ(OP(XENMEM_exchange, &x), -EOPNOTSUPP);
	EXPECT_EQ(x.nr_exchanged, 0);
	EXPECT_EQ(victim[0], 0x55);
	x.nr_exchanged = 1;
	EXPECT_EQ(OP(XENMEM_exchange, &x), 0);
	x.nr_exchanged = 2;
	EXPECT_EQ(OP(XENMEM_exchange, &x), -EINVAL);
	x.nr_exchanged = 0;
	x.out.nr_extents = 2;
	EXPECT_EQ(OP(XENMEM_exchange, &x), -EINVAL);
	x.out.nr_extents = 1;
	x.out.extent_order = 1;
	EXPECT_EQ(OP(XENMEM_exchange, &x), -EINVAL);
	x.out.extent_order = 40;
	EXPECT_EQ(OP(XENMEM_exchange, &x), -EPERM);
	x.out.extent_order = 0;
	x.out.domid = FOREIGN_ID;
	EXPECT_EQ(OP(XENMEM_exchange, &x), -EINVAL);
	EXPECT_EQ(OP(XENMEM_exchange, 0x800000000000UL), -EFAULT);
}

TEST(shared_info_can_be_mapped_and_moved)
{
	uint64_t first = scratch_frame();
	uint64_t second = scratch_frame();
	struct xen_add_to_physmap map = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = first};

	EXPECT_EQ(OP(XENMEM_add_to_physmap, &map), 0);
	EXPECT(((struct shared_info *)(first * PAGE_SIZE))->vcpu_info[0].time.tsc_to_system_mul !=
	       0);
	map.gpfn = second;
	EXPECT_EQ(OP(XENMEM_add_to_physmap, &map), 0);
	EXPECT(((struct shared_info *)(second * PAGE_SIZE))->vcpu_info[0].time.tsc_to_system_mul !=
	       0);
}

TEST(shared_info_replaces_ram)
{
	struct xen_add_to_physmap map = {.domid = DOMID_SELF,
					 .space = XENMAPSPACE_shared_info,
					 .gpfn = (uint64_t)victim / PAGE_SIZE};

	EXPECT_EQ(OP(XENMEM_add_to_physmap, &map), 0);
	EXPECT(((volatile struct shared_info *)victim)->vcpu_info[0].time.tsc_to_system_mul != 0);
	map.gpfn = scratch_frame();
	EXPECT_EQ(OP(XENMEM_add_to_physmap, &map), 0);
}

TEST(grant_frames_can_be_mapped)
{
	uint64_t frame = scratch_frame();
	struct xen_add_to_physmap map = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .idx = 0, .gpfn = frame};
	volatile uint32_t *word = (uint32_t *)(frame * PAGE_SIZE + 16 * 8);

	EXPECT_EQ(OP(XENMEM_add_to_physmap, &map), 0);
	EXPECT_EQ(*word, 0);
	*word = 0;
	map.idx = 0x7fffffff;
	EXPECT_EQ(OP(XENMEM_add_to_physmap, &map), -EINVAL);
}

TEST(bad_physmap_requests_are_refused)
{
	struct xen_add_to_physmap map = {.domid = DOMID_SELF, .space = 99, .gpfn = scratch_frame()};

	EXPECT_EQ(OP(XENMEM_add_to_physmap, &map), -EINVAL);
	map.space = XENMAPSPACE_shared_info;
	map.idx = 1;
	EXPECT_EQ(OP(XENMEM_add_to_physmap, &map), -EINVAL);
	map.idx = 0;
	map.domid = FOREIGN_ID;
	EXPECT_EQ(OP(XENMEM_add_to_physmap, &map), -ESRCH);
	map.domid = DOMID_SELF;
	map.space = XENMAPSPACE_gmfn_foreign;
	EXPECT(OP(XENMEM_add_to_physmap, &map) < 0);
	EXPECT_EQ(OP(XENMEM_add_to_physmap, 0x800000000000UL), -EFAULT);
}

TEST(remove_from_physmap_takes_a_page_out)
{
	struct xen_remove_from_physmap remove = {.domid = DOMID_SELF, .gpfn = scratch_frame()};
	struct xen_add_to_physmap map = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = remove.gpfn};

	EXPECT_EQ(OP(XENMEM_remove_from_physmap, &remove), -ENOENT);
	EXPECT_EQ(OP(XENMEM_add_to_physmap, &map), 0);
	EXPECT_EQ(OP(XENMEM_remove_from_physmap, &remove), 0);
	EXPECT_EQ(OP(XENMEM_remove_from_physmap, &remove), -ENOENT);
	remove.domid = FOREIGN_ID;
	EXPECT_EQ(OP(XENMEM_remove_from_physmap, &remove), -ESRCH);
}

TEST(batched_add_reports_each_entry)
{
	xen_ulong_t idxs[3] = {0, 0x7fffffff, 0};
	xen_pfn_t gpfns[3] = {scratch_frame(), scratch_frame(), scratch_frame()};
	int errs[3] = {7, 7, 7};
	struct xen_add_to_physmap_batch batch = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .size = 3};

	set_xen_guest_handle(batch.idxs, idxs);
	set_xen_guest_handle(batch.gpfns, gpfns);
	set_xen_guest_handle(batch.errs, errs);
	EXPECT_EQ(OP(XENMEM_add_to_physmap_batch, &batch), 0);
	EXPECT_EQ(errs[0], 0);
	EXPECT_EQ(errs[1], -EINVAL);
	EXPECT_EQ(errs[2], 0);
}

TEST(batched_add_refuses_bad_arrays)
{
	struct xen_add_to_physmap_batch batch = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .size = 1};
	static xen_ulong_t idxs[1];
	static xen_pfn_t gpfns[1];

	set_xen_guest_handle(batch.idxs, (xen_ulong_t *)0x800000000000UL);
	set_xen_guest_handle(batch.gpfns, gpfns);
	set_xen_guest_handle(batch.errs, (int *)0x800000000000UL);
	EXPECT_EQ(OP(XENMEM_add_to_physmap_batch, &batch), -EFAULT);
	set_xen_guest_handle(batch.idxs, idxs);
	EXPECT_EQ(OP(XENMEM_add_to_physmap_batch, &batch), -EFAULT);
	EXPECT_EQ(OP(XENMEM_add_to_physmap_batch, 0x800000000000UL), -EFAULT);
}

TEST(unknown_operations_are_enosys)
{
	EXPECT_EQ(OP(63, 0), -ENOSYS);
	EXPECT_EQ(OP(40, 0), -ENOSYS);
}
