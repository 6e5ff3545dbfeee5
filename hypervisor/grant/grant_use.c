/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checking an entry and marking it used. The granter changes its entries at any time with
 * atomic operations of its own; each word is read once, checked, and exchanged only if it still is
 * what was checked.
 */
#include "grant/table.h"

#include "memory/p2m.h"
#include "mm/frame.h"

#define RETRIES 8u

static struct grant_page *page_of_locked(struct grant_table *t, u32 ref, u32 *index)
{
	u32 per_page = grant_entries_per_page(t);

	if (ref >= grant_entry_count(t)) {
		return NULL;
	}
	*index = ref % per_page;
	return &t->pages[index_clamp(ref / per_page, t->page_count)];
}

static bool is_access_allowed(u16 flags, u16 domid, const struct domain *user, bool is_readonly)
{
	return (flags & GTF_type_mask) == GTF_permit_access && domid == user->id.v &&
	       (is_readonly || !(flags & GTF_readonly));
}

static u16 mark_of(bool is_readonly)
{
	return is_readonly ? GTF_reading : GTF_reading | GTF_writing;
}

/* Version 1: the mark is in the same word as flags and domain, so one exchange does all. */
static s16 mark_v1(struct grant_entry_v1 *e, const struct domain *user, bool is_readonly, u64 *gfn)
{
	u32 *word = (u32 *)e, old = load_acquire(word);

	for (unsigned int i = 0; i < RETRIES; i++) {
		if (!is_access_allowed((u16)old, (u16)(old >> 16), user, is_readonly)) {
			return GNTST_general_error;
		}
		if (__atomic_compare_exchange_n(word, &old, old | mark_of(is_readonly), false, __ATOMIC_SEQ_CST,
						__ATOMIC_ACQUIRE)) {
			*gfn = load_relaxed(&e->frame);
			return GNTST_okay;
		}
	}
	return GNTST_general_error; /* it never holds still: the granter's own loss */
}

/* Version 2: the mark is in the status page; so mark first, then see whether the entry still stands. */
static s16 mark_v2(union grant_entry_v2 *e, grant_status_t *status, bool was_used, const struct domain *user,
		   bool is_readonly, bool is_copy, u64 *gfn, struct grant_use *use)
{
	u32 *word = (u32 *)e, first = load_acquire(word);

	if (!is_access_allowed((u16)first, (u16)(first >> 16), user, is_readonly) ||
	    ((first & GTF_sub_page) && !is_copy)) {
		return GNTST_general_error;
	}
	__atomic_fetch_or(status, mark_of(is_readonly), __ATOMIC_SEQ_CST);
	*gfn = load_relaxed(&e->full_page.frame);
	if (first & GTF_sub_page) {
		use->start = load_relaxed(&e->sub_page.page_off);
		use->length = load_relaxed(&e->sub_page.length);
	}
	/* pairs with the granter, who clears flags and then looks at the status */
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != first) {
		if (!was_used) {
			__atomic_fetch_and(status, (u16)~(GTF_reading | GTF_writing), __ATOMIC_SEQ_CST);
		}
		return GNTST_general_error;
	}
	return GNTST_okay;
}

static grant_status_t *status_of_locked(struct grant_table *t, u32 ref)
{
	grant_status_t *page = t->status[index_clamp(ref / STATUS_PER_PAGE, t->status_count)].bytes;

	return &page[ref % STATUS_PER_PAGE];
}

static s16 mark_locked(struct grant_table *t, gref_t ref, const struct domain *user, bool is_readonly, bool is_copy,
		       u64 *gfn, struct grant_use *use)
{
	struct grant_active *active;
	struct grant_page *page;
	u32 index;
	s16 rc;

	page = page_of_locked(t, ref.v, &index);
	if (!page) {
		return GNTST_bad_gntref;
	}
	active = &page->active[index];
	if (active->readers == ~0u) {
		return GNTST_general_error;
	}
	if (t->version == 1) {
		rc = mark_v1((struct grant_entry_v1 *)page->bytes + index, user, is_readonly, gfn);
	} else {
		rc = mark_v2((union grant_entry_v2 *)page->bytes + index, status_of_locked(t, ref.v),
			     active->readers != 0, user, is_readonly, is_copy, gfn, use);
	}
	if (rc == GNTST_okay) {
		active->readers++;
		active->writers += !is_readonly;
	}
	return rc;
}

s16 grant_use_begin(struct domain *owner, gref_t ref, const struct domain *user, bool is_readonly, bool is_copy,
		    struct grant_use *out)
{
	struct grant_table *t = owner->grant;
	enum p2m_type type;
	u64 gfn = 0;
	s16 rc;

	out->start = 0;
	out->length = PAGE_SIZE;
	if (domain_is_dying(owner)) {
		return GNTST_bad_domain;
	}
	spin_lock(&t->lock);
	rc = mark_locked(t, ref, user, is_readonly, is_copy, &gfn, out);
	spin_unlock(&t->lock);
	if (rc != GNTST_okay) {
		return rc;
	}
	out->frame = p2m_get_frame(owner, gfn_of(gfn), !is_readonly, &type);
	if (out->frame && type == P2M_RAM && (u32)out->start + out->length <= PAGE_SIZE) {
		return GNTST_okay;
	}
	if (out->frame) {
		frame_put(out->frame);
		out->frame = NULL;
	}
	grant_use_end(owner, ref, is_readonly);
	return GNTST_bad_page;
}

void grant_use_end(struct domain *owner, gref_t ref, bool is_readonly)
{
	struct grant_table *t = owner->grant;
	struct grant_active *active;
	struct grant_page *page;
	u16 clear = 0;
	u32 index;

	spin_lock(&t->lock);
	page = page_of_locked(t, ref.v, &index);
	CHECK(page && page->active[index].readers); /* our own count: a table never shrinks, nor changes while used */
	active = &page->active[index];
	active->readers--;
	active->writers -= !is_readonly;
	if (!active->writers) {
		clear |= GTF_writing;
	}
	if (!active->readers) {
		clear |= GTF_reading;
	}
	if (t->version == 1) {
		u16 *flags = &((struct grant_entry_v1 *)page->bytes)[index].flags;

		__atomic_fetch_and(flags, (u16)~clear, __ATOMIC_SEQ_CST);
	} else {
		__atomic_fetch_and(status_of_locked(t, ref.v), (u16)~clear, __ATOMIC_SEQ_CST);
	}
	spin_unlock(&t->lock);
}
