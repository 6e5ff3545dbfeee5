/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One AMD-Vi unit, played by the test: it runs its command buffer and walks the tables. */
#include "base/test.h"

#include "asm/io.h"
#include "tests/unit/fake_iommu.h"

static u8 *registers;
static u64 features;
static unsigned int flushes, command_head, interrupt_flushes, device_flushes;

static u64 reg64(unsigned int at)
{
	u64 value;

	memcpy(&value, registers + at, 8);
	return value;
}

/* Section 2.4. A command buffer that is not switched on is not run. */
static void run_commands(void)
{
	u64 base = reg64(0x08) & 0x000ffffffffff000, tail = reg64(0x2008) / 16, low, high;

	while (reg64(0x18) & 0x1000 && command_head != tail) {
		low = fake_read64(base + command_head * 16);
		high = fake_read64(base + command_head * 16 + 8);
		switch (low >> 60) {
		case 1:
			memcpy(fake_physical(low & 0x000ffffffffffff8), &high, 8);
			break;
		case 2:
			device_flushes++;
			break;
		case 3:
			flushes += high == 0x7ffffffffffff003;
			break;
		case 5:
			interrupt_flushes++;
			break;
		default:
			abort();
		}
		command_head = (command_head + 1) % 256;
	}
}

static void written(void *p, unsigned int size_bytes)
{
	if ((size_t)((u8 *)p - registers) == 0x2008) {
		run_commands();
	}
}

static void mapped(hpa_t base, void *p, size_t size_bytes)
{
	registers = p;
	memcpy(registers + 0x30, &features, 8);
}

static void prepare(void)
{
	unit_reset(4);
	free(registers);
	registers = NULL;
	memset(&acpi_info, 0, sizeof(acpi_info));
	memset(fake_config, 0, sizeof(fake_config));
	acpi_info.ivrs.is_present = true;
	acpi_info.ivrs.ivhd_count = 1;
	acpi_info.ivrs.ivhds[0] = (struct acpi_ivhd){.base = hpa_of(0xfed80000), .device = 2};
	acpi_info.ivrs.entry_count = 2;
	acpi_info.ivrs.entries[0] = (struct acpi_ivrs_entry){.special = ACPI_IVRS_IOAPIC,
							     .handle = 2,
							     .first = 0xa0,
							     .last = 0xa0,
							     .settings = 0x82};
	acpi_info.ivrs.entries[1] = (struct acpi_ivrs_entry){
		.first = 0x80, .last = 0x87, .has_alias = true, .alias = 0x78};
	iommu_forget_all();
	features = 0;
	flushes = interrupt_flushes = device_flushes = command_head = 0;
	fake_is_wide = false;
	fake_remap = NULL;
	iommu_is_wanted = true;
	unit_mmio_written = written;
	unit_mmio_mapped = mapped;
}

static void start_unit(void)
{
	prepare();
	iommu_setup();
}

static u64 device(u16 requester, unsigned int word)
{
	u64 base = reg64(0) & 0x000ffffffffff000, bytes = ((reg64(0) & 0x1ff) + 1) * 4096;

	return (u64)requester * 32 < bytes ? fake_read64(base + requester * 32ull + 8 * word) : 0;
}

/* Section 2.2: device table entry, then page tables whose entries name the next level. */
static u64 translate(u16 requester, u64 address, unsigned int access)
{
	u64 entry = device(requester, 0);
	u64 rights = (access & 1 ? BIT(61) : 0) | (access & 2 ? BIT(62) : 0);
	unsigned int level, next;

	if (!(entry & 1)) {
		return address; /* not valid: everything passes */
	}
	if (!(entry & 2) || (entry & rights) != rights) {
		return ~0ull;
	}
	level = entry >> 9 & 7;
	if (level == 0) {
		return address;
	}
	if (address >> (12 + 9 * level)) {
		return ~0ull;
	}
	for (;; level = next) {
		entry = fake_read64((entry & 0x000ffffffffff000) +
				    (address >> (12 + 9 * (level - 1)) & 511) * 8);
		next = entry >> 9 & 7;
		if (!(entry & 1) || (entry & rights) != rights || next >= level) {
			return ~0ull;
		}
		if (next == 0) {
			u64 mask = (1ull << (12 + 9 * (level - 1))) - 1;

			return (entry & 0x000ffffffffff000 & ~mask) | (address & mask);
		}
	}
}

#include "tests/unit/iommu_cases.inc"

TEST(amd, aliased_function_uses_its_own_and_the_other_entry)
{
	start_domain();
	EXPECT_EQ(iommu_map(&domain, iofn_of(5), mfn_of(6), 0, 3), 0);
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x80), 0);
	iommu_start();
	EXPECT_EQ(translate(0x80, 0x5000, 1), 0x6000);
	EXPECT_EQ(translate(0x78, 0x5000, 1), 0x6000);
	EXPECT_EQ(translate(0x81, 0x5000, 1), NOWHERE);
	finish_domain();
}

TEST(amd, function_past_the_device_table_is_refused)
{
	start_domain();
	EXPECT_EQ(iommu_assign(&domain, 0, 200, 0x10), -ENODEV);
	EXPECT_EQ(iommu_assign(&domain, 1, 0, 0x10), -ENODEV);
	finish_domain();
}

TEST(amd, interrupts_of_nobody_are_refused)
{
	start_unit();
	EXPECT_EQ(device(0x10, 2), 1); /* valid, and its control says abort */
}

TEST(amd, pass_flags_of_the_firmware_are_kept)
{
	start_unit();
	EXPECT_EQ(device(0xa0, 2) >> 56 & 0xc7, 0x82);
}

static u32 irte(u16 requester, u32 index)
{
	u32 value;

	memcpy(&value, fake_physical((device(requester, 2) & 0x000fffffffffffc0) + 4 * index), 4);
	return value;
}

TEST(amd, message_gets_an_entry_of_its_devices_table)
{
	struct iommu_irq io = {.index = ~0u}, other = {.index = ~0u};
	struct irq_target target = {.vector = 0x61, .cpu = 3};

	start_domain();
	EXPECT_EQ(iommu_irq_map_msi(0, 0, 0x10, target, &io), -ENODEV);
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x10), 0);
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x18), 0);
	EXPECT_EQ(iommu_irq_map_msi(0, 0, 0x10, target, &io), 0);
	EXPECT_EQ(iommu_irq_map_msi(0, 0, 0x18, target, &other), 0);
	EXPECT_EQ(io.index, 0);
	EXPECT_EQ(other.index, 0);
	EXPECT_EQ(io.address, 0xfee00000);
	EXPECT_EQ(irte(0x10, 0), 0x61 << 16 | 0x13 << 8 | 1);
	EXPECT(device(0x10, 2) != device(0x18, 2));
	EXPECT_EQ(device(0x10, 2) >> 60 & 3, 2);
	EXPECT_EQ(device(0x10, 2) >> 1 & 0xf, 8);
	iommu_irq_unmap_msi(0, 0, 0x10, &io);
	EXPECT_EQ(irte(0x10, 0), 0);
	finish_domain();
}

TEST(amd, entries_of_a_device_run_out_with_an_error)
{
	static struct iommu_irq io[257];
	struct irq_target target = {.vector = 0x61};
	unsigned int i;

	start_domain();
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x10), 0);
	for (i = 0; i < 256; i++) {
		io[i].index = ~0u;
		EXPECT_EQ(iommu_irq_map_msi(0, 0, 0x10, target, &io[i]), 0);
	}
	io[256].index = ~0u;
	EXPECT_EQ(iommu_irq_map_msi(0, 0, 0x10, target, &io[256]), -ENOSPC);
	finish_domain();
}

TEST(amd, pins_entry_has_the_vectors_number)
{
	struct irq_target target = {.vector = 0x51, .cpu = 2};
	u64 rte;

	start_unit();
	EXPECT_EQ(iommu_irq_map_ioapic(2, 9, target, true, false, &rte), 0);
	EXPECT_EQ(rte, 0x8051);
	EXPECT_EQ(irte(0xa0, 0x51), 0x51 << 16 | 0x12 << 8 | 1);
	/* another pin cannot have the number while this one has it */
	target.cpu = 1;
	EXPECT_EQ(iommu_irq_map_ioapic(2, 4, target, false, false, &rte), -EBUSY);
	target.vector = 0x52;
	EXPECT_EQ(iommu_irq_map_ioapic(2, 9, target, true, false, &rte), 0);
	EXPECT_EQ(irte(0xa0, 0x51), 0);
	target.vector = 0x51;
	EXPECT_EQ(iommu_irq_map_ioapic(2, 4, target, false, false, &rte), 0);
	EXPECT_EQ(iommu_irq_map_ioapic(7, 4, target, false, false, &rte), -ENODEV);
}

TEST(amd, refused_dma_is_reported_with_device_and_address)
{
	u64 *event;

	start_unit();
	event = fake_physical(reg64(0x10) & 0x000ffffffffff000);
	event[0] = 2ull << 60 | BIT(53) | 0x0210;
	event[1] = 0x12345678;
	memcpy(registers + 0x2018, &(u64){16}, 8);
	fake_was_logged("");
	/* 64-bit address or not, the vector is behind it */
	irq_dispatch((u8)fake_config[0x48 / 4]);
	EXPECT(fake_was_logged("0000:02:02.0 refused: DMA write to 0x12345678, reason 0x2"));
	EXPECT_EQ(reg64(0x2010), 16);
}

TEST(amd, x2apic_needs_wide_entries)
{
	prepare();
	fake_is_wide = true;
	EXPECT(UNIT_PANICS(iommu_setup()));
	EXPECT(strstr(unit_panic_text, "x2APIC"));
}

TEST(amd, x2apic_uses_wide_entries)
{
	struct iommu_irq io = {.index = ~0u};
	struct irq_target target = {.vector = 0x61, .cpu = 3};
	u64 table;

	prepare();
	fake_is_wide = true;
	features = BIT(2) | BIT(7);
	iommu_setup();
	memset(&domain, 0, sizeof(domain));
	domain.is_hardware = true;
	EXPECT_EQ(iommu_service.init(&domain, NULL), 0);
	EXPECT_EQ(iommu_assign(&domain, 0, 0, 0x10), 0);
	EXPECT_EQ(iommu_irq_map_msi(0, 0, 0x10, target, &io), 0);
	table = device(0x10, 2) & 0x000fffffffffffc0;
	EXPECT_EQ(fake_read64(table), 0x13 << 8 | 1);
	EXPECT_EQ(fake_read64(table + 8), 0x61);
	EXPECT_EQ(reg64(0x18) & (BIT(25) | BIT(50)), BIT(25) | BIT(50));
	finish_domain();
}

TEST(amd, silent_unit_is_refused)
{
	prepare();
	features = ~0ull;
	EXPECT(UNIT_PANICS(iommu_setup()));
	EXPECT(strstr(unit_panic_text, "does not answer"));
}

TEST_MAIN()
