/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The buddy algorithm on frame table entries: free lists of 2^order aligned blocks. Two use
 * it: the allocator of all frames, and the heap inside its chunks. No lock: the owner's.
 */
#pragma once

#include "hv/addr.h"
#include "hv/types.h"
#include "mm/frame.h"

#define BUDDY_ORDERS (ORDER_1G + 1)

struct buddy {
	u8 free_state;		/* enum frame_state of frames in it */
	u8 order_max;		/* blocks are not joined beyond it */
	u64 free_frames;
	u32 first[BUDDY_ORDERS]; /* frame number, 0 none */
};

/* Takes out a block of 2^order, splitting a larger one; MFN_INVALID: none. States are the caller's. */
mfn_t buddy_take(struct buddy *b, unsigned int order);
/* Gives one back (its frames' states become free_state; counts stay), joined with free neighbours. */
void buddy_give(struct buddy *b, mfn_t first, unsigned int order);
/* The same when the frames' entries say free already (all zero, at start). */
void buddy_give_untouched(struct buddy *b, mfn_t first, unsigned int order);
/* Takes this very block, which is free and on the list as a whole. */
void buddy_take_block(struct buddy *b, mfn_t first, unsigned int order);
