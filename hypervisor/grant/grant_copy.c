/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying between frames of two domains, each named by a grant or, the caller's own, by its
 * frame number. Both are held for the copy only.
 */
#include "grant/table.h"

#include "lib/string.h"
#include "memory/p2m.h"
#include "mm/frame.h"
#include "mm/window.h"

struct side {
	struct domain *owner;
	bool is_grant;
	bool is_readonly;
	gref_t ref;
	struct grant_use use;
};

struct side_arg {
	u16 domid;
	bool is_grant;
	u64 ref_or_gfn;
	u32 offset;
};

static s16 side_open(struct domain *d, const struct side_arg *a, bool is_readonly, u32 length, struct side *out)
{
	enum p2m_type type;
	s16 rc;

	out->is_grant = a->is_grant;
	out->is_readonly = is_readonly;
	if (!a->is_grant && a->domid != DOMID_SELF) {
		return GNTST_permission_denied;
	}
	out->owner = domain_get_or_self(d, a->domid);
	if (!out->owner) {
		return GNTST_bad_domain;
	}
	if (a->is_grant) {
		out->ref = gref_of((u32)a->ref_or_gfn);
		rc = grant_use_begin(out->owner, out->ref, d, is_readonly, true, &out->use);
	} else {
		out->use = (struct grant_use){.start = 0, .length = PAGE_SIZE};
		out->use.frame = p2m_get_frame(d, gfn_of(a->ref_or_gfn), !is_readonly, &type);
		rc = out->use.frame ? GNTST_okay : GNTST_bad_page;
	}
	if (rc != GNTST_okay) {
		domain_put(out->owner);
		return rc;
	}
	if (a->offset < out->use.start || a->offset + length > (u32)out->use.start + out->use.length) {
		rc = GNTST_general_error;
	}
	return rc;
}

static void side_close(struct side *s)
{
	frame_put(s->use.frame);
	if (s->is_grant) {
		grant_use_end(s->owner, s->ref, s->is_readonly);
	}
	domain_put(s->owner);
}

static void copy_bytes(const struct side *from, u32 from_offset, const struct side *to, u32 to_offset, u32 length)
{
	const u8 *source = window_map(frame_mfn(from->use.frame));
	u8 *target = window_map(frame_mfn(to->use.frame));

	memmove(target + to_offset, source + from_offset, length); /* both may be one frame */
	window_unmap(target);
	window_unmap((void *)source);
}

s16 grant_copy(struct domain *d, const struct gnttab_copy *op)
{
	const struct side_arg source = {
		.domid = op->source.domid,
		.is_grant = op->flags & GNTCOPY_source_gref,
		.ref_or_gfn = op->flags & GNTCOPY_source_gref ? op->source.u.ref : op->source.u.gmfn,
		.offset = op->source.offset,
	};
	const struct side_arg dest = {
		.domid = op->dest.domid,
		.is_grant = op->flags & GNTCOPY_dest_gref,
		.ref_or_gfn = op->flags & GNTCOPY_dest_gref ? op->dest.u.ref : op->dest.u.gmfn,
		.offset = op->dest.offset,
	};
	struct side from = {.use.frame = NULL}, to = {.use.frame = NULL};
	s16 rc;

	if ((u32)op->source.offset + op->len > PAGE_SIZE || (u32)op->dest.offset + op->len > PAGE_SIZE) {
		return GNTST_bad_copy_arg;
	}
	rc = side_open(d, &source, true, op->len, &from);
	if (rc == GNTST_okay) {
		rc = side_open(d, &dest, false, op->len, &to);
	}
	if (rc == GNTST_okay) {
		copy_bytes(&from, op->source.offset, &to, op->dest.offset, op->len);
	}
	if (to.use.frame) {
		side_close(&to);
	}
	if (from.use.frame) {
		side_close(&from);
	}
	return rc;
}

/* --- swap --- */

static bool is_used_locked(struct grant_table *t, u32 ref)
{
	u32 per_page = grant_entries_per_page(t);

	ref = (u32)index_clamp(ref, grant_entry_count(t));
	return t->pages[ref / per_page].active[ref % per_page].readers != 0;
}

s16 grant_swap(struct domain *d, gref_t a, gref_t b)
{
	struct grant_table *t = d->grant;
	size_t size_bytes = t->version == 2 ? sizeof(union grant_entry_v2) : sizeof(struct grant_entry_v1);
	u32 per_page, ra = a.v, rb = b.v;
	u8 kept[sizeof(union grant_entry_v2)], *pa, *pb;
	s16 rc = GNTST_okay;

	spin_lock(&t->lock);
	per_page = grant_entries_per_page(t);
	if (ra >= grant_entry_count(t) || rb >= grant_entry_count(t)) {
		rc = GNTST_bad_gntref;
	} else if (ra != rb && (is_used_locked(t, ra) || is_used_locked(t, rb))) {
		rc = GNTST_eagain;
	} else if (ra != rb) {
		ra = (u32)index_clamp(ra, grant_entry_count(t));
		rb = (u32)index_clamp(rb, grant_entry_count(t));
		pa = (u8 *)t->pages[ra / per_page].bytes + ra % per_page * size_bytes;
		pb = (u8 *)t->pages[rb / per_page].bytes + rb % per_page * size_bytes;
		memcpy(kept, pa, size_bytes);
		memcpy(pa, pb, size_bytes);
		memcpy(pb, kept, size_bytes);
	}
	spin_unlock(&t->lock);
	return rc;
}
