/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame table: who owns each 4 KiB frame of RAM and who uses it. 16 bytes a frame.
 *
 * A frame is free, belongs to the hypervisor's heap, or to a domain. A domain's frame has
 * one reference for its place in the owner's p2m and one for each other user (foreign
 * mapping, grant mapping, window that outlives a call). The last frame_put() gives it back.
 * There are no page types, because no guest's page tables are ever trusted.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/error.h"
#include "hv/types.h"

enum frame_state {
	FRAME_FREE,	 /* in the buddy allocator (0: the table is zeroed memory at start) */
	FRAME_NONE,	 /* no RAM, or not ours to use */
	FRAME_HEAP,	 /* the hypervisor's own */
	FRAME_HEAP_FREE, /* in the heap's own buddy allocator */
	FRAME_SHARED,	 /* heap frame that owner may map (shared info, grant table, status) */
	FRAME_DOMAIN,	 /* owner's memory */
	FRAME_DYING,	 /* last reference gone, waits for its flush */
};

struct frame {
	u32 link[2];   /* free block's head: next and previous frame of its list, 0 none;
			  FRAME_DOMAIN: [0] the gfn + 1 in its owner, 0 none; [1] private to p2m */
	u32 count;     /* references, saturating; of a free frame: FRAME_CLEAN or 0 */
	u16 owner;     /* domain id, for FRAME_SHARED and FRAME_DOMAIN */
	u8 state;      /* enum frame_state */
	u8 order;      /* head of a free block: order + 1; heap: see mm/heap.c; otherwise 0 */
};
_Static_assert(sizeof(struct frame) == 16, "the frame table must stay below 0.5 % of RAM");
#define FRAME_CLEAN 1u /* a free frame whose bytes are all zero */

struct domain;

/* NULL when mfn is not RAM. */
struct frame *frame_of(mfn_t mfn);
mfn_t frame_mfn(const struct frame *f);
/* Takes a reference if the frame belongs to d (FRAME_DOMAIN or FRAME_SHARED) and is alive. */
MUST_CHECK bool frame_get(struct frame *f, const struct domain *d);
MUST_CHECK bool frame_get_owned(struct frame *f, u16 owner); /* the same, by domain id */
#define FRAME_COUNT_SATURATED 0x80000000u
/* Another reference for someone who has one. */
void frame_get_more(struct frame *f);
/* Drops one; the last one returns the frame to the allocator and to the owner's account. */
void frame_put(struct frame *f);

/* --- start --- */
/* RAM ends here (exclusive); frames up to it have a place in the table. */
void frame_table_setup(hpa_t ram_end);
/* The table's 2 MiB chunk for [first, ...) is mapped and zeroed from now on. */
#define FRAMES_PER_CHUNK ((1ul << 21) / sizeof(struct frame))
void frame_table_add_chunk(mfn_t first);
bool frame_table_has_chunk(mfn_t first);
/* Who is told when the last reference of a domain's frame goes (domain/frame_owner.c). */
void frame_set_release(void (*release)(struct frame *f));
