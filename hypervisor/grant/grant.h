/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grant tables (<xen/grant_table.h>): a domain writes into shared pages which of its frames
 * another domain may map or copy; we check and count each use.
 *
 * A mapping holds a reference on the frame (through the mapper's p2m) and on the domain that
 * granted it (through the mapper's maptrack entry), so neither goes while it exists. The in-use
 * bits that the granter sees are cleared only after the mapper's TLBs and its devices have
 * forgotten the frame. Lock: LOCK_GRANT of one domain; never of two at once.
 *
 * Results of single operations are GNTST_* of the ABI; calls answer -E....
 */
#pragma once

#include "domain/domain.h"
#include "hv/addr.h"
#include "hv/error.h"
#include "hv/types.h"

struct frame;

extern const struct domain_service grant_service; /* behind p2m_service and physmap_service */

/*
 * A page of d's table, or of its status (version 2), with a reference. may_grow: up to the
 * limit. -EINVAL: past the limit, or no status in version 1; -ENOMEM.
 */
int grant_frame_get(struct domain *d, u64 index, bool is_status, bool may_grow, struct frame **out) MUST_CHECK;
u32 grant_frame_limit(const struct domain *d, u32 resource_id); /* XENMEM_resource_grant_table_id_*; 0: no such */
u32 grant_frame_count(const struct domain *d);
unsigned int grant_version(const struct domain *d);
/* -EINVAL: neither 1 nor 2; -ENOSYS: not allowed to d; -EBUSY: something is in use; -ENOMEM. */
int grant_set_version(struct domain *d, unsigned int version) MUST_CHECK;
/* The tools' entry for a new domain: ref gives to access to gfn (console, store). Version 1 entry. */
int grant_limits_set(struct domain *d, u32 frame_limit, u32 maptrack_limit) MUST_CHECK;

/* --- single operations; results GNTST_* --- */
struct grant_map {
	domain_id_t owner_id;
	gref_t ref;
	u64 host_address; /* guest physical */
	u32 flags;	  /* GNTMAP_* */
	u32 handle;	  /* result */
};
s16 grant_map(struct domain *d, struct grant_map *m);

#define GRANT_UNMAP_BATCH 32u
struct grant_unmap {
	u64 host_address;
	u32 handle;
	s16 status; /* result */
	/* private, between the two halves */
	bool is_removed;
};
/* Removes all, flushes once, then tells the granters. */
void grant_unmap(struct domain *d, struct grant_unmap *list, unsigned int count);

struct gnttab_copy;
s16 grant_copy(struct domain *d, const struct gnttab_copy *op);
s16 grant_swap(struct domain *d, gref_t a, gref_t b);
/* Mappings that d has made, for tests and the debug key. */
u32 grant_map_count(const struct domain *d);
