/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware tables in a buffer, for tests of drivers/acpi: a megabyte of "physical memory"
 * and a writer that makes headers, lengths and checksums right unless the test spoils them.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "drivers/acpi/acpi.h"

#define FAKE_MEMORY_BYTES 0x100000u
#define FAKE_RSDP	  0xe0000u
#define FAKE_XSDT	  0x1000u

struct fake_firmware {
	u8 memory[FAKE_MEMORY_BYTES];
	u64 tables[200];
	unsigned int table_count;
	u32 next; /* where the next table goes */
};

static inline bool fake_read(void *context, hpa_t address, void *to, size_t size_bytes)
{
	struct fake_firmware *f = context;

	if (hpa_raw(address) >= FAKE_MEMORY_BYTES ||
	    size_bytes > FAKE_MEMORY_BYTES - hpa_raw(address)) {
		return false;
	}
	memcpy(to, f->memory + hpa_raw(address), size_bytes);
	return true;
}

static inline void fake_checksum(u8 *bytes, size_t size_bytes, size_t at)
{
	u8 sum = 0;
	size_t i;

	bytes[at] = 0;
	for (i = 0; i < size_bytes; i++) {
		sum = (u8)(sum + bytes[i]);
	}
	bytes[at] = (u8)-sum;
}

static inline u32 fake_table_at(struct fake_firmware *f, u32 at, const char *signature,
				const void *body, u32 body_bytes)
{
	struct wire_out out = wire_out_of(f->memory + at, FAKE_MEMORY_BYTES - at);
	static const u8 rest[26];

	wire_put_bytes(&out, signature, 4);
	wire_put_u32le(&out, 36 + body_bytes);
	wire_put_bytes(&out, rest, 26);
	wire_put_u16le(&out, 0);
	wire_put_bytes(&out, body, body_bytes);
	fake_checksum(f->memory + at, 36 + body_bytes, 9);
	return at;
}

/* Adds a table to the list; returns its address. */
static inline u32 fake_table(struct fake_firmware *f, const char *signature, const void *body,
			     u32 body_bytes)
{
	u32 at = f->next;

	f->next += (36 + body_bytes + 63) & ~63u;
	f->tables[f->table_count++] = at;
	return fake_table_at(f, at, signature, body, body_bytes);
}

static inline void fake_rsdp(struct fake_firmware *f, u64 xsdt)
{
	u8 *rsdp = f->memory + FAKE_RSDP;
	struct wire_out out = wire_out_of(rsdp, 36);

	wire_put_bytes(&out, "RSD PTR ", 8);
	wire_put_u8(&out, 0);
	wire_put_bytes(&out, "TEST  ", 6);
	wire_put_u8(&out, 2);
	wire_put_u32le(&out, 0);
	wire_put_u32le(&out, 36);
	wire_put_u64le(&out, xsdt);
	wire_put_u32le(&out, 0);
	fake_checksum(rsdp, 20, 8);
	fake_checksum(rsdp, 36, 32);
}

/* Writes XSDT and RSDP for what was added. */
static inline void fake_finish(struct fake_firmware *f)
{
	fake_table_at(f, FAKE_XSDT, "XSDT", f->tables, f->table_count * 8);
	fake_rsdp(f, FAKE_XSDT);
}

/* Two processors, one I/O APIC with 24 pins, one override: the least that start accepts. */
static inline u32 fake_madt(struct fake_firmware *f)
{
	static const u8 body[] = {
		0x00, 0x00, 0xe0, 0xfe, 1,    0,    0,	  0, /* local APIC, flags */
		0,    8,    0,	  0,	1,    0,    0,	  0, /* CPU 0 */
		0,    8,    1,	  1,	1,    0,    0,	  0, /* CPU 1 */
		0,    8,    2,	  2,	0,    0,    0,	  0, /* CPU 2 disabled */
		9,    16,   0,	  0,	0x34, 0x12, 0,	  0,	1,    0,    0, 0,
		7,    0,    0,	  0, /* x2APIC 0x1234 */
		1,    12,   0,	  0,	0x00, 0x00, 0xc0, 0xfe, 0,    0,    0, 0, /* I/O APIC */
		2,    10,   0,	  9,	9,    0,    0,	  0,	0x0d, 0x00, /* SCI: active high,
									       level */
	};

	return fake_table(f, "APIC", body, sizeof(body));
}

static inline u32 fake_fadt(struct fake_firmware *f)
{
	u8 body[244 - 36] = {0};

	body[76 - 36] = 0x08; /* PM timer at 0x608 */
	body[77 - 36] = 0x06;
	body[91 - 36] = 4;
	body[46 - 36] = 9;
	body[64 - 36] = 0x04; /* PM1a control at 0x604 */
	body[65 - 36] = 0x06;
	body[112 - 36] = 0x00;
	body[113 - 36] = 0x05; /* 32-bit timer, reset register */
	body[116 - 36] = 1;
	body[120 - 36] = 0xf9;
	body[121 - 36] = 0x0c;
	body[128 - 36] = 0x0f;
	body[140 - 36] = 0x40; /* X_DSDT */
	return fake_table(f, "FACP", body, sizeof(body));
}

static inline struct fake_firmware *fake_firmware_create(void)
{
	struct fake_firmware *f = calloc(1, sizeof(*f));

	f->next = 0x4000;
	return f;
}
