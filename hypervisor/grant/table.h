/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of grant tables. Only grant/ includes this.
 */
#pragma once

#include "core/spinlock.h"
#include "grant/grant.h"

#include <xen/grant_table.h>

#define ENTRIES_V1 (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define ENTRIES_V2 (PAGE_SIZE / sizeof(union grant_entry_v2))
#define STATUS_PER_PAGE (PAGE_SIZE / sizeof(grant_status_t))

/* How often an entry is in use. */
struct grant_active {
	u32 readers; /* all uses */
	u32 writers; /* those that may write */
};

struct grant_page {
	struct frame *frame; /* FRAME_SHARED */
	void *bytes;
	struct grant_active *active; /* ENTRIES_V1 of them; NULL for status pages */
	gfn_t gfn;		     /* where the guest has it, for setup_table */
};

enum maptrack_state { MAPTRACK_FREE, MAPTRACK_RESERVED, MAPTRACK_MAPPED, MAPTRACK_UNMAPPING };

struct maptrack {
	struct domain *owner; /* referenced */
	u64 gfn;	      /* in the mapper; next free handle while free */
	mfn_t mfn;
	u32 ref;
	u8 state; /* enum maptrack_state */
	bool is_readonly;
};
#define MAPTRACK_PER_PAGE (PAGE_SIZE / sizeof(struct maptrack))
#define MAPTRACK_NONE	  (~0u)

struct grant_table {
	struct spinlock lock; /* LOCK_GRANT: everything below */
	unsigned int version, version_limit;
	u32 page_limit, page_count;
	struct grant_page *pages; /* page_limit of them */
	u32 status_count;	  /* version 2 */
	struct grant_page *status;
	u32 maptrack_page_limit, maptrack_page_count;
	struct maptrack **maptrack; /* maptrack_page_limit pages */
	u32 maptrack_free;	    /* handle, or MAPTRACK_NONE */
	u32 map_count;
};

static inline u32 grant_entries_per_page(const struct grant_table *t)
{
	return t->version == 2 ? (u32)ENTRIES_V2 : (u32)ENTRIES_V1;
}
static inline u32 grant_entry_count(const struct grant_table *t)
{
	return t->page_count * grant_entries_per_page(t);
}

/*
 * What a checked entry gives access to. start and length are the whole page unless the entry
 * is for a part of it (version 2, copies only).
 */
struct grant_use {
	struct frame *frame; /* with a reference */
	u16 start, length;
};
/* Checks ref of owner for user, marks it used, finds the frame. GNTST_*; nothing is held unless okay. */
s16 grant_use_begin(struct domain *owner, gref_t ref, const struct domain *user, bool is_readonly, bool is_copy,
		    struct grant_use *out);
/* Undoes the mark; the frame's reference is the caller's own affair. */
void grant_use_end(struct domain *owner, gref_t ref, bool is_readonly);

/* Gives up all mappings of a dying domain. -ERESTART. */
int grant_maptrack_teardown(struct domain *d);
void grant_maptrack_free(struct grant_table *t);
