/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/dom0_acpi.h"

#include "base/wire.h"
#include "hv/error.h"
#include "lib/string.h"

#define LAPIC_ADDRESS	    0xfee00000u
#define HEADER_BYTES	    36u
#define AT_LENGTH	    4u
#define AT_CHECKSUM	    9u
#define RSDP_BYTES	    36u
#define RSDP_BYTES_V1	    20u
#define AT_RSDP_CHECKSUM    8u
#define AT_RSDP_CHECKSUM_V2 32u

enum { MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9 };
enum { MADT_X2APIC_ENABLED = 1 };

bool dom0_acpi_is_passed(const char *signature)
{
	static const char passed[][5] = {"FACP", "FACS", "DSDT", "SSDT", "PSDT", "MCFG", "SLIC",
					 "MSDM", "WDAT", "FPDT", "TPM2", "VFCT", "BGRT"};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(passed); i++) {
		if (strncmp(signature, passed[i], 4) == 0) {
			return true;
		}
	}
	return strncmp(signature, "OEM", 3) == 0;
}

static void set_checksum(u8 *table, size_t size_bytes, unsigned int at)
{
	u8 sum = 0;
	size_t i;

	table[at] = 0;
	for (i = 0; i < size_bytes; i++) {
		sum = (u8)(sum + table[i]);
	}
	table[at] = (u8)-sum;
}

static void put_header(struct wire_out *out, const char *signature, u8 revision)
{
	wire_put_bytes(out, signature, 4);
	wire_put_u32le(out, 0); /* length, see finish_table() */
	wire_put_u8(out, revision);
	wire_put_u8(out, 0); /* checksum */
	wire_put_bytes(out, "MULLIOMULLION ", 14);
	wire_put_u32le(out, 1);
	wire_put_bytes(out, "MULL", 4);
	wire_put_u32le(out, 1);
}

/* Length and checksum of the table that began at first, and 8-byte alignment for the next. */
static void finish_table(struct wire_out *out, size_t first)
{
	size_t size_bytes = out->size - first;
	struct wire_out length = wire_out_of(out->bytes + first + AT_LENGTH, 4);

	if (!wire_out_ok(out)) {
		return;
	}
	wire_put_u32le(&length, (u32)size_bytes);
	set_checksum(out->bytes + first, size_bytes, AT_CHECKSUM);
	while (out->size % 8 && wire_out_ok(out)) {
		wire_put_u8(out, 0);
	}
}

static void put_madt(struct wire_out *out, const struct acpi_info *host, unsigned int vcpu_count)
{
	size_t first = out->size;
	unsigned int i;

	put_header(out, "APIC", 4);
	wire_put_u32le(out, LAPIC_ADDRESS);
	wire_put_u32le(out, 0); /* flags: no 8259 */
	for (i = 0; i < host->ioapic_count; i++) {
		wire_put_u8(out, MADT_IOAPIC);
		wire_put_u8(out, 12);
		wire_put_u8(out, host->ioapics[i].id);
		wire_put_u8(out, 0);
		wire_put_u32le(out, (u32)hpa_raw(host->ioapics[i].address));
		wire_put_u32le(out, host->ioapics[i].gsi_base);
	}
	for (i = 0; i < vcpu_count; i++) {
		wire_put_u8(out, MADT_X2APIC);
		wire_put_u8(out, 16);
		wire_put_u16le(out, 0);
		wire_put_u32le(out, 2 * i); /* as vlapic_id() */
		wire_put_u32le(out, MADT_X2APIC_ENABLED);
		wire_put_u32le(out, i); /* processor's ACPI id */
	}
	for (i = 0; i < host->override_count; i++) {
		wire_put_u8(out, MADT_OVERRIDE);
		wire_put_u8(out, 10);
		wire_put_u8(out, 0); /* ISA */
		wire_put_u8(out, host->overrides[i].source_irq);
		wire_put_u32le(out, host->overrides[i].gsi);
		wire_put_u16le(out, host->overrides[i].flags);
	}
	finish_table(out, first);
}

static void put_rsdp(u8 *at, u64 xsdt)
{
	struct wire_out out = wire_out_of(at, RSDP_BYTES);

	wire_put_bytes(&out, "RSD PTR ", 8);
	wire_put_u8(&out, 0);
	wire_put_bytes(&out, "MULLIO", 6);
	wire_put_u8(&out, 2);
	wire_put_u32le(&out, 0); /* no RSDT */
	wire_put_u32le(&out, RSDP_BYTES);
	wire_put_u64le(&out, xsdt);
	wire_put_u32le(&out, 0);
	set_checksum(at, RSDP_BYTES_V1, AT_RSDP_CHECKSUM);
	set_checksum(at, RSDP_BYTES, AT_RSDP_CHECKSUM_V2);
}

int dom0_acpi_build(const struct acpi_info *host, unsigned int vcpu_count, u64 base, void *to,
		    bool (*is_reachable)(void *context, const struct acpi_table *table),
		    void *context, u64 *rsdp)
{
	struct wire_out out = wire_out_of(to, DOM0_ACPI_BYTES);
	size_t madt, xsdt;
	unsigned int i;

	memset(to, 0, DOM0_ACPI_BYTES);
	out.size = ROUND_UP(RSDP_BYTES, 16);
	madt = out.size;
	put_madt(&out, host, vcpu_count);

	xsdt = out.size;
	put_header(&out, "XSDT", 1);
	wire_put_u64le(&out, base + madt);
	for (i = 0; i < host->table_count; i++) {
		const struct acpi_table *t = &host->tables[i];

		/* The FADT names these two itself. */
		if (strncmp(t->signature, "FACS", 4) == 0 ||
		    strncmp(t->signature, "DSDT", 4) == 0) {
			continue;
		}
		if (dom0_acpi_is_passed(t->signature) && is_reachable(context, t)) {
			wire_put_u64le(&out, hpa_raw(t->address));
		}
	}
	finish_table(&out, xsdt);
	if (!wire_out_ok(&out)) {
		return -ENOSPC;
	}
	put_rsdp(to, base + xsdt);
	*rsdp = base;
	return 0;
}
