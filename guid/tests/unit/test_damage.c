/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/damage.h"

#include "base/test.h"

static const struct rect all = {0, 0, 1000, 1000};

static bool covers(const struct damage *d, int32_t x, int32_t y)
{
	uint32_t i;

	for (i = 0; i < d->count; i++) {
		if (rect_contains(d->rects[i], (struct rect){x, y, 1, 1})) {
			return true;
		}
	}
	return false;
}

TEST(damage, intersection_of_extremes_does_not_overflow)
{
	struct rect a = {INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX};
	struct rect b = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};
	struct rect r = rect_intersect(a, b);

	EXPECT(rect_is_empty(&r));
	r = rect_intersect(b, b);
	EXPECT_EQ(r.width, INT32_MAX);
	r = rect_intersect(all, (struct rect){-5, -5, 10, 10});
	EXPECT_EQ(r.x, 0);
	EXPECT_EQ(r.width, 5);
}

TEST(damage, union_covers_both)
{
	struct rect r = rect_union((struct rect){0, 0, 1, 1}, (struct rect){9, 9, 1, 1});

	EXPECT_EQ(r.width, 10);
	r = rect_union((struct rect){0, 0, 0, 0}, (struct rect){9, 9, 1, 1});
	EXPECT_EQ(r.x, 9);
	r = rect_union((struct rect){9, 9, 1, 1}, (struct rect){0, 0, 0, 5});
	EXPECT_EQ(r.x, 9);
}

TEST(damage, what_lies_outside_is_dropped)
{
	struct damage d = {.count = 0};

	damage_add(&d, (struct rect){1000, 0, 5, 5}, all);
	damage_add(&d, (struct rect){0, 0, -5, 5}, all);
	damage_add(&d, (struct rect){-5, -5, 5, 5}, all);
	EXPECT(damage_is_empty(&d));
}

TEST(damage, contained_rectangles_are_not_kept_twice)
{
	struct damage d = {.count = 0};

	damage_add(&d, (struct rect){10, 10, 5, 5}, all);
	damage_add(&d, (struct rect){11, 11, 2, 2}, all);
	EXPECT_EQ(d.count, 1);
	damage_add(&d, (struct rect){20, 10, 5, 5}, all);
	EXPECT_EQ(d.count, 2);
	damage_add(&d, (struct rect){0, 0, 100, 100}, all);
	EXPECT_EQ(d.count, 1);
}

TEST(damage, everything_added_stays_covered)
{
	struct damage d = {.count = 0};
	uint32_t seed = 1, i;
	struct rect added[500];

	for (i = 0; i < 500; i++) {
		seed = seed * 1664525 + 1013904223;
		added[i] = (struct rect){(int32_t)(seed >> 8) % 900, (int32_t)(seed >> 16) % 900,
					 1 + (int32_t)(seed >> 28), 1 + (int32_t)(seed >> 27)};
		damage_add(&d, added[i], all);
		EXPECT(d.count <= DAMAGE_RECTS_MAX);
	}
	for (i = 0; i < 500; i++) {
		EXPECT(covers(&d, added[i].x, added[i].y));
		EXPECT(covers(&d, added[i].x + added[i].width - 1,
			      added[i].y + added[i].height - 1));
	}
}

TEST_MAIN()
