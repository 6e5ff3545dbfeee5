/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rectangles, and the changed part of a window as a few of them.
 *
 * A damage holds at most DAMAGE_RECTS_MAX rectangles and always covers what was
 * added, so adding costs the same whatever the guest sends. Plain values; no locks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DAMAGE_RECTS_MAX 12

struct rect {
	int32_t x, y;
	int32_t width, height; /* an empty rectangle has one that is <= 0 */
};

struct damage {
	struct rect rects[DAMAGE_RECTS_MAX];
	uint32_t count;
};

static inline bool rect_is_empty(const struct rect *r)
{
	return r->width <= 0 || r->height <= 0;
}

/* The common part; empty when there is none. Computed without overflow. */
struct rect rect_intersect(struct rect a, struct rect b);

/* The smallest rectangle that holds both; an empty one adds nothing. */
struct rect rect_union(struct rect a, struct rect b);

bool rect_contains(struct rect outer, struct rect inner);

/* Adds the part of r that lies inside of bounds. */
void damage_add(struct damage *d, struct rect r, struct rect bounds);

static inline void damage_clear(struct damage *d)
{
	d->count = 0;
}

static inline bool damage_is_empty(const struct damage *d)
{
	return d->count == 0;
}
