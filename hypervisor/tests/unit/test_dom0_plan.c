/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/test.h"

#include <stdlib.h>

#include "arch/x86/guest/dom0_acpi.h"
#include "arch/x86/guest/dom0_plan.h"
#include "boot/dom0_options.h"
#include "hv/error.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

/* q35 with 4 GiB. */
static const struct memory_region q35[] = {
	{0, 0x9f000, MEMORY_RAM},
	{0x9f000, 0xa0000, MEMORY_RESERVED},
	{0xf0000, 0x100000, MEMORY_RESERVED},
	{0x100000, 0x7ffdf000, MEMORY_RAM},
	{0x7ffdf000, 0x80000000, MEMORY_RESERVED},
	{0xb0000000, 0xc0000000, MEMORY_RESERVED},
	{0xfed1c000, 0xfed20000, MEMORY_RESERVED},
	{0xfffc0000, 0x100000000, MEMORY_RESERVED},
	{0x100000000, 0x180000000, MEMORY_RAM},
};

static struct dom0_plan_input in;
static struct dom0_plan plan;
static const char *why;

static void input(const struct memory_region *host, unsigned int count, u64 ram_bytes)
{
	memset(&in, 0, sizeof(in));
	in.host = host;
	in.host_count = count;
	in.ram_bytes = ram_bytes;
	in.acpi_bytes = 0x4000;
	in.excluded_count = 3;
	in.excluded[0] = (struct dom0_span){0xfee00000, 0xfef00000};
	in.excluded[1] = (struct dom0_span){0xfec00000, 0xfec01000};
	in.excluded[2] = (struct dom0_span){0xb0000000, 0xc0000000};
}

static u64 bytes_of_type(u32 type)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < plan.map_count; i++) {
		sum += plan.map[i].type == type ? plan.map[i].end - plan.map[i].start : 0;
	}
	return sum;
}

static bool is_direct_at(u64 at)
{
	unsigned int i;

	for (i = 0; i < plan.direct_count; i++) {
		if (at >= plan.direct[i].start && at < plan.direct[i].end) {
			return true;
		}
	}
	return false;
}

TEST(dom0_plan, ram_beyond_its_share_is_unusable)
{
	input(q35, ARRAY_SIZE(q35), GIB);
	EXPECT_EQ(dom0_plan_make(&in, &plan, &why), 0);
	EXPECT_EQ(plan.ram_bytes, GIB);
	EXPECT_EQ(bytes_of_type(MEMORY_RAM) + bytes_of_type(MEMORY_ACPI), GIB);
	EXPECT_EQ(bytes_of_type(MEMORY_RAM) + bytes_of_type(MEMORY_ACPI) +
			  bytes_of_type(MEMORY_BAD),
		  0x9f000ull + 0x7ffdf000 - 0x100000 + 2 * GIB);
}

TEST(dom0_plan, more_than_the_host_has_is_all_of_it)
{
	input(q35, ARRAY_SIZE(q35), 64 * GIB);
	EXPECT_EQ(dom0_plan_make(&in, &plan, &why), 0);
	EXPECT_EQ(plan.ram_bytes, 0x9f000ull + 0x7ffdf000 - 0x100000 + 2 * GIB);
	EXPECT_EQ(bytes_of_type(MEMORY_BAD), 0);
}

TEST(dom0_plan, tables_lie_at_the_end_of_ram_below_4g)
{
	input(q35, ARRAY_SIZE(q35), 64 * GIB);
	EXPECT_EQ(dom0_plan_make(&in, &plan, &why), 0);
	EXPECT_EQ(plan.acpi_start, 0x7ffdf000 - 0x4000);
	EXPECT_EQ(dom0_plan_find(&plan, 0, plan.acpi_start, 1, 1), plan.acpi_start - 1);
	EXPECT_EQ(dom0_plan_find(&plan, plan.acpi_start, plan.acpi_start + 0x4000, 1, 1), ~0ull);
}

TEST(dom0_plan, host_ram_is_never_direct_whoever_has_it)
{
	unsigned int i;
	u64 at;

	input(q35, ARRAY_SIZE(q35), 512 * MIB);
	EXPECT_EQ(dom0_plan_make(&in, &plan, &why), 0);
	for (i = 0; i < ARRAY_SIZE(q35); i++) {
		for (at = q35[i].start; q35[i].type == MEMORY_RAM && at < q35[i].end;
		     at += 0x1000) {
			EXPECT(!is_direct_at(at));
		}
	}
}

TEST(dom0_plan, holes_and_reserved_ranges_are_direct_except_what_is_kept)
{
	input(q35, ARRAY_SIZE(q35), 512 * MIB);
	EXPECT_EQ(dom0_plan_make(&in, &plan, &why), 0);
	EXPECT(is_direct_at(0xa0000));
	EXPECT(is_direct_at(0xf0000));
	EXPECT(is_direct_at(0x7ffdf000));
	EXPECT(is_direct_at(0xd0000000));
	EXPECT(is_direct_at(0xfffff000));
	EXPECT(!is_direct_at(0xb0000000));
	EXPECT(!is_direct_at(0xbffff000));
	EXPECT(!is_direct_at(0xfec00000));
	EXPECT(is_direct_at(0xfec01000));
	EXPECT(!is_direct_at(0xfee00000));
	EXPECT(!is_direct_at(0xfeeff000));
	EXPECT(is_direct_at(0xfef00000));
	EXPECT(!is_direct_at(0x180000000));
}

TEST(dom0_plan, above_4g_only_what_firmware_names_is_direct)
{
	const struct memory_region host[] = {
		{0x100000, 0x40000000, MEMORY_RAM},
		{5 * GIB, 5 * GIB + 0x1000, MEMORY_RESERVED},
		{6 * GIB, 6 * GIB + 0x1000, MEMORY_BAD},
		{7 * GIB, 8 * GIB, MEMORY_RAM},
		{1024 * GIB, 1036 * GIB, MEMORY_RESERVED},
	};

	input(host, 5, GIB);
	EXPECT_EQ(dom0_plan_make(&in, &plan, &why), 0);
	EXPECT(is_direct_at(5 * GIB));
	EXPECT(!is_direct_at(5 * GIB + 0x1000));
	EXPECT(!is_direct_at(6 * GIB));
	EXPECT(!is_direct_at(1024 * GIB));
}

TEST(dom0_plan, no_room_below_4g_is_refused)
{
	const struct memory_region host[] = {{0, 0x9f000, MEMORY_RAM},
					     {4 * GIB, 8 * GIB, MEMORY_RAM}};

	input(host, 2, GIB);
	EXPECT_EQ(dom0_plan_make(&in, &plan, &why), -ENOMEM);
	input(q35, ARRAY_SIZE(q35), 0);
	EXPECT_EQ(dom0_plan_make(&in, &plan, &why), -ENOMEM);
	EXPECT(why);
}

TEST(dom0_plan, too_many_pieces_are_refused)
{
	static struct memory_region host[DOM0_MAP_MAX];
	unsigned int i;

	for (i = 0; i < DOM0_MAP_MAX; i++) {
		host[i] = (struct memory_region){i * 2 * MIB, i * 2 * MIB + MIB, MEMORY_RAM};
	}
	input(host, DOM0_MAP_MAX, 64 * MIB + 0x1000);
	EXPECT_EQ(dom0_plan_make(&in, &plan, &why), -ENOMEM);
}

TEST(dom0_plan, places_are_aligned_inside_ram_and_below_the_limit)
{
	input(q35, ARRAY_SIZE(q35), 4 * GIB);
	EXPECT_EQ(dom0_plan_make(&in, &plan, &why), 0);
	EXPECT_EQ(dom0_plan_find(&plan, MIB, 4 * GIB, MIB, 2 * MIB), 0x7fe00000);
	EXPECT_EQ(dom0_plan_find(&plan, 0, MIB, 0xa0000, 0x1000), ~0ull);
	EXPECT_EQ(dom0_plan_find(&plan, 0, 4 * GIB, 3 * GIB, 0x1000), ~0ull);
	EXPECT_EQ(dom0_plan_find(&plan, 0x7ff00000, 4 * GIB, MIB, 0x1000), ~0ull);
	EXPECT_EQ(dom0_plan_find(&plan, 0x7ff00000, ~0ull, MIB, 0x1000), 6 * GIB - MIB);
	EXPECT_EQ(dom0_plan_find(&plan, 0, 4 * GIB, ~0ull, 0x1000), ~0ull);
}

/* --- ACPI tables --- */

static struct acpi_info acpi;
static u8 tables[DOM0_ACPI_BYTES];

static bool is_not_ssdt(void *context, const struct acpi_table *table)
{
	return strcmp(table->signature, "SSDT") != 0;
}

static u8 sum_of(const u8 *bytes, size_t size_bytes)
{
	u8 sum = 0;

	while (size_bytes--) {
		sum = (u8)(sum + *bytes++);
	}
	return sum;
}

static u32 read32(u64 at)
{
	u32 value;

	memcpy(&value, tables + at, 4);
	return value;
}

static u64 read64(u64 at)
{
	u64 value;

	memcpy(&value, tables + at, 8);
	return value;
}

static void host_tables(void)
{
	static const char signatures[][5] = {"FACP", "APIC", "HPET", "DMAR", "SSDT", "OEM1",
					     "DSDT", "FACS", "SRAT", "TPM2", "IVRS"};
	unsigned int i;

	memset(&acpi, 0, sizeof(acpi));
	for (i = 0; i < ARRAY_SIZE(signatures); i++) {
		memcpy(acpi.tables[i].signature, signatures[i], 5);
		acpi.tables[i].address = hpa_of(0x7ffe0000 + i * 0x1000);
		acpi.tables[i].size_bytes = 0x100;
	}
	acpi.table_count = i;
	acpi.ioapic_count = 1;
	acpi.ioapics[0] =
		(struct acpi_ioapic){.id = 3, .address = hpa_of(0xfec00000), .gsi_base = 0};
	acpi.override_count = 1;
	acpi.overrides[0] = (struct acpi_override){.source_irq = 0, .gsi = 2, .flags = 5};
}

TEST(dom0_acpi, tables_have_right_sums_and_point_to_each_other)
{
	u64 base = 0x7ffdb000, rsdp, xsdt, madt;

	host_tables();
	EXPECT_EQ(dom0_acpi_build(&acpi, 4, base, tables, is_not_ssdt, NULL, &rsdp), 0);
	EXPECT_EQ(rsdp, base);
	EXPECT_EQ(memcmp(tables, "RSD PTR ", 8), 0);
	EXPECT_EQ(sum_of(tables, 20), 0);
	EXPECT_EQ(sum_of(tables, 36), 0);
	xsdt = read64(24) - base;
	EXPECT_EQ(memcmp(tables + xsdt, "XSDT", 4), 0);
	EXPECT_EQ(sum_of(tables + xsdt, read32(xsdt + 4)), 0);
	/* MADT, FACP, OEM1, TPM2; not what is hidden, unreachable or named by the FADT */
	EXPECT_EQ(read32(xsdt + 4), 36 + 4 * 8);
	EXPECT_EQ(read64(xsdt + 44), 0x7ffe0000);
	EXPECT_EQ(read64(xsdt + 52), 0x7ffe5000);
	EXPECT_EQ(read64(xsdt + 60), 0x7ffe9000);
	madt = read64(xsdt + 36) - base;
	EXPECT_EQ(memcmp(tables + madt, "APIC", 4), 0);
	EXPECT_EQ(sum_of(tables + madt, read32(madt + 4)), 0);
	EXPECT_EQ(read32(madt + 4), 44 + 12 + 4 * 16 + 10);
	EXPECT_EQ(read32(madt + 44 + 12 + 16 + 4), 2); /* second vCPU: APIC id 2 */
}

TEST(dom0_acpi, more_cpus_than_fit_are_refused)
{
	u64 rsdp;

	host_tables();
	EXPECT_EQ(dom0_acpi_build(&acpi, 128, 0x1000, tables, is_not_ssdt, NULL, &rsdp), 0);
	EXPECT_EQ(dom0_acpi_build(&acpi, 2000, 0x1000, tables, is_not_ssdt, NULL, &rsdp), -ENOSPC);
}

/* --- dom0_mem= --- */

static struct dom0_memory chosen;

static int choose(const char *text)
{
	return dom0_memory_choose(text, 16 * GIB, 15 * GIB, &chosen);
}

TEST(dom0_mem, default_leaves_a_sixteenth_and_128_mib_at_most)
{
	EXPECT_EQ(choose(NULL), 0);
	EXPECT_EQ(chosen.initial_bytes, 15 * GIB - 128 * MIB);
	EXPECT_EQ(chosen.max_bytes, ~0ull);
	EXPECT_EQ(dom0_memory_choose(NULL, GIB, 512 * MIB, &chosen), 0);
	EXPECT_EQ(chosen.initial_bytes, 480 * MIB);
}

TEST(dom0_mem, sizes_have_units)
{
	EXPECT_EQ(choose("2048M"), 0);
	EXPECT_EQ(chosen.initial_bytes, 2 * GIB);
	EXPECT_EQ(choose("2097152"), 0);
	EXPECT_EQ(chosen.initial_bytes, 2 * GIB);
	EXPECT_EQ(choose("1g,max:2G console=com1"), 0);
	EXPECT_EQ(chosen.initial_bytes, GIB);
	EXPECT_EQ(chosen.max_bytes, 2 * GIB);
	EXPECT_EQ(choose("50%"), 0);
	EXPECT_EQ(chosen.initial_bytes, 8 * GIB & ~0xfffull);
	EXPECT_EQ(choose("-1G"), 0);
	EXPECT_EQ(chosen.initial_bytes, 14 * GIB);
	EXPECT_EQ(choose("-99G"), 0);
	EXPECT_EQ(chosen.initial_bytes, 0);
}

TEST(dom0_mem, limits_bound_the_size)
{
	EXPECT_EQ(choose("max:1G"), 0);
	EXPECT_EQ(chosen.initial_bytes, GIB);
	EXPECT_EQ(choose("1G,min:2G"), 0);
	EXPECT_EQ(chosen.initial_bytes, 2 * GIB);
	EXPECT_EQ(choose("99G"), 0);
	EXPECT_EQ(chosen.initial_bytes, 15 * GIB);
}

TEST(dom0_mem, nonsense_is_refused)
{
	static const char *const wrong[] = {"x",
					    "1X",
					    "1Gx",
					    "max:",
					    "-",
					    "101%",
					    "99999999999999999999",
					    "18446744073709551615G",
					    "1G;2G",
					    "min:1G,max:y"};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(choose(wrong[i]), -EINVAL);
	}
}

TEST_MAIN()
