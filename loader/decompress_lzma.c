/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LZMA2: chunks of plain bytes and of LZMA symbols (xz file format 1.1.0, 5.3.1; the symbol coding
 * as in the public description of LZMA). The history is the output buffer itself.
 *
 * Start spends most of its time here, so each symbol has one check of the input and one of
 * the output: a symbol reads at most SYMBOL_BYTES_MAX bytes, and there is always that much slack
 * behind a chunk (the last one is copied to where there is).
 */
#include "loader/decompress_formats.h"

#include "lib/string.h"

#define CHUNK_IN_MAX	 65536u
#define SYMBOL_BYTES_MAX 32u

#define PROB_BITS  11
#define PROB_START (1u << (PROB_BITS - 1))
#define MOVE_BITS  5
#define RANGE_TOP  (1u << 24)

#define STATE_COUNT	  12
#define LITERAL_STATE_END 7 /* states below: the last symbol was a literal */
#define POS_STATE_MAX	  16
#define LITERAL_CODERS	  16 /* lc + lp <= 4 in LZMA2 */
#define LITERAL_SIZE	  0x300

#define LENGTH_MIN	2
#define DIST_STATES	4
#define DIST_SLOT_FIRST 4  /* slots below are distances */
#define DIST_SLOT_MODEL 14 /* slots from here on end in bits without a model */
#define DIST_SPECIAL	115
#define ALIGN_BITS	4

typedef u16 prob_t;

struct length_coder {
	prob_t choice, choice2;
	prob_t low[POS_STATE_MAX][8];
	prob_t mid[POS_STATE_MAX][8];
	prob_t high[256];
};

struct lzma {
	/* probabilities, reset together */
	prob_t is_match[STATE_COUNT][POS_STATE_MAX];
	prob_t is_rep[STATE_COUNT];
	prob_t is_rep0[STATE_COUNT];
	prob_t is_rep1[STATE_COUNT];
	prob_t is_rep2[STATE_COUNT];
	prob_t is_rep0_long[STATE_COUNT][POS_STATE_MAX];
	prob_t dist_slot[DIST_STATES][64];
	prob_t dist_special[DIST_SPECIAL];
	prob_t dist_align[1 << ALIGN_BITS];
	struct length_coder match_length, rep_length;
	prob_t literal[LITERAL_CODERS * LITERAL_SIZE];

	u32 rep[4];
	u32 state;
	u32 lc, literal_pos_mask, pos_mask;
	u8 tail[CHUNK_IN_MAX + SYMBOL_BYTES_MAX];
};
_Static_assert(sizeof(struct lzma) <= DECOMPRESS_SCRATCH_SIZE, "scratch is too small");

/* One chunk's worth of range decoding; lives in registers while symbols are decoded. */
struct chunk {
	const u8 *in, *in_end; /* SYMBOL_BYTES_MAX may be read behind in_end */
	u8 *out, *out_end;
	const u8 *out_limit; /* of the whole buffer */
	const u8 *history;   /* the first byte that a match may copy */
};

static void reset_state(struct lzma *s)
{
	prob_t *p = (prob_t *)s;
	size_t i;

	for (i = 0; i < offsetof(struct lzma, rep) / sizeof(prob_t); i++) {
		p[i] = PROB_START;
	}
	memset(s->rep, 0, sizeof(s->rep));
	s->state = 0;
}

static bool set_properties(struct lzma *s, u8 byte)
{
	u32 lc = byte % 9, lp = byte / 9 % 5, pb = byte / 45;

	if (byte > (4 * 5 + 4) * 9 + 8 || lc + lp > 4) {
		return false;
	}
	s->lc = lc;
	s->literal_pos_mask = (1u << lp) - 1;
	s->pos_mask = (1u << pb) - 1;
	return true;
}

/*
 * Decoding one bit. range, code, in, probability and bound are the caller's
 * locals, so that they stay in registers.
 * The probability is that of a 0, in 1/2048.
 */
#define NORMALISE()                               \
	do {                                      \
		if (range < RANGE_TOP) {          \
			range <<= 8;              \
			code = code << 8 | *in++; \
		}                                 \
	} while (0)

#define DECODE_BIT(prob, if_zero, if_one)                                                     \
	do {                                                                                  \
		probability = *(prob);                                                        \
		NORMALISE();                                                                  \
		bound = (range >> PROB_BITS) * probability;                                   \
		if (code < bound) {                                                           \
			range = bound;                                                        \
			*(prob) = (prob_t)(probability +                                      \
					   (((1u << PROB_BITS) - probability) >> MOVE_BITS)); \
			if_zero;                                                              \
		} else {                                                                      \
			range -= bound;                                                       \
			code -= bound;                                                        \
			*(prob) = (prob_t)(probability - (probability >> MOVE_BITS));         \
			if_one;                                                               \
		}                                                                             \
	} while (0)

/* The next step down a tree of probabilities: index 1 is its root. */
#define TREE_BIT(tree, index) DECODE_BIT(&(tree)[index], (index) += (index), (index) += (index) + 1)

/* The same with the bits the other way round: bit i of value. */
#define REVERSE_BIT(tree, index, value, bit) \
	DECODE_BIT(&(tree)[index], (index) += (index), ((index) += (index) + 1, (value) |= (bit)))

/*
 * A match of length bytes from distance back; the caller checked both. Copies in words, up to 9
 * bytes too many as long as they fit before limit: what comes next overwrites them.
 */
static inline void copy_match(u8 *out, u32 distance, u32 length, const u8 *limit)
{
	const u8 *from = out - distance, *end = out + length;

	if ((size_t)(limit - end) < 16) {
		while (out < end) {
			*out++ = *from++;
		}
		return;
	}
	/* What repeats after distance also repeats after twice that. */
	while (distance < 8) {
		__builtin_memcpy(out, from, 8);
		out += distance;
		distance += distance;
	}
	while (out < end) {
		__builtin_memcpy(out, from, 8);
		out += 8;
		from += 8;
	}
}

/*
 * All symbols of one chunk. False when it is broken: a distance before the start, an end at the
 * wrong place, or a range coder that does not finish at zero.
 */
static NOINLINE bool decode_chunk(struct lzma *s, const struct chunk *c)
{
	u32 range = ~0u, code, probability, bound, state = s->state, i;
	u32 rep0 = s->rep[0];
	const u8 *in = c->in;
	u8 *out = c->out;

	code = (u32)in[1] << 24 | (u32)in[2] << 16 | (u32)in[3] << 8 | in[4];
	if (in[0] != 0) {
		return false;
	}
	in += 5;

	while (out < c->out_end) {
		u32 position = (u32)(out - c->history);
		u32 pos_state = position & s->pos_mask;
		u32 length;
		struct length_coder *lengths;

		if (in > c->in_end) {
			return false;
		}
		DECODE_BIT(&s->is_match[state][pos_state], goto literal, );
		DECODE_BIT(&s->is_rep[state], goto match, );
		if (position == 0) {
			return false;
		}
		DECODE_BIT(&s->is_rep0[state], goto rep0, );
		DECODE_BIT(&s->is_rep1[state], i = 1, DECODE_BIT(&s->is_rep2[state], i = 2, i = 3));
		length = s->rep[i];
		for (; i > 1; i--) {
			s->rep[i] = s->rep[i - 1];
		}
		s->rep[1] = rep0;
		rep0 = length;
		goto rep_length;

	rep0:
		DECODE_BIT(&s->is_rep0_long[state][pos_state], goto short_rep, );
	rep_length:
		state = state < LITERAL_STATE_END ? 8 : 11;
		lengths = &s->rep_length;
		goto length;

	match:
		s->rep[3] = s->rep[2];
		s->rep[2] = s->rep[1];
		s->rep[1] = rep0;
		lengths = &s->match_length;

	length : {
		prob_t *tree;
		u32 index = 1, bits_left = 3;

		DECODE_BIT(&lengths->choice,
			   (tree = lengths->low[pos_state], length = LENGTH_MIN - 8),
			   DECODE_BIT(&lengths->choice2,
				      (tree = lengths->mid[pos_state], length = LENGTH_MIN),
				      (tree = lengths->high, length = LENGTH_MIN + 16 - 256,
				       bits_left = 8)));
		do {
			TREE_BIT(tree, index);
		} while (--bits_left);
		length += index;
	}
		if (lengths == &s->match_length) {
			u32 index = 1, slot;
			prob_t *tree =
				s->dist_slot[length < LENGTH_MIN + DIST_STATES ? length - LENGTH_MIN
									       : DIST_STATES - 1];

			state = state < LITERAL_STATE_END ? 7 : 10;
			TREE_BIT(tree, index);
			TREE_BIT(tree, index);
			TREE_BIT(tree, index);
			TREE_BIT(tree, index);
			TREE_BIT(tree, index);
			TREE_BIT(tree, index);
			slot = index - 64;
			rep0 = slot;
			if (slot >= DIST_SLOT_FIRST) {
				u32 bits = (slot >> 1) - 1, bit = 1;

				rep0 = (2 | (slot & 1)) << bits;
				index = 1;
				if (slot < DIST_SLOT_MODEL) {
					tree = s->dist_special + rep0 - slot;
					do {
						REVERSE_BIT(tree, index, rep0, bit);
						bit += bit;
					} while (--bits);
				} else {
					u32 direct = 0;

					for (bits -= ALIGN_BITS; bits; bits--) {
						NORMALISE();
						range >>= 1;
						direct += direct;
						if (code >= range) {
							code -= range;
							direct++;
						}
					}
					rep0 += direct << ALIGN_BITS;
					tree = s->dist_align;
					REVERSE_BIT(tree, index, rep0, 1);
					REVERSE_BIT(tree, index, rep0, 2);
					REVERSE_BIT(tree, index, rep0, 4);
					REVERSE_BIT(tree, index, rep0, 8);
				}
			}
		}
		if (rep0 >= position || length > (size_t)(c->out_end - out)) {
			return false;
		}
		copy_match(out, rep0 + 1, length, c->out_limit);
		out += length;
		continue;

	short_rep:
		if (rep0 >= position) {
			return false;
		}
		*out = *(out - rep0 - 1);
		out++;
		state = state < LITERAL_STATE_END ? 9 : 11;
		continue;

	literal : {
		u32 previous = position ? out[-1] : 0, symbol = 1;
		prob_t *tree =
			s->literal + LITERAL_SIZE * (((position & s->literal_pos_mask) << s->lc) +
						     (previous >> (8 - s->lc)));

		if (state < LITERAL_STATE_END) {
			TREE_BIT(tree, symbol);
			TREE_BIT(tree, symbol);
			TREE_BIT(tree, symbol);
			TREE_BIT(tree, symbol);
			TREE_BIT(tree, symbol);
			TREE_BIT(tree, symbol);
			TREE_BIT(tree, symbol);
			TREE_BIT(tree, symbol);
			state = state < 4 ? 0 : state - 3;
		} else {
			u32 match;

			if (rep0 >= position) {
				return false;
			}
			/*
			 * The bits have models of their own as long as they are those of the byte
			 * that a match would have copied, which is seldom long.
			 */
			match = *(out - rep0 - 1);
			do {
				match += match;
				if (match & 0x100) {
					DECODE_BIT(&tree[0x200 + symbol], (symbol += symbol);
						   goto rest_of_literal, symbol += symbol + 1);
				} else {
					DECODE_BIT(&tree[0x100 + symbol], symbol += symbol,
						   (symbol += symbol + 1);
						   goto rest_of_literal);
				}
			} while (symbol < 0x100);
		rest_of_literal:
			while (symbol < 0x100) {
				TREE_BIT(tree, symbol);
			}
			state = state < 10 ? state - 3 : state - 6;
		}
		*out++ = (u8)symbol;
	}
	}

	NORMALISE();
	s->rep[0] = rep0;
	s->state = state;
	return in == c->in_end && code == 0;
}

/* The control byte of a chunk, xz file format 5.3.1. */
enum {
	CONTROL_END = 0x00,
	CONTROL_PLAIN_RESET_DICTIONARY = 0x01,
	CONTROL_PLAIN = 0x02,
	CONTROL_LZMA =
		0x80, /* from here on: bits 5-6 say what is reset, 0-4 are part of the size */
};

int decompress_lzma2(struct decompress_job *job, size_t *position)
{
	struct lzma *s = job->scratch;
	size_t at = *position, in_size, out_size;
	const u8 *history = NULL;
	bool needs_properties = true, needs_state = true;

	for (;;) {
		size_t left = job->in_size_bytes - at;
		const u8 *p = job->in + at;
		u8 *out = job->out + job->out_size_bytes;
		u8 control;

		if (left < 1) {
			return decompress_fail(job, "the compressed kernel is truncated");
		}
		control = p[0];
		if (control == CONTROL_END) {
			*position = at + 1;
			return 0;
		}
		if (left < 6) {
			return decompress_fail(job, "the compressed kernel is truncated");
		}
		if (control >= 0xe0 || control == CONTROL_PLAIN_RESET_DICTIONARY) {
			history = out;
			needs_properties = true;
		} else if (!history || (control < CONTROL_LZMA && control > CONTROL_PLAIN)) {
			return decompress_fail(job, "the compressed kernel is corrupt");
		}

		if (control < CONTROL_LZMA) {
			in_size = out_size = (size_t)(p[1] << 8 | p[2]) + 1;
			at += 3;
		} else {
			out_size = (size_t)((control & 0x1f) << 16 | p[1] << 8 | p[2]) + 1;
			in_size = (size_t)(p[3] << 8 | p[4]) + 1;
			at += 5;
			if (control >= 0xc0) {
				if (!set_properties(s, p[5])) {
					return decompress_fail(job,
							       "the compressed kernel is corrupt");
				}
				needs_properties = needs_state = false;
				at++;
				reset_state(s);
			} else if (needs_properties) {
				return decompress_fail(job, "the compressed kernel is corrupt");
			} else if (control >= 0xa0) {
				reset_state(s);
				needs_state = false;
			} else if (needs_state) {
				return decompress_fail(job, "the compressed kernel is corrupt");
			}
		}
		if (in_size > job->in_size_bytes - at) {
			return decompress_fail(job, "the compressed kernel is truncated");
		}
		if (out_size > job->out_capacity_bytes - job->out_size_bytes) {
			return decompress_fail(job, "the kernel is larger than it says");
		}

		if (control < CONTROL_LZMA) {
			memcpy(out, job->in + at, in_size);
			needs_state = true;
		} else {
			struct chunk c = {
				.in = job->in + at,
				.out = out,
				.out_end = out + out_size,
				.out_limit = job->out + job->out_capacity_bytes,
				.history = history,
			};

			if (in_size < 5) {
				return decompress_fail(job, "the compressed kernel is corrupt");
			}
			if (job->in_size_bytes - at - in_size < SYMBOL_BYTES_MAX) {
				memcpy(s->tail, c.in, in_size);
				memset(s->tail + in_size, 0, SYMBOL_BYTES_MAX);
				c.in = s->tail;
			}
			c.in_end = c.in + in_size;
			if (!decode_chunk(s, &c)) {
				return decompress_fail(job, "the compressed kernel is corrupt");
			}
		}
		at += in_size;
		job->out_size_bytes += out_size;
	}
}
