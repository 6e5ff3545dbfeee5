/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gzip (RFC 1952) around DEFLATE (RFC 1951). Codes are decoded with one table lookup for up to
 * FAST_BITS bits, and bit by bit along the canonical code for longer ones.
 */
#include "loader/decompress_formats.h"

#include "base/wire.h"
#include "loader/crc.h"
#include "lib/string.h"

#define CODE_BITS_MAX	 15u
#define FAST_BITS	 10u
#define LITERAL_SYMBOLS	 288u
#define DISTANCE_SYMBOLS 32u
#define LENGTH_SYMBOLS	 19u

struct huffman {
	u16 fast[1u << FAST_BITS]; /* symbol << 4 | length; 0: longer than FAST_BITS, or no code */
	u16 count[CODE_BITS_MAX + 1];
	u16 sorted[LITERAL_SYMBOLS];
};

struct inflate {
	struct decompress_job *job;
	size_t position;
	u64 bits;		/* the next bits of the input, lowest first */
	unsigned int bit_count; /* how many of them; zeroes are shifted in past the end */
	unsigned int past_end;	/* bytes of those zeroes */
	struct huffman *literals, *distances;
};

struct inflate_scratch {
	struct huffman literals, distances;
	struct crc32_table crc32;
};
_Static_assert(sizeof(struct inflate_scratch) <= DECOMPRESS_SCRATCH_SIZE, "scratch is too small");

static void refill(struct inflate *s)
{
	while (s->bit_count <= 56) {
		u64 byte = 0;

		if (s->position < s->job->in_size_bytes) {
			byte = s->job->in[s->position++];
		} else {
			s->past_end++;
		}
		s->bits |= byte << s->bit_count;
		s->bit_count += 8;
	}
}

static bool is_past_end(const struct inflate *s)
{
	return s->past_end * 8 > s->bit_count;
}

/* count <= 16 */
static u32 take(struct inflate *s, unsigned int count)
{
	u32 value;

	refill(s);
	value = (u32)(s->bits & ((1u << count) - 1));
	s->bits >>= count;
	s->bit_count -= count;
	return value;
}

static u32 reverse_bits(u32 value, unsigned int count)
{
	u32 out = 0;

	while (count--) {
		out = out << 1 | (value & 1);
		value >>= 1;
	}
	return out;
}

/* False: the lengths oversubscribe the code. An incomplete one is allowed: its gaps decode to an
 * error. */
static bool huffman_build(struct huffman *h, const u8 *lengths, unsigned int symbol_count)
{
	u16 offset[CODE_BITS_MAX + 2];
	u32 code[CODE_BITS_MAX + 2];
	unsigned int i, length;
	s32 left = 1;

	memset(h->fast, 0, sizeof(h->fast));
	memset(h->count, 0, sizeof(h->count));
	for (i = 0; i < symbol_count; i++) {
		h->count[lengths[i]]++;
	}
	h->count[0] = 0;
	offset[1] = 0;
	code[1] = 0;
	for (length = 1; length <= CODE_BITS_MAX; length++) {
		left = left * 2 - h->count[length];
		if (left < 0) {
			return false;
		}
		offset[length + 1] = (u16)(offset[length] + h->count[length]);
		code[length + 1] = (code[length] + h->count[length]) << 1;
	}

	for (i = 0; i < symbol_count; i++) {
		u32 at;

		length = lengths[i];
		if (!length) {
			continue;
		}
		h->sorted[offset[length]++] = (u16)i;
		if (length <= FAST_BITS) {
			for (at = reverse_bits(code[length], length); at < 1u << FAST_BITS;
			     at += 1u << length) {
				h->fast[at] = (u16)(i << 4 | length);
			}
		}
		code[length]++;
	}
	return true;
}

/* The next symbol, or -1: not a code. */
static int decode_symbol(struct inflate *s, const struct huffman *h)
{
	s32 code = 0, first = 0, index = 0;
	unsigned int length;
	u16 entry;

	refill(s);
	entry = h->fast[s->bits & ((1u << FAST_BITS) - 1)];
	if (entry) {
		s->bits >>= entry & 15;
		s->bit_count -= entry & 15;
		return entry >> 4;
	}
	for (length = 1; length <= CODE_BITS_MAX; length++) {
		code |= (s32)(s->bits & 1);
		s->bits >>= 1;
		s->bit_count--;
		if (code - first < h->count[length]) {
			return h->sorted[index + code - first];
		}
		index += h->count[length];
		first = (first + h->count[length]) << 1;
		code <<= 1;
	}
	return -1;
}

/* RFC 1951, 3.2.5 */
static const u16 length_base[29] = {3,	4,  5,	6,  7,	8,  9,	10, 11,	 13,  15,  17,	19,  23, 27,
				    31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const u8 length_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
				   2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const u16 distance_base[30] = {
	1,   2,	  3,   4,   5,	 7,    9,    13,   17,	 25,   33,   49,   65,	  97,	 129,
	193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const u8 distance_bits[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
				     6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

static int corrupt(struct inflate *s)
{
	return decompress_fail(s->job, is_past_end(s) ? "the compressed kernel is truncated"
						      : "the compressed kernel is corrupt");
}

static int copy_match(struct inflate *s, unsigned int symbol)
{
	struct decompress_job *job = s->job;
	size_t length, distance;
	int code;
	u8 *out;

	if (symbol >= ARRAY_SIZE(length_base)) {
		return corrupt(s);
	}
	length = length_base[symbol] + take(s, length_bits[symbol]);
	code = decode_symbol(s, s->distances);
	if (code < 0 || code >= (int)ARRAY_SIZE(distance_base)) {
		return corrupt(s);
	}
	distance = distance_base[code] + take(s, distance_bits[code]);
	if (distance > job->out_size_bytes) {
		return corrupt(s);
	}
	if (length > job->out_capacity_bytes - job->out_size_bytes) {
		return decompress_fail(job, "the kernel is larger than it says");
	}
	job->out_size_bytes += length;
	if (!job->out) {
		return 0;
	}
	for (out = job->out + job->out_size_bytes - length; length; length--, out++) {
		*out = *(out - distance);
	}
	return 0;
}

static int inflate_codes(struct inflate *s)
{
	struct decompress_job *job = s->job;
	int symbol, rc;

	for (;;) {
		symbol = decode_symbol(s, s->literals);
		if (symbol < 0 || is_past_end(s)) {
			return corrupt(s);
		}
		if (symbol == 256) {
			return 0;
		}
		if (symbol < 256) {
			if (job->out_size_bytes == job->out_capacity_bytes) {
				return decompress_fail(job, "the kernel is larger than it says");
			}
			if (job->out) {
				job->out[job->out_size_bytes] = (u8)symbol;
			}
			job->out_size_bytes++;
			continue;
		}
		rc = copy_match(s, (unsigned int)symbol - 257);
		if (rc) {
			return rc;
		}
	}
}

static int inflate_stored(struct inflate *s)
{
	struct decompress_job *job = s->job;
	unsigned int size, complement, i;

	(void)take(s, s->bit_count % 8);
	size = take(s, 16);
	complement = take(s, 16);
	if (size != (complement ^ 0xffff)) {
		return corrupt(s);
	}
	if (size > job->out_capacity_bytes - job->out_size_bytes) {
		return decompress_fail(job, "the kernel is larger than it says");
	}
	for (i = 0; i < size; i++) {
		u8 byte = (u8)take(s, 8);

		if (job->out) {
			job->out[job->out_size_bytes] = byte;
		}
		job->out_size_bytes++;
		if (is_past_end(s)) {
			return corrupt(s);
		}
	}
	return 0;
}

static bool build_fixed(struct inflate *s)
{
	u8 lengths[LITERAL_SYMBOLS];

	memset(lengths, 8, 144);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + 280, 8, 8);
	if (!huffman_build(s->literals, lengths, LITERAL_SYMBOLS)) {
		return false;
	}
	memset(lengths, 5, 30);
	return huffman_build(s->distances, lengths, 30);
}

/* 3.2.7: the code lengths are themselves coded. */
static bool build_dynamic(struct inflate *s)
{
	static const u8 order[LENGTH_SYMBOLS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
						 11, 4,	 12, 3, 13, 2, 14, 1, 15};
	u8 lengths[LITERAL_SYMBOLS + DISTANCE_SYMBOLS];
	unsigned int literal_count = take(s, 5) + 257, distance_count = take(s, 5) + 1;
	unsigned int length_count = take(s, 4) + 4, i, repeat;
	int symbol;

	if (literal_count > 286 || distance_count > 30) {
		return false;
	}
	memset(lengths, 0, LENGTH_SYMBOLS);
	for (i = 0; i < length_count; i++) {
		lengths[order[i]] = (u8)take(s, 3);
	}
	if (!huffman_build(s->literals, lengths, LENGTH_SYMBOLS)) {
		return false;
	}

	for (i = 0; i < literal_count + distance_count;) {
		u8 value = 0;

		symbol = decode_symbol(s, s->literals);
		if (symbol < 0 || is_past_end(s)) {
			return false;
		}
		if (symbol < 16) {
			lengths[i++] = (u8)symbol;
			continue;
		}
		if (symbol == 16) {
			if (i == 0) {
				return false;
			}
			value = lengths[i - 1];
			repeat = 3 + take(s, 2);
		} else {
			repeat = symbol == 17 ? 3 + take(s, 3) : 11 + take(s, 7);
		}
		if (repeat > literal_count + distance_count - i) {
			return false;
		}
		while (repeat--) {
			lengths[i++] = value;
		}
	}
	return lengths[256] != 0 && huffman_build(s->literals, lengths, literal_count) &&
	       huffman_build(s->distances, lengths + literal_count, distance_count);
}

static int inflate_blocks(struct inflate *s)
{
	bool is_last;
	u32 type;
	int rc;

	do {
		is_last = take(s, 1);
		type = take(s, 2);
		if (is_past_end(s)) {
			return corrupt(s);
		}
		if (type == 0) {
			rc = inflate_stored(s);
		} else if ((type == 1 && build_fixed(s)) || (type == 2 && build_dynamic(s))) {
			rc = inflate_codes(s);
		} else {
			rc = corrupt(s);
		}
		if (rc) {
			return rc;
		}
	} while (!is_last);
	return 0;
}

/* RFC 1952, 2.3: optional fields are skipped. */
static bool skip_header(struct wire *in)
{
	enum { HAS_CRC = 2, HAS_EXTRA = 4, HAS_NAME = 8, HAS_COMMENT = 16 };
	u8 flags;
	unsigned int field;

	(void)wire_bytes(in, 2);
	if (wire_u8(in) != 8) {
		return false;
	}
	flags = wire_u8(in);
	(void)wire_bytes(in, 6);
	if (flags & HAS_EXTRA) {
		(void)wire_bytes(in, wire_u16le(in));
	}
	for (field = HAS_NAME; field <= HAS_COMMENT; field <<= 1) {
		while ((flags & field) && wire_ok(in) && wire_u8(in) != 0) {
		}
	}
	if (flags & HAS_CRC) {
		(void)wire_bytes(in, 2);
	}
	return wire_ok(in);
}

int decompress_gzip(struct decompress_job *job)
{
	struct inflate_scratch *scratch = job->scratch;
	struct wire in = wire_of(job->in, job->in_size_bytes);
	struct inflate s = {
		.job = job,
		.literals = &scratch->literals,
		.distances = &scratch->distances,
	};
	u32 crc, size;
	int rc;

	if (!skip_header(&in)) {
		return decompress_fail(job, "the compressed kernel is corrupt");
	}
	s.position = in.position;
	rc = inflate_blocks(&s);
	if (rc) {
		return rc;
	}

	(void)take(&s, s.bit_count % 8);
	crc = take(&s, 16);
	crc |= take(&s, 16) << 16;
	size = take(&s, 16);
	size |= take(&s, 16) << 16;
	if (is_past_end(&s)) {
		return corrupt(&s);
	}
	job->in_used_bytes = s.position - (s.bit_count / 8 - s.past_end);
	crc32_prepare(&scratch->crc32);
	if (size != (u32)job->out_size_bytes ||
	    (job->out &&
	     crc != crc32_update(&scratch->crc32, 0, job->out, job->out_size_bytes))) {
		return decompress_fail(job, "the kernel's checksum is wrong: it is corrupt");
	}
	return 0;
}
