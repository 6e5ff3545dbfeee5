// SPDX-License-Identifier: GPL-2.0-or-later
#include "mm/heap.h"

#include "arch/contract/host.h"
#include "base/checked.h"
#include "core/spinlock.h"
#include "hv/error.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/frame_alloc.h"

/*
 * Pages come from a buddy allocator of the heap's own, which is fed with 2 MiB chunks that are
 * mapped while they are here. Small objects are cut from pages: a page has objects of one size class.
 *
 * In the frame entry of a heap page, order is the order of an allocation's first page, and
 * count what the page is: 0 whole pages, otherwise objects of size class count - 1.
 */
static const u16 class_sizes[] = {16, 32, 48, 64, 96, 128, 192, 256, 336, 448, 576, 800, 1008, 1344, 2048};
#define CLASS_COUNT ARRAY_SIZE(class_sizes)
#define SMALL_MAX   2048u
#define NOT_FIRST   0xff /* order of an allocation's other pages */

/* A page of objects begins with this. */
struct slab {
	struct slab *next, **link; /* list of the class, pages with room; link NULL: not in it */
	void *free;		   /* chain through the objects' first words */
	u16 in_use, class;
};
#define SLAB_FIRST ROUND_UP(sizeof(struct slab), 16)

static struct spinlock lock = SPINLOCK_INIT(LOCK_HEAP);
static struct buddy pages = {.free_state = FRAME_HEAP_FREE, .order_max = ORDER_2M};
static struct slab *with_room[CLASS_COUNT];
static u64 chunk_frames;

/* --- pages --- */

/* More frames for the buddy; LOCK_HEAP is not held, so two CPUs may both add a chunk. */
static bool grow(void)
{
	struct frame *f = frame_alloc_raw(ORDER_2M, FRAME_ANYWHERE);

	if (!f) {
		return false;
	}
	if (arch_heap_chunk_map(frame_mfn(f))) {
		frame_free_raw(f, ORDER_2M);
		return false;
	}
	heap_add_pages(frame_mfn(f), 1ull << ORDER_2M);
	return true;
}

void heap_add_pages(mfn_t first, u64 count)
{
	u64 i, n;
	unsigned int order;

	spin_lock(&lock);
	chunk_frames += count;
	for (i = 0; i < count; i += n) {
		order = (unsigned int)__builtin_ctzll((mfn_raw(first) + i) | 1ull << ORDER_2M);
		while (1ull << order > count - i) {
			order--;
		}
		n = 1ull << order;
		buddy_give(&pages, mfn_add(first, i), order);
	}
	spin_unlock(&lock);
}

static void *take_pages(unsigned int order)
{
	struct frame *f;
	mfn_t mfn;
	u64 i;

	spin_lock(&lock);
	mfn = buddy_take(&pages, order);
	spin_unlock(&lock);
	if (mfn_equal(mfn, MFN_INVALID)) {
		return NULL;
	}
	f = frame_of(mfn);
	for (i = 0; i < 1ull << order; i++) {
		f[i].count = 0;
		f[i].state = FRAME_HEAP;
		f[i].order = NOT_FIRST;
	}
	f->order = (u8)order;
	return arch_heap_address(mfn);
}

void *heap_alloc_pages(unsigned int order)
{
	void *p;

	if (order > ORDER_2M) {
		return NULL; /* nobody needs it; contiguous memory of that size would not be found later */
	}
	while (!(p = take_pages(order))) {
		if (!grow()) {
			return NULL;
		}
	}
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
	spin_lock(&lock);
	buddy_give(&pages, frame_mfn(f), order);
	spin_unlock(&lock);
}

mfn_t heap_to_mfn(const void *p)
{
	return arch_heap_mfn(p);
}

void *heap_from_mfn(mfn_t mfn)
{
	struct frame *f = frame_of(mfn);

	if (!f || (f->state != FRAME_HEAP && f->state != FRAME_SHARED)) {
		return NULL;
	}
	return arch_heap_address(mfn);
}

u64 heap_page_count(void)
{
	return load_relaxed(&chunk_frames);
}

u64 heap_free_page_count(void)
{
	return load_relaxed(&pages.free_frames);
}

#ifdef HV_UNIT
void heap_forget_all(void)
{
	memset(pages.first, 0, sizeof(pages.first));
	pages.free_frames = 0;
	memset(with_room, 0, sizeof(with_room));
	chunk_frames = 0;
}
#endif

/* --- objects --- */

static unsigned int class_of(size_t size_bytes)
{
	unsigned int class = 0;

	while (class_sizes[class] < size_bytes) {
		class++;
	}
	return class;
}

static void link_slab(struct slab *s)
{
	struct slab **head = &with_room[s->class];

	s->next = *head;
	s->link = head;
	if (s->next) {
		s->next->link = &s->next;
	}
	*head = s;
}

static void unlink_slab(struct slab *s)
{
	*s->link = s->next;
	if (s->next) {
		s->next->link = s->link;
	}
	s->link = NULL;
}

static struct slab *make_slab(unsigned int class)
{
	struct slab *s = heap_alloc_pages(0);
	size_t at, size = class_sizes[class];

	if (!s) {
		return NULL;
	}
	s->class = (u16)class;
	for (at = SLAB_FIRST; at + size <= PAGE_SIZE; at += size) {
		*(void **)((char *)s + at) = s->free;
		s->free = (char *)s + at;
	}
	frame_of(arch_heap_mfn(s))->count = class + 1;
	return s;
}

static void *take_object_locked(unsigned int class)
{
	struct slab *s = with_room[class];
	void *object;

	if (!s) {
		return NULL;
	}
	object = s->free;
	s->free = *(void **)object;
	s->in_use++;
	if (!s->free) {
		unlink_slab(s);
	}
	return object;
}

static void *alloc_small(unsigned int class)
{
	struct slab *fresh;
	void *object;

	spin_lock(&lock);
	object = take_object_locked(class);
	spin_unlock(&lock);
	if (object) {
		return object;
	}
	fresh = make_slab(class);
	if (!fresh) {
		return NULL;
	}
	spin_lock(&lock);
	link_slab(fresh);
	object = take_object_locked(class);
	spin_unlock(&lock);
	return object;
}

static void free_small(struct slab *s, void *object)
{
	bool is_empty;

	spin_lock(&lock);
	if (!s->free) {
		link_slab(s);
	}
	*(void **)object = s->free;
	s->free = object;
	s->in_use--;
	/* The last page of a class stays, or a loop of one allocation would map and unmap it. */
	is_empty = !s->in_use && (s->next || with_room[s->class] != s);
	if (is_empty) {
		unlink_slab(s);
	}
	spin_unlock(&lock);
	if (is_empty) {
		heap_free_pages(s, 0);
	}
}

void *heap_alloc(size_t size_bytes)
{
	unsigned int order = 0;
	void *p;

	if (size_bytes <= SMALL_MAX) {
		p = alloc_small(class_of(size_bytes));
		if (p) {
			memset(p, 0, size_bytes);
		}
		return p;
	}
	while (order <= ORDER_2M && PAGE_SIZE << order < size_bytes) {
		order++;
	}
	return heap_alloc_pages(order);
}

void *heap_alloc_array(size_t count, size_t size_bytes)
{
	size_t total;

	return checked_mul_size(count, size_bytes, &total) ? heap_alloc(total) : NULL;
}

void heap_free(void *p)
{
	struct frame *f;

	if (!p) {
		return;
	}
	f = frame_of(arch_heap_mfn(p));
	CHECK(f && f->state == FRAME_HEAP);
	if (!f->count) {
		CHECK(!page_offset((u64)p));
		heap_free_pages(p, f->order);
		return;
	}
	free_small((struct slab *)((u64)p & PAGE_MASK), p);
}
