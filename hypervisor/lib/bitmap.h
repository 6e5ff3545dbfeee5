/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bitmaps of u64 words, and single-bit atomics. Plain functions need the owner's lock;
 * the atomic_ ones do not. Any context.
 */
#pragma once

#include "hv/types.h"

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

static inline bool bitmap_test(const u64 *map, unsigned long bit)
{
	return __atomic_load_n(&map[bit / 64], __ATOMIC_RELAXED) >> (bit % 64) & 1;
}
static inline void bitmap_set(u64 *map, unsigned long bit)
{
	map[bit / 64] |= 1ull << (bit % 64);
}
static inline void bitmap_clear(u64 *map, unsigned long bit)
{
	map[bit / 64] &= ~(1ull << (bit % 64));
}
/* Sets the bit; returns what it was. Full barrier. */
static inline bool bitmap_atomic_test_and_set(u64 *map, unsigned long bit)
{
	u64 mask = 1ull << (bit % 64);

	return (__atomic_fetch_or(&map[bit / 64], mask, __ATOMIC_SEQ_CST) & mask) != 0;
}
static inline bool bitmap_atomic_test_and_clear(u64 *map, unsigned long bit)
{
	u64 mask = 1ull << (bit % 64);

	return (__atomic_fetch_and(&map[bit / 64], ~mask, __ATOMIC_SEQ_CST) & mask) != 0;
}
/* First bit at or after from that is set (clear), or bits when there is none. */
unsigned long bitmap_find_set(const u64 *map, unsigned long bits, unsigned long from);
unsigned long bitmap_find_clear(const u64 *map, unsigned long bits, unsigned long from);
unsigned long bitmap_count(const u64 *map, unsigned long bits);
void bitmap_set_range(u64 *map, unsigned long first, unsigned long count);
void bitmap_clear_range(u64 *map, unsigned long first, unsigned long count);

/* A set of physical CPUs. */
struct cpu_set {
	u64 words[BITMAP_WORDS(CPU_MAX)];
};
#define for_each_cpu(cpu, set)                                                                     \
	for ((cpu) = (cpu_t)bitmap_find_set((set)->words, CPU_MAX, 0); (cpu) < CPU_MAX;            \
	     (cpu) = (cpu_t)bitmap_find_set((set)->words, CPU_MAX, (cpu) + 1))
