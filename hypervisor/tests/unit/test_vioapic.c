/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/test.h"

#include <stdlib.h>

#include "arch/unit/unit.h"
#include "arch/x86/guest/hwirq.h"
#include "arch/x86/guest/trap.h"
#include "arch/x86/guest/vioapic.h"
#include "arch/x86/guest/vlapic.h"
#include "arch/x86/host/apic.h"
#include "drivers/acpi/acpi.h"

#define BASE   0xfec00000ull
#define SECOND 0xfec01000ull
#define PINS   24u

struct acpi_info acpi_info;
static struct domain domain;
static struct vioapic_domain *all;
static const struct trap_ops *trapped;
static void *trapped_data;
static bool is_host_masked[64];
static unsigned int traps, binds, delivered, unmasks;
static int bind_error;
static struct {
	u32 gsi, destination;
	bool is_logical, is_level, is_low;
	u8 vector, mode;
} last;

/* --- what it calls --- */

struct vioapic_domain *hwirq_vioapic(struct domain *d)
{
	return all;
}

int hwirq_bind_gsi(struct domain *d, u32 gsi, u32 destination, bool is_logical, bool is_level,
		   bool is_low)
{
	binds++;
	last.gsi = gsi;
	last.is_level = is_level;
	last.is_low = is_low;
	return bind_error;
}

void ioapic_mask(u32 gsi)
{
	is_host_masked[gsi] = true;
}

void ioapic_unmask(u32 gsi)
{
	is_host_masked[gsi] = false;
	unmasks++;
}

unsigned int ioapic_count(void)
{
	return acpi_info.ioapic_count;
}

unsigned int ioapic_pin_count(unsigned int index)
{
	return PINS;
}

int trap_memory(struct domain *d, gpa_t first, u64 size_bytes, const struct trap_ops *ops,
		void *data)
{
	traps++;
	trapped = ops;
	trapped_data = data;
	return 0;
}

void trap_memory_remove(struct domain *d, gpa_t first)
{
	traps--;
}

void vlapic_deliver(struct domain *d, u32 destination, bool is_logical, u8 delivery_mode, u8 vector,
		    bool is_level)
{
	delivered++;
	last.destination = destination;
	last.is_logical = is_logical;
	last.mode = delivery_mode;
	last.vector = vector;
}

/* --- helpers --- */

static void start(unsigned int count)
{
	unsigned int i;

	unit_reset(1);
	memset(&acpi_info, 0, sizeof(acpi_info));
	memset(&domain, 0, sizeof(domain));
	acpi_info.ioapic_count = count;
	for (i = 0; i < count; i++) {
		acpi_info.ioapics[i] = (struct acpi_ioapic){
			.id = (u8)i, .address = hpa_of(BASE + i * 0x1000), .gsi_base = i * PINS};
	}
	traps = binds = delivered = unmasks = 0;
	bind_error = 0;
	for (i = 0; i < 64; i++) {
		is_host_masked[i] = true;
	}
	domain.is_hardware = true;
	all = NULL;
	EXPECT_EQ(vioapic_init(&domain, &all), 0);
	EXPECT_EQ(traps, count);
}

static void finish(void)
{
	vioapic_fini(all);
	EXPECT_EQ(traps, 0);
	EXPECT_EQ(unit_heap_in_use(), 0);
}

static void wr(u64 base, u8 index, u32 value)
{
	EXPECT_EQ(trapped->write(NULL, trapped_data, base, 4, index), 0);
	EXPECT_EQ(trapped->write(NULL, trapped_data, base + 0x10, 4, value), 0);
}

static u32 rd(u64 base, u8 index)
{
	u64 value = 0;

	EXPECT_EQ(trapped->write(NULL, trapped_data, base, 4, index), 0);
	EXPECT_EQ(trapped->read(NULL, trapped_data, base + 0x10, 4, &value), 0);
	return (u32)value;
}

#define LEVEL  0x8000u
#define LOW    0x2000u
#define MASKED 0x10000u
#define IRR    0x4000u

static void set_pin(unsigned int pin, u32 destination, u32 low)
{
	wr(BASE, (u8)(0x11 + 2 * pin), destination << 24);
	wr(BASE, (u8)(0x10 + 2 * pin), low);
}

/* --- cases --- */

TEST(vioapic, mirrors_the_machine)
{
	start(2);
	EXPECT_EQ(rd(BASE, 1), 0x20 | (PINS - 1) << 16);
	EXPECT_EQ(rd(BASE, 0), 0);
	EXPECT_EQ(rd(SECOND, 0), 1u << 24);
	EXPECT_EQ(rd(BASE, 0x10), MASKED);
	EXPECT_EQ(rd(BASE, 0x10 + 2 * PINS), 0);
	EXPECT_EQ(rd(BASE, 5), 0);
	finish();
}

TEST(vioapic, domains_without_devices_have_none)
{
	struct vioapic_domain *none = (void *)1;

	start(0);
	domain.is_hardware = false;
	EXPECT_EQ(vioapic_init(&domain, &none), 0);
	EXPECT(none == NULL);
	finish();
}

TEST(vioapic, unmasking_binds_and_unmasks_the_machines_pin)
{
	start(1);
	set_pin(4, 2, 0x31);
	EXPECT_EQ(binds, 1);
	EXPECT_EQ(last.gsi, 4);
	EXPECT(!last.is_level && !last.is_low);
	EXPECT(!is_host_masked[4]);
	set_pin(4, 2, 0x31 | MASKED);
	EXPECT(is_host_masked[4]);
	finish();
}

TEST(vioapic, second_chip_has_its_own_gsis)
{
	start(2);
	wr(SECOND, 0x10 + 2 * 3, 0x40 | LEVEL | LOW);
	EXPECT_EQ(last.gsi, PINS + 3);
	EXPECT(last.is_level && last.is_low);
	finish();
}

TEST(vioapic, edge_is_delivered_as_the_guest_set_it)
{
	start(1);
	set_pin(4, 6, 0x31 | 1 << 11 | 1 << 8);
	vioapic_assert(&domain, 4);
	EXPECT_EQ(delivered, 1);
	EXPECT_EQ(last.destination, 6);
	EXPECT(last.is_logical);
	EXPECT_EQ(last.mode, 1);
	EXPECT_EQ(last.vector, 0x31);
	EXPECT_EQ(rd(BASE, 0x18) & IRR, 0);
	finish();
}

TEST(vioapic, level_stays_masked_until_its_eoi)
{
	start(1);
	set_pin(9, 0, 0x51 | LEVEL | LOW);
	is_host_masked[9] = true; /* as the handler does */
	vioapic_assert(&domain, 9);
	EXPECT_EQ(rd(BASE, 0x10 + 18) & IRR, IRR);
	vioapic_eoi(&domain, 0x50);
	EXPECT(is_host_masked[9]);
	vioapic_eoi(&domain, 0x51);
	EXPECT(!is_host_masked[9]);
	EXPECT_EQ(rd(BASE, 0x10 + 18) & IRR, 0);
	finish();
}

TEST(vioapic, eoi_register_ends_one_chips_interrupt)
{
	start(1);
	set_pin(9, 0, 0x51 | LEVEL);
	is_host_masked[9] = true;
	vioapic_assert(&domain, 9);
	EXPECT_EQ(trapped->write(NULL, trapped_data, BASE + 0x40, 4, 0x51), 0);
	EXPECT(!is_host_masked[9]);
	finish();
}

TEST(vioapic, guest_masking_during_service_keeps_the_line_masked_until_it_unmasks)
{
	start(1);
	set_pin(9, 0, 0x51 | LEVEL);
	is_host_masked[9] = true;
	vioapic_assert(&domain, 9);
	set_pin(9, 0, 0x51 | LEVEL | MASKED);
	vioapic_eoi(&domain, 0x51);
	EXPECT(is_host_masked[9]);
	set_pin(9, 0, 0x51 | LEVEL);
	EXPECT(!is_host_masked[9]);
	finish();
}

TEST(vioapic, unmasking_in_service_waits_for_the_eoi)
{
	start(1);
	set_pin(9, 0, 0x51 | LEVEL);
	is_host_masked[9] = true;
	vioapic_assert(&domain, 9);
	set_pin(9, 0, 0x51 | LEVEL | MASKED);
	set_pin(9, 0, 0x51 | LEVEL);
	EXPECT(is_host_masked[9]);
	vioapic_eoi(&domain, 0x51);
	EXPECT(!is_host_masked[9]);
	finish();
}

TEST(vioapic, changing_to_edge_forgets_the_level)
{
	start(1);
	set_pin(9, 0, 0x51 | LEVEL);
	vioapic_assert(&domain, 9);
	set_pin(9, 0, 0x51);
	EXPECT_EQ(rd(BASE, 0x10 + 18) & IRR, 0);
	finish();
}

TEST(vioapic, masked_pin_delivers_nothing)
{
	start(1);
	set_pin(9, 0, 0x51 | LEVEL | MASKED);
	vioapic_assert(&domain, 9);
	EXPECT_EQ(delivered, 0);
	EXPECT_EQ(rd(BASE, 0x10 + 18) & IRR, 0);
	vioapic_assert(&domain, 4000);
	EXPECT_EQ(delivered, 0);
	finish();
}

TEST(vioapic, read_only_bits_stay)
{
	start(1);
	wr(BASE, 0x10, 0xffffffff);
	EXPECT_EQ(rd(BASE, 0x10), 0x1afff);
	wr(BASE, 0x11, 0xffffffff);
	EXPECT_EQ(rd(BASE, 0x11), 0xff000000);
	finish();
}

TEST(vioapic, pin_that_cannot_be_bound_stays_masked_in_the_machine)
{
	start(1);
	bind_error = -ENODEV;
	set_pin(4, 0, 0x31);
	EXPECT(is_host_masked[4]);
	EXPECT_EQ(unmasks, 0);
	finish();
}

TEST(vioapic, odd_accesses_are_harmless)
{
	static const unsigned int sizes[] = {1, 2, 4, 8};
	unsigned int offset, i;
	u64 value;

	start(1);
	for (offset = 0; offset < 0x100; offset++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			EXPECT_EQ(
				trapped->read(NULL, trapped_data, BASE + offset, sizes[i], &value),
				0);
			EXPECT_EQ(trapped->write(NULL, trapped_data, BASE + offset, sizes[i], 0x12),
				  0);
		}
	}
	EXPECT_EQ(trapped->write(NULL, trapped_data, BASE - 4, 4, 1), 0);
	finish();
}

TEST(vioapic, without_memory_it_leaves_nothing)
{
	unsigned int nth;
	int rc;

	for (nth = 1;; nth++) {
		start(0);
		acpi_info.ioapic_count = 2;
		finish();
		all = NULL;
		unit_fail_allocation(nth);
		rc = vioapic_init(&domain, &all);
		if (!unit_has_failed()) {
			EXPECT_EQ(rc, 0);
			vioapic_fini(all);
			break;
		}
		EXPECT_EQ(rc, -ENOMEM);
		EXPECT(all == NULL);
		EXPECT_EQ(unit_heap_in_use(), 0);
	}
	unit_fail_allocation(0);
}

TEST_MAIN()
