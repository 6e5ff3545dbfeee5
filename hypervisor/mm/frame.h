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
	FRAME_NONE,	/* no RAM, or not ours to use */
	FRAME_FREE,	/* in the buddy allocator */
	FRAME_HEAP,	/* the hypervisor's own */
	FRAME_SHARED,	/* heap frame that owner may map (shared info, grant table, status) */
	FRAME_DOMAIN,	/* owner's memory */
	FRAME_DYING,	/* last reference gone, waits for its flush */
};

struct frame {
	u32 link[2];   /* free: neighbours in the free list; FRAME_DOMAIN: [0] the gfn + 1 in its owner, 0 none; [1] private to p2m */
	u32 count;     /* references, saturating; order of a free block while free */
	u16 owner;     /* domain id, for FRAME_SHARED and FRAME_DOMAIN */
	u8 state;      /* enum frame_state */
	u8 order;      /* of a free block, or of the allocation that it heads */
};
_Static_assert(sizeof(struct frame) == 16, "the frame table must stay below 0.5 % of RAM");

struct domain;

/* NULL when mfn is not RAM. */
struct frame *frame_of(mfn_t mfn);
mfn_t frame_mfn(const struct frame *f);
/* Takes a reference if the frame belongs to d (FRAME_DOMAIN or FRAME_SHARED) and is alive. */
MUST_CHECK bool frame_get(struct frame *f, const struct domain *d);
/* Another reference for someone who has one. */
void frame_get_more(struct frame *f);
/* Drops one; the last one returns the frame to the allocator and to the owner's account. */
void frame_put(struct frame *f);
