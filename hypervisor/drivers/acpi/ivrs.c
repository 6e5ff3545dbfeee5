/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IVRS: AMD's I/O memory management units. AMD I/O Virtualization Technology 3.07, chapter 5. */
#include "drivers/acpi/decode.h"

#include "core/log.h"

enum {
	IVHD_BASIC = 0x10,
	IVHD_EFR = 0x11,
	IVHD_MIXED = 0x40,
	IVMD_ALL = 0x20,
	IVMD_SELECT = 0x21,
	IVMD_RANGE = 0x22,
};
enum {
	ENTRY_ALL = 1,
	ENTRY_SELECT = 2,
	ENTRY_RANGE_START = 3,
	ENTRY_RANGE_END = 4,
	ENTRY_ALIAS_SELECT = 0x42,
	ENTRY_ALIAS_RANGE_START = 0x43,
	ENTRY_EXTENDED_SELECT = 0x46,
	ENTRY_EXTENDED_RANGE_START = 0x47,
	ENTRY_SPECIAL = 0x48,
	ENTRY_ACPI_DEVICE = 0xf0,
};

static bool add_entry(struct acpi_ivrs *out, struct acpi_ivrs_entry entry)
{
	if (out->entry_count == ACPI_IVRS_ENTRY_MAX || entry.last < entry.first) {
		return false; /* a device without its entry would be confined wrongly */
	}
	out->entries[out->entry_count++] = entry;
	return true;
}

/* One entry of a device list; range holds an open range, is_open says whether there is one. */
static bool decode_entry(struct wire *in, struct acpi_ivrs *out, u8 iommu,
			 struct acpi_ivrs_entry *range, bool *is_open)
{
	struct acpi_ivrs_entry entry = {.iommu = iommu};
	struct wire e;
	u8 type;

	type = wire_u8(in);
	if (type == ENTRY_ACPI_DEVICE) {
		const u8 *head = wire_bytes(in, 21);

		return head && wire_bytes(in, head[20]); /* a device without PCI identity */
	}
	if (!acpi_take(in, (4u << (type >> 6)) - 1u, &e)) {
		return false;
	}
	entry.first = entry.last = wire_u16le(&e);
	entry.settings = wire_u8(&e);
	if (type >= 0x40) {
		wire_u8(&e); /* 4: reserved, or the handle of a special device */
		entry.alias = wire_u16le(&e);
	}
	switch (type) {
	case ENTRY_ALL:
		entry.first = 0;
		entry.last = 0xffff;
		return add_entry(out, entry);
	case ENTRY_ALIAS_SELECT:
		entry.has_alias = true;
		return add_entry(out, entry);
	case ENTRY_SELECT:
	case ENTRY_EXTENDED_SELECT:
		return add_entry(out, entry);
	case ENTRY_ALIAS_RANGE_START:
		entry.has_alias = true;
		*range = entry;
		*is_open = true;
		return true;
	case ENTRY_RANGE_START:
	case ENTRY_EXTENDED_RANGE_START:
		*range = entry;
		*is_open = true;
		return true;
	case ENTRY_RANGE_END:
		if (!*is_open) {
			return false;
		}
		*is_open = false;
		range->last = entry.first;
		return add_entry(out, *range);
	case ENTRY_SPECIAL:
		/* bytes: 48 reserved(2) settings handle device(2) variety */
		entry.handle = e.bytes[3];
		entry.first = entry.last = entry.alias;
		entry.special = e.bytes[6];
		return add_entry(out, entry);
	default:
		return true; /* padding, or newer than this code */
	}
}

/* An older description of the same unit is replaced. */
static void drop_entries_of(struct acpi_ivrs *out, unsigned int iommu)
{
	unsigned int i, kept = 0;

	for (i = 0; i < out->entry_count; i++) {
		if (out->entries[i].iommu != iommu) {
			out->entries[kept++] = out->entries[i];
		}
	}
	out->entry_count = kept;
}

static bool decode_ivhd(u8 type, u8 flags, struct wire *in, struct acpi_ivrs *out)
{
	struct acpi_ivhd unit = {.type = type, .flags = flags};
	struct acpi_ivrs_entry range = {0};
	bool is_open = false;
	unsigned int i;

	unit.device = wire_u16le(in);
	unit.capability_offset = wire_u16le(in);
	unit.base = hpa_of(wire_u64le(in));
	unit.segment = wire_u16le(in);
	wire_u16le(in);
	unit.features = wire_u32le(in);
	if (type != IVHD_BASIC) {
		wire_bytes(in, 16); /* copy of the extended features: read from the unit itself */
	}
	if (!wire_ok(in) || hpa_raw(unit.base) == 0 || hpa_raw(unit.base) & 0x3fff ||
	    hpa_raw(unit.base) >= BIT(52)) {
		return false;
	}
	for (i = 0; i < out->ivhd_count; i++) {
		if (hpa_equal(out->ivhds[i].base, unit.base)) {
			break;
		}
	}
	if (i < out->ivhd_count && out->ivhds[i].type >= type) {
		return true; /* the newer description of the same unit counts */
	}
	if (i == ACPI_IOMMU_MAX) {
		return false;
	}
	if (i == out->ivhd_count) {
		out->ivhd_count++;
	}
	out->ivhds[i] = unit;
	drop_entries_of(out, i);
	while (wire_left(in)) {
		if (!decode_entry(in, out, (u8)i, &range, &is_open)) {
			return false;
		}
	}
	return !is_open;
}

static bool decode_ivmd(u8 type, u8 flags, struct wire *in, struct acpi_info *out)
{
	struct acpi_reserved_range range = {0};
	u64 end;

	range.device_first = wire_u16le(in);
	range.device_last = wire_u16le(in);
	wire_u64le(in);
	range.start = hpa_of(wire_u64le(in));
	range.size_bytes = wire_u64le(in);
	if (!wire_ok(in) || range.size_bytes == 0 ||
	    __builtin_add_overflow(hpa_raw(range.start), range.size_bytes, &end) || end > BIT(52)) {
		return false;
	}
	if (type == IVMD_ALL) {
		range.device_first = 0;
		range.device_last = 0xffff;
	} else if (type == IVMD_SELECT) {
		range.device_last = range.device_first;
	}
	/* bit 0 unity mapping, 1 read, 2 write, 3 exclusion range: then everything is allowed */
	range.access = flags & BIT(3) ? 3 : flags >> 1 & 3;
	if (!(flags & (BIT(0) | BIT(3)))) {
		return true;
	}
	if (range.device_last < range.device_first ||
	    out->reserved_range_count == ACPI_RESERVED_RANGE_MAX) {
		log_warning("ACPI: memory block of the IVRS left out\n");
		return true;
	}
	out->reserved_ranges[out->reserved_range_count++] = range;
	return true;
}

int acpi_decode_ivrs(struct wire *in, struct acpi_info *out, const char **why)
{
	struct acpi_ivrs *ivrs = &out->ivrs;

	ivrs->info = wire_u32le(in);
	wire_u64le(in);
	if (!wire_ok(in)) {
		*why = "the IVRS is too short";
		return -EINVAL;
	}
	while (wire_left(in)) {
		u8 type = wire_u8(in);
		u8 flags = wire_u8(in);
		u16 size_bytes = wire_u16le(in);
		struct wire e;

		if (size_bytes < 4 || !acpi_take(in, size_bytes - 4u, &e)) {
			*why = "an entry of the IVRS has a length that cannot be";
			return -EINVAL;
		}
		if ((type == IVHD_BASIC || type == IVHD_EFR || type == IVHD_MIXED) &&
		    !decode_ivhd(type, flags, &e, ivrs)) {
			*why = "the IVRS describes an IOMMU that cannot be";
			return -EINVAL;
		}
		if ((type == IVMD_ALL || type == IVMD_SELECT || type == IVMD_RANGE) &&
		    !decode_ivmd(type, flags, &e, out)) {
			*why = "the IVRS describes a memory block that cannot be";
			return -EINVAL;
		}
	}
	ivrs->is_present = true;
	return 0;
}
