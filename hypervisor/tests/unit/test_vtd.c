/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One VT-d unit, played by the test: it obeys commands, runs its queue, walks the tables. */
#include "base/test.h"

#include "asm/io.h"
#include "tests/unit/fake_iommu.h"

#define CAP                                                                                      \
	0x00d2008c22260206ull | 2ull << 8 | 4ull << 8 | 3ull << 34 /* 39 and 48 bits, superpages \
								    */
#define ECAP 0x0000000000f00f4aull

static u8 *registers;
static u64 capabilities, extended;
static u32 obeys; /* commands that the unit carries out */
static unsigned int flushes, queue_head, interrupt_flushes;

static u64 reg64(unsigned int at)
{
	u64 value;

	memcpy(&value, registers + at, 8);
	return value;
}

static void put32(unsigned int at, u32 value)
{
	memcpy(registers + at, &value, 4);
}

static void run_queue(void)
{
	u64 base = reg64(0x90) & ~0xfffull, tail = reg64(0x88) / 16;

	while (queue_head != tail) {
		u64 low = fake_read64(base + queue_head * 16),
		    high = fake_read64(base + queue_head * 16 + 8);
		u32 status = (u32)(low >> 32);

		switch (low & 0xf) {
		case 1:
			break;
		case 2:
			flushes += (low >> 4 & 3) == 2;
			break;
		case 4:
			interrupt_flushes++;
			break;
		case 5:
			memcpy(fake_physical(high), &status, 4);
			break;
		default:
			abort();
		}
		queue_head = (queue_head + 1) % 256;
	}
}

static void written(void *p, unsigned int size_bytes)
{
	size_t at = (size_t)((u8 *)p - registers);
	u32 command;

	if (at == 0x18) {
		memcpy(&command, registers + 0x18, 4);
		put32(0x1c, command & obeys);
	} else if (at == 0x88) {
		run_queue();
	}
}

static void mapped(hpa_t base, void *p, size_t size_bytes)
{
	registers = p;
	memcpy(registers + 8, &capabilities, 8);
	memcpy(registers + 16, &extended, 8);
}

static void prepare(void)
{
	unit_reset(4);
	free(registers);
	registers = NULL;
	memset(&acpi_info, 0, sizeof(acpi_info));
	acpi_info.dmar.is_present = acpi_info.dmar.has_interrupt_remapping = true;
	acpi_info.dmar.drhd_count = 1;
	acpi_info.dmar.drhds[0] =
		(struct acpi_drhd){.base = hpa_of(0xfed90000), .is_rest_of_segment = true};
	acpi_info.dmar.scope_count = 1;
	acpi_info.dmar.scopes[0] = (struct acpi_scope){
		.type = ACPI_SCOPE_IOAPIC, .id = 2, .bus = 0xff, .path_count = 1, .path = {{0, 0}}};
	acpi_info.ioapic_count = 1;
	acpi_info.ioapics[0].id = 2;
	iommu_forget_all();
	capabilities = CAP;
	extended = ECAP;
	obeys = ~0u;
	flushes = interrupt_flushes = queue_head = 0;
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

/* Sections 3.4 and 3.7: root, context, second-level tables. */
static u64 translate(u16 requester, u64 address, unsigned int access)
{
	u64 root, context, width, entry, at;
	unsigned int level;
	u32 status;

	memcpy(&status, registers + 0x1c, 4);
	if (!(status & 0x80000000)) {
		return address; /* translation is off */
	}
	root = fake_read64((reg64(0x20) & ~0xfffull) + (requester >> 8) * 16);
	if (!(root & 1)) {
		return ~0ull;
	}
	context = (root & ~0xfffull) + (requester & 0xff) * 16;
	if (!(fake_read64(context) & 1) || (fake_read64(context) >> 2 & 3) != 0) {
		return ~0ull;
	}
	width = fake_read64(context + 8) & 7;
	level = (unsigned int)width + 2;
	if (address >> (12 + 9 * level)) {
		return ~0ull;
	}
	at = fake_read64(context) & ~0xfffull;
	for (;; level--) {
		entry = fake_read64(at + (address >> (12 + 9 * (level - 1)) & 511) * 8);
		if ((entry & access) != access) {
			return ~0ull;
		}
		if (level == 1 || entry & 0x80) {
			u64 mask = (1ull << (12 + 9 * (level - 1))) - 1;

			return (entry & 0x000ffffffffff000 & ~mask) | (address & mask);
		}
		at = entry & 0x000ffffffffff000;
	}
}

#include "tests/unit/iommu_cases.inc"

/* --- refusals --- */

static const char *refusal(void)
{
	unit_panic_text[0] = 0;
	if (!UNIT_PANICS(iommu_setup())) {
		return "it started";
	}
	return unit_panic_text;
}

TEST(vtd, machine_without_an_iommu_is_refused)
{
	prepare();
	acpi_info.dmar.is_present = false;
	EXPECT(strstr(refusal(), "shows no IOMMU"));
}

TEST(vtd, machine_without_an_iommu_starts_when_told_so)
{
	prepare();
	acpi_info.dmar.is_present = false;
	iommu_is_wanted = false;
	iommu_setup();
	EXPECT(!iommu_has_remapping());
}

TEST(vtd, silent_unit_is_refused)
{
	prepare();
	capabilities = ~0ull;
	EXPECT(strstr(refusal(), "does not answer"));
}

TEST(vtd, unit_without_a_queue_is_refused)
{
	prepare();
	extended &= ~2ull;
	EXPECT(strstr(refusal(), "queued invalidation"));
}

TEST(vtd, unit_without_a_usable_depth_is_refused)
{
	prepare();
	capabilities &= ~(0x1full << 8);
	EXPECT(strstr(refusal(), "table depth"));
}

TEST(vtd, x2apic_needs_wide_entries)
{
	prepare();
	fake_is_wide = true;
	extended &= ~0x10ull;
	EXPECT(strstr(refusal(), "x2APIC"));
}

/* --- faults --- */

TEST(vtd, refused_dma_is_reported_with_device_and_address)
{
	u8 *record;
	u32 top;

	start_unit();
	record = registers + (capabilities >> 24 & 0x3ff) * 16;
	memcpy(record, &(u64){0x12345000}, 8);
	memcpy(record + 8, &(u64){0x0210ull | 5ull << 32 | BIT(63)}, 8); /* a write */
	put32(0x34, 2);
	fake_was_logged("");
	irq_dispatch((u8)reg64(0x3c));
	EXPECT(fake_was_logged("0000:02:02.0 refused: DMA write to 0x12345000, reason 0x5"));
	memcpy(&top, record + 12, 4);
	EXPECT_EQ(top, 0x80000000); /* written back: one to clear */
}

TEST(vtd, refused_interrupt_is_reported_with_its_entry)
{
	u8 *record;

	start_unit();
	record = registers + (capabilities >> 24 & 0x3ff) * 16;
	memcpy(record, &(u64){7ull << 48}, 8);
	memcpy(record + 8, &(u64){0x0018ull | 0x22ull << 32 | BIT(63)}, 8);
	put32(0x34, 2);
	fake_was_logged("");
	irq_dispatch((u8)reg64(0x3c));
	EXPECT(fake_was_logged(
		"0000:00:03.0 refused: interrupt with entry, write to 0x7, reason 0x22"));
}

/* --- interrupts --- */

static u64 irte(u32 index, unsigned int word)
{
	return fake_read64((reg64(0xb8) & ~0xfffull) + index * 16 + word * 8);
}

TEST(vtd, message_gets_an_entry_that_only_its_device_may_use)
{
	struct iommu_irq io = {.index = ~0u};
	struct irq_target target = {.vector = 0x61, .cpu = 3};

	start_unit();
	EXPECT(iommu_has_remapping());
	EXPECT_EQ(iommu_irq_map_msi(0, 2, 0x18, target, &io), 0);
	EXPECT_EQ(io.address, 0xfee00010ull | io.index << 5);
	EXPECT_EQ(io.data, 0);
	EXPECT_EQ(irte(io.index, 0), 0x13ull << 40 | 0x61 << 16 | 1);
	EXPECT_EQ(irte(io.index, 1), 1 << 18 | 0x0218);
	target = (struct irq_target){.vector = 0x62, .cpu = 1};
	EXPECT_EQ(iommu_irq_map_msi(0, 2, 0x18, target, &io), 0);
	EXPECT_EQ(irte(io.index, 0), 0x11ull << 40 | 0x62 << 16 | 1);
	EXPECT(interrupt_flushes >= 2);
	iommu_irq_unmap_msi(0, 2, 0x18, &io);
	EXPECT_EQ(io.index, ~0u);
	EXPECT_EQ(irte(0, 0) & 1, 0);
}

TEST(vtd, entries_run_out_with_an_error)
{
	static struct iommu_irq io[4097];
	struct irq_target target = {.vector = 0x61};
	unsigned int i;

	start_unit();
	for (i = 0; i < 4096; i++) {
		io[i].index = ~0u;
		EXPECT_EQ(iommu_irq_map_msi(0, 0, 8, target, &io[i]), 0);
	}
	io[i].index = ~0u;
	EXPECT_EQ(iommu_irq_map_msi(0, 0, 8, target, &io[i]), -ENOSPC);
	iommu_irq_unmap_msi(0, 0, 8, &io[7]);
	EXPECT_EQ(iommu_irq_map_msi(0, 0, 8, target, &io[i]), 0);
	EXPECT_EQ(io[i].index, 7);
}

TEST(vtd, io_apic_pin_keeps_its_entry)
{
	struct irq_target target = {.vector = 0x51, .cpu = 2};
	u64 rte, again;
	u32 index;

	start_unit();
	EXPECT(fake_remap == iommu_irq_map_ioapic);
	EXPECT_EQ(iommu_irq_map_ioapic(2, 9, target, true, true, &rte), 0);
	EXPECT_EQ(rte & 0xff, 0x51); /* the EOI is matched by it */
	EXPECT_EQ(rte & 0xa000, 0xa000);
	EXPECT(rte >> 48 & 1);
	index = (u32)(rte >> 49) | (u32)(rte >> 11 & 1) << 15;
	EXPECT_EQ(irte(index, 0), 0x12ull << 40 | 0x51 << 16 | 1 << 4 | 1);
	EXPECT_EQ(irte(index, 1) & 0xffff, 0xff00);
	EXPECT_EQ(iommu_irq_map_ioapic(2, 9, target, true, true, &again), 0);
	EXPECT_EQ(again, rte);
	EXPECT_EQ(iommu_irq_map_ioapic(3, 9, target, true, true, &rte), -ENODEV);
}

TEST_MAIN()
