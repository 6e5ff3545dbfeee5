/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DMAR: Intel's I/O memory management units. VT-d specification 4.0, chapter 8. */
#include "drivers/acpi/decode.h"

#include "core/log.h"

enum { DMAR_DRHD = 0, DMAR_RMRR = 1 };
#define DMAR_INTERRUPT_REMAPPING BIT(0)
#define DMAR_X2APIC_OPT_OUT	 BIT(1)
#define DRHD_INCLUDE_ALL	 BIT(0)

static bool decode_scopes(struct wire *in, struct acpi_dmar *out, u16 *first, u16 *count)
{
	*first = (u16)out->scope_count;
	*count = 0;
	while (wire_left(in)) {
		struct acpi_scope scope = {0};
		struct wire e;
		u8 size_bytes;

		scope.type = wire_u8(in);
		size_bytes = wire_u8(in);
		if (size_bytes < 6 || size_bytes % 2 || !acpi_take(in, size_bytes - 2u, &e)) {
			return false;
		}
		wire_u16le(&e);
		scope.id = wire_u8(&e);
		scope.bus = wire_u8(&e);
		if (wire_left(&e) == 0 || wire_left(&e) / 2 > ACPI_SCOPE_PATH_MAX ||
		    out->scope_count == ACPI_SCOPE_MAX) {
			log_warning("ACPI: device scope in the DMAR left out\n");
			continue;
		}
		while (wire_left(&e)) {
			scope.path[scope.path_count].device = wire_u8(&e) & 0x1f;
			scope.path[scope.path_count].function = wire_u8(&e) & 7;
			scope.path_count++;
		}
		out->scopes[out->scope_count++] = scope;
		(*count)++;
	}
	return true;
}

static bool decode_drhd(struct wire *in, struct acpi_dmar *out)
{
	struct acpi_drhd unit;
	u8 flags;

	flags = wire_u8(in);
	wire_u8(in);
	unit.segment = wire_u16le(in);
	unit.base = hpa_of(wire_u64le(in));
	unit.is_rest_of_segment = flags & DRHD_INCLUDE_ALL;
	if (!wire_ok(in) || page_offset(hpa_raw(unit.base)) || hpa_raw(unit.base) == 0 ||
	    hpa_raw(unit.base) >= BIT(52) ||
	    !decode_scopes(in, out, &unit.scope_first, &unit.scope_count)) {
		return false;
	}
	if (out->drhd_count == ACPI_IOMMU_MAX) {
		return false; /* a unit that stays off would leave its devices unconfined */
	}
	out->drhds[out->drhd_count++] = unit;
	return true;
}

static bool decode_rmrr(struct wire *in, struct acpi_info *out)
{
	struct acpi_reserved_range range = {.access = 3, .device_first = 1};
	u64 last;

	wire_u16le(in);
	range.segment = wire_u16le(in);
	range.start = hpa_of(wire_u64le(in));
	last = wire_u64le(in);
	if (!wire_ok(in) || last < hpa_raw(range.start) || last >= BIT(52) ||
	    !decode_scopes(in, &out->dmar, &range.scope_first, &range.scope_count)) {
		return false;
	}
	if (page_offset(hpa_raw(range.start)) || page_offset(last) != PAGE_SIZE - 1) {
		log_warning("ACPI: reserved range at %#llx is not made of whole pages\n",
			    (unsigned long long)hpa_raw(range.start));
	}
	range.size_bytes = last - hpa_raw(range.start) + 1;
	if (out->reserved_range_count == ACPI_RESERVED_RANGE_MAX) {
		log_warning("ACPI: reserved range of the DMAR left out\n");
		return true;
	}
	out->reserved_ranges[out->reserved_range_count++] = range;
	return true;
}

int acpi_decode_dmar(struct wire *in, struct acpi_info *out, const char **why)
{
	struct acpi_dmar *dmar = &out->dmar;
	u8 flags;

	dmar->address_bits = (u8)(wire_u8(in) + 1);
	flags = wire_u8(in);
	wire_bytes(in, 10);
	if (!wire_ok(in)) {
		*why = "the DMAR is too short";
		return -EINVAL;
	}
	dmar->has_interrupt_remapping = flags & DMAR_INTERRUPT_REMAPPING;
	dmar->is_x2apic_unwanted = flags & DMAR_X2APIC_OPT_OUT;
	while (wire_left(in)) {
		u16 type = wire_u16le(in);
		u16 size_bytes = wire_u16le(in);
		struct wire e;

		if (size_bytes < 4 || !acpi_take(in, size_bytes - 4u, &e)) {
			*why = "an entry of the DMAR has a length that cannot be";
			return -EINVAL;
		}
		if (type == DMAR_DRHD && !decode_drhd(&e, dmar)) {
			*why = "the DMAR describes an IOMMU that cannot be";
			return -EINVAL;
		}
		if (type == DMAR_RMRR && !decode_rmrr(&e, out)) {
			*why = "the DMAR describes a reserved range that cannot be";
			return -EINVAL;
		}
	}
	dmar->is_present = true;
	return 0;
}
