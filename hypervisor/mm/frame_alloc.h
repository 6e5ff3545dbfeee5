/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buddy allocator for machine frames. Two kinds: the heap takes 2 MiB chunks and maps
 * them; domain frames are never mapped. Lock: LOCK_FRAME. Not in interrupt context.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "mm/frame.h"

enum frame_zone { FRAME_ANYWHERE, FRAME_BELOW_4G };

/*
 * 2^order frames for d: state FRAME_DOMAIN, count 1 each. Zeroed, unless d is the hardware domain,
 * which may see what was in memory before the start. NULL: none left, or d's limit reached
 * (d->frame_limit). Accounts them to d. In domain/frame_owner.c.
 */
struct frame *frame_alloc_domain(struct domain *d, unsigned int order, enum frame_zone zone);
/* A 2^order block for the hypervisor, unmapped (heap chunks, IOMMU structures). NULL: none. */
struct frame *frame_alloc_raw(unsigned int order, enum frame_zone zone);
void frame_free_raw(struct frame *f, unsigned int order);
u64 frame_free_count(void);  /* free frames now */
u64 frame_total_count(void); /* frames of RAM */
/*
 * The same for an owner by number, without account. is_zeroed: scrub what is not known to be clean.
 */
struct frame *frame_alloc_owned(u16 owner, unsigned int order, enum frame_zone zone, bool is_zeroed);
/* A domain's frame, nobody uses it any more: free, and dirty. */
void frame_free_owned(struct frame *f);
/* Start: count frames from first are RAM that nobody uses; the table's chunk is mapped. */
void frame_add_free(mfn_t first, u64 count);
#define FRAME_ORDER_MAX ORDER_1G

/* Frames freed by domains are scrubbed (zeroed) before anybody else gets them. */

#ifdef HV_UNIT
bool unit_must_fail(void);	   /* arch/unit injects failures */
void frame_alloc_forget_all(void); /* between two tests */
#else
#define unit_must_fail() false
#endif
