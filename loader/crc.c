/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader/crc.h"

#include "hv/compiler.h"

#define CRC32_POLYNOMIAL 0xedb88320u
#define CRC64_POLYNOMIAL 0xc96c5795d7870f42ull

/* What a linear function does to state, when column[i] is what it does to bit i. */
static u32 apply(const u32 *column, u32 state)
{
	u32 result = 0;

	for (; state; state >>= 1, column++) {
		result ^= state & 1 ? *column : 0;
	}
	return result;
}

/*
 * What one zero byte does to the state is linear in its bits, and so is what a run does. Doing it
 * twice doubles the run.
 */
static void prepare_zeroes(struct crc32_table *table)
{
	u32 once[32], twice[32];
	unsigned int i, run;

	for (i = 0; i < 32; i++) {
		u32 crc = 1u << i;

		once[i] = crc >> 8 ^ table->t[0][crc & 0xff];
	}
	for (run = 1; run < CRC32_ZERO_RUN; run *= 2) {
		for (i = 0; i < 32; i++) {
			twice[i] = apply(once, once[i]);
		}
		__builtin_memcpy(once, twice, sizeof(once));
	}
	for (i = 0; i < 4 * 256; i++) {
		table->zeroes[i / 256][i % 256] = apply(once + i / 256 * 8, i % 256);
	}
}

static bool is_zero_run(const u8 *p)
{
	u64 x[4];
	unsigned int i;

	for (i = 0; i < CRC32_ZERO_RUN; i += sizeof(x)) {
		__builtin_memcpy(x, p + i, sizeof(x));
		if (x[0] | x[1] | x[2] | x[3]) {
			return false;
		}
	}
	return true;
}

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
	prepare_zeroes(table);
}

u32 crc32_update(const struct crc32_table *table, u32 crc, const void *bytes, size_t size_bytes)
{
	const u8 *p = bytes;
	u64 x;

	crc = ~crc;
	for (; size_bytes >= 8; size_bytes -= 8, p += 8) {
		__builtin_memcpy(&x, p, 8);
		while (!x && size_bytes >= CRC32_ZERO_RUN + 8 && is_zero_run(p)) {
			crc = table->zeroes[0][crc & 0xff] ^ table->zeroes[1][crc >> 8 & 0xff] ^
			      table->zeroes[2][crc >> 16 & 0xff] ^ table->zeroes[3][crc >> 24];
			size_bytes -= CRC32_ZERO_RUN;
			p += CRC32_ZERO_RUN;
			__builtin_memcpy(&x, p, 8);
		}
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

/* --- xxHash --- */

#define XX1 0x9e3779b185ebca87ull
#define XX2 0xc2b2ae3d27d4eb4full
#define XX3 0x165667b19e3779f9ull
#define XX4 0x85ebca77c2b2ae63ull
#define XX5 0x27d4eb2f165667c5ull

static u64 rotate(u64 x, unsigned int count)
{
	return x << count | x >> (64 - count);
}

static u64 xx_round(u64 lane, u64 input)
{
	return rotate(lane + input * XX2, 31) * XX1;
}

u64 xxh64(const void *bytes, size_t size_bytes)
{
	const u8 *p = bytes, *end = p + size_bytes;
	u64 lane[4] = {XX1 + XX2, XX2, 0, 0 - XX1}, hash = XX5, x;
	unsigned int i;
	u32 half;

	if (size_bytes >= 32) {
		for (; end - p >= 32; p += 32) {
			for (i = 0; i < 4; i++) {
				__builtin_memcpy(&x, p + i * 8, 8);
				lane[i] = xx_round(lane[i], x);
			}
		}
		hash = rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) +
		       rotate(lane[3], 18);
		for (i = 0; i < 4; i++) {
			hash = (hash ^ xx_round(0, lane[i])) * XX1 + XX4;
		}
	}
	hash += size_bytes;
	for (; end - p >= 8; p += 8) {
		__builtin_memcpy(&x, p, 8);
		hash = rotate(hash ^ xx_round(0, x), 27) * XX1 + XX4;
	}
	if (end - p >= 4) {
		__builtin_memcpy(&half, p, 4);
		hash = rotate(hash ^ half * XX1, 23) * XX2 + XX3;
		p += 4;
	}
	for (; p < end; p++) {
		hash = rotate(hash ^ *p * XX5, 11) * XX1;
	}
	hash = (hash ^ hash >> 33) * XX2;
	hash = (hash ^ hash >> 29) * XX3;
	return hash ^ hash >> 32;
}
