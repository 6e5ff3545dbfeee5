/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/crc.h"

#include "hv/compiler.h"

#define CRC32_POLYNOMIAL 0xedb88320u
#define CRC64_POLYNOMIAL 0xc96c5795d7870f42ull

void crc32_prepare(struct crc32_table *table)
{
	unsigned int i, k;

	for (i = 0; i < 256; i++) {
		u32 crc = i;

		for (k = 0; k < 8; k++) {
			crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
		}
		table->t[0][i] = crc;
	}
	for (i = 0; i < 256; i++) {
		for (k = 1; k < 8; k++) {
			u32 before = table->t[k - 1][i];

			table->t[k][i] = before >> 8 ^ table->t[0][before & 0xff];
		}
	}
}

u32 crc32_update(const struct crc32_table *table, u32 crc, const void *bytes, size_t size_bytes)
{
	const u8 *p = bytes;
	u64 x;

	crc = ~crc;
	for (; size_bytes >= 8; size_bytes -= 8, p += 8) {
		__builtin_memcpy(&x, p, 8);
		x ^= crc;
		crc = table->t[7][x & 0xff] ^ table->t[6][x >> 8 & 0xff] ^
		      table->t[5][x >> 16 & 0xff] ^ table->t[4][x >> 24 & 0xff] ^
		      table->t[3][x >> 32 & 0xff] ^ table->t[2][x >> 40 & 0xff] ^
		      table->t[1][x >> 48 & 0xff] ^ table->t[0][x >> 56];
	}
	while (size_bytes--) {
		crc = crc >> 8 ^ table->t[0][(crc ^ *p++) & 0xff];
	}
	return ~crc;
}

void crc64_prepare(struct crc64_table *table)
{
	unsigned int i, k;

	for (i = 0; i < 256; i++) {
		u64 crc = i;

		for (k = 0; k < 8; k++) {
			crc = crc >> 1 ^ (crc & 1 ? CRC64_POLYNOMIAL : 0);
		}
		table->t[i] = crc;
	}
}

u64 crc64_update(const struct crc64_table *table, u64 crc, const void *bytes, size_t size_bytes)
{
	const u8 *p = bytes;

	crc = ~crc;
	while (size_bytes--) {
		crc = crc >> 8 ^ table->t[(crc ^ *p++) & 0xff];
	}
	return ~crc;
}
