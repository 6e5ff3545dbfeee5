/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pointers of the caller: unmapped, not canonical, read-only, across pages, at the very end. */
#include "lib/guest.h"

#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/version.h>

static uint8_t pages[4 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static const uint64_t bad[] = {
	0x0000800000000000UL, /* the first address that is not canonical */
	0xffff7fffffffffffUL, /* the last one */
	0x00007ffffffffff8UL, /* crosses into them */
	0xfffffffffffffffcUL, /* crosses the end of the address space */
	0xffff800000000000UL, /* canonical, not mapped */
	0x0000010000000000UL, /* not mapped */
	0xdeadbeefdeadbeefUL,
};

TEST(bad_pointers_are_efault_everywhere)
{
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_capabilities, bad[i]),
			  -EFAULT);
		EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_get_features, bad[i]),
			  -EFAULT);
		EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, bad[i]),
			  -EFAULT);
		EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, bad[i]),
			  -EFAULT);
		EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_current_reservation, bad[i]),
			  -EFAULT);
		EXPECT_EQ(hypercall2(__HYPERVISOR_multicall, bad[i], 1), -EFAULT);
		EXPECT_EQ(hypercall3(__HYPERVISOR_console_io, CONSOLEIO_write, 16, bad[i]),
			  is_dom0() ? -EFAULT : -EPERM);
	}
}

TEST(a_structure_may_cross_a_page)
{
	struct evtchn_alloc_unbound *alloc = (void *)(pages + PAGE_SIZE - 4);
	struct evtchn_close close;

	alloc->dom = DOMID_SELF;
	alloc->remote_dom = DOMID_SELF;
	alloc->port = 0;
	EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, alloc), 0);
	EXPECT(alloc->port != 0);
	close.port = alloc->port;
	EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_close, &close), 0);
}

TEST(a_structure_that_runs_into_nothing_is_efault)
{
	xen_capabilities_info_t *text = (void *)(pages + 2 * PAGE_SIZE - 16);

	map_page((uint64_t)pages + 2 * PAGE_SIZE, 0);
	EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_capabilities, text), -EFAULT);
	EXPECT_EQ(hypercall3(__HYPERVISOR_console_io, CONSOLEIO_write, 64, text),
		  is_dom0() ? -EFAULT : -EPERM);
	map_page((uint64_t)pages + 2 * PAGE_SIZE,
		 ((uint64_t)pages + 2 * PAGE_SIZE) | PTE_P | PTE_W);
	EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_capabilities, text), 0);
}

TEST(results_do_not_go_to_read_only_pages)
{
	struct xen_feature_info *info = (void *)(pages + 3 * PAGE_SIZE);

	memset(info, 0, sizeof(*info));
	map_page((uint64_t)info, (uint64_t)info | PTE_P);
	EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_get_features, info), -EFAULT);
	EXPECT_EQ(info->submap, 0);
	map_page((uint64_t)info, (uint64_t)info | PTE_P | PTE_W);
	EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_get_features, info), 0);
	EXPECT(info->submap != 0);
}

TEST(guest_mappings_are_followed_not_physical_addresses)
{
	uint64_t virt = (uint64_t)pages;
	struct xen_feature_info *there = (void *)(pages + PAGE_SIZE);

	memset(pages, 0, 2 * PAGE_SIZE);
	map_page(virt, (virt + PAGE_SIZE) | PTE_P | PTE_W);
	EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_get_features, virt), 0);
	EXPECT(there->submap != 0);
	map_page(virt, virt | PTE_P | PTE_W);
	EXPECT_EQ(((struct xen_feature_info *)virt)->submap, 0);
}

/* A page of the table that points out of the memory map: the walk must end with an error. */
TEST(page_tables_may_point_nowhere)
{
	uint64_t virt = (uint64_t)pages;

	map_page(virt, 0x000ffffffffff000UL | PTE_P | PTE_W);
	EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_get_features, virt), -EFAULT);
	map_page(virt, 0xd0000000UL | PTE_P | PTE_W);
	EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_get_features, virt), -EFAULT);
	map_page(virt, 0xfee00000UL | PTE_P | PTE_W);
	EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_get_features, virt), -EFAULT);
	map_page(virt, virt | PTE_P | PTE_W);
}

TEST(huge_counts_are_refused_or_bounded)
{
	struct xen_memory_reservation r = {.nr_extents = ~0UL >> 1, .domid = DOMID_SELF};
	static uint64_t frames[1];

	set_xen_guest_handle(r.extent_start, frames);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r), 0);
	EXPECT_EQ(hypercall2(__HYPERVISOR_multicall, bad[5], 0x7fffffff), -EFAULT);
}

static long status_through(struct evtchn_status *status)
{
	return hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, status);
}

/* A hypervisor that remembers translations must notice each change by itself. */
TEST(a_changed_mapping_is_followed_at_once)
{
	struct evtchn_status *there = (void *)pages, *bad_there = (void *)(pages + PAGE_SIZE);
	struct evtchn_status *view = (void *)(pages + 2 * PAGE_SIZE);

	*there = (struct evtchn_status){.dom = DOMID_SELF, .port = 1};
	*bad_there = (struct evtchn_status){.dom = DOMID_SELF, .port = 0xfffffff0};
	for (unsigned i = 0; i < 5; i++) {
		map_page((uint64_t)view, (uint64_t)there | PTE_P | PTE_W);
		EXPECT_EQ(status_through(view), 0);
		map_page((uint64_t)view, (uint64_t)bad_there | PTE_P | PTE_W);
		EXPECT_EQ(status_through(view), -EINVAL);
		map_page((uint64_t)view, 0);
		EXPECT_EQ(status_through(view), -EFAULT);
		map_page((uint64_t)view, (uint64_t)there | PTE_P);
		EXPECT_EQ(status_through(view), -EFAULT); /* the answer cannot be written */
	}
	map_page((uint64_t)view, (uint64_t)view | PTE_P | PTE_W);
}
