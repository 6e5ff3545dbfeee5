/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/test.h"

#include "arch/unit/unit.h"
#include "core/rcu.h"
#include "core/softirq.h"
#include "hv/error.h"
#include "tests/unit/fake_pci.h"
#include "vpci/vpci_private.h"

static struct domain domain;

static void start(void)
{
	unit_reset(1);
	fake_pci_reset();
	memset(&domain, 0, sizeof(domain));
	domain.is_hardware = true;
	EXPECT_EQ(vpci_service.init(&domain, NULL), 0);
	EXPECT_EQ(vpci_give_all(&domain), 0);
}

static void finish(void)
{
	vpci_service.fini(&domain);
	rcu_barrier_poll();
	rcu_barrier_poll();
	EXPECT_EQ(fake_bound, 0);
}

static u32 rd(u8 device, u16 at, unsigned int bytes)
{
	return vpci_read(&domain, 0, 0, (u8)(device << 3), at, bytes);
}

static void wr(u8 device, u16 at, unsigned int bytes, u32 value)
{
	vpci_write(&domain, 0, 0, (u8)(device << 3), at, bytes, value);
}

TEST(vpci, everything_found_is_given_and_confined)
{
	start();
	EXPECT_EQ(fake_assigned, 2);
	EXPECT_EQ(fake_starts, 1);
	EXPECT_EQ(rd(1, 0, 4), 0x12341af4);
	EXPECT_EQ(rd(1, 2, 2), 0x1234);
	finish();
}

TEST(vpci, absent_functions_read_as_all_ones)
{
	start();
	EXPECT_EQ(rd(9, 0, 4), 0xffffffff);
	EXPECT_EQ(rd(9, 0, 2), 0xffff);
	EXPECT_EQ(vpci_read(&domain, 7, 0, 8, 0, 4), 0xffffffff);
	wr(9, 4, 2, 7);
	finish();
}

TEST(vpci, a_domain_without_devices_sees_none)
{
	start();
	domain.is_hardware = false;
	EXPECT_EQ(rd(1, 0, 4), 0xffffffff);
	wr(1, PCI_COMMAND, 2, 7);
	EXPECT_EQ(fake_devices[0].config[4], 0);
	domain.is_hardware = true;
	finish();
}

TEST(vpci, odd_sizes_and_offsets_are_harmless)
{
	unsigned int bytes, at;

	start();
	for (bytes = 0; bytes < 9; bytes++) {
		for (at = 0; at < 16; at++) {
			rd(1, (u16)(0xff8 + at), bytes);
			wr(1, (u16)(0xff8 + at), bytes, ~0u);
			rd(1, (u16)(FAKE_MSI_AT + at), bytes);
		}
	}
	EXPECT_EQ(rd(1, 1, 4), 0x0012341a); /* bytes of two registers */
	EXPECT_EQ(rd(1, 0xffff, 1), 0xff);
	finish();
}

TEST(vpci, bar_above_4g_is_mapped_while_it_is_decoded)
{
	u64 gfn = FAKE_BAR_HIGH >> PAGE_SHIFT;

	start();
	fake_bar2 = FAKE_BAR_HIGH;
	EXPECT_EQ(fake_page_count, 0);
	wr(2, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	EXPECT(fake_page_find(gfn + 1) != NULL);
	EXPECT(fake_page_find(gfn) == NULL); /* the page with the MSI-X table */
	EXPECT_EQ(fake_trap, FAKE_BAR_HIGH);
	EXPECT(fake_flushes > 0);
	wr(2, PCI_COMMAND, 2, 0);
	EXPECT_EQ(fake_page_count, 0);
	EXPECT_EQ(fake_traps, 0);
	finish();
}

TEST(vpci, bar_does_not_move_while_it_is_decoded)
{
	start();
	fake_bar2 = FAKE_BAR_HIGH;
	wr(2, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	wr(2, 0x18, 4, 0xfeb00000);
	wr(2, 0x1c, 4, 0);
	EXPECT_EQ(rd(2, 0x1c, 4), (u32)(FAKE_BAR_HIGH >> 32));
	wr(2, PCI_COMMAND, 2, 0);
	wr(2, 0x1c, 4, 0x41);
	EXPECT_EQ(rd(2, 0x1c, 4), 0x41);
	finish();
}

TEST(vpci, bars_can_be_sized)
{
	start();
	wr(1, 0x10, 4, ~0u);
	EXPECT_EQ(rd(1, 0x10, 4), 0xfffff000);
	finish();
}

TEST(vpci, bar_on_memory_that_is_not_a_devices_is_not_mapped)
{
	static const u64 refused[] = {
		UNIT_FRAME_FIRST << PAGE_SHIFT, /* RAM */
		0xfee00000,			/* local APIC */
		0xfec00000,			/* I/O APIC */
		0xfed90000,			/* IOMMU */
		0xb0000000,			/* configuration space */
		BIT(52),
	};
	unsigned int i;

	start();
	acpi_info.ioapic_count = 1;
	acpi_info.ioapics[0].address = hpa_of(0xfec00000);
	acpi_info.dmar.drhd_count = 1;
	acpi_info.dmar.drhds[0].base = hpa_of(0xfed90000);
	acpi_info.mcfg_count = 1;
	acpi_info.mcfg[0] = (struct acpi_mcfg){.base = hpa_of(0xb0000000), .bus_last = 255};
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		EXPECT(!vpci_may_map(refused[i], 0x1000));
		EXPECT(!vpci_may_map(refused[i] - 0x1000, 0x4000));
		wr(2, 0x18, 4, (u32)refused[i]);
		wr(2, 0x1c, 4, (u32)(refused[i] >> 32));
		wr(2, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
		EXPECT_EQ(fake_page_count, 0);
		EXPECT_EQ(fake_traps, 0);
		wr(2, PCI_COMMAND, 2, 0);
	}
	EXPECT(!vpci_may_map(~0ull - 0xfff, 0x2000));
	EXPECT(!vpci_may_map(0x1000, 0));
	EXPECT(vpci_may_map(FAKE_BAR_HIGH, 0x4000));
	finish();
}

TEST(vpci, status_bits_are_cleared_without_touching_the_command)
{
	start();
	fake_put(&fake_devices[0], PCI_STATUS, 2, 0x8010, 0);
	wr(1, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	wr(1, PCI_STATUS, 2, 0x8000);
	EXPECT_EQ(rd(1, PCI_COMMAND, 2), PCI_COMMAND_MASTER);
	finish();
}

TEST(vpci, new_bus_numbers_of_a_bridge_are_noticed)
{
	start();
	fake_functions[0].header_type = 1;
	fake_put(&fake_devices[0], PCI_BUSES, 4, 0x00000000, ~0u);
	wr(1, PCI_BUSES, 4, 0x00070500);
	EXPECT_EQ(fake_functions[0].secondary, 5);
	EXPECT_EQ(fake_functions[0].subordinate, 7);
	wr(1, PCI_BUSES + 1, 1, 6);
	EXPECT_EQ(fake_functions[0].secondary, 6);
	EXPECT_EQ(rd(1, PCI_BUSES, 4), 0x00070600);
	finish();
}

/* --- MSI --- */

static void msi_program(void)
{
	wr(1, FAKE_MSI_AT + 4, 4, 0xfee01000);
	wr(1, FAKE_MSI_AT + 8, 4, 0);
	wr(1, FAKE_MSI_AT + 12, 2, 0x41);
}

TEST(vpci, msi_gives_the_guest_its_own_values_and_the_device_the_bound_ones)
{
	u32 value;

	start();
	msi_program();
	EXPECT_EQ(fake_bound, 0);
	wr(1, FAKE_MSI_AT + 2, 2, 1);
	EXPECT_EQ(fake_bound, 1);
	EXPECT_EQ(rd(1, FAKE_MSI_AT + 4, 4), 0xfee01000);
	EXPECT_EQ(rd(1, FAKE_MSI_AT + 12, 2), 0x41);
	EXPECT_EQ(rd(1, FAKE_MSI_AT + 2, 2) & 1, 1);
	memcpy(&value, fake_devices[0].config + FAKE_MSI_AT + 4, 4);
	EXPECT_EQ(value, FAKE_MESSAGE);
	EXPECT_EQ(fake_devices[0].config[FAKE_MSI_AT + 12], 0x5a);
	EXPECT_EQ(fake_devices[0].config[FAKE_MSI_AT + 2] & 1, 1);
	wr(1, FAKE_MSI_AT + 2, 2, 0);
	EXPECT_EQ(fake_bound, 0);
	EXPECT_EQ(fake_devices[0].config[FAKE_MSI_AT + 2] & 1, 0);
	finish();
}

TEST(vpci, msi_offers_one_vector)
{
	start();
	EXPECT_EQ(rd(1, FAKE_MSI_AT + 2, 2) & 0x7e, 0);
	msi_program();
	wr(1, FAKE_MSI_AT + 2, 2, 0x51);
	EXPECT_EQ(fake_devices[0].config[FAKE_MSI_AT + 2] & 0x70, 0);
	finish();
}

TEST(vpci, msi_follows_a_new_address_while_it_is_enabled)
{
	start();
	msi_program();
	wr(1, FAKE_MSI_AT + 2, 2, 1);
	wr(1, FAKE_MSI_AT + 4, 4, 0xfee02000);
	EXPECT_EQ(fake_bound, 1);
	EXPECT_EQ(fake_binds, 2);
	finish();
}

TEST(vpci, msi_that_cannot_be_bound_stays_off)
{
	start();
	msi_program();
	fake_bind_error = -ENOSPC;
	wr(1, FAKE_MSI_AT + 2, 2, 1);
	EXPECT_EQ(rd(1, FAKE_MSI_AT + 2, 2) & 1, 0);
	EXPECT_EQ(fake_devices[0].config[FAKE_MSI_AT + 2] & 1, 0);
	fake_bind_error = 0;
	finish();
}

TEST(vpci, msi_mask_bits_are_the_devices)
{
	start();
	wr(1, FAKE_MSI_AT + 16, 4, 0x1);
	EXPECT_EQ(fake_devices[0].config[FAKE_MSI_AT + 16], 1);
	EXPECT_EQ(rd(1, FAKE_MSI_AT + 16, 4), 1);
	finish();
}

TEST(vpci, msi_can_be_written_byte_by_byte)
{
	unsigned int i;

	start();
	for (i = 0; i < 4; i++) {
		wr(1, (u16)(FAKE_MSI_AT + 4 + i), 1, 0xfee01000 >> 8 * i);
	}
	EXPECT_EQ(rd(1, FAKE_MSI_AT + 4, 4), 0xfee01000);
	EXPECT_EQ(rd(1, FAKE_MSI_AT + 6, 1), 0xe0);
	wr(1, FAKE_MSI_AT + 2, 1, 1);
	EXPECT_EQ(fake_bound, 1);
	wr(1, FAKE_MSI_AT + 3, 1, 0);
	EXPECT_EQ(fake_bound, 1); /* the other half of the control register */
	finish();
}

/* --- MSI-X --- */

static void msix_start(void)
{
	start();
	fake_bar2 = FAKE_BAR_HIGH;
	wr(2, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	wr(2, FAKE_MSIX_AT + 2, 2, 0xc000); /* enabled, all masked */
}

static bool mem_write(u64 offset, unsigned int bytes, u64 value)
{
	return vpci_memory_write(&domain, gpa_of(FAKE_BAR_HIGH + offset), bytes, value);
}

static u64 mem_read(u64 offset, unsigned int bytes)
{
	u64 value = 0x1122334455667788;

	EXPECT(vpci_memory_read(&domain, gpa_of(FAKE_BAR_HIGH + offset), bytes, &value));
	return value;
}

static u32 device_word(u64 offset)
{
	u32 value;

	memcpy(&value, fake_memory + offset, 4);
	return value;
}

TEST(vpci, msix_entry_is_bound_when_it_is_unmasked)
{
	u64 entry = FAKE_TABLE + 16;

	msix_start();
	EXPECT_EQ(device_word(entry + 12), 1);
	EXPECT(mem_write(entry, 4, 0xfee03000));
	EXPECT(mem_write(entry + 4, 4, 0));
	EXPECT(mem_write(entry + 8, 4, 0x42));
	EXPECT_EQ(fake_bound, 0);
	EXPECT(mem_write(entry + 12, 4, 0));
	EXPECT_EQ(fake_bound, 1);
	EXPECT_EQ(device_word(entry), FAKE_MESSAGE);
	EXPECT_EQ(device_word(entry + 8), 0x5a);
	EXPECT_EQ(device_word(entry + 12), 0);
	EXPECT_EQ(mem_read(entry, 4), 0xfee03000);
	EXPECT_EQ(mem_read(entry + 8, 8), 0x42);
	mem_write(entry + 12, 4, 1);
	EXPECT_EQ(device_word(entry + 12), 1);
	EXPECT_EQ(mem_read(entry + 12, 4), 1);
	finish();
}

TEST(vpci, msix_unbinds_all_when_it_is_switched_off)
{
	unsigned int i;

	msix_start();
	for (i = 0; i < FAKE_TABLE_COUNT; i++) {
		mem_write(FAKE_TABLE + 16 * i, 8, 0xfee00000);
		mem_write(FAKE_TABLE + 16 * i + 8, 8, 0x30 + i);
	}
	EXPECT_EQ(fake_bound, FAKE_TABLE_COUNT);
	wr(2, FAKE_MSIX_AT + 2, 2, 0);
	EXPECT_EQ(fake_bound, 0);
	EXPECT_EQ(rd(2, FAKE_MSIX_AT + 2, 2), FAKE_TABLE_COUNT - 1);
	finish();
}

TEST(vpci, msix_entries_of_before_are_bound_when_it_is_switched_on)
{
	start();
	fake_bar2 = FAKE_BAR_HIGH;
	wr(2, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	mem_write(FAKE_TABLE + 12, 4, 0);
	EXPECT_EQ(fake_bound, 0);
	wr(2, FAKE_MSIX_AT + 2, 2, 0x8000);
	EXPECT_EQ(fake_bound, 1);
	finish();
}

TEST(vpci, neighbours_of_the_table_reach_the_device)
{
	msix_start();
	EXPECT(mem_write(0x10, 4, 0xcafe));
	EXPECT_EQ(device_word(0x10), 0xcafe);
	EXPECT_EQ(mem_read(0x10, 2), 0xcafe);
	EXPECT(mem_write(FAKE_TABLE + 16 * FAKE_TABLE_COUNT, 8, 7));
	EXPECT_EQ(device_word(FAKE_TABLE + 16 * FAKE_TABLE_COUNT), 7);
	finish();
}

TEST(vpci, table_accesses_that_mean_nothing_change_nothing)
{
	msix_start();
	mem_write(FAKE_TABLE + 12, 1, 0);
	mem_write(FAKE_TABLE + 12, 2, 0);
	mem_write(FAKE_TABLE + 14, 4, 0);
	EXPECT_EQ(fake_bound, 0);
	EXPECT_EQ(mem_read(FAKE_TABLE + 1, 4), ~0ull);
	finish();
}

TEST(vpci, memory_of_nobody_is_not_claimed)
{
	u64 value;

	msix_start();
	EXPECT(!vpci_memory_read(&domain, gpa_of(FAKE_BAR_HIGH + 0x1000), 4, &value));
	EXPECT(!mem_write(0x1000, 4, 1));
	EXPECT(!vpci_memory_read(&domain, gpa_of(FAKE_BAR_HIGH - 4), 4, &value));
	wr(2, PCI_COMMAND, 2, 0);
	EXPECT(!vpci_memory_read(&domain, gpa_of(FAKE_BAR_HIGH), 4, &value));
	finish();
}

TEST(vpci, msix_table_outside_of_its_bar_never_enables)
{
	unit_reset(1);
	fake_pci_reset();
	memset(&domain, 0, sizeof(domain));
	domain.is_hardware = true;
	fake_put(&fake_devices[1], FAKE_MSIX_AT + 4, 4, 0x3ff8 | 2, 0);
	EXPECT_EQ(vpci_service.init(&domain, NULL), 0);
	EXPECT_EQ(vpci_give_all(&domain), 0);
	wr(2, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	wr(2, FAKE_MSIX_AT + 2, 2, 0x8000);
	EXPECT_EQ(fake_devices[1].config[FAKE_MSIX_AT + 3] & 0x80, 0);
	EXPECT_EQ(fake_traps, 0);
	finish();
}

/* --- coming and going --- */

TEST(vpci, plugged_in_function_is_watched_from_its_first_write)
{
	start();
	EXPECT_EQ(vpci_device_add(&domain, 0, 0, 3 << 3), -ENODEV);
	fake_put(&fake_devices[2], PCI_VENDOR, 4, 0x10331033, 0);
	EXPECT_EQ(rd(3, 0, 4), 0x10331033);
	EXPECT_EQ(fake_assigned, 2);
	wr(3, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	EXPECT_EQ(fake_assigned, 3);
	EXPECT_EQ(vpci_device_add(&domain, 0, 0, 3 << 3), 0);
	EXPECT_EQ(fake_assigned, 3);
	finish();
}

TEST(vpci, removed_function_leaves_nothing_bound)
{
	msix_start();
	mem_write(FAKE_TABLE + 12, 4, 0);
	EXPECT_EQ(fake_bound, 1);
	EXPECT_EQ(vpci_device_remove(&domain, 0, 0, 2 << 3), 0);
	EXPECT_EQ(fake_bound, 0);
	EXPECT_EQ(fake_traps, 0);
	EXPECT_EQ(fake_page_count, 0);
	EXPECT_EQ(vpci_device_remove(&domain, 0, 0, 2 << 3), -ENODEV);
	EXPECT_EQ(vpci_device_add(&domain, 0, 0, 2 << 3), 0);
	finish();
}

TEST(vpci, without_memory_the_start_fails_cleanly)
{
	unsigned int nth;
	int rc;

	for (nth = 1;; nth++) {
		unit_reset(1);
		fake_pci_reset();
		memset(&domain, 0, sizeof(domain));
		domain.is_hardware = true;
		unit_fail_allocation(nth);
		rc = vpci_service.init(&domain, NULL);
		if (rc == 0) {
			rc = vpci_give_all(&domain);
		}
		if (!unit_has_failed()) {
			EXPECT_EQ(rc, 0);
		}
		unit_fail_allocation(0);
		if (domain.vpci) {
			vpci_service.fini(&domain);
		}
		rcu_barrier_poll();
		rcu_barrier_poll();
		EXPECT_EQ(unit_heap_in_use(), 0);
		if (rc == 0 && nth > 8) {
			break;
		}
	}
}

TEST_MAIN()
