// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mm/heap.h for the tests of everything else: objects are the C library's, so that the sanitizers
 * know each one; pages are frames of the arena, so that they have frame table entries.
 */
#include "mm/heap.h"

#include <stdlib.h>
#include <string.h>

#include "arch/contract/host.h"
#include "arch/unit/unit.h"
#include "mm/frame_alloc.h"

unsigned long unit_heap_in_use(void)
{
	return unit_objects;
}

void *heap_alloc(size_t size_bytes)
{
	if (unit_must_fail()) {
		return NULL;
	}
	unit_objects++;
	return calloc(1, size_bytes ? size_bytes : 1);
}

void *heap_alloc_array(size_t count, size_t size_bytes)
{
	size_t total;

	return __builtin_mul_overflow(count, size_bytes, &total) ? NULL : heap_alloc(total);
}

void heap_free(void *p)
{
	if (unit_is_arena(p)) {
		heap_free_pages(p, frame_of(arch_heap_mfn(p))->order);
		return;
	}
	unit_objects -= p != NULL;
	free(p);
}

void *heap_alloc_pages(unsigned int order)
{
	struct frame *f = frame_alloc_raw(order, FRAME_ANYWHERE);
	void *p;

	if (!f) {
		return NULL;
	}
	unit_objects++;
	f->order = (u8)order;
	p = arch_heap_address(frame_mfn(f));
	memset(p, 0, PAGE_SIZE << order);
	return p;
}

void heap_free_pages(void *p, unsigned int order)
{
	struct frame *f;

	if (!p) {
		return;
	}
	f = frame_of(arch_heap_mfn(p));
	CHECK(f && (f->state == FRAME_HEAP || f->state == FRAME_SHARED) && f->order == order);
	unit_objects--;
	frame_free_raw(f, order);
}

mfn_t heap_to_mfn(const void *p)
{
	return arch_heap_mfn(p);
}

void *heap_from_mfn(mfn_t mfn)
{
	struct frame *f = frame_of(mfn);

	return f && (f->state == FRAME_HEAP || f->state == FRAME_SHARED) ? arch_heap_address(mfn) : NULL;
}
