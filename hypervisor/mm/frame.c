// SPDX-License-Identifier: GPL-2.0-or-later
#include "mm/frame.h"

#include "lib/bitmap.h"

#include <asm/frame_table.h>

/* RAM up to 16 TiB: one bit for each 2 MiB of the table (512 MiB of RAM). */
#define CHUNK_MAX 32768u
static RO_AFTER_INIT u64 chunks[BITMAP_WORDS(CHUNK_MAX)];
static RO_AFTER_INIT u64 frame_end;
static RO_AFTER_INIT void (*release_frame)(struct frame *f);

void frame_table_setup(hpa_t ram_end)
{
	u64 limit = (u64)CHUNK_MAX * FRAMES_PER_CHUNK;

	frame_end = MIN(hpa_raw(ram_end) >> PAGE_SHIFT, limit);
}

bool frame_table_has_chunk(mfn_t first)
{
	return bitmap_test(chunks, mfn_raw(first) / FRAMES_PER_CHUNK);
}

void frame_table_add_chunk(mfn_t first)
{
	bitmap_set(chunks, mfn_raw(first) / FRAMES_PER_CHUNK);
}

void frame_set_release(void (*release)(struct frame *f))
{
	release_frame = release;
}

struct frame *frame_of(mfn_t mfn)
{
	struct frame *f;

	if (unlikely(mfn_raw(mfn) >= frame_end || !frame_table_has_chunk(mfn))) {
		return NULL;
	}
	f = &FRAME_TABLE[mfn_raw(mfn)];
	return f->state == FRAME_NONE ? NULL : f;
}

mfn_t frame_mfn(const struct frame *f)
{
	return mfn_of((u64)(f - FRAME_TABLE));
}

/*
 * The count says whether the frame lives; owner and state are looked at after a reference was
 * taken, because only that keeps them from changing.
 */
bool frame_get_owned(struct frame *f, u16 owner)
{
	u32 old = load_relaxed(&f->count);

	if (load_acquire(&f->state) != FRAME_DOMAIN && load_relaxed(&f->state) != FRAME_SHARED) {
		return false;
	}
	do {
		if (old == 0) {
			return false;
		}
		if (old >= FRAME_COUNT_SATURATED) {
			break;
		}
	} while (!__atomic_compare_exchange_n(&f->count, &old, old + 1, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	if (likely(load_relaxed(&f->owner) == owner && (load_relaxed(&f->state) == FRAME_DOMAIN ||
							load_relaxed(&f->state) == FRAME_SHARED))) {
		return true;
	}
	frame_put(f);
	return false;
}

void frame_get_more(struct frame *f)
{
	u32 old = __atomic_fetch_add(&f->count, 1, __ATOMIC_RELAXED);

	CHECK(old != 0);
	if (unlikely(old >= FRAME_COUNT_SATURATED - 1)) {
		store_relaxed(&f->count, FRAME_COUNT_SATURATED);
	}
}

void frame_put(struct frame *f)
{
	u32 old = load_relaxed(&f->count);

	do {
		CHECK(old != 0);
		if (old >= FRAME_COUNT_SATURATED) {
			return; /* counted too far: it is never freed, which is safe */
		}
	} while (!__atomic_compare_exchange_n(&f->count, &old, old - 1, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	if (old == 1) {
		release_frame(f);
	}
}
