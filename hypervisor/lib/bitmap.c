// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/bitmap.h"

#include "hv/compiler.h"

static u64 word_of(const u64 *map, unsigned long index)
{
	return load_relaxed(&map[index]);
}

/* flip is 0 to look for ones, all ones to look for zeroes. */
static unsigned long find(const u64 *map, unsigned long bits, unsigned long from, u64 flip)
{
	unsigned long index, found;
	u64 word;

	if (from >= bits) {
		return bits;
	}
	index = from / 64;
	word = (word_of(map, index) ^ flip) & ~0ull << (from % 64);
	while (!word) {
		index++;
		if (index >= BITMAP_WORDS(bits)) {
			return bits;
		}
		word = word_of(map, index) ^ flip;
	}
	found = index * 64 + (unsigned long)__builtin_ctzll(word);
	return MIN(found, bits);
}

unsigned long bitmap_find_set(const u64 *map, unsigned long bits, unsigned long from)
{
	return find(map, bits, from, 0);
}

unsigned long bitmap_find_clear(const u64 *map, unsigned long bits, unsigned long from)
{
	return find(map, bits, from, ~0ull);
}

static unsigned int count_word(u64 x)
{
	/* Without a call into the compiler's library: the sum of ever wider fields. */
	x -= x >> 1 & 0x5555555555555555ull;
	x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (unsigned int)(x * 0x0101010101010101ull >> 56);
}

unsigned long bitmap_count(const u64 *map, unsigned long bits)
{
	unsigned long i, count = 0;

	for (i = 0; i < bits / 64; i++) {
		count += count_word(word_of(map, i));
	}
	if (bits % 64) {
		count += count_word(word_of(map, i) & ((1ull << bits % 64) - 1));
	}
	return count;
}

/* Bits first..last of one word, 0 <= first <= last <= 63. */
static u64 word_mask(unsigned long first, unsigned long last)
{
	return ~0ull << first & ~0ull >> (63 - last);
}

void bitmap_set_range(u64 *map, unsigned long first, unsigned long count)
{
	unsigned long last, end = first + count;

	while (first < end) {
		last = MIN(first | 63, end - 1);
		map[first / 64] |= word_mask(first % 64, last % 64);
		first = last + 1;
	}
}

void bitmap_clear_range(u64 *map, unsigned long first, unsigned long count)
{
	unsigned long last, end = first + count;

	while (first < end) {
		last = MIN(first | 63, end - 1);
		map[first / 64] &= ~word_mask(first % 64, last % 64);
		first = last + 1;
	}
}
