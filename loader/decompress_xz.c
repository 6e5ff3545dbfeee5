/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The xz container (file format 1.1.0): stream header, blocks, index, footer. Filters: LZMA2
 * alone, or the x86 branch filter in front of it; checks: none, CRC32, CRC64.
 */
#include "loader/decompress_formats.h"

#include "base/wire.h"
#include "loader/crc.h"
#include "lib/string.h"

#define HEADER_SIZE	 12u
#define BLOCK_HEADER_MAX 1024u
#define FILTER_X86	 0x04u
#define FILTER_LZMA2	 0x21u

enum xz_check { CHECK_NONE = 0, CHECK_CRC32 = 1, CHECK_CRC64 = 4 };

struct xz {
	struct decompress_job *job;
	struct crc32_table *crc32; /* both in the scratch memory, in turn with LZMA's state */
	size_t position;
	enum xz_check check;
	u64 block_count;
	bool has_x86_filter;
};

static int corrupt(struct xz *xz)
{
	return decompress_fail(xz->job, "the compressed kernel is corrupt");
}

static struct wire rest_of(const struct xz *xz)
{
	return wire_of(xz->job->in + xz->position, xz->job->in_size_bytes - xz->position);
}

static u32 crc32_of(struct xz *xz, const void *bytes, size_t size_bytes)
{
	crc32_prepare(xz->crc32); /* LZMA's state was here */
	return crc32_update(xz->crc32, 0, bytes, size_bytes);
}

u64 xz_read_number(struct wire *in)
{
	u64 value = 0;
	unsigned int shift;
	u8 byte;

	for (shift = 0; shift < 63; shift += 7) {
		byte = wire_u8(in);
		value |= (u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			return value;
		}
	}
	in->is_short = true;
	return 0;
}

static int read_stream_header(struct xz *xz)
{
	struct wire in = rest_of(xz);
	const u8 *bytes = wire_bytes(&in, HEADER_SIZE), *flags;

	if (!bytes) {
		return decompress_fail(xz->job, "the compressed kernel is truncated");
	}
	flags = bytes + 6;
	in = wire_of(bytes + 8, 4);
	if (wire_u32le(&in) != crc32_of(xz, flags, 2)) {
		return corrupt(xz);
	}
	if (flags[0] != 0 ||
	    (flags[1] != CHECK_NONE && flags[1] != CHECK_CRC32 && flags[1] != CHECK_CRC64)) {
		return decompress_fail(xz->job,
				       "the kernel's xz stream has a checksum that is not known");
	}
	xz->check = flags[1];
	xz->position += HEADER_SIZE;
	return 0;
}

/* One filter of the list: its properties say nothing that we need (any dictionary fits). */
static int read_filter(struct xz *xz, struct wire *in, bool is_last)
{
	u64 id = xz_read_number(in), properties_size = xz_read_number(in);

	if (properties_size > BLOCK_HEADER_MAX || !wire_bytes(in, properties_size)) {
		return corrupt(xz);
	}
	if (is_last) {
		return id == FILTER_LZMA2 && properties_size == 1 ? 0 : corrupt(xz);
	}
	if (id != FILTER_X86 || properties_size != 0) {
		return decompress_fail(xz->job,
				       "the kernel's xz stream has a filter that is not known");
	}
	xz->has_x86_filter = true;
	return 0;
}

/* 3.1; the position is at its first byte, which is not 0. */
static int read_block_header(struct xz *xz)
{
	const u8 *bytes = xz->job->in + xz->position;
	size_t size = (size_t)(bytes[0] + 1) * 4;
	unsigned int filter, filter_count;
	struct wire in = rest_of(xz);
	u8 flags;
	int rc;

	if (!wire_bytes(&in, size)) {
		return decompress_fail(xz->job, "the compressed kernel is truncated");
	}
	in = wire_of(bytes + size - 4, 4);
	if (wire_u32le(&in) != crc32_of(xz, bytes, size - 4)) {
		return corrupt(xz);
	}

	in = wire_of(bytes + 1, size - 5);
	flags = wire_u8(&in);
	filter_count = (flags & 3) + 1u;
	if ((flags & 0x3c) || filter_count > 2) {
		return decompress_fail(xz->job,
				       "the kernel's xz stream has a filter that is not known");
	}
	if (flags & 0x40) {
		(void)xz_read_number(&in); /* compressed size: the chunks tell */
	}
	if (flags & 0x80) {
		(void)xz_read_number(&in);
	}
	xz->has_x86_filter = false;
	for (filter = 1; filter <= filter_count; filter++) {
		rc = read_filter(xz, &in, filter == filter_count);
		if (rc) {
			return rc;
		}
	}
	if (!wire_ok(&in)) {
		return corrupt(xz);
	}
	xz->position += size;
	return 0;
}

/* --- the x86 filter: absolute targets of CALL and JMP back to relative ones --- */

static bool is_sign_byte(u8 byte)
{
	return byte == 0x00 || byte == 0xff;
}

/* From i on, in steps of 8, to where there is something else. At least 8 are zero. */
static size_t skip_zeroes(const u8 *code, size_t i, size_t end)
{
	u64 x[4];

	for (i += 8; end - i >= sizeof(x); i += sizeof(x)) {
		__builtin_memcpy(x, code + i, sizeof(x));
		if (x[0] | x[1] | x[2] | x[3]) {
			break;
		}
	}
	return i;
}

/* The next byte from i on that is 0xe8 or 0xe9, or end. Eight at a time: most are not. */
static size_t find_branch(const u8 *code, size_t i, size_t end)
{
	const u64 ones = 0x0101010101010101ull;
	u64 x;

	for (; end - i >= 8; i += 8) {
		__builtin_memcpy(&x, code + i, 8);
		if (!x) {
			i = skip_zeroes(code, i, end) - 8; /* half of a kernel is zeroes */
			continue;
		}
		x = (x & ~ones) ^ ones * 0xe8;
		x = (x - ones) & ~x & ones * 0x80; /* lowest set bit: first byte that was zero */
		if (x) {
			return i + (size_t)__builtin_ctzll(x) / 8;
		}
	}
	while (i < end && (code[i] & 0xfe) != 0xe8) {
		i++;
	}
	return i;
}

/*
 * mask has a bit for each of the three bytes before this one that looked like a branch: bit 0 is
 * the nearest. Overlapping candidates are converted only in the cases that the encoder converts.
 */
static const u8 highest_bit[8] = {0, 1, 2, 2, 3, 3, 3, 3};

static bool mask_is_allowed(u32 mask)
{
	return mask == 0 || mask == 1 || mask == 2 || mask == 4;
}

static u32 branch_target(u32 value, u32 position, u32 mask)
{
	u32 target;
	unsigned int shift;

	for (;;) {
		target = value - position;
		if (mask == 0) {
			break;
		}
		shift = highest_bit[mask] * 8u;
		if (!is_sign_byte((u8)(target >> (24 - shift)))) {
			break;
		}
		value = target ^ ((1u << (32 - shift)) - 1);
	}
	target &= 0x01ffffff;
	return target | (0u - (target & 0x01000000));
}

static void undo_x86_filter(u8 *code, size_t size_bytes)
{
	size_t i = 0, previous = ~(size_t)0, end, distance;
	u32 mask = 0, value;

	if (size_bytes < 5) {
		return;
	}
	end = size_bytes - 4;
	for (i = find_branch(code, 0, end); i < end; i = find_branch(code, i, end)) {
		distance = i - previous;
		previous = i;
		if (distance > 3) {
			mask = 0;
		} else {
			mask = mask << (distance - 1) & 7;
			if (mask && (!mask_is_allowed(mask) ||
				     is_sign_byte(code[i + 4 - highest_bit[mask]]))) {
				mask = mask << 1 | 1;
				i++;
				continue;
			}
		}
		if (!is_sign_byte(code[i + 4])) {
			mask = mask << 1 | 1;
			i++;
			continue;
		}
		__builtin_memcpy(&value, code + i + 1, 4);
		value = branch_target(value, (u32)i + 5, mask);
		__builtin_memcpy(code + i + 1, &value, 4);
		i += 5;
	}
}

/* --- blocks, index, footer --- */

static bool check_matches(struct xz *xz, const u8 *bytes, size_t size_bytes, struct wire *in)
{
	switch (xz->check) {
	case CHECK_CRC32:
		return wire_u32le(in) == crc32_of(xz, bytes, size_bytes);
	case CHECK_CRC64: {
		struct crc64_table *table = xz->job->scratch;

		crc64_prepare(table);
		return wire_u64le(in) == crc64_update(table, 0, bytes, size_bytes);
	}
	default:
		return true;
	}
}

static int read_block(struct xz *xz)
{
	struct decompress_job *job = xz->job;
	size_t first = job->out_size_bytes, start = xz->position;
	struct wire in;
	int rc;

	rc = read_block_header(xz);
	if (rc) {
		return rc;
	}
	rc = decompress_lzma2(job, &xz->position);
	if (rc) {
		return rc;
	}
	if (xz->has_x86_filter) {
		undo_x86_filter(job->out + first, job->out_size_bytes - first);
	}

	in = rest_of(xz);
	(void)wire_bytes(&in, -(xz->position - start) % 4);
	if (!check_matches(xz, job->out + first, job->out_size_bytes - first, &in)) {
		return decompress_fail(job, "the kernel's checksum is wrong: it is corrupt");
	}
	if (!wire_ok(&in)) {
		return decompress_fail(job, "the compressed kernel is truncated");
	}
	xz->position += in.position;
	xz->block_count++;
	return 0;
}

/* The index says again what the blocks said; its length and checksum, and the footer's, must fit.
 */
static int read_index_and_footer(struct xz *xz)
{
	struct wire in = rest_of(xz), footer;
	u64 count, i, sum = 0;
	size_t size;
	const u8 *bytes = in.bytes, *tail;
	u32 crc;

	(void)wire_u8(&in);
	count = xz_read_number(&in);
	if (count != xz->block_count) {
		return corrupt(xz);
	}
	for (i = 0; i < count && wire_ok(&in); i++) {
		(void)xz_read_number(&in);
		sum += xz_read_number(&in);
	}
	(void)wire_bytes(&in, -in.position % 4);
	size = in.position;
	crc = wire_u32le(&in);
	tail = wire_bytes(&in, HEADER_SIZE);
	if (!wire_ok(&in)) {
		return decompress_fail(xz->job, "the compressed kernel is truncated");
	}
	if (sum != xz->job->out_size_bytes || crc != crc32_of(xz, bytes, size)) {
		return corrupt(xz);
	}
	footer = wire_of(tail, HEADER_SIZE);
	if (wire_u32le(&footer) != crc32_of(xz, tail + 4, 6) || tail[10] != 'Y' ||
	    tail[11] != 'Z') {
		return corrupt(xz);
	}
	return 0;
}

int decompress_xz(struct decompress_job *job)
{
	struct xz xz = {.job = job, .crc32 = job->scratch};
	int rc;

	rc = read_stream_header(&xz);
	if (rc) {
		return rc;
	}
	for (;;) {
		if (xz.position >= job->in_size_bytes) {
			return decompress_fail(job, "the compressed kernel is truncated");
		}
		if (job->in[xz.position] == 0) {
			return read_index_and_footer(&xz);
		}
		rc = read_block(&xz);
		if (rc) {
			return rc;
		}
	}
}
