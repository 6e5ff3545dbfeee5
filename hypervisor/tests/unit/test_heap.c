// SPDX-License-Identifier: GPL-2.0-or-later
#include "mm/heap.h"

#include <stdlib.h>

#include "arch/unit/unit.h"
#include "base/test.h"
#include "mm/frame_alloc.h"

static void set_up(void)
{
	unit_reset(1);
	heap_forget_all();
}

TEST(heap, objects_are_zeroed_aligned_and_apart)
{
	static struct {
		unsigned char *p;
		size_t size;
	} o[500];
	unsigned int step, i;
	size_t k;

	set_up();
	srand(5);
	memset(o, 0, sizeof(o));
	for (step = 0; step < 30000; step++) {
		i = (unsigned int)rand() % 500;
		if (o[i].p) {
			for (k = 0; k < o[i].size; k++) {
				EXPECT_EQ(o[i].p[k], i & 0xff);
			}
			heap_free(o[i].p);
			o[i].p = NULL;
			continue;
		}
		o[i].size = (size_t)rand() % (step % 50 ? 600 : 9000);
		o[i].p = heap_alloc(o[i].size);
		EXPECT(o[i].p);
		EXPECT_EQ((unsigned long)o[i].p % 16, 0);
		for (k = 0; k < o[i].size; k++) {
			EXPECT_EQ(o[i].p[k], 0);
		}
		memset(o[i].p, (int)(i & 0xff), o[i].size);
	}
	for (i = 0; i < 500; i++) {
		heap_free(o[i].p);
	}
	/* At most one empty page a class stays. */
	EXPECT(heap_page_count() - heap_free_page_count() <= 20);
}

TEST(heap, null_and_overflow_are_harmless)
{
	set_up();
	heap_free(NULL);
	heap_free_pages(NULL, 3);
	EXPECT(!heap_alloc_array(SIZE_MAX / 2, 3));
	EXPECT(!heap_alloc(SIZE_MAX));
}

TEST(heap, pages_are_contiguous_and_known_by_frame)
{
	char *p;

	set_up();
	p = heap_alloc_pages(4);
	EXPECT(p);
	EXPECT_EQ(mfn_raw(heap_to_mfn(p + PAGE_SIZE)), mfn_raw(heap_to_mfn(p)) + 1);
	EXPECT(heap_from_mfn(heap_to_mfn(p)) == p);
	heap_free_pages(p, 4);
	EXPECT(!heap_from_mfn(mfn_of(UNIT_FRAME_FIRST + 1)));
}

TEST(heap, wrong_order_at_free_panics)
{
	void *p;

	set_up();
	p = heap_alloc_pages(2);
	EXPECT(UNIT_PANICS(heap_free_pages(p, 1)));
	EXPECT(UNIT_PANICS(heap_free_pages((char *)p + PAGE_SIZE, 0)));
}

TEST(heap, each_failing_allocation_leaves_it_whole)
{
	unsigned int nth;
	void *a, *b;

	for (nth = 1;; nth++) {
		set_up();
		unit_fail_allocation(nth);
		a = heap_alloc(100);
		b = heap_alloc_pages(9);
		if (!unit_has_failed()) {
			break;
		}
		unit_fail_allocation(0);
		heap_free(a);
		heap_free_pages(b, 9);
		EXPECT(frame_free_count() + heap_page_count() == UNIT_FRAME_COUNT);
		EXPECT(heap_alloc(100));
	}
	EXPECT(nth > 3);
}

TEST(heap, uses_up_all_memory_and_says_so)
{
	void *p, *last = NULL;
	unsigned long n = 0;

	set_up();
	while ((p = heap_alloc_pages(0))) {
		*(void **)p = last;
		last = p;
		n++;
	}
	EXPECT(n > UNIT_FRAME_COUNT * 9 / 10);
	for (; last; last = p) {
		p = *(void **)last;
		heap_free_pages(last, 0);
	}
	EXPECT_EQ(heap_page_count(), heap_free_page_count());
}

TEST_MAIN()
