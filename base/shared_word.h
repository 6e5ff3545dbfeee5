/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words that another party may change at any moment.
 *
 * The value is in a struct, so it cannot be read twice by accident: each read is
 * a call, and its result is a private copy. Any context; no locks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DEFINE_SHARED(bits)                                                                        \
	typedef struct {                                                                           \
		uint##bits##_t do_not_read;                                                        \
	} shared_u##bits;                                                                          \
	static inline uint##bits##_t shared_load_u##bits(const shared_u##bits *p)                  \
	{                                                                                          \
		return __atomic_load_n(&p->do_not_read, __ATOMIC_RELAXED);                         \
	}                                                                                          \
	static inline uint##bits##_t shared_load_acquire_u##bits(const shared_u##bits *p)          \
	{                                                                                          \
		return __atomic_load_n(&p->do_not_read, __ATOMIC_ACQUIRE);                         \
	}                                                                                          \
	static inline void shared_store_u##bits(shared_u##bits *p, uint##bits##_t x)               \
	{                                                                                          \
		__atomic_store_n(&p->do_not_read, x, __ATOMIC_RELAXED);                            \
	}                                                                                          \
	static inline void shared_store_release_u##bits(shared_u##bits *p, uint##bits##_t x)       \
	{                                                                                          \
		__atomic_store_n(&p->do_not_read, x, __ATOMIC_RELEASE);                            \
	}                                                                                          \
	static inline uint##bits##_t shared_fetch_or_u##bits(shared_u##bits *p, uint##bits##_t x)  \
	{                                                                                          \
		return __atomic_fetch_or(&p->do_not_read, x, __ATOMIC_ACQ_REL);                    \
	}                                                                                          \
	static inline uint##bits##_t shared_fetch_and_u##bits(shared_u##bits *p, uint##bits##_t x) \
	{                                                                                          \
		return __atomic_fetch_and(&p->do_not_read, x, __ATOMIC_ACQ_REL);                   \
	}                                                                                          \
	/* Stores desired when the word still is *expected; otherwise tells what it is. */         \
	static inline bool shared_cas_u##bits(shared_u##bits *p, uint##bits##_t *expected,         \
					      uint##bits##_t desired)                              \
	{                                                                                          \
		return __atomic_compare_exchange_n(&p->do_not_read, expected, desired, false,      \
						   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);            \
	}

DEFINE_SHARED(8)
DEFINE_SHARED(16)
DEFINE_SHARED(32)
DEFINE_SHARED(64)
