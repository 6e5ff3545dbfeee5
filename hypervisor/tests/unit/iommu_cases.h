/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must be true on either vendor's units. The file that includes it gives:
 *   start_unit()                            a machine with one unit, iommu_setup() done
 *   translate(requester, address, access)   as the unit does it, ~0 when it refuses
 *   flushes                                 how many domain flushes the unit was given
 */
#pragma once

static struct domain domain;

static void start_domain(void)
{
	start_unit();
	memset(&domain, 0, sizeof(domain));
	domain.is_hardware = true;
	EXPECT_EQ(iommu_service.init(&domain, NULL), 0);
	EXPECT(domain.iommu != NULL);
}

static void finish_domain(void)
{
	iommu_service.fini(&domain);
	EXPECT(domain.iommu == NULL);
}

#define NOWHERE (~0ull)

TEST(iommu, device_of_nobody_reaches_nothing)
{
	start_domain();
	EXPECT_EQ(iommu_map(&domain, iofn_of(0x1000), mfn_of(0x1000), 0, 3), 0);
	iommu_start();
	EXPECT_EQ(translate(0x0010, 0x1000000, 1), NOWHERE);
	finish_domain();
}

TEST(iommu, device_reaches_what_its_domain_has)
{
	start_domain();
	EXPECT_EQ(iommu_map(&domain, iofn_of(0x1000), mfn_of(0x1234), 0, 3), 0);
	EXPECT_EQ(iommu_map(&domain, iofn_of(0x1001), mfn_of(0x1235), 0, 1), 0);
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x10), 0);
	iommu_start();
	EXPECT_EQ(translate(0x0010, 0x1000123, 2), 0x1234123);
	EXPECT_EQ(translate(0x0010, 0x1001008, 1), 0x1235008);
	EXPECT_EQ(translate(0x0010, 0x1001008, 2), NOWHERE);
	EXPECT_EQ(translate(0x0010, 0x1002000, 1), NOWHERE);
	EXPECT_EQ(translate(0x0011, 0x1000000, 1), NOWHERE);
	finish_domain();
}

TEST(iommu, superpages_translate_every_page_of_theirs)
{
	start_domain();
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x10), 0);
	EXPECT_EQ(iommu_map(&domain, iofn_of(0x40000), mfn_of(0x80000), ORDER_1G, 3), 0);
	EXPECT_EQ(iommu_map(&domain, iofn_of(0x200), mfn_of(0x400), ORDER_2M, 3), 0);
	iommu_start();
	EXPECT_EQ(translate(0x0010, 0x40000000ull, 1), 0x80000000ull);
	EXPECT_EQ(translate(0x0010, 0x7ffffff8ull, 2), 0xbffffff8ull);
	EXPECT_EQ(translate(0x0010, 0x3ffff8ull, 2), 0x5ffff8ull);
	EXPECT_EQ(domain.iommu->table.page_count, domain.iommu->table.levels - 1);
	finish_domain();
}

TEST(iommu, hole_in_a_superpage_leaves_its_neighbours)
{
	start_domain();
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x10), 0);
	EXPECT_EQ(iommu_map(&domain, iofn_of(0x40000), mfn_of(0x80000), ORDER_1G, 3), 0);
	EXPECT_EQ(iommu_unmap(&domain, iofn_of(0x40201), 0), 0);
	iommu_start();
	EXPECT_EQ(translate(0x0010, 0x40200000ull, 1), 0x80200000ull);
	EXPECT_EQ(translate(0x0010, 0x40201000ull, 1), NOWHERE);
	EXPECT_EQ(translate(0x0010, 0x40202000ull, 1), 0x80202000ull);
	EXPECT_EQ(translate(0x0010, 0x40400000ull, 1), 0x80400000ull);
	/* filled again, and then covered by one call */
	EXPECT_EQ(iommu_map(&domain, iofn_of(0x40000), mfn_of(0x80000), ORDER_1G, 3), 0);
	EXPECT_EQ(translate(0x0010, 0x40201000ull, 1), 0x80201000ull);
	EXPECT_EQ(iommu_unmap(&domain, iofn_of(0x40000), ORDER_1G), 0);
	EXPECT_EQ(translate(0x0010, 0x40201000ull, 1), NOWHERE);
	EXPECT_EQ(translate(0x0010, 0x7ffff000ull, 1), NOWHERE);
	finish_domain();
}

TEST(iommu, misaligned_orders_become_smaller_pages)
{
	start_domain();
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x10), 0);
	EXPECT_EQ(iommu_map(&domain, iofn_of(0x200), mfn_of(0x401), ORDER_2M, 3), 0);
	iommu_start();
	EXPECT_EQ(translate(0x0010, 0x200000, 1), 0x401000);
	EXPECT_EQ(translate(0x0010, 0x3ff000, 1), 0x600000);
	finish_domain();
}

TEST(iommu, many_changes_are_paid_for_once)
{
	unsigned int i, before;

	start_domain();
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x10), 0);
	iommu_start();
	before = flushes;
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(iommu_map(&domain, iofn_of(0x1000 + i), mfn_of(0x1000 + i), 0, 3), 0);
	}
	iommu_flush(&domain);
	EXPECT_EQ(flushes, before); /* nothing was there before, nothing can be cached */
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(iommu_unmap(&domain, iofn_of(0x1000 + i), 0), 0);
	}
	iommu_flush(&domain);
	EXPECT_EQ(flushes, before + 1);
	iommu_flush(&domain);
	EXPECT_EQ(flushes, before + 1);
	finish_domain();
}

TEST(iommu, what_the_tables_do_not_reach_is_an_error_for_memory_only)
{
	start_domain();
	EXPECT_EQ(iommu_map(&domain, iofn_of(1ull << 40), mfn_of(UNIT_FRAME_FIRST), 0, 3), -ERANGE);
	EXPECT_EQ(iommu_map(&domain, iofn_of(1ull << 40), mfn_of(1ull << 40), 0, 3), 0);
	EXPECT_EQ(iommu_unmap(&domain, iofn_of(1ull << 40), 0), 0);
	EXPECT_EQ(iommu_unmap(&domain, iofn_of(~0ull), ORDER_1G), 0);
	finish_domain();
}

TEST(iommu, reserved_ranges_are_mapped_with_their_device)
{
	start_unit();
	acpi_info.reserved_range_count = 1;
	acpi_info.reserved_ranges[0] = (struct acpi_reserved_range){
		.start = hpa_of(0x7f000000), .size_bytes = 0x2000, .device_first = 0x10,
		.device_last = 0x10, .access = 3};
	memset(&domain, 0, sizeof(domain));
	domain.is_hardware = true;
	EXPECT_EQ(iommu_service.init(&domain, NULL), 0);
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x18), 0);
	iommu_start();
	EXPECT_EQ(translate(0x0018, 0x7f000000, 1), NOWHERE);
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x10), 0);
	EXPECT_EQ(translate(0x0010, 0x7f001000, 2), 0x7f001000);
	finish_domain();
}

TEST(iommu, domain_without_devices_has_no_tables)
{
	start_unit();
	memset(&domain, 0, sizeof(domain));
	EXPECT_EQ(iommu_service.init(&domain, NULL), 0);
	EXPECT(domain.iommu == NULL);
	EXPECT_EQ(iommu_map(&domain, iofn_of(1), mfn_of(1), 0, 3), 0);
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x10), -ENODEV);
	iommu_flush(&domain);
	iommu_service.fini(&domain);
}

TEST(iommu, failed_allocation_leaves_nothing_held)
{
	unsigned long held;
	unsigned int nth;
	int rc;

	start_unit();
	held = unit_heap_in_use();
	for (nth = 1;; nth++) {
		memset(&domain, 0, sizeof(domain));
		domain.is_hardware = true;
		unit_fail_allocation(nth);
		rc = iommu_service.init(&domain, NULL);
		if (rc == 0) {
			rc = iommu_map(&domain, iofn_of(0x12345), mfn_of(0x12345), 0, 3);
		}
		if (rc == 0) {
			rc = iommu_map(&domain, iofn_of(0x40000), mfn_of(0x80000), ORDER_1G, 3);
		}
		if (rc == 0) {
			rc = iommu_unmap(&domain, iofn_of(0x40001), 0);
		}
		EXPECT_EQ(rc, unit_has_failed() ? -ENOMEM : 0);
		iommu_service.fini(&domain);
		EXPECT_EQ(unit_heap_in_use(), held);
		if (!unit_has_failed()) {
			break;
		}
	}
	EXPECT(nth > 5);
	unit_fail_allocation(0);
}
