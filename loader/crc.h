/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checksums of compressed kernels. Pure; the tables live in the caller's memory.
 */
#pragma once

#include "hv/types.h"

/* CRC-32 as in zlib (ISO 3309, polynomial 0xedb88320), eight bytes at a time. */
#define CRC32_ZERO_RUN 4096u
struct crc32_table {
	u32 t[8][256];
	u32 zeroes[4][256]; /* what CRC32_ZERO_RUN zero bytes do to each byte of the state */
};
void crc32_prepare(struct crc32_table *table);
/* crc: 0 to start with, or the result for the bytes before. */
u32 crc32_update(const struct crc32_table *table, u32 crc, const void *bytes, size_t size_bytes);

/* CRC-64 as in xz (ECMA-182, polynomial 0xc96c5795d7870f42). */
struct crc64_table {
	u64 t[256];
};
void crc64_prepare(struct crc64_table *table);
u64 crc64_update(const struct crc64_table *table, u64 crc, const void *bytes, size_t size_bytes);

/* xxHash, 64 bits, seed 0, as in zstd. */
u64 xxh64(const void *bytes, size_t size_bytes);
