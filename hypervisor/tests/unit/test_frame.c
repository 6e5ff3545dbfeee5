// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frame table, buddy allocator and frame allocator.
 */
#include <stdlib.h>

#include "arch/unit/unit.h"
#include "base/test.h"
#include "mm/buddy.h"
#include "mm/frame_alloc.h"
#include "mm/window.h"

static struct frame *released;

static void release(struct frame *f)
{
	released = f;
	frame_free_owned(f);
}

static void set_up(void)
{
	unit_reset(1);
	frame_set_release(release);
	released = NULL;
}

TEST(frame, the_arena_is_ram_and_nothing_else)
{
	set_up();
	EXPECT(!frame_of(mfn_of(UNIT_FRAME_FIRST - 1)));
	EXPECT(frame_of(mfn_of(UNIT_FRAME_FIRST)));
	EXPECT(frame_of(mfn_of(UNIT_FRAME_FIRST + UNIT_FRAME_COUNT - 1)));
	EXPECT(!frame_of(mfn_of(UNIT_FRAME_FIRST + UNIT_FRAME_COUNT)));
	EXPECT(!frame_of(MFN_INVALID));
	EXPECT_EQ(frame_free_count(), UNIT_FRAME_COUNT);
	EXPECT_EQ(frame_total_count(), UNIT_FRAME_COUNT);
}

TEST(frame, last_put_gives_it_back)
{
	struct frame *f;

	set_up();
	f = frame_alloc_owned(7, 0, FRAME_ANYWHERE, true);
	EXPECT(f);
	EXPECT_EQ(frame_free_count(), UNIT_FRAME_COUNT - 1);
	EXPECT(frame_get_owned(f, 7));
	frame_put(f);
	EXPECT(!released);
	frame_put(f);
	EXPECT(released == f);
	EXPECT_EQ(frame_free_count(), UNIT_FRAME_COUNT);
}

TEST(frame, only_its_owner_gets_it)
{
	struct frame *f;

	set_up();
	f = frame_alloc_owned(7, 0, FRAME_ANYWHERE, true);
	EXPECT(!frame_get_owned(f, 8));
	EXPECT_EQ(f->count, 1);
	frame_put(f);
	EXPECT(!frame_get_owned(f, 7)); /* free */
}

TEST(frame, a_heap_frame_is_nobodys)
{
	struct frame *f;

	set_up();
	f = frame_alloc_raw(0, FRAME_ANYWHERE);
	EXPECT(!frame_get_owned(f, 0));
	frame_free_raw(f, 0);
}

TEST(frame, a_saturated_count_never_frees)
{
	struct frame *f;

	set_up();
	f = frame_alloc_owned(7, 0, FRAME_ANYWHERE, true);
	f->count = FRAME_COUNT_SATURATED - 1;
	frame_get_more(f);
	frame_get_more(f);
	EXPECT(f->count >= FRAME_COUNT_SATURATED);
	frame_put(f);
	frame_put(f);
	EXPECT(f->count >= FRAME_COUNT_SATURATED);
	EXPECT(!released);
}

TEST(frame, put_without_reference_panics)
{
	struct frame *f;

	set_up();
	f = frame_alloc_owned(7, 0, FRAME_ANYWHERE, true);
	frame_put(f);
	EXPECT(UNIT_PANICS(frame_put(f)));
}

TEST(frame, what_one_domain_wrote_the_next_does_not_see)
{
	struct frame *f;
	unsigned int i, seen = 0;
	u64 total = UNIT_FRAME_COUNT;

	set_up();
	f = frame_alloc_owned(7, 3, FRAME_ANYWHERE, true);
	for (i = 0; i < 8; i++) {
		memset(unit_frame_bytes(frame_mfn(f + i)), 0x5a, PAGE_SIZE);
	}
	for (i = 0; i < 8; i++) {
		frame_put(f + i);
	}
	while ((f = frame_alloc_owned(8, 0, FRAME_ANYWHERE, true))) {
		const u64 *words = unit_frame_bytes(frame_mfn(f));

		for (i = 0; i < PAGE_SIZE / 8; i++) {
			seen += words[i] != 0;
		}
		total--;
	}
	EXPECT_EQ(total, 0);
	EXPECT_EQ(seen, 0);
	EXPECT(window_is_idle());
}

TEST(buddy, blocks_are_aligned_and_join_again)
{
	struct frame *f[200];
	unsigned int order[200], i, n, step;

	set_up();
	srand(3);
	for (n = 0; n < 200; n++) {
		f[n] = NULL;
	}
	for (step = 0; step < 20000; step++) {
		i = (unsigned int)rand() % 200;
		if (f[i]) {
			frame_free_raw(f[i], order[i]);
			f[i] = NULL;
			continue;
		}
		order[i] = (unsigned int)rand() % 8;
		f[i] = frame_alloc_raw(order[i], FRAME_ANYWHERE);
		if (f[i]) {
			EXPECT_EQ(mfn_raw(frame_mfn(f[i])) & ((1u << order[i]) - 1), 0);
			for (n = 0; n < 1u << order[i]; n++) {
				EXPECT_EQ(f[i][n].state, FRAME_HEAP);
				EXPECT_EQ(f[i][n].owner, 0);
				f[i][n].owner = 1; /* nobody else may have it */
			}
			for (n = 0; n < 1u << order[i]; n++) {
				f[i][n].owner = 0;
			}
		}
	}
	for (i = 0; i < 200; i++) {
		if (f[i]) {
			frame_free_raw(f[i], order[i]);
		}
	}
	EXPECT_EQ(frame_free_count(), UNIT_FRAME_COUNT);
	/* All joined: the arena is one block of order 13 minus nothing (it is 0x2000 frames at 0x1000). */
	EXPECT(frame_alloc_raw(12, FRAME_ANYWHERE));
	EXPECT(frame_alloc_raw(12, FRAME_ANYWHERE));
	EXPECT_EQ(frame_free_count(), 0);
	EXPECT(!frame_alloc_raw(0, FRAME_ANYWHERE));
}

TEST(buddy, an_order_too_large_is_refused)
{
	set_up();
	EXPECT(!frame_alloc_raw(FRAME_ORDER_MAX + 1, FRAME_ANYWHERE));
	EXPECT(!frame_alloc_raw(14, FRAME_ANYWHERE));
}

TEST(window, maps_what_it_says_and_is_gone_afterwards)
{
	struct frame *f;
	char *p;

	set_up();
	f = frame_alloc_raw(1, FRAME_ANYWHERE);
	p = window_map(frame_mfn(f));
	p[5] = 'x';
	EXPECT_EQ(((char *)unit_frame_bytes(frame_mfn(f)))[5], 'x');
	EXPECT(!window_is_idle());
	window_copy(frame_mfn(f + 1), frame_mfn(f));
	EXPECT_EQ(((char *)unit_frame_bytes(frame_mfn(f + 1)))[5], 'x');
	window_unmap(p + 5);
	EXPECT(window_is_idle());
	EXPECT(UNIT_PANICS(window_unmap(p)));
	window_zero(frame_mfn(f));
	EXPECT_EQ(((char *)unit_frame_bytes(frame_mfn(f)))[5], 0);
}

TEST(window, there_are_as_many_as_promised)
{
	void *p[WINDOW_SLOTS];
	struct frame *f;
	unsigned int i;

	set_up();
	f = frame_alloc_raw(0, FRAME_ANYWHERE);
	for (i = 0; i < WINDOW_SLOTS; i++) {
		p[i] = window_map(frame_mfn(f));
	}
	EXPECT(UNIT_PANICS(window_map(frame_mfn(f))));
	for (i = 0; i < WINDOW_SLOTS; i++) {
		window_unmap(p[i]);
	}
	EXPECT(window_is_idle());
}

TEST_MAIN()
