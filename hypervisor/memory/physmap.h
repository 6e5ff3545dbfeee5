/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain's guest-physical memory is made of: frames given and taken back, the shared
 * info page, other domains' frames, the memory map that it is told, claims.
 *
 * None of these flushes: the hypercall (or the dom0 builder) calls p2m_flush() once at its end.
 * Lock: LOCK_DOMAIN for what is in struct memory_domain; p2m has its own.
 */
#pragma once

#include "domain/domain.h"
#include "hv/addr.h"
#include "hv/error.h"

extern const struct domain_service physmap_service; /* right behind p2m_service */

struct physmap_region { /* as BIOS INT 15h E820 has it, and XENMEM_memory_map */
	u64 start, size_bytes;
	u32 type;
} PACKED;
#define PHYSMAP_REGION_MAX 128u

/* 2^order new frames of d at gfn. -ENOMEM: no memory, d's limit, or claimed by others; -EINVAL: not aligned. */
int physmap_populate(struct domain *d, gfn_t gfn, unsigned int order) MUST_CHECK;
/* Gives back one frame of d. -EINVAL: it has none there. */
int physmap_release(struct domain *d, gfn_t gfn) MUST_CHECK;
/* Marks 2^order frames as to be populated when they are touched. */
int physmap_populate_on_demand(struct domain *d, gfn_t gfn, unsigned int order) MUST_CHECK;
/* Takes away whatever is at gfn. -ENOENT: nothing. */
int physmap_remove(struct domain *d, gfn_t gfn) MUST_CHECK;

/* The shared info page at gfn; it leaves the place where it was before. */
int physmap_map_shared_info(struct domain *d, gfn_t gfn) MUST_CHECK;
/* A page of d that the hypervisor owns (grant table) at gfn. Takes over a reference of frame on success. */
struct frame;
int physmap_map_shared(struct domain *d, gfn_t gfn, struct frame *frame) MUST_CHECK;
/* The frame behind from's gfn, its own RAM, at gfn of d. -EINVAL: d and from are one, or no RAM there. */
int physmap_map_foreign(struct domain *d, gfn_t gfn, struct domain *from, gfn_t from_gfn) MUST_CHECK;
/* The same for a frame that is in hand; takes over its reference on success. */
int physmap_map_foreign_frame(struct domain *d, gfn_t gfn, struct frame *frame) MUST_CHECK;
/* Moves a frame of d from one gfn to another. */
int physmap_move(struct domain *d, gfn_t from, gfn_t to) MUST_CHECK;

/* What XENMEM_memory_map answers. -EINVAL: too many; -ENOMEM. */
int physmap_set_regions(struct domain *d, const struct physmap_region *regions, unsigned int count) MUST_CHECK;
unsigned int physmap_region_count(struct domain *d);
int physmap_get_region(struct domain *d, unsigned int index, struct physmap_region *out) MUST_CHECK; /* -ENOENT */

/* Frames set aside for d to grow to pages in all; 0 drops the claim. -ENOMEM, -EINVAL: below what it has, above its limit. */
int physmap_claim(struct domain *d, u64 pages) MUST_CHECK;
u64 physmap_claimed_total(void);

/* Populate on demand: counts for get_pod_target. */
struct physmap_pod {
	u64 entries;   /* frames that are marked and not there yet */
	u64 target;    /* frames that it may have in all */
};
void physmap_pod_get(const struct domain *d, struct physmap_pod *out);
int physmap_pod_set_target(struct domain *d, u64 target_frames) MUST_CHECK;
