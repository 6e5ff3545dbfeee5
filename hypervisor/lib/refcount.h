/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saturating reference counts. At REFCOUNT_SATURATED a count sticks and the object
 * is never freed: a leak, which is safe, instead of a use after free. Any context.
 */
#pragma once

#include "hv/error.h"
#include "hv/types.h"

#define REFCOUNT_SATURATED 0x80000000u

typedef struct {
	u32 v;
} refcount_t;

static inline void refcount_set(refcount_t *r, u32 n)
{
	__atomic_store_n(&r->v, n, __ATOMIC_RELAXED);
}
static inline u32 refcount_read(const refcount_t *r)
{
	return __atomic_load_n(&r->v, __ATOMIC_RELAXED);
}
/* The caller holds a reference already. */
static inline void refcount_get(refcount_t *r)
{
	u32 old = __atomic_fetch_add(&r->v, 1, __ATOMIC_RELAXED);

	if (unlikely(old >= REFCOUNT_SATURATED - 1)) {
		__atomic_store_n(&r->v, REFCOUNT_SATURATED, __ATOMIC_RELAXED);
	}
	CHECK(old != 0);
}
/* Takes a reference unless the count is zero (the object is going away). */
static inline MUST_CHECK bool refcount_get_unless_zero(refcount_t *r)
{
	u32 old = __atomic_load_n(&r->v, __ATOMIC_RELAXED);

	do {
		if (old == 0) {
			return false;
		}
		if (old >= REFCOUNT_SATURATED) {
			return true;
		}
	} while (!__atomic_compare_exchange_n(&r->v, &old, old + 1, false, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return true;
}
/* True when this was the last one: the caller now owns the object alone. */
static inline MUST_CHECK bool refcount_put(refcount_t *r)
{
	u32 old = __atomic_load_n(&r->v, __ATOMIC_RELAXED);

	do {
		CHECK(old != 0);
		if (old >= REFCOUNT_SATURATED) {
			return false;
		}
	} while (!__atomic_compare_exchange_n(&r->v, &old, old - 1, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return old == 1;
}
