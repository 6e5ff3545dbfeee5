/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/test.h"

#include "drivers/acpi/acpi.h"
#include "hv/error.h"
#include "tests/unit/fake_acpi.h"

static struct acpi_info info;
static const char *why;

static int parse(struct fake_firmware *f)
{
	int rc = acpi_parse(fake_read, f, hpa_of(0), &info, &why);

	free(f);
	return rc;
}

static struct fake_firmware *least(void)
{
	struct fake_firmware *f = fake_firmware_create();

	fake_madt(f);
	fake_fadt(f);
	return f;
}

TEST(acpi, least_firmware_is_understood)
{
	struct fake_firmware *f = least();

	fake_finish(f);
	EXPECT_EQ(parse(f), 0);
	EXPECT_EQ(hpa_raw(info.rsdp), FAKE_RSDP);
	EXPECT_EQ(info.cpu_count, 3);
	EXPECT_EQ(info.cpus[1].apic_id, 1);
	EXPECT_EQ(info.cpus[2].apic_id, 0x1234);
	EXPECT_EQ(info.cpus[2].acpi_id, 7);
	EXPECT_EQ(info.ioapic_count, 1);
	EXPECT_EQ(hpa_raw(info.ioapics[0].address), 0xfec00000);
	EXPECT_EQ(info.override_count, 1);
	EXPECT_EQ(info.overrides[0].flags, 0x0d);
	EXPECT_EQ(info.pm_timer_port, 0x608);
	EXPECT(info.is_pm_timer_32bit);
	EXPECT_EQ(info.pm1a_control, 0x604);
	EXPECT(info.has_reset);
	EXPECT_EQ(info.reset_address, 0xcf9);
	EXPECT_EQ(info.reset_value, 0x0f);
	EXPECT_EQ(hpa_raw(info.dsdt), 0x40);
	EXPECT_EQ(info.sci_irq, 9);
}

TEST(acpi, no_rsdp_is_refused)
{
	EXPECT_EQ(parse(fake_firmware_create()), -ENOENT);
	EXPECT(why != NULL);
}

TEST(acpi, wrong_checksum_of_rsdp_is_no_rsdp)
{
	struct fake_firmware *f = least();

	fake_finish(f);
	f->memory[FAKE_RSDP + 9]++;
	EXPECT_EQ(parse(f), -ENOENT);
}

TEST(acpi, wrong_extended_checksum_of_rsdp_is_refused)
{
	struct fake_firmware *f = least();

	fake_finish(f);
	f->memory[FAKE_RSDP + 33]++;
	EXPECT_EQ(parse(f), -EINVAL);
}

TEST(acpi, hint_is_used_before_the_search)
{
	struct fake_firmware *f = least();
	int rc;

	fake_finish(f);
	memcpy(f->memory + 0x8010, f->memory + FAKE_RSDP, 36);
	rc = acpi_parse(fake_read, f, hpa_of(0x8010), &info, &why);
	free(f);
	EXPECT_EQ(rc, 0);
	EXPECT_EQ(hpa_raw(info.rsdp), 0x8010);
}

TEST(acpi, wrong_checksum_of_xsdt_is_refused)
{
	struct fake_firmware *f = least();

	fake_finish(f);
	f->memory[FAKE_XSDT + 20]++;
	EXPECT_EQ(parse(f), -EINVAL);
}

TEST(acpi, wrong_checksum_of_madt_is_refused)
{
	struct fake_firmware *f = fake_firmware_create();
	u32 at = fake_madt(f);

	fake_fadt(f);
	f->memory[at + 50]++;
	fake_finish(f);
	EXPECT_EQ(parse(f), -EINVAL);
	EXPECT(why != NULL);
}

TEST(acpi, table_past_the_end_of_memory_is_left_out)
{
	struct fake_firmware *f = least();
	u32 at = fake_table(f, "SSDT", "", 0);

	f->memory[at + 6] = 0xf0; /* 15 MiB long */
	f->tables[f->table_count++] = 0xfffffffffffff000;
	f->tables[f->table_count++] = FAKE_MEMORY_BYTES - 8;
	fake_finish(f);
	EXPECT_EQ(parse(f), 0);
	EXPECT_EQ(info.table_count, 2);
}

TEST(acpi, table_that_names_the_list_itself_is_left_out)
{
	struct fake_firmware *f = least();

	f->tables[f->table_count++] = FAKE_XSDT;
	fake_finish(f);
	EXPECT_EQ(parse(f), 0);
	EXPECT_EQ(info.table_count, 2);
}

TEST(acpi, repeated_table_counts_once)
{
	struct fake_firmware *f = least();

	while (f->table_count < 150) {
		f->tables[f->table_count] = f->tables[0];
		f->table_count++;
	}
	fake_finish(f);
	EXPECT_EQ(parse(f), 0);
	EXPECT_EQ(info.table_count, 2);
}

TEST(acpi, too_many_tables_are_left_out)
{
	struct fake_firmware *f = least();

	while (f->table_count < 190) {
		fake_table(f, "SSDT", "x", 1);
	}
	fake_finish(f);
	EXPECT_EQ(parse(f), 0);
	EXPECT_EQ(info.table_count, ACPI_TABLE_MAX);
}

TEST(acpi, wrong_checksum_of_an_unknown_table_is_kept_and_marked)
{
	struct fake_firmware *f = least();
	u32 at = fake_table(f, "SSDT", "abcd", 4);

	f->memory[at + 36]++;
	fake_finish(f);
	EXPECT_EQ(parse(f), 0);
	EXPECT_EQ(info.table_count, 3);
	EXPECT(info.tables[2].is_checksum_wrong);
}

TEST(acpi, madt_entry_of_length_zero_is_refused)
{
	static const u8 body[] = {0, 0, 0xe0, 0xfe, 1, 0, 0, 0, 0, 0};
	struct fake_firmware *f = fake_firmware_create();

	fake_table(f, "APIC", body, sizeof(body));
	fake_fadt(f);
	fake_finish(f);
	EXPECT_EQ(parse(f), -EINVAL);
}

TEST(acpi, madt_entry_past_the_end_is_refused)
{
	static const u8 body[] = {0, 0, 0xe0, 0xfe, 1, 0, 0, 0, 0, 8, 0, 0, 1};
	struct fake_firmware *f = fake_firmware_create();

	fake_table(f, "APIC", body, sizeof(body));
	fake_fadt(f);
	fake_finish(f);
	EXPECT_EQ(parse(f), -EINVAL);
}

TEST(acpi, madt_without_processors_is_refused)
{
	static const u8 body[] = {0, 0, 0xe0, 0xfe, 1,	  0,	0, 0, 1, 12,
				  0, 0, 0,    0,    0xc0, 0xfe, 0, 0, 0, 0};
	struct fake_firmware *f = fake_firmware_create();

	fake_table(f, "APIC", body, sizeof(body));
	fake_fadt(f);
	fake_finish(f);
	EXPECT_EQ(parse(f), -EINVAL);
}

TEST(acpi, processors_past_the_limit_stay_off)
{
	static u8 body[8 + 12 + 16 * (CPU_MAX + 20)];
	struct wire_out out = wire_out_of(body, sizeof(body));
	struct fake_firmware *f = fake_firmware_create();
	unsigned int i;

	wire_put_u64le(&out, 0xfee00000);
	wire_put_bytes(&out, "\1\14\0\0\0\0\300\376\0\0\0\0", 12);
	for (i = 0; i < CPU_MAX + 20; i++) {
		wire_put_bytes(&out, "\11\20\0\0", 4);
		wire_put_u32le(&out, i);
		wire_put_u32le(&out, 1);
		wire_put_u32le(&out, i);
	}
	fake_table(f, "APIC", body, sizeof(body));
	fake_fadt(f);
	fake_finish(f);
	EXPECT_EQ(parse(f), 0);
	EXPECT_EQ(info.cpu_count, CPU_MAX);
}

TEST(acpi, firmware_without_fadt_is_refused)
{
	struct fake_firmware *f = fake_firmware_create();

	fake_madt(f);
	fake_finish(f);
	EXPECT_EQ(parse(f), -EINVAL);
}

TEST(acpi, broken_mcfg_is_ignored)
{
	struct fake_firmware *f = least();

	fake_table(f, "MCFG", "too short for an entry", 20);
	fake_finish(f);
	EXPECT_EQ(parse(f), 0);
	EXPECT_EQ(info.mcfg_count, 0);
}

TEST(acpi, mcfg_is_read)
{
	static const u8 body[24] = {[11] = 0xb0, [19] = 0xff}; /* base 0xb0000000, buses 0-255 */
	struct fake_firmware *f = least();

	fake_table(f, "MCFG", body, sizeof(body));
	fake_finish(f);
	EXPECT_EQ(parse(f), 0);
	EXPECT_EQ(info.mcfg_count, 1);
	EXPECT_EQ(hpa_raw(info.mcfg[0].base), 0xb0000000);
	EXPECT_EQ(info.mcfg[0].bus_last, 255);
}

/* As QEMU makes it: one unit for all, the I/O APIC as a scope. */
static const u8 dmar_body[] = {
	47,   1,    0,	0,    0, 0,    0, 0, 0, 0, 0,	 0, /* 48 bits, interrupt remapping */
	0,    0,    24, 0,    1, 0,    0, 0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0, /* unit at 0xfed90000 */
	3,    8,    0,	0,    0, 0xff, 0, 0, /* I/O APIC 0 is ff:00.0 */
	1,    0,    32, 0,    0, 0,    0, 0, 0, 0, 0,	 0x10, 0, 0, 0, 0, /* reserved range */
	0xff, 0x0f, 0,	0x10, 0, 0,    0, 0, 1, 8, 0,	 0,    0, 0, 2, 1, /* for 0:2.1 */
};

TEST(acpi, dmar_is_read)
{
	struct fake_firmware *f = least();

	fake_table(f, "DMAR", dmar_body, sizeof(dmar_body));
	fake_finish(f);
	EXPECT_EQ(parse(f), 0);
	EXPECT(info.dmar.is_present && info.dmar.has_interrupt_remapping);
	EXPECT_EQ(info.dmar.address_bits, 48);
	EXPECT_EQ(info.dmar.drhd_count, 1);
	EXPECT_EQ(hpa_raw(info.dmar.drhds[0].base), 0xfed90000);
	EXPECT_EQ(info.dmar.drhds[0].scope_count, 1);
	EXPECT_EQ(info.dmar.scopes[0].type, ACPI_SCOPE_IOAPIC);
	EXPECT_EQ(info.dmar.scopes[0].bus, 0xff);
	EXPECT_EQ(info.reserved_range_count, 1);
	EXPECT_EQ(info.reserved_ranges[0].size_bytes, 0x1000);
	EXPECT_EQ(info.reserved_ranges[0].scope_first, 1);
	EXPECT_EQ(info.dmar.scopes[1].path[0].device, 2);
	EXPECT_EQ(info.dmar.scopes[1].path[0].function, 1);
}

TEST(acpi, dmar_with_an_impossible_length_is_refused)
{
	static const unsigned int lengths[] = {14, 16 + 12, 30};
	u8 body[sizeof(dmar_body)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct fake_firmware *f = least();

		memcpy(body, dmar_body, sizeof(body));
		if (i == 2) {
			body[14] = 3; /* entry shorter than its own header */
		}
		fake_table(f, "DMAR", body, i == 2 ? sizeof(body) : lengths[i]);
		fake_finish(f);
		EXPECT_EQ(parse(f), -EINVAL);
	}
}

TEST(acpi, dmar_range_that_ends_before_it_starts_is_refused)
{
	struct fake_firmware *f = least();
	u8 body[sizeof(dmar_body)];

	memcpy(body, dmar_body, sizeof(body));
	body[12 + 24 + 16 + 3] = 0;
	fake_table(f, "DMAR", body, sizeof(body));
	fake_finish(f);
	EXPECT_EQ(parse(f), -EINVAL);
}

/* As QEMU makes it: type 10h, everything from 0:0.0 to ff:1f.7, the I/O APIC as 0:14.0. */
static const u8 ivrs_body[] = {
	0,    0x28, 0,	  0, 0, 0, 0,	 0,    0,    0, 0, 0, 0x10, 0,	  0x24, 0,
	0x18, 0,    0x40, 0, 0, 0, 0xd8, 0xfe, 0,    0, 0, 0, 0,    0,	  0,	0,
	0,    0,    0,	  0, 1, 0, 0,	 0,    0x48, 0, 0, 0, 0,    0xa0, 0,	1,
};

TEST(acpi, ivrs_is_read)
{
	struct fake_firmware *f = least();

	fake_table(f, "IVRS", ivrs_body, sizeof(ivrs_body));
	fake_finish(f);
	EXPECT_EQ(parse(f), 0);
	EXPECT(info.ivrs.is_present);
	EXPECT_EQ(info.ivrs.ivhd_count, 1);
	EXPECT_EQ(hpa_raw(info.ivrs.ivhds[0].base), 0xfed80000);
	EXPECT_EQ(info.ivrs.ivhds[0].device, 0x18);
	EXPECT_EQ(info.ivrs.entry_count, 2);
	EXPECT_EQ(info.ivrs.entries[0].last, 0xffff);
	EXPECT_EQ(info.ivrs.entries[1].special, ACPI_IVRS_IOAPIC);
	EXPECT_EQ(info.ivrs.entries[1].first, 0xa0);
}

TEST(acpi, ivrs_range_without_a_start_is_refused)
{
	struct fake_firmware *f = least();
	u8 body[sizeof(ivrs_body)];

	memcpy(body, ivrs_body, sizeof(body));
	body[36] = 4; /* range end */
	fake_table(f, "IVRS", body, sizeof(body));
	fake_finish(f);
	EXPECT_EQ(parse(f), -EINVAL);
}

TEST(acpi, ivrs_cut_short_is_refused)
{
	unsigned int size_bytes;

	for (size_bytes = 13; size_bytes < sizeof(ivrs_body); size_bytes++) {
		struct fake_firmware *f = least();

		fake_table(f, "IVRS", ivrs_body, size_bytes);
		fake_finish(f);
		EXPECT_EQ(parse(f), -EINVAL);
	}
}

TEST_MAIN()
