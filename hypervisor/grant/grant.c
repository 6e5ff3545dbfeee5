/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grant/grant.h"

#include <xen/memory.h>

#include "core/log.h"
#include "domain/frame_owner.h"
#include "domain/service.h"
#include "grant/table.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/heap.h"

#define PAGES_DEFAULT	  64u
#define PAGES_MAX	  1024u
#define MAPTRACK_DEFAULT  1024u
#define MAPTRACK_MAX	  4096u
#define RESERVED_ENTRIES  8u /* survive a change of version: the tools' (console, store) */

u32 grant_frame_count(const struct domain *d)
{
	return load_relaxed(&d->grant->page_count);
}

unsigned int grant_version(const struct domain *d)
{
	return load_relaxed(&d->grant->version);
}

static u32 status_pages_for(u32 pages)
{
	return (u32)((pages * ENTRIES_V2 + STATUS_PER_PAGE - 1) / STATUS_PER_PAGE);
}

u32 grant_frame_limit(const struct domain *d, u32 resource_id)
{
	switch (resource_id) {
	case XENMEM_resource_grant_table_id_shared:
		return d->grant->page_limit;
	case XENMEM_resource_grant_table_id_status:
		return status_pages_for(d->grant->page_limit);
	default:
		return 0;
	}
}

/* --- growing --- */

static void page_free(struct domain *d, struct grant_page *p)
{
	frame_release_shared(d, p->frame);
	heap_free(p->active);
	*p = (struct grant_page){.frame = NULL};
}

static int page_alloc(struct domain *d, bool is_status, struct grant_page *out)
{
	struct grant_page p = {.gfn = GFN_INVALID};

	p.frame = frame_alloc_shared(d, &p.bytes);
	if (!p.frame) {
		return -ENOMEM;
	}
	if (!is_status) {
		p.active = heap_alloc_array(ENTRIES_V1, sizeof(*p.active));
		if (!p.active) {
			page_free(d, &p);
			return -ENOMEM;
		}
	}
	*out = p;
	return 0;
}

/* What the table lacks of count pages: one page at a time, allocated without the lock. */
static int grow(struct domain *d, u32 count)
{
	struct grant_table *t = d->grant;
	bool wants_status, wants_page;
	struct grant_page p;
	int rc;

	if (count > t->page_limit) {
		return -EINVAL;
	}
	for (;;) {
		spin_lock(&t->lock);
		wants_status = t->version == 2 && t->status_count < status_pages_for(MAX(count, t->page_count));
		wants_page = t->page_count < count;
		spin_unlock(&t->lock);
		if (!wants_status && !wants_page) {
			return 0;
		}
		/* Status first: an entry must not exist before its status. */
		rc = page_alloc(d, wants_status, &p);
		if (rc) {
			return rc;
		}
		spin_lock(&t->lock);
		if (wants_status && t->version == 2 && t->status_count < status_pages_for(t->page_limit)) {
			t->status[t->status_count++] = p;
			p.frame = NULL;
		} else if (!wants_status && t->page_count < count) {
			t->pages[t->page_count] = p;
			store_release(&t->page_count, t->page_count + 1);
			p.frame = NULL;
		}
		spin_unlock(&t->lock);
		if (p.frame) {
			page_free(d, &p);
		}
	}
}

int grant_frame_get(struct domain *d, u64 index, bool is_status, bool may_grow, struct frame **out)
{
	struct grant_table *t = d->grant;
	int rc = -EINVAL;
	u64 pages;

	/* The pages that must exist so that this one does. */
	pages = is_status ? index * (STATUS_PER_PAGE / ENTRIES_V2) + 1 : index + 1;
	if (index >= t->page_limit || pages > t->page_limit || domain_is_dying(d)) {
		return -EINVAL;
	}
	if (is_status && grant_version(d) != 2) {
		return -EINVAL;
	}
	if (may_grow) {
		rc = grow(d, (u32)pages);
		if (rc) {
			return rc;
		}
		rc = -EINVAL;
	}
	spin_lock(&t->lock);
	if (index < (is_status ? t->status_count : t->page_count)) {
		struct grant_page *p = is_status ? t->status : t->pages;

		p += index_clamp(index, is_status ? t->status_count : t->page_count);
		frame_get_more(p->frame);
		*out = p->frame;
		rc = 0;
	}
	spin_unlock(&t->lock);
	return rc;
}

/* --- version --- */

static bool is_in_use_locked(const struct grant_table *t)
{
	for (u32 i = 0; i < t->page_count; i++) {
		for (u32 k = 0; k < ENTRIES_V1; k++) {
			if (t->pages[i].active[k].readers) {
				return true;
			}
		}
	}
	return false;
}

/* The first entries in the other version's form; others are lost, as the ABI says. */
static void convert_locked(struct grant_table *t, unsigned int version)
{
	struct grant_entry_v1 *v1 = t->pages[0].bytes;
	union grant_entry_v2 *v2 = t->pages[0].bytes;
	struct grant_entry_v1 kept[RESERVED_ENTRIES];
	const u16 mask = GTF_type_mask | GTF_readonly;

	for (u32 i = 0; i < RESERVED_ENTRIES; i++) {
		if (t->version == 1) {
			kept[i] = v1[i];
		} else {
			bool fits = (v2[i].hdr.flags & GTF_type_mask) == GTF_permit_access &&
				    !(v2[i].hdr.flags & GTF_sub_page) && v2[i].full_page.frame <= ~0u;

			kept[i] = (struct grant_entry_v1){
				.flags = fits ? v2[i].hdr.flags : 0,
				.domid = v2[i].hdr.domid,
				.frame = (u32)v2[i].full_page.frame,
			};
		}
		if ((kept[i].flags & GTF_type_mask) != GTF_permit_access) {
			kept[i].flags = 0;
		}
		kept[i].flags &= mask;
	}
	for (u32 i = 0; i < t->page_count; i++) {
		memset(t->pages[i].bytes, 0, PAGE_SIZE);
	}
	for (u32 i = 0; i < t->status_count; i++) {
		memset(t->status[i].bytes, 0, PAGE_SIZE);
	}
	for (u32 i = 0; i < RESERVED_ENTRIES; i++) {
		if (version == 1) {
			v1[i] = kept[i];
		} else {
			v2[i].full_page.hdr.flags = kept[i].flags;
			v2[i].full_page.hdr.domid = kept[i].domid;
			v2[i].full_page.frame = kept[i].frame;
		}
	}
	store_relaxed(&t->version, version);
}

int grant_set_version(struct domain *d, unsigned int version)
{
	struct grant_table *t = d->grant;
	int rc = 0;

	if (version != 1 && version != 2) {
		return -EINVAL;
	}
	if (version > t->version_limit) {
		return -ENOSYS;
	}
	spin_lock(&t->lock);
	if (version != t->version) {
		if (is_in_use_locked(t)) {
			rc = -EBUSY;
		} else {
			convert_locked(t, version);
		}
	}
	spin_unlock(&t->lock);
	/* Version 2 has status pages for every page that there is. */
	return rc ? rc : grow(d, grant_frame_count(d));
}

/* --- life --- */

int grant_limits_set(struct domain *d, u32 frame_limit, u32 maptrack_limit)
{
	struct grant_table *t = d->grant;

	if (frame_limit == 0 || frame_limit > PAGES_MAX || maptrack_limit > MAPTRACK_MAX) {
		return -EINVAL;
	}
	t->pages = heap_alloc_array(frame_limit, sizeof(*t->pages));
	t->status = heap_alloc_array(status_pages_for(frame_limit), sizeof(*t->status));
	t->maptrack = heap_alloc_array(MAX(maptrack_limit, 1u), sizeof(*t->maptrack));
	if (!t->pages || !t->status || !t->maptrack) {
		return -ENOMEM;
	}
	t->page_limit = frame_limit;
	t->maptrack_page_limit = maptrack_limit;
	return 0;
}

static void handle_fini(struct domain *d)
{
	struct grant_table *t = d->grant;

	if (!t) {
		return;
	}
	for (u32 i = 0; i < t->page_count; i++) {
		page_free(d, &t->pages[i]);
	}
	for (u32 i = 0; i < t->status_count; i++) {
		page_free(d, &t->status[i]);
	}
	grant_maptrack_free(t);
	heap_free(t->pages);
	heap_free(t->status);
	heap_free(t->maptrack);
	heap_free(t);
	d->grant = NULL;
}

static int handle_init(struct domain *d, const struct domain_config *config)
{
	struct grant_table *t = heap_alloc(sizeof(*t));
	int rc;

	if (!t) {
		return -ENOMEM;
	}
	spinlock_init(&t->lock, LOCK_GRANT);
	t->version = 1;
	t->version_limit = config->grant_version_limit == 1 ? 1 : 2;
	t->maptrack_free = MAPTRACK_NONE;
	d->grant = t;
	rc = grant_limits_set(d, config->grant_frame_limit ? config->grant_frame_limit : PAGES_DEFAULT,
			      config->maptrack_frame_limit ? config->maptrack_frame_limit : MAPTRACK_DEFAULT);
	if (!rc) {
		rc = grow(d, 1);
	}
	if (rc) {
		handle_fini(d);
	}
	return rc;
}

static int handle_teardown(struct domain *d)
{
	return grant_maptrack_teardown(d);
}

/* Its mappings of others, and how often others use each of its own. */
static void handle_dump(struct domain *d)
{
	const struct grant_table *t = d->grant;

	log_info("  grants: version %u, %u pages, %u mapped here\n", t->version, t->page_count, t->map_count);
	for (u32 i = 0; i < t->page_count; i++) {
		for (u32 k = 0; k < ENTRIES_V1; k++) {
			if (t->pages[i].active[k].readers) {
				log_info("  grant %u: %u uses, %u may write\n", i * grant_entries_per_page(t) + k,
					 t->pages[i].active[k].readers, t->pages[i].active[k].writers);
			}
		}
	}
}

const struct domain_service grant_service = {
	.name = "grant",
	.init = handle_init,
	.teardown = handle_teardown,
	.fini = handle_fini,
	.dump = handle_dump,
};
