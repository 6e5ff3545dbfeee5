/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MADT: processors, I/O APICs and how ISA interrupts reach them. ACPI 6.4, 5.2.12. */
#include "drivers/acpi/decode.h"

#include "core/log.h"

enum {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_ADDRESS = 5,
	MADT_X2APIC = 9,
};
#define MADT_CPU_ENABLED BIT(0)

static void add_cpu(struct acpi_info *out, u32 apic_id, u32 acpi_id, u32 flags)
{
	unsigned int i;

	if (!(flags & MADT_CPU_ENABLED)) {
		return;
	}
	for (i = 0; i < out->cpu_count; i++) {
		if (out->cpus[i].apic_id == apic_id) {
			log_warning("ACPI: MADT names local APIC %u twice\n", apic_id);
			return;
		}
	}
	if (out->cpu_count == CPU_MAX) {
		log_warning("ACPI: more than %u processors; local APIC %u stays off\n", CPU_MAX,
			    apic_id);
		return;
	}
	out->cpus[out->cpu_count].apic_id = apic_id;
	out->cpus[out->cpu_count].acpi_id = acpi_id;
	out->cpu_count++;
}

static void decode_lapic(struct wire *e, struct acpi_info *out)
{
	u8 acpi_id = wire_u8(e);
	u8 apic_id = wire_u8(e);
	u32 flags = wire_u32le(e);

	if (wire_ok(e) && apic_id != 0xff) {
		add_cpu(out, apic_id, acpi_id, flags);
	}
}

static void decode_x2apic(struct wire *e, struct acpi_info *out)
{
	u32 apic_id, flags, acpi_id;

	wire_u16le(e);
	apic_id = wire_u32le(e);
	flags = wire_u32le(e);
	acpi_id = wire_u32le(e);
	if (wire_ok(e) && apic_id != 0xffffffffu) {
		add_cpu(out, apic_id, acpi_id, flags);
	}
}

static void decode_ioapic(struct wire *e, struct acpi_info *out)
{
	struct acpi_ioapic io;
	unsigned int i;

	io.id = wire_u8(e);
	wire_u8(e);
	io.address = hpa_of(wire_u32le(e));
	io.gsi_base = wire_u32le(e);
	if (!wire_ok(e)) {
		return;
	}
	for (i = 0; i < out->ioapic_count; i++) {
		if (hpa_equal(out->ioapics[i].address, io.address) ||
		    out->ioapics[i].gsi_base == io.gsi_base) {
			log_warning("ACPI: MADT names I/O APIC %u twice\n", io.id);
			return;
		}
	}
	if (out->ioapic_count == ACPI_IOAPIC_MAX || page_offset(hpa_raw(io.address)) % 0x400 ||
	    hpa_raw(io.address) == 0) {
		log_warning("ACPI: I/O APIC %u at %#llx left out\n", io.id,
			    (unsigned long long)hpa_raw(io.address));
		return;
	}
	out->ioapics[out->ioapic_count++] = io;
}

static void decode_override(struct wire *e, struct acpi_info *out)
{
	struct acpi_override o;
	u8 bus;

	bus = wire_u8(e);
	o.source_irq = wire_u8(e);
	o.gsi = wire_u32le(e);
	o.flags = wire_u16le(e);
	if (!wire_ok(e)) {
		return;
	}
	if (bus != 0 || out->override_count == ACPI_OVERRIDE_MAX) {
		log_warning("ACPI: override of interrupt %u left out\n", o.source_irq);
		return;
	}
	out->overrides[out->override_count++] = o;
}

static void decode_lapic_address(struct wire *e, struct acpi_info *out)
{
	u64 address;

	wire_u16le(e);
	address = wire_u64le(e);
	if (wire_ok(e)) {
		out->lapic_address = hpa_of(address);
	}
}

int acpi_decode_madt(struct wire *in, struct acpi_info *out, const char **why)
{
	struct wire e;

	out->lapic_address = hpa_of(wire_u32le(in));
	wire_u32le(in); /* flags: PC/AT compatible */
	if (!wire_ok(in)) {
		*why = "the MADT is too short";
		return -EINVAL;
	}
	while (wire_left(in)) {
		u8 type = wire_u8(in);
		u8 size_bytes = wire_u8(in);

		if (size_bytes < 2 || !acpi_take(in, size_bytes - 2u, &e)) {
			*why = "an entry of the MADT has a length that cannot be";
			return -EINVAL;
		}
		switch (type) {
		case MADT_LAPIC:
			decode_lapic(&e, out);
			break;
		case MADT_IOAPIC:
			decode_ioapic(&e, out);
			break;
		case MADT_OVERRIDE:
			decode_override(&e, out);
			break;
		case MADT_LAPIC_ADDRESS:
			decode_lapic_address(&e, out);
			break;
		case MADT_X2APIC:
			decode_x2apic(&e, out);
			break;
		default:
			break;
		}
	}
	if (out->cpu_count == 0) {
		*why = "the MADT names no processor";
		return -EINVAL;
	}
	if (out->ioapic_count == 0) {
		*why = "the MADT names no I/O APIC";
		return -EINVAL;
	}
	return 0;
}
