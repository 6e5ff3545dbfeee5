/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zstandard (RFC 8878): one frame without dictionary. Huffman codes for literals, FSE codes
 * for sequences; both bit streams are read backwards. The history is the output buffer itself.
 */
#include "loader/decompress_formats.h"

#include "base/wire.h"
#include "loader/crc.h"
#include "lib/string.h"

#define BLOCK_MAX	(128u * 1024u)
#define HUFFMAN_BITS	11u
#define HUFFMAN_SYMBOLS 256u
#define WEIGHT_BITS	6u /* accuracy of the code of the weights */
#define FSE_BITS_MAX	9u
#define FSE_SYMBOLS_MAX 53u

struct huffman_entry {
	u8 symbol, bits;
};
struct huffman {
	unsigned int bits; /* 0: none yet */
	struct huffman_entry table[1u << HUFFMAN_BITS];
};

struct fse_entry {
	u16 base;
	u8 symbol, bits;
};
struct fse {
	unsigned int bits;
	bool is_set;
	struct fse_entry table[1u << FSE_BITS_MAX];
};

struct zstd {
	struct huffman huffman;
	struct fse literal_lengths, offsets, match_lengths, weights;
	u32 repeat[3];
	size_t literals_size;
	u8 literals[BLOCK_MAX];
};
_Static_assert(sizeof(struct zstd) <= DECOMPRESS_SCRATCH_SIZE, "scratch is too small");

/* --- bits, read from the end of a buffer towards its start --- */

struct back_bits {
	const u8 *bytes;
	size_t size_bytes;
	s64 left; /* bits not read yet; below 0: too many were read (they were zeroes) */
};

/* The highest set bit of the last byte marks the end of the stream. */
static bool back_bits_open(struct back_bits *b, const u8 *bytes, size_t size_bytes)
{
	if (size_bytes == 0 || bytes[size_bytes - 1] == 0) {
		return false;
	}
	b->bytes = bytes;
	b->size_bytes = size_bytes;
	b->left = (s64)(size_bytes * 8) - 1 - (__builtin_clz(bytes[size_bytes - 1]) - 24);
	return true;
}

/* 57 bits and more from bit position at; zeroes outside of the buffer. */
static u64 load_bits(const struct back_bits *b, size_t at)
{
	size_t byte = at / 8, i;
	u64 value = 0;

	if (b->size_bytes >= 8 && byte <= b->size_bytes - 8) {
		__builtin_memcpy(&value, b->bytes + byte, 8);
	} else {
		for (i = byte; i < b->size_bytes && i < byte + 8; i++) {
			value |= (u64)b->bytes[i] << (i - byte) * 8;
		}
	}
	return value >> at % 8;
}

/* count <= 32 */
static u32 back_bits_peek(const struct back_bits *b, unsigned int count)
{
	u64 mask = (1ull << count) - 1;

	if (b->left >= (s64)count) {
		return (u32)(load_bits(b, (size_t)(b->left - count)) & mask);
	}
	if (b->left <= 0) {
		return 0;
	}
	/* Zeroes follow behind the first bit. */
	return (u32)((load_bits(b, 0) & ((1ull << b->left) - 1)) << (count - b->left) & mask);
}

static u32 back_bits_take(struct back_bits *b, unsigned int count)
{
	u32 value = back_bits_peek(b, count);

	b->left -= count;
	return value;
}

/* --- FSE, section 4.1 --- */

static unsigned int highest_bit(u32 value)
{
	return 31u - (unsigned int)__builtin_clz(value);
}

/* counts: -1 for "less than one". Their sum was checked to be 2^bits. */
static void fse_build(struct fse *f, const s16 *counts, unsigned int symbol_count,
		      unsigned int bits)
{
	u32 size = 1u << bits, step = (size >> 1) + (size >> 3) + 3, high = size, at = 0, i;
	u16 next[FSE_SYMBOLS_MAX];
	unsigned int symbol;
	s16 k;

	for (symbol = 0; symbol < symbol_count; symbol++) {
		next[symbol] = (u16)(counts[symbol] < 0 ? 1 : counts[symbol]);
		if (counts[symbol] < 0) {
			f->table[--high].symbol = (u8)symbol;
		}
	}
	for (symbol = 0; symbol < symbol_count; symbol++) {
		for (k = 0; k < counts[symbol]; k++) {
			f->table[at].symbol = (u8)symbol;
			do {
				at = (at + step) & (size - 1);
			} while (at >= high);
		}
	}
	for (i = 0; i < size; i++) {
		struct fse_entry *e = &f->table[i];
		u16 state = next[e->symbol]++;

		e->bits = (u8)(bits - highest_bit(state));
		e->base = (u16)((state << e->bits) - size);
	}
	f->bits = bits;
	f->is_set = true;
}

/* One symbol always: no bits are read for it. */
static void fse_build_single(struct fse *f, u8 symbol)
{
	f->table[0] = (struct fse_entry){.symbol = symbol};
	f->bits = 0;
	f->is_set = true;
}

struct forward_bits {
	const u8 *bytes;
	size_t size_bytes, at; /* at in bits */
};

static u32 forward_peek(const struct forward_bits *f, unsigned int count)
{
	u32 value = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		size_t bit = f->at + i;

		if (bit / 8 < f->size_bytes) {
			value |= (u32)(f->bytes[bit / 8] >> bit % 8 & 1) << i;
		}
	}
	return value;
}

static u32 forward_take(struct forward_bits *f, unsigned int count)
{
	u32 value = forward_peek(f, count);

	f->at += count;
	return value;
}

/* Table description; moves *in behind it. False: it is broken. */
static bool fse_read(struct fse *f, struct wire *in, unsigned int bits_max,
		     unsigned int symbols_max)
{
	struct forward_bits b = {.bytes = in->bytes + in->position, .size_bytes = wire_left(in)};
	unsigned int bits = forward_take(&b, 4) + 5, symbol = 0, width, repeat;
	s16 counts[FSE_SYMBOLS_MAX];
	s32 left;
	u32 value, small;

	if (bits > bits_max) {
		return false;
	}
	left = (s32)(1u << bits);
	while (left > 0) {
		if (symbol >= symbols_max || b.at > b.size_bytes * 8) {
			return false;
		}
		/* Values 0 .. left + 1; the lower ones take one bit less. */
		width = highest_bit((u32)left + 1) + 1;
		small = (1u << width) - 1 - ((u32)left + 1);
		value = forward_peek(&b, width);
		if ((value & ((1u << (width - 1)) - 1)) < small) {
			value &= (1u << (width - 1)) - 1;
			b.at += width - 1;
		} else {
			if (value >= 1u << (width - 1)) {
				value -= small;
			}
			b.at += width;
		}
		counts[symbol++] = (s16)((s32)value - 1);
		left -= value == 0 ? 1 : (s32)value - 1;
		if (value != 1) {
			continue;
		}
		do {
			repeat = forward_take(&b, 2);
			if (repeat > symbols_max - symbol) {
				return false;
			}
			memset(counts + symbol, 0, repeat * sizeof(counts[0]));
			symbol += repeat;
		} while (repeat == 3);
	}
	if (left != 0 || !wire_bytes(in, (b.at + 7) / 8)) {
		return false;
	}
	fse_build(f, counts, symbol, bits);
	return true;
}

static u32 fse_start(const struct fse *f, struct back_bits *b)
{
	return back_bits_take(b, f->bits);
}

static u32 fse_next(const struct fse *f, u32 state, struct back_bits *b)
{
	return f->table[state].base + back_bits_take(b, f->table[state].bits);
}

/* --- Huffman, section 4.2 --- */

static bool huffman_build(struct huffman *h, u8 *weights, unsigned int count)
{
	u32 sum = 0, rest, at = 0, fill;
	unsigned int i, bits, weight;

	for (i = 0; i < count; i++) {
		if (weights[i] > HUFFMAN_BITS) {
			return false;
		}
		sum += weights[i] ? 1u << (weights[i] - 1) : 0;
	}
	if (sum == 0) {
		return false;
	}
	/* The last symbol's weight completes the sum to a power of two. */
	bits = highest_bit(sum) + 1;
	rest = (1u << bits) - sum;
	if (bits > HUFFMAN_BITS || (rest & (rest - 1))) {
		return false;
	}
	weights[count++] = (u8)(highest_bit(rest) + 1);

	for (weight = 1; weight <= bits; weight++) {
		for (i = 0; i < count; i++) {
			if (weights[i] != weight) {
				continue;
			}
			for (fill = 1u << (weight - 1); fill; fill--) {
				h->table[at++] = (struct huffman_entry){
					.symbol = (u8)i,
					.bits = (u8)(bits + 1 - weight),
				};
			}
		}
	}
	h->bits = bits;
	return at == 1u << bits;
}

/* Two states in turn, until the stream is used up. The count of weights, or 0. */
static unsigned int read_coded_weights(struct zstd *z, struct wire *in, u8 *weights)
{
	struct back_bits b;
	unsigned int count = 0;
	u32 state[2];
	size_t left;

	if (!fse_read(&z->weights, in, WEIGHT_BITS, HUFFMAN_BITS + 1)) {
		return 0;
	}
	left = wire_left(in);
	if (!back_bits_open(&b, wire_bytes(in, left), left)) {
		return 0;
	}
	state[0] = fse_start(&z->weights, &b);
	state[1] = fse_start(&z->weights, &b);
	while (count < HUFFMAN_SYMBOLS - 2) {
		u32 *s = &state[count % 2];

		weights[count++] = z->weights.table[*s].symbol;
		*s = fse_next(&z->weights, *s, &b);
		if (b.left < 0) {
			weights[count] = z->weights.table[state[count % 2]].symbol;
			return count + 1;
		}
	}
	return 0;
}

static bool read_huffman(struct zstd *z, struct wire *in)
{
	u8 weights[HUFFMAN_SYMBOLS];
	unsigned int size = wire_u8(in), count, i;
	const u8 *bytes;
	struct wire part;

	if (size < 128) {
		bytes = wire_bytes(in, size);
		if (!bytes) {
			return false;
		}
		part = wire_of(bytes, size);
		count = read_coded_weights(z, &part, weights);
		return count && huffman_build(&z->huffman, weights, count);
	}
	count = size - 127;
	bytes = wire_bytes(in, (count + 1) / 2);
	if (!bytes) {
		return false;
	}
	for (i = 0; i < count; i++) {
		weights[i] = i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4;
	}
	return huffman_build(&z->huffman, weights, count);
}

static bool read_huffman_stream(struct zstd *z, struct wire *in, size_t size_bytes, u8 *out,
				size_t out_size)
{
	const u8 *bytes = wire_bytes(in, size_bytes);
	const struct huffman *h = &z->huffman;
	struct back_bits b;

	if (!bytes || !back_bits_open(&b, bytes, size_bytes)) {
		return false;
	}
	while (out_size--) {
		const struct huffman_entry *e = &h->table[back_bits_peek(&b, h->bits)];

		*out++ = e->symbol;
		b.left -= e->bits;
	}
	return b.left == 0;
}

/* --- literals section, 3.1.1.3.1 --- */

static bool read_four_streams(struct zstd *z, struct wire *in, size_t compressed)
{
	size_t size[4], part = (z->literals_size + 3) / 4, i, out = 0;

	if (compressed < 6 || 3 * part > z->literals_size) {
		return false;
	}
	size[3] = compressed - 6;
	for (i = 0; i < 3; i++) {
		size[i] = wire_u16le(in);
		if (size[i] > size[3]) {
			return false;
		}
		size[3] -= size[i];
	}
	for (i = 0; i < 4; i++) {
		if (!read_huffman_stream(z, in, size[i], z->literals + out,
					 i < 3 ? part : z->literals_size - out)) {
			return false;
		}
		out += part;
	}
	return true;
}

static bool read_coded_literals(struct zstd *z, struct wire *in, bool has_table,
				unsigned int format)
{
	static const u8 header_bytes[4] = {3, 3, 4, 5}, size_bits[4] = {10, 10, 14, 18};
	u64 header = 0;
	size_t compressed;
	const u8 *bytes;
	struct wire part;
	unsigned int i;

	for (i = 0; i < header_bytes[format]; i++) {
		header |= (u64)wire_u8(in) << i * 8;
	}
	z->literals_size = header >> 4 & ((1u << size_bits[format]) - 1);
	compressed = header >> (4 + size_bits[format]) & ((1u << size_bits[format]) - 1);
	bytes = wire_bytes(in, compressed);
	if (!bytes || z->literals_size > BLOCK_MAX) {
		return false;
	}
	part = wire_of(bytes, compressed);
	if (has_table && !read_huffman(z, &part)) {
		return false;
	}
	if (z->huffman.bits == 0) {
		return false;
	}
	return format == 0 ? read_huffman_stream(z, &part, wire_left(&part), z->literals,
						 z->literals_size)
			   : read_four_streams(z, &part, wire_left(&part));
}

static bool read_literals(struct zstd *z, struct wire *in)
{
	enum { LITERALS_RAW, LITERALS_SAME, LITERALS_CODED, LITERALS_CODED_AGAIN };
	const u8 *bytes = in->bytes + in->position;
	unsigned int type, format;
	u32 header;

	if (wire_left(in) == 0) {
		return false;
	}
	type = bytes[0] & 3;
	format = bytes[0] >> 2 & 3;
	if (type >= LITERALS_CODED) {
		return read_coded_literals(z, in, type == LITERALS_CODED, format);
	}

	header = wire_u8(in);
	if (format == 1) {
		z->literals_size = (header | (u32)wire_u8(in) << 8) >> 4;
	} else if (format == 3) {
		header |= (u32)wire_u8(in) << 8;
		z->literals_size = (header | (u32)wire_u8(in) << 16) >> 4;
	} else {
		z->literals_size = header >> 3;
	}
	bytes = wire_bytes(in, type == LITERALS_RAW ? z->literals_size : 1);
	if (!bytes || z->literals_size > BLOCK_MAX) {
		return false;
	}
	if (type == LITERALS_RAW) {
		memcpy(z->literals, bytes, z->literals_size);
	} else {
		memset(z->literals, bytes[0], z->literals_size);
	}
	return true;
}

/* --- sequences section, 3.1.1.3.2 --- */

static const u32 literal_length_base[36] = {
	0,  1,	2,  3,	4,  5,	6,  7,	8,   9,	  10,  11,   12,   13,	 14,   15,    16,    18,
	20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};
static const u8 literal_length_bits[36] = {0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  0,  0,
					   0, 0, 0, 0, 1, 1,  1,  1,  2,  2,  3,  3,
					   4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const u32 match_length_base[53] = {
	3,  4,	5,  6,	7,  8,	9,  10,	 11,  12,  13,	 14,   15,   16,   17,	  18,	 19,   20,
	21, 22, 23, 24, 25, 26, 27, 28,	 29,  30,  31,	 32,   33,   34,   35,	  37,	 39,   41,
	43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539};
static const u8 match_length_bits[53] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  0,  0, 0,
					 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  1,  1,  1, 1,
					 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static const s16 literal_length_default[36] = {4, 3, 2, 2, 2, 2, 2, 2, 2,  2,  2,  2,
					       2, 1, 1, 1, 2, 2, 2, 2, 2,  2,  2,  2,
					       2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1};
static const s16 offset_default[29] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 1,  1,  1,  1,  1, 1,
				       1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1};
static const s16 match_length_default[53] = {
	1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,	 1,  1,	 1,  1,	 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1};

struct code {
	const s16 *counts;
	unsigned int count, bits; /* of the predefined table */
	unsigned int bits_max, symbols;
};
static const struct code literal_length_code = {literal_length_default, 36, 6, 9, 36};
static const struct code offset_code = {offset_default, 29, 5, 8, 32};
static const struct code match_length_code = {match_length_default, 53, 6, 9, 53};

static bool read_table(struct fse *f, struct wire *in, unsigned int mode, const struct code *code)
{
	enum { MODE_DEFAULT, MODE_SINGLE, MODE_TABLE, MODE_AGAIN };
	u8 symbol;

	switch (mode) {
	case MODE_DEFAULT:
		fse_build(f, code->counts, code->count, code->bits);
		return true;
	case MODE_SINGLE:
		symbol = wire_u8(in);
		if (symbol >= code->symbols) {
			return false;
		}
		fse_build_single(f, symbol);
		return wire_ok(in);
	case MODE_TABLE:
		return fse_read(f, in, code->bits_max, code->symbols);
	default:
		return f->is_set;
	}
}

/* 3.1.1.5: small values repeat one of the last three offsets. 0: broken. */
static u32 resolve_offset(struct zstd *z, u32 value, bool has_literals)
{
	u32 *r = z->repeat, offset;
	unsigned int which;

	if (value > 3) {
		offset = value - 3;
		which = 2;
	} else {
		which = value - 1 + !has_literals;
		offset = which < 3 ? r[which] : r[0] - 1;
		which = MIN(which, 2u);
	}
	if (which == 2) {
		r[2] = r[1];
	}
	if (which >= 1) {
		r[1] = r[0];
	}
	r[0] = offset;
	return offset;
}

static bool copy_literals(struct decompress_job *job, struct zstd *z, size_t *used,
			  size_t size_bytes)
{
	if (size_bytes > z->literals_size - *used ||
	    size_bytes > job->out_capacity_bytes - job->out_size_bytes) {
		return false;
	}
	memcpy(job->out + job->out_size_bytes, z->literals + *used, size_bytes);
	*used += size_bytes;
	job->out_size_bytes += size_bytes;
	return true;
}

static bool copy_match(struct decompress_job *job, u32 offset, size_t size_bytes)
{
	u8 *out = job->out + job->out_size_bytes;

	if (offset == 0 || offset > job->out_size_bytes ||
	    size_bytes > job->out_capacity_bytes - job->out_size_bytes) {
		return false;
	}
	job->out_size_bytes += size_bytes;
	for (; size_bytes; size_bytes--, out++) {
		*out = *(out - offset);
	}
	return true;
}

static bool read_count(struct wire *in, u32 *count)
{
	u32 first = wire_u8(in);

	if (first < 128) {
		*count = first;
	} else if (first < 255) {
		*count = ((first - 128) << 8) + wire_u8(in);
	} else {
		*count = wire_u16le(in) + 0x7f00u;
	}
	return wire_ok(in);
}

static bool run_sequences(struct decompress_job *job, struct zstd *z, struct wire *in, u32 count,
			  size_t *used)
{
	size_t left = wire_left(in);
	const u8 *bytes = wire_bytes(in, left);
	u32 ll, of, ml, i, offset;
	struct back_bits b;

	if (!back_bits_open(&b, bytes, left)) {
		return false;
	}
	ll = fse_start(&z->literal_lengths, &b);
	of = fse_start(&z->offsets, &b);
	ml = fse_start(&z->match_lengths, &b);
	for (i = 0; i < count; i++) {
		u8 ll_code = z->literal_lengths.table[ll].symbol;
		u8 of_code = z->offsets.table[of].symbol;
		u8 ml_code = z->match_lengths.table[ml].symbol;
		u32 value = (1u << of_code) + back_bits_take(&b, of_code);
		size_t match =
			match_length_base[ml_code] + back_bits_take(&b, match_length_bits[ml_code]);
		size_t literals = literal_length_base[ll_code] +
				  back_bits_take(&b, literal_length_bits[ll_code]);

		offset = resolve_offset(z, value, literals != 0);
		if (b.left < 0 || !copy_literals(job, z, used, literals) ||
		    !copy_match(job, offset, match)) {
			return false;
		}
		if (i + 1 < count) {
			ll = fse_next(&z->literal_lengths, ll, &b);
			ml = fse_next(&z->match_lengths, ml, &b);
			of = fse_next(&z->offsets, of, &b);
		}
	}
	return b.left == 0;
}

static bool read_compressed_block(struct decompress_job *job, struct zstd *z, struct wire *in)
{
	size_t used = 0;
	u32 count;
	u8 modes;

	if (!read_literals(z, in) || !read_count(in, &count)) {
		return false;
	}
	if (count) {
		modes = wire_u8(in);
		if (!wire_ok(in) || (modes & 3) ||
		    !read_table(&z->literal_lengths, in, modes >> 6, &literal_length_code) ||
		    !read_table(&z->offsets, in, modes >> 4 & 3, &offset_code) ||
		    !read_table(&z->match_lengths, in, modes >> 2 & 3, &match_length_code) ||
		    !run_sequences(job, z, in, count, &used)) {
			return false;
		}
	}
	return wire_at_end(in) && copy_literals(job, z, &used, z->literals_size - used);
}

/* --- frame, 3.1.1 --- */

static bool read_plain_block(struct decompress_job *job, struct wire *in, size_t size_bytes,
			     bool is_same)
{
	const u8 *bytes = wire_bytes(in, is_same ? 1 : size_bytes);
	u8 *out = job->out + job->out_size_bytes;

	if (!bytes || size_bytes > job->out_capacity_bytes - job->out_size_bytes) {
		return false;
	}
	if (is_same) {
		memset(out, bytes[0], size_bytes);
	} else {
		memcpy(out, bytes, size_bytes);
	}
	job->out_size_bytes += size_bytes;
	return true;
}

/* False: broken. The frame's own idea of its size is not needed: the caller has one. */
static bool read_frame_header(struct wire *in, bool *has_checksum)
{
	static const u8 dictionary_bytes[4] = {0, 1, 2, 4}, size_bytes[4] = {0, 2, 4, 8};
	u8 flags;
	unsigned int i;
	bool is_single;

	(void)wire_u32le(in); /* magic */
	flags = wire_u8(in);
	is_single = flags & 0x20;
	*has_checksum = flags & 4;
	if (!is_single) {
		(void)wire_u8(in); /* window */
	}
	for (i = 0; i < dictionary_bytes[flags & 3]; i++) {
		if (wire_u8(in) != 0) {
			return false;
		}
	}
	(void)wire_bytes(in, flags >> 6 == 0 && is_single ? 1 : size_bytes[flags >> 6]);
	return wire_ok(in) && !(flags & 8);
}

static bool read_blocks(struct decompress_job *job, struct zstd *z, struct wire *in)
{
	enum { BLOCK_RAW, BLOCK_SAME, BLOCK_COMPRESSED };
	u32 header, size;
	struct wire part;
	const u8 *bytes;
	bool is_good;

	do {
		header = wire_u16le(in);
		header |= (u32)wire_u8(in) << 16;
		size = header >> 3;
		if (!wire_ok(in) || size > BLOCK_MAX) {
			return false;
		}
		switch (header >> 1 & 3) {
		case BLOCK_RAW:
		case BLOCK_SAME:
			is_good = read_plain_block(job, in, size, (header >> 1 & 3) == BLOCK_SAME);
			break;
		case BLOCK_COMPRESSED:
			bytes = wire_bytes(in, size);
			part = wire_of(bytes, size);
			is_good = bytes && read_compressed_block(job, z, &part);
			break;
		default:
			is_good = false;
		}
		if (!is_good) {
			return false;
		}
	} while (!(header & 1));
	return true;
}

int decompress_zstd(struct decompress_job *job)
{
	struct wire in = wire_of(job->in, job->in_size_bytes);
	struct zstd *z = job->scratch;
	bool has_checksum;

	z->huffman.bits = 0;
	z->literal_lengths.is_set = z->offsets.is_set = z->match_lengths.is_set = false;
	z->repeat[0] = 1;
	z->repeat[1] = 4;
	z->repeat[2] = 8;
	if (!read_frame_header(&in, &has_checksum) || !read_blocks(job, z, &in)) {
		return decompress_fail(job, wire_ok(&in) ? "the compressed kernel is corrupt"
							 : "the compressed kernel is truncated");
	}
	if (has_checksum && (u32)xxh64(job->out, job->out_size_bytes) != wire_u32le(&in)) {
		return decompress_fail(
			job, wire_ok(&in) ? "the kernel's checksum is wrong: it is corrupt"
					  : "the compressed kernel is truncated");
	}
	return 0;
}
