/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's guest-physical memory: gfn to mfn, type and access, in nested page tables
 * with 4K, 2M and 1G entries.
 *
 * Lookups take no lock (tables are freed by RCU); changes take LOCK_P2M. What a change
 * makes stale is collected in the p2m and paid for once by p2m_flush(): nested TLBs by CPU
 * mask, the IOMMU by domain. References that a removed entry held are dropped after that
 * flush, so a frame is never reused while a CPU or a device could still reach it.
 */
#pragma once

#include "domain/domain.h"
#include "hv/addr.h"
#include "hv/error.h"
#include "mm/frame.h"

struct domain_service;

enum p2m_type {
	P2M_NONE,	 /* nothing: an access exits */
	P2M_RAM,	 /* the domain's own frame */
	P2M_SHARED,	 /* FRAME_SHARED page of the hypervisor (shared info, grant frames) */
	P2M_FOREIGN,	 /* another domain's frame, dom0 only */
	P2M_GRANT_RW,
	P2M_GRANT_RO,
	P2M_MMIO,	 /* device memory, direct */
	P2M_MMIO_RO,
	P2M_POD,	 /* populate on demand */
	P2M_RAM_RO,
	P2M_TYPE_COUNT,
};

/* Memory of the domain or lent to it for good; mappings of others come and go. */
static inline bool p2m_is_own(enum p2m_type type)
{
	return type == P2M_RAM || type == P2M_RAM_RO || type == P2M_SHARED;
}

struct p2m_entry {
	enum p2m_type type;
	mfn_t mfn;	    /* of gfn itself, not of the superpage */
	unsigned int order; /* of the entry that maps it: 0, 9, 18 */
};

/* Any context, no lock. A gfn past the end is P2M_NONE of order 18. */
struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn);
/*
 * The frame behind gfn with a reference (frame_put() later): RAM, SHARED, GRANT, FOREIGN as
 * allowed by is_write; populates on demand. NULL: not such memory.
 */
struct frame *p2m_get_frame(struct domain *d, gfn_t gfn, bool is_write, enum p2m_type *type);

/*
 * Sets 2^order frames. Takes over one reference for each RAM/SHARED/FOREIGN/GRANT frame when
 * it succeeds. What was there before is removed as p2m_remove() does. -EINVAL: not aligned to
 * 2^order, past the end, or d is dying. -ENOMEM: unchanged when order is 0; when it is more, some of the
 * frames may be P2M_NONE now, and none has been taken over.
 */
int p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type) MUST_CHECK;
/* Removes 2^order entries; their references are dropped after the next flush. -ENOMEM when a superpage cannot be split. */
int p2m_remove(struct domain *d, gfn_t gfn, unsigned int order) MUST_CHECK;
/* Pays for what was changed; a hypercall calls it before it returns. Cheap when nothing is due. */
void p2m_flush(struct domain *d);
/*
 * The same in a moment, for removals that only took frames of others away: one flush then pays for
 * many. Until it has, d may still reach what it had, so nobody waits for those frames to go. Any change that is
 * paid for at once pays for these, too; so a place is flushed before something else in it counts.
 */
void p2m_flush_later(struct domain *d);
/* The highest gfn that was ever set. */
u64 p2m_max_gfn(const struct domain *d);
/*
 * Another number after each change or removal of memory that is p2m_is_own(), and before the frame
 * goes. So who finds the same number before and after has used what the domain had meanwhile.
 */
u64 p2m_version(const struct domain *d);
/* Root of the nested page tables, for the CPU. */
mfn_t p2m_root(const struct domain *d);

extern const struct domain_service p2m_service;
