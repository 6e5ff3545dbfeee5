/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/acpi/acpi.h"

#include "base/wire.h"
#include "core/log.h"
#include "drivers/acpi/decode.h"
#include "hv/error.h"
#include "lib/string.h"

#define RSDP_V1_BYTES	20u
#define RSDP_V2_BYTES	36u
#define TABLE_BYTES_MAX (16u << 20) /* no firmware has a larger one; bounds the checksum's work */

struct acpi_info acpi_info;

struct source {
	acpi_read_t read;
	void *context;
};

/* The table being decoded; not on the stack (1 KiB) and not in the heap (before it starts). */
static u8 buffer[ACPI_DECODE_BYTES];

struct header {
	char signature[5];
	u32 size_bytes;
};

static u8 sum_of(const u8 *bytes, size_t size_bytes)
{
	u8 sum = 0;
	size_t i;

	for (i = 0; i < size_bytes; i++) {
		sum = (u8)(sum + bytes[i]);
	}
	return sum;
}

/* --- RSDP, ACPI 6.4 5.2.5 --- */

static bool rsdp_is_at(const struct source *from, hpa_t address)
{
	u8 bytes[RSDP_V1_BYTES];

	return from->read(from->context, address, bytes, sizeof(bytes)) &&
	       memcmp(bytes, "RSD PTR ", 8) == 0 && sum_of(bytes, sizeof(bytes)) == 0;
}

static bool rsdp_search(const struct source *from, u64 start, u64 size_bytes, hpa_t *out)
{
	u64 address;

	for (address = start; address < start + size_bytes; address += 16) {
		if (rsdp_is_at(from, hpa_of(address))) {
			*out = hpa_of(address);
			return true;
		}
	}
	return false;
}

static bool rsdp_find(const struct source *from, hpa_t hint, hpa_t *out)
{
	u8 ebda[2];
	u64 base;

	if (hpa_raw(hint) && rsdp_is_at(from, hint)) {
		*out = hint;
		return true;
	}
	if (from->read(from->context, hpa_of(0x40e), ebda, sizeof(ebda))) {
		base = (u64)(ebda[0] | ebda[1] << 8) << 4;
		if (base >= 0x400 && base < 0xa0000 && rsdp_search(from, base, 0x400, out)) {
			return true;
		}
	}
	return rsdp_search(from, 0xe0000, 0x20000, out);
}

/* The root table's address; entry_bytes is 8 for an XSDT, 4 for an RSDT. */
static int rsdp_decode(const struct source *from, hpa_t rsdp, hpa_t *root, u32 *entry_bytes,
		       const char **why)
{
	u8 bytes[RSDP_V2_BYTES] = {0};
	struct wire in = wire_of(bytes, sizeof(bytes));
	u32 rsdt;
	u64 xsdt;
	u8 revision;

	if (!from->read(from->context, rsdp, bytes, RSDP_V1_BYTES)) {
		*why = "the RSDP cannot be read";
		return -EINVAL;
	}
	revision = bytes[15];
	if (revision >= 2 && !from->read(from->context, rsdp, bytes, RSDP_V2_BYTES)) {
		*why = "the RSDP cannot be read";
		return -EINVAL;
	}
	wire_bytes(&in, 16);
	rsdt = wire_u32le(&in);
	wire_u32le(&in);
	xsdt = wire_u64le(&in);
	if (revision >= 2 && xsdt) {
		if (sum_of(bytes, RSDP_V2_BYTES)) {
			*why = "the RSDP's checksum is wrong";
			return -EINVAL;
		}
		*root = hpa_of(xsdt);
		*entry_bytes = 8;
		return 0;
	}
	if (!rsdt) {
		*why = "the RSDP names no table";
		return -EINVAL;
	}
	*root = hpa_of(rsdt);
	*entry_bytes = 4;
	return 0;
}

/* --- tables --- */

static bool header_read(const struct source *from, hpa_t address, struct header *out)
{
	u8 bytes[ACPI_HEADER_BYTES] = {0};
	struct wire in = wire_of(bytes, sizeof(bytes));
	unsigned int i;

	if (hpa_raw(address) >= BIT(52) ||
	    !from->read(from->context, address, bytes, sizeof(bytes))) {
		return false;
	}
	memcpy(out->signature, wire_bytes(&in, 4), 4);
	out->signature[4] = 0;
	for (i = 0; i < 4; i++) {
		if (out->signature[i] < 0x20 || out->signature[i] > 0x7e) {
			return false;
		}
	}
	out->size_bytes = wire_u32le(&in);
	return true;
}

/* False when a part of it cannot be read. */
static bool checksum_read(const struct source *from, hpa_t address, u32 size_bytes, u8 *sum)
{
	u8 chunk[256];
	u32 done, step;

	*sum = 0;
	for (done = 0; done < size_bytes; done += step) {
		step = MIN(size_bytes - done, (u32)sizeof(chunk));
		if (!from->read(from->context, hpa_add(address, done), chunk, step)) {
			return false;
		}
		*sum = (u8)(*sum + sum_of(chunk, step));
	}
	return true;
}

/* Copies a whole table to buffer and checks it again there: what is decoded is what was checked. */
static bool table_load(const struct source *from, hpa_t address, u32 size_bytes)
{
	return size_bytes >= ACPI_HEADER_BYTES && size_bytes <= sizeof(buffer) &&
	       from->read(from->context, address, buffer, size_bytes) &&
	       sum_of(buffer, size_bytes) == 0;
}

static void table_add(const struct source *from, hpa_t address, struct acpi_info *out)
{
	struct acpi_table *table;
	struct header header;
	unsigned int i;
	u8 sum;

	for (i = 0; i < out->table_count; i++) {
		if (hpa_equal(out->tables[i].address, address)) {
			return;
		}
	}
	if (hpa_equal(address, out->xsdt) || !header_read(from, address, &header) ||
	    header.size_bytes < ACPI_HEADER_BYTES || header.size_bytes > TABLE_BYTES_MAX ||
	    !checksum_read(from, address, header.size_bytes, &sum)) {
		log_warning("ACPI: no table at %#llx, left out\n",
			    (unsigned long long)hpa_raw(address));
		return;
	}
	if (out->table_count == ACPI_TABLE_MAX) {
		log_warning("ACPI: table %s left out, there are too many\n", header.signature);
		return;
	}
	table = &out->tables[out->table_count++];
	memcpy(table->signature, header.signature, sizeof(table->signature));
	table->address = address;
	table->size_bytes = header.size_bytes;
	table->is_checksum_wrong = sum != 0;
	if (sum) {
		log_warning("ACPI: wrong checksum of table %s at %#llx\n", header.signature,
			    (unsigned long long)hpa_raw(address));
	}
}

static int root_decode(const struct source *from, hpa_t root, u32 entry_bytes,
		       struct acpi_info *out, const char **why)
{
	static u64 addresses[2 * ACPI_TABLE_MAX];
	struct header header;
	struct wire in;
	unsigned int count = 0, i;

	out->xsdt = root;
	if (!header_read(from, root, &header) ||
	    memcmp(header.signature, entry_bytes == 8 ? "XSDT" : "RSDT", 4) != 0 ||
	    !table_load(from, root, header.size_bytes)) {
		*why = "the list of ACPI tables (XSDT) is broken";
		return -EINVAL;
	}
	in = wire_of(buffer + ACPI_HEADER_BYTES, header.size_bytes - ACPI_HEADER_BYTES);
	while (wire_left(&in) >= entry_bytes && count < ARRAY_SIZE(addresses)) {
		addresses[count++] = entry_bytes == 8 ? wire_u64le(&in) : wire_u32le(&in);
	}
	if (wire_left(&in)) {
		log_warning("ACPI: the list of tables is longer than this code reads\n");
	}
	for (i = 0; i < count; i++) {
		if (addresses[i]) {
			table_add(from, hpa_of(addresses[i]), out);
		}
	}
	return 0;
}

/* --- FADT and HPET --- */

/* ACPI 6.4 5.2.9. Fields past the end of an old, short table read as zero. */
int acpi_decode_fadt(struct wire *in, struct acpi_info *out, const char **why)
{
	u64 x_facs, x_dsdt;
	u32 flags;
	u8 timer_bytes;

	out->facs = hpa_of(wire_u32le(in));
	out->dsdt = hpa_of(wire_u32le(in));
	wire_u16le(in);
	out->sci_irq = wire_u16le(in);
	wire_bytes(in, 8); /* 48: SMI command and values */
	out->pm1a_event = (u16)wire_u32le(in);
	out->pm1b_event = (u16)wire_u32le(in);
	out->pm1a_control = (u16)wire_u32le(in);
	out->pm1b_control = (u16)wire_u32le(in);
	wire_u32le(in);
	out->pm_timer_port = wire_u32le(in);
	wire_u64le(in);
	out->pm1_event_size_bytes = wire_u8(in);
	wire_u16le(in);
	timer_bytes = wire_u8(in);
	wire_bytes(in, 20); /* 92-111: GPE lengths, latencies, RTC, boot flags */
	flags = wire_u32le(in);
	if (!wire_ok(in)) {
		*why = "the FADT is too short";
		return -EINVAL;
	}
	if (timer_bytes != 4 || out->pm_timer_port > 0xfffc) {
		out->pm_timer_port = 0;
	}
	out->is_pm_timer_32bit = flags & BIT(8);
	out->reset_space = wire_u8(in);
	wire_bytes(in, 3);
	out->reset_address = wire_u64le(in);
	out->reset_value = wire_u8(in);
	out->has_reset = wire_ok(in) && flags & BIT(10) && out->reset_address;
	wire_bytes(in, 3);
	x_facs = wire_u64le(in);
	x_dsdt = wire_u64le(in);
	if (x_facs) {
		out->facs = hpa_of(x_facs);
	}
	if (x_dsdt) {
		out->dsdt = hpa_of(x_dsdt);
	}
	return 0;
}

/* IA-PC HPET 1.0a, 3.2.4. */
int acpi_decode_hpet(struct wire *in, struct acpi_info *out, const char **why)
{
	u8 space;
	u64 address;

	wire_u32le(in);
	space = wire_u8(in);
	wire_bytes(in, 3);
	address = wire_u64le(in);
	if (!wire_ok(in) || space != 0 || address & 0x3ff || address >= BIT(52)) {
		*why = "the HPET table makes no sense";
		return -EINVAL;
	}
	out->hpet = hpa_of(address);
	return 0;
}

/* --- all of it --- */

struct decoder {
	const char *signature;
	int (*decode)(struct wire *in, struct acpi_info *out, const char **why);
	bool is_required;   /* no start without it */
	bool may_be_broken; /* then it counts as absent */
};

static const struct decoder decoders[] = {
	{"APIC", acpi_decode_madt, true, false},  {"FACP", acpi_decode_fadt, true, false},
	{"HPET", acpi_decode_hpet, false, true},  {"MCFG", acpi_decode_mcfg, false, true},
	{"DMAR", acpi_decode_dmar, false, false}, {"IVRS", acpi_decode_ivrs, false, false},
};

static const struct acpi_table *table_find(const struct acpi_info *info, const char *signature)
{
	unsigned int i;

	for (i = 0; i < info->table_count; i++) {
		if (memcmp(info->tables[i].signature, signature, 4) == 0) {
			return &info->tables[i];
		}
	}
	return NULL;
}

static int decode_one(const struct source *from, const struct decoder *decoder,
		      struct acpi_info *out, const char **why)
{
	const struct acpi_table *table = table_find(out, decoder->signature);
	struct wire in;
	int rc;

	if (!table) {
		if (!decoder->is_required) {
			return 0;
		}
		*why = "the firmware has no MADT or no FADT";
		return -EINVAL;
	}
	if (!table_load(from, table->address, table->size_bytes)) {
		*why = "an ACPI table that is needed has a wrong checksum or length";
		rc = -EINVAL;
	} else {
		in = wire_of(buffer + ACPI_HEADER_BYTES, table->size_bytes - ACPI_HEADER_BYTES);
		rc = decoder->decode(&in, out, why);
	}
	if (rc && decoder->may_be_broken) {
		log_warning("ACPI: %s ignored: %s\n", table->signature, *why);
		*why = NULL;
		return 0;
	}
	return rc;
}

int acpi_parse(acpi_read_t read, void *context, hpa_t rsdp_hint, struct acpi_info *out,
	       const char **why)
{
	struct source from = {.read = read, .context = context};
	u32 entry_bytes;
	unsigned int i;
	hpa_t root;
	int rc;

	memset(out, 0, sizeof(*out));
	*why = NULL;
	if (!rsdp_find(&from, rsdp_hint, &out->rsdp)) {
		*why = "the firmware has no ACPI tables (no RSDP)";
		return -ENOENT;
	}
	rc = rsdp_decode(&from, out->rsdp, &root, &entry_bytes, why);
	if (rc) {
		return rc;
	}
	rc = root_decode(&from, root, entry_bytes, out, why);
	if (rc) {
		return rc;
	}
	for (i = 0; i < ARRAY_SIZE(decoders); i++) {
		rc = decode_one(&from, &decoders[i], out, why);
		if (rc) {
			return rc;
		}
	}
	return 0;
}
