/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapping and unmapping. Each mapping has a handle, an index into the mapper's own table
 * (maptrack), which remembers what it was: nothing that the guest says at unmap time is trusted
 * but the handle.
 */
#include "grant/table.h"

#include "core/softirq.h"
#include "memory/p2m.h"
#include "mm/frame.h"
#include "mm/heap.h"

static struct maptrack *maptrack_at(struct grant_table *t, u32 handle)
{
	if (handle >= t->maptrack_page_count * MAPTRACK_PER_PAGE) {
		return NULL;
	}
	handle = (u32)index_clamp(handle, t->maptrack_page_count * MAPTRACK_PER_PAGE);
	return &t->maptrack[handle / MAPTRACK_PER_PAGE][handle % MAPTRACK_PER_PAGE];
}

/* Adds a page of handles. Allocates without the lock. */
static bool maptrack_grow(struct grant_table *t)
{
	struct maptrack *page;
	u32 first;

	if (load_relaxed(&t->maptrack_page_count) >= t->maptrack_page_limit) {
		return false;
	}
	page = heap_alloc_pages(0);
	if (!page) {
		return false;
	}
	spin_lock(&t->lock);
	if (t->maptrack_free == MAPTRACK_NONE && t->maptrack_page_count < t->maptrack_page_limit) {
		first = t->maptrack_page_count * (u32)MAPTRACK_PER_PAGE;
		for (u32 i = 0; i < MAPTRACK_PER_PAGE; i++) {
			page[i].gfn = i + 1 < MAPTRACK_PER_PAGE ? first + i + 1 : MAPTRACK_NONE;
		}
		t->maptrack[t->maptrack_page_count] = page;
		store_release(&t->maptrack_page_count, t->maptrack_page_count + 1);
		t->maptrack_free = first;
		page = NULL;
	}
	spin_unlock(&t->lock);
	heap_free_pages(page, 0);
	return true;
}

static u32 handle_reserve(struct grant_table *t)
{
	u32 handle = MAPTRACK_NONE;

	do {
		spin_lock(&t->lock);
		if (t->maptrack_free != MAPTRACK_NONE) {
			struct maptrack *m;

			handle = t->maptrack_free;
			m = maptrack_at(t, handle);
			t->maptrack_free = (u32)m->gfn;
			m->state = MAPTRACK_RESERVED;
		}
		spin_unlock(&t->lock);
	} while (handle == MAPTRACK_NONE && maptrack_grow(t));
	return handle;
}

static void handle_release(struct grant_table *t, u32 handle)
{
	struct maptrack *m;

	spin_lock(&t->lock);
	m = maptrack_at(t, handle);
	m->state = MAPTRACK_FREE;
	m->owner = NULL;
	m->gfn = t->maptrack_free;
	t->maptrack_free = handle;
	spin_unlock(&t->lock);
}

/* --- map --- */

static s16 map_frame(struct domain *d, struct domain *owner, struct grant_map *m, u32 handle)
{
	bool is_readonly = m->flags & GNTMAP_readonly;
	gfn_t gfn = gpa_to_gfn(gpa_of(m->host_address));
	struct grant_table *t = d->grant;
	struct grant_use use;
	struct maptrack *track;
	mfn_t mfn;
	s16 rc;

	rc = grant_use_begin(owner, m->ref, d, is_readonly, false, &use);
	if (rc != GNTST_okay) {
		return rc;
	}
	mfn = frame_mfn(use.frame);
	if (p2m_set(d, gfn, mfn, 0, is_readonly ? P2M_GRANT_RO : P2M_GRANT_RW)) {
		frame_put(use.frame);
		grant_use_end(owner, m->ref, is_readonly);
		return GNTST_general_error;
	}
	domain_get_more(owner); /* until it is unmapped */
	spin_lock(&t->lock);
	track = maptrack_at(t, handle);
	track->owner = owner;
	track->gfn = gfn.v;
	track->mfn = mfn;
	track->ref = m->ref.v;
	track->is_readonly = is_readonly;
	track->state = MAPTRACK_MAPPED;
	t->map_count++;
	spin_unlock(&t->lock);
	m->handle = handle;
	return GNTST_okay;
}

s16 grant_map(struct domain *d, struct grant_map *m)
{
	struct domain *owner;
	u32 handle;
	s16 rc;

	m->handle = MAPTRACK_NONE;
	if (!(m->flags & (GNTMAP_host_map | GNTMAP_device_map))) {
		return GNTST_bad_gntref;
	}
	/* Page-table entries of the guest's are classic PV's; devices see what the guest sees. */
	if ((m->flags & ~GNTMAP_readonly) != GNTMAP_host_map) {
		return GNTST_general_error;
	}
	owner = domain_get(m->owner_id);
	if (!owner) {
		return GNTST_bad_domain;
	}
	handle = domain_is_dying(d) ? MAPTRACK_NONE : handle_reserve(d->grant);
	if (handle == MAPTRACK_NONE) {
		domain_put(owner);
		return GNTST_no_device_space;
	}
	rc = map_frame(d, owner, m, handle);
	if (rc != GNTST_okay) {
		handle_release(d->grant, handle);
	}
	domain_put(owner);
	return rc;
}

/* --- unmap --- */

/* First half: out of the p2m. */
static void unmap_remove(struct domain *d, struct grant_unmap *u, bool is_forced)
{
	struct grant_table *t = d->grant;
	struct p2m_entry e;
	struct maptrack *m;
	u64 gfn = 0;
	mfn_t mfn = MFN_INVALID;

	u->is_removed = false;
	u->status = GNTST_okay;
	spin_lock(&t->lock);
	m = maptrack_at(t, u->handle);
	if (!m || m->state != MAPTRACK_MAPPED) {
		u->status = GNTST_bad_handle;
	} else if (!is_forced && u->host_address && u->host_address >> PAGE_SHIFT != m->gfn) {
		u->status = GNTST_general_error;
	} else if (is_forced || u->host_address) {
		m->state = MAPTRACK_UNMAPPING; /* nobody else gets this far with it */
		u->is_removed = true;
		gfn = m->gfn;
		mfn = m->mfn;
	}
	spin_unlock(&t->lock);
	if (!u->is_removed) {
		return;
	}
	e = p2m_lookup(d, gfn_of(gfn));
	/* The guest may have taken it out by other means; then only our own books are closed. */
	if ((e.type == P2M_GRANT_RW || e.type == P2M_GRANT_RO) && mfn_equal(e.mfn, mfn) &&
	    p2m_remove(d, gfn_of(gfn), 0)) {
		spin_lock(&t->lock);
		m->state = MAPTRACK_MAPPED;
		spin_unlock(&t->lock);
		u->is_removed = false;
		u->status = GNTST_general_error;
	}
}

/* Second half, after the flush: the granter may see that it is not used any more. */
static void unmap_finish(struct domain *d, struct grant_unmap *u)
{
	struct grant_table *t = d->grant;
	struct domain *owner;
	bool is_readonly;
	struct maptrack *m;
	gref_t ref;

	spin_lock(&t->lock);
	m = maptrack_at(t, u->handle);
	owner = m->owner;
	ref = gref_of(m->ref);
	is_readonly = m->is_readonly;
	t->map_count--;
	spin_unlock(&t->lock);

	grant_use_end(owner, ref, is_readonly);
	handle_release(t, u->handle);
	domain_put(owner);
}

static void unmap_batch(struct domain *d, struct grant_unmap *list, unsigned int count, bool is_forced)
{
	for (unsigned int i = 0; i < count; i++) {
		unmap_remove(d, &list[i], is_forced);
	}
	p2m_flush(d);
	for (unsigned int i = 0; i < count; i++) {
		if (list[i].is_removed) {
			unmap_finish(d, &list[i]);
		}
	}
}

void grant_unmap(struct domain *d, struct grant_unmap *list, unsigned int count)
{
	unmap_batch(d, list, count, false);
}

u32 grant_map_count(const struct domain *d)
{
	return load_relaxed(&d->grant->map_count);
}

/* --- death of the mapper --- */

int grant_maptrack_teardown(struct domain *d)
{
	struct grant_unmap batch[GRANT_UNMAP_BATCH];
	struct grant_table *t = d->grant;
	u32 end = t->maptrack_page_count * (u32)MAPTRACK_PER_PAGE, handle = d->teardown_step;
	unsigned int n;

	while (handle < end) {
		for (n = 0; n < ARRAY_SIZE(batch) && handle < end; handle++) {
			if (maptrack_at(t, handle)->state == MAPTRACK_MAPPED) {
				batch[n++] = (struct grant_unmap){.handle = handle};
			}
		}
		unmap_batch(d, batch, n, true);
		if (n && softirq_is_pending()) {
			d->teardown_step = handle;
			return -ERESTART;
		}
	}
	if (grant_map_count(d)) {
		/* One could not be removed for lack of memory; what was freed meanwhile helps. */
		d->teardown_step = 0;
		return -ERESTART;
	}
	return 0;
}

void grant_maptrack_free(struct grant_table *t)
{
	for (u32 i = 0; i < t->maptrack_page_count; i++) {
		heap_free_pages(t->maptrack[i], 0);
	}
}
