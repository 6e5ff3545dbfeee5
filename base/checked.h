/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic that reports overflow.
 *
 * Each function stores the result and returns true when it fits; when it does
 * not fit it returns false and leaves *out untouched. Stateless; any context.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEFINE_CHECKED(name, type)                                                                 \
	static inline __attribute__((warn_unused_result)) bool checked_add_##name(type a, type b,  \
										  type *out)       \
	{                                                                                          \
		type r;                                                                            \
		if (__builtin_add_overflow(a, b, &r)) {                                            \
			return false;                                                              \
		}                                                                                  \
		*out = r;                                                                          \
		return true;                                                                       \
	}                                                                                          \
	static inline __attribute__((warn_unused_result)) bool checked_sub_##name(type a, type b,  \
										  type *out)       \
	{                                                                                          \
		type r;                                                                            \
		if (__builtin_sub_overflow(a, b, &r)) {                                            \
			return false;                                                              \
		}                                                                                  \
		*out = r;                                                                          \
		return true;                                                                       \
	}                                                                                          \
	static inline __attribute__((warn_unused_result)) bool checked_mul_##name(type a, type b,  \
										  type *out)       \
	{                                                                                          \
		type r;                                                                            \
		if (__builtin_mul_overflow(a, b, &r)) {                                            \
			return false;                                                              \
		}                                                                                  \
		*out = r;                                                                          \
		return true;                                                                       \
	}

DEFINE_CHECKED(u32, uint32_t)
DEFINE_CHECKED(u64, uint64_t)
DEFINE_CHECKED(size, size_t)

/* True when lo <= x <= hi. */
static inline bool in_range_u64(uint64_t x, uint64_t lo, uint64_t hi)
{
	return x >= lo && x <= hi;
}
