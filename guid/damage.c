/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/damage.h"

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static struct rect rect_of(int64_t left, int64_t top, int64_t right, int64_t bottom)
{
	struct rect r = {0, 0, 0, 0};

	if (right > left && bottom > top && right - left <= INT32_MAX &&
	    bottom - top <= INT32_MAX) {
		r.x = (int32_t)left;
		r.y = (int32_t)top;
		r.width = (int32_t)(right - left);
		r.height = (int32_t)(bottom - top);
	}
	return r;
}

struct rect rect_intersect(struct rect a, struct rect b)
{
	if (rect_is_empty(&a) || rect_is_empty(&b)) {
		return (struct rect){0, 0, 0, 0};
	}
	return rect_of(max64(a.x, b.x), max64(a.y, b.y),
		       min64((int64_t)a.x + a.width, (int64_t)b.x + b.width),
		       min64((int64_t)a.y + a.height, (int64_t)b.y + b.height));
}

struct rect rect_union(struct rect a, struct rect b)
{
	if (rect_is_empty(&a)) {
		return b;
	}
	if (rect_is_empty(&b)) {
		return a;
	}
	return rect_of(min64(a.x, b.x), min64(a.y, b.y),
		       max64((int64_t)a.x + a.width, (int64_t)b.x + b.width),
		       max64((int64_t)a.y + a.height, (int64_t)b.y + b.height));
}

bool rect_contains(struct rect outer, struct rect inner)
{
	struct rect common = rect_intersect(outer, inner);

	return common.x == inner.x && common.y == inner.y && common.width == inner.width &&
	       common.height == inner.height;
}

static int64_t area(struct rect r)
{
	return (int64_t)r.width * r.height;
}

/* Joins r to the rectangle that grows least by it. */
static void join_cheapest(struct damage *d, struct rect r)
{
	uint32_t i, best = 0;
	int64_t best_growth = INT64_MAX;

	for (i = 0; i < d->count; i++) {
		int64_t growth = area(rect_union(d->rects[i], r)) - area(d->rects[i]);

		if (growth < best_growth) {
			best_growth = growth;
			best = i;
		}
	}
	d->rects[best] = rect_union(d->rects[best], r);
}

void damage_add(struct damage *d, struct rect r, struct rect bounds)
{
	uint32_t i;

	r = rect_intersect(r, bounds);
	if (rect_is_empty(&r)) {
		return;
	}
	for (i = 0; i < d->count; i++) {
		if (rect_contains(d->rects[i], r)) {
			return;
		}
	}
	for (i = 0; i < d->count;) {
		if (rect_contains(r, d->rects[i])) {
			d->rects[i] = d->rects[--d->count];
		} else {
			i++;
		}
	}
	if (d->count == DAMAGE_RECTS_MAX) {
		join_cheapest(d, r);
		return;
	}
	d->rects[d->count++] = r;
}
