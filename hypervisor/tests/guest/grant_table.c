/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A domain's own grant table: sizes, version, set-up, and the refusals of map and copy. */
#include "lib/guest.h"

#include <xen/grant_table.h>
#include <xen/memory.h>

#define OP(cmd, arg, count) hypercall3(__HYPERVISOR_grant_table_op, cmd, arg, count)
#define NOBODY		    0x7ff5

static uint8_t page[2][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct grant_entry_v1 *table;

TEST(query_size)
{
	struct gnttab_query_size q = {.dom = DOMID_SELF};

	EXPECT_EQ(OP(GNTTABOP_query_size, &q, 1), 0);
	EXPECT_EQ(q.status, GNTST_okay);
	EXPECT(q.nr_frames >= 1);
	EXPECT(q.max_nr_frames >= q.nr_frames && q.max_nr_frames < 100000);
	q.dom = NOBODY;
	EXPECT_EQ(OP(GNTTABOP_query_size, &q, 1), 0);
	EXPECT_EQ(q.status, GNTST_bad_domain);
}

TEST(version_starts_at_one)
{
	struct gnttab_get_version v = {.dom = DOMID_SELF};

	EXPECT_EQ(OP(GNTTABOP_get_version, &v, 1), 0);
	EXPECT_EQ(v.version, 1);
	v.dom = NOBODY;
	EXPECT_EQ(OP(GNTTABOP_get_version, &v, 1), -ESRCH);
}

TEST(set_version_refusals)
{
	struct gnttab_set_version v = {.version = 3};

	EXPECT_EQ(OP(GNTTABOP_set_version, &v, 1), -EINVAL);
	v.version = 0;
	EXPECT_EQ(OP(GNTTABOP_set_version, &v, 1), -EINVAL);
	v.version = 1;
	EXPECT_EQ(OP(GNTTABOP_set_version, &v, 1), 0);
	EXPECT_EQ(v.version, 1);
}

TEST(frames_are_mapped)
{
	uint64_t frame = scratch_frame();
	struct xen_add_to_physmap map = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = frame};

	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map), 0);
	table = (struct grant_entry_v1 *)(frame * PAGE_SIZE);
	for (unsigned i = 8; i < PAGE_SIZE / sizeof(*table); i++) {
		if (!EXPECT_EQ(table[i].flags, 0)) {
			break;
		}
	}
}

TEST(setup_table_grows_and_refuses)
{
	static xen_pfn_t frames[4];
	struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 2};

	set_xen_guest_handle(setup.frame_list, frames);
	EXPECT_EQ(OP(GNTTABOP_setup_table, &setup, 1), 0);
	EXPECT_EQ(setup.status, GNTST_okay);
	setup.nr_frames = 0x7fffffff;
	EXPECT_EQ(OP(GNTTABOP_setup_table, &setup, 1), 0);
	EXPECT_EQ(setup.status, GNTST_general_error);
	setup.nr_frames = 1;
	setup.dom = NOBODY;
	EXPECT_EQ(OP(GNTTABOP_setup_table, &setup, 1), 0);
	EXPECT_EQ(setup.status, GNTST_bad_domain);
}

TEST(copy_inside_the_domain_by_frame)
{
	struct gnttab_copy copy = {
		.source = {.u.gmfn = (uint64_t)page[0] / PAGE_SIZE,
			   .domid = DOMID_SELF,
			   .offset = 16},
		.dest = {.u.gmfn = (uint64_t)page[1] / PAGE_SIZE,
			 .domid = DOMID_SELF,
			 .offset = 64},
		.len = 100,
	};

	for (unsigned i = 0; i < PAGE_SIZE; i++) {
		page[0][i] = (uint8_t)i;
		page[1][i] = 0xee;
	}
	EXPECT_EQ(OP(GNTTABOP_copy, &copy, 1), 0);
	EXPECT_EQ(copy.status, GNTST_okay);
	EXPECT_EQ(page[1][63], 0xee);
	EXPECT_EQ(memcmp(page[1] + 64, page[0] + 16, 100), 0);
	EXPECT_EQ(page[1][164], 0xee);
}

TEST(copy_refusals)
{
	struct gnttab_copy copy = {
		.source = {.u.gmfn = (uint64_t)page[0] / PAGE_SIZE,
			   .domid = DOMID_SELF,
			   .offset = 4000},
		.dest = {.u.gmfn = (uint64_t)page[1] / PAGE_SIZE, .domid = DOMID_SELF},
		.len = 100,
	};

	EXPECT_EQ(OP(GNTTABOP_copy, &copy, 1), 0);
	EXPECT_EQ(copy.status, GNTST_bad_copy_arg);
	copy.source.offset = 0;
	copy.source.u.gmfn = 1UL << 40;
	EXPECT_EQ(OP(GNTTABOP_copy, &copy, 1), 0);
	EXPECT(copy.status < 0);
	copy.source.domid = NOBODY;
	copy.source.u.ref = 9;
	copy.flags = GNTCOPY_source_gref;
	EXPECT_EQ(OP(GNTTABOP_copy, &copy, 1), 0);
	EXPECT_EQ(copy.status, GNTST_bad_domain);
}

TEST(copy_through_a_grant_to_oneself)
{
	struct gnttab_copy copy = {
		.source = {.u.ref = 20, .domid = own_domain()},
		.dest = {.u.gmfn = (uint64_t)page[1] / PAGE_SIZE, .domid = DOMID_SELF},
		.len = 50,
		.flags = GNTCOPY_source_gref,
	};

	table[20].domid = own_domain();
	table[20].frame = (uint32_t)((uint64_t)page[0] / PAGE_SIZE);
	barrier();
	table[20].flags = GTF_permit_access | GTF_readonly;
	EXPECT_EQ(OP(GNTTABOP_copy, &copy, 1), 0);
	EXPECT_EQ(copy.status, GNTST_okay);
	EXPECT_EQ(memcmp(page[1], page[0], 50), 0);
	EXPECT_EQ(table[20].flags & (GTF_reading | GTF_writing), 0);
	copy.source.u.ref = 21; /* not granted */
	EXPECT_EQ(OP(GNTTABOP_copy, &copy, 1), 0);
	EXPECT(copy.status < 0);
	copy.source.u.ref = 0x7fffffff;
	EXPECT_EQ(OP(GNTTABOP_copy, &copy, 1), 0);
	EXPECT_EQ(copy.status, GNTST_bad_gntref);
}

TEST(map_refusals)
{
	struct gnttab_map_grant_ref map = {.host_addr = scratch_frame() * PAGE_SIZE,
					   .flags = GNTMAP_host_map,
					   .ref = 21,
					   .dom = NOBODY};

	EXPECT_EQ(OP(GNTTABOP_map_grant_ref, &map, 1), 0);
	EXPECT_EQ(map.status, GNTST_bad_domain);
	map.dom = own_domain();
	EXPECT_EQ(OP(GNTTABOP_map_grant_ref, &map, 1), 0);
	EXPECT(map.status < 0);
	map.flags = 0;
	EXPECT_EQ(OP(GNTTABOP_map_grant_ref, &map, 1), 0);
	EXPECT(map.status < 0);
}

TEST(unmap_refusals)
{
	struct gnttab_unmap_grant_ref unmap = {.host_addr = 0xc1000000, .handle = 12345};

	EXPECT_EQ(OP(GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
	EXPECT_EQ(unmap.status, GNTST_bad_handle);
	unmap.handle = 0xffffffff;
	EXPECT_EQ(OP(GNTTABOP_unmap_grant_ref, &unmap, 1), 0);
	EXPECT_EQ(unmap.status, GNTST_bad_handle);
}

TEST(bad_pointers_and_numbers)
{
	EXPECT_EQ(OP(GNTTABOP_query_size, 0x800000000000UL, 1), -EFAULT);
	EXPECT_EQ(OP(GNTTABOP_map_grant_ref, 0x800000000000UL, 1), -EFAULT);
	EXPECT_EQ(OP(GNTTABOP_map_grant_ref, 0xfffffffffffffff0UL, 1), -EFAULT);
	EXPECT_EQ(OP(GNTTABOP_copy, 0x100000000000UL, 1), -EFAULT);
	EXPECT_EQ(OP(GNTTABOP_copy, page, 0x80000000UL), -EINVAL);
	EXPECT_EQ(OP(99, page, 1), -ENOSYS);
}
