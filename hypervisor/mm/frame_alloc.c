// SPDX-License-Identifier: GPL-2.0-or-later
#include "mm/frame_alloc.h"

#include "core/spinlock.h"
#include "hv/error.h"
#include "mm/buddy.h"
#include "mm/window.h"

#define MFN_4G (1ull << (32 - PAGE_SHIFT))

enum { ZONE_LOW, ZONE_HIGH, ZONE_COUNT };

static struct buddy zones[ZONE_COUNT] = {
	{.free_state = FRAME_FREE, .order_max = FRAME_ORDER_MAX},
	{.free_state = FRAME_FREE, .order_max = FRAME_ORDER_MAX},
};
static struct spinlock lock = SPINLOCK_INIT(LOCK_FRAME);
static u64 total_frames;

static struct buddy *zone_of(mfn_t mfn)
{
	return &zones[mfn_raw(mfn) < MFN_4G ? ZONE_LOW : ZONE_HIGH];
}

/* High memory first: what is below 4 GiB is kept for who needs it. */
static mfn_t take(unsigned int order, enum frame_zone zone)
{
	mfn_t mfn = MFN_INVALID;

	if (order > FRAME_ORDER_MAX || unit_must_fail()) {
		return mfn;
	}
	spin_lock(&lock);
	if (zone == FRAME_ANYWHERE) {
		mfn = buddy_take(&zones[ZONE_HIGH], order);
	}
	if (mfn_equal(mfn, MFN_INVALID)) {
		mfn = buddy_take(&zones[ZONE_LOW], order);
	}
	spin_unlock(&lock);
	return mfn;
}

struct frame *frame_alloc_raw(unsigned int order, enum frame_zone zone)
{
	mfn_t mfn = take(order, zone);
	struct frame *f;
	u64 i;

	if (mfn_equal(mfn, MFN_INVALID)) {
		return NULL;
	}
	f = frame_of(mfn);
	for (i = 0; i < 1ull << order; i++) {
		f[i].count = 0;
		f[i].state = FRAME_HEAP;
	}
	return f;
}

static void give(mfn_t mfn, unsigned int order)
{
	spin_lock(&lock);
	buddy_give(zone_of(mfn), mfn, order);
	spin_unlock(&lock);
}

void frame_free_raw(struct frame *f, unsigned int order)
{
	u64 i;

	for (i = 0; i < 1ull << order; i++) {
		f[i].count = 0; /* not clean */
	}
	give(frame_mfn(f), order);
}

struct frame *frame_alloc_owned(u16 owner, unsigned int order, enum frame_zone zone, bool is_zeroed)
{
	mfn_t mfn = take(order, zone);
	struct frame *f;
	u64 i;

	if (mfn_equal(mfn, MFN_INVALID)) {
		return NULL;
	}
	f = frame_of(mfn);
	for (i = 0; i < 1ull << order; i++) {
		if (is_zeroed && f[i].count != FRAME_CLEAN) {
			window_zero(mfn_add(mfn, i));
		}
		f[i].owner = owner;
		f[i].link[0] = 0;
		f[i].link[1] = 0;
		store_relaxed(&f[i].count, 1);
		store_release(&f[i].state, FRAME_DOMAIN); /* pairs with frame_get_owned() */
	}
	return f;
}

void frame_free_owned(struct frame *f)
{
	ASSERT(f->count == 0);
	give(frame_mfn(f), 0);
}

/* The largest aligned block that starts at mfn and has at most count frames. */
static unsigned int block_order(u64 mfn, u64 count)
{
	unsigned int order = 0;

	while (order < FRAME_ORDER_MAX && !(mfn & 1ull << order) && 2ull << order <= count) {
		order++;
	}
	return order;
}

void frame_add_free(mfn_t first, u64 count)
{
	unsigned int order;

	total_frames += count;
	while (count) {
		order = block_order(mfn_raw(first), count);
		spin_lock(&lock);
		/* The table is zeroed, which means free: nothing to do for each frame. */
		buddy_give_untouched(zone_of(first), first, order);
		spin_unlock(&lock);
		first = mfn_add(first, 1ull << order);
		count -= 1ull << order;
	}
}

#ifdef HV_UNIT
void frame_alloc_forget_all(void)
{
	unsigned int i, order;

	for (i = 0; i < ZONE_COUNT; i++) {
		zones[i].free_frames = 0;
		for (order = 0; order < BUDDY_ORDERS; order++) {
			zones[i].first[order] = 0;
		}
	}
	total_frames = 0;
}
#endif

u64 frame_free_count(void)
{
	return load_relaxed(&zones[ZONE_LOW].free_frames) + load_relaxed(&zones[ZONE_HIGH].free_frames);
}

u64 frame_total_count(void)
{
	return total_frames;
}
