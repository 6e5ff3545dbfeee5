/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of share.h that both transports have in common: arguments, limits, what is left. */
#include "vchan/share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "vchan/share_transport.h"
#include "vchan/transport.h"

#define DEFAULT_PAGE_COUNT_MAX	 262144
#define DEFAULT_REGION_COUNT_MAX 1024

struct share_mapping {
	void *pages;
	uint32_t page_count;
	struct share_mapping *next;
};

struct share_pool {
	const struct share_ops *ops;
	void *state;
	enum share_side side;
	struct share_limits limits;
	uint32_t page_count;
	uint32_t region_count;
	struct share_shown *shown;
	struct share_mapping *mappings;
};

struct share_pool *share_pool_open(int peer, int port, enum share_side side,
				   const struct share_limits *limits)
{
	struct share_pool *pool;
	int rc;

	if (peer < 0 || peer >= VCHAN_DOMAIN_END || port < 0) {
		errno = EINVAL;
		return NULL;
	}
	pool = calloc(1, sizeof(*pool));
	if (!pool) {
		return NULL;
	}
	pool->ops = vchan_is_local() ? &share_ops_local : &share_ops_xen;
	pool->side = side;
	if (limits) {
		pool->limits = *limits;
	}
	if (!pool->limits.page_count_max) {
		pool->limits.page_count_max = DEFAULT_PAGE_COUNT_MAX;
	}
	if (!pool->limits.region_count_max) {
		pool->limits.region_count_max = DEFAULT_REGION_COUNT_MAX;
	}
	rc = pool->ops->open(peer, port, side, &pool->state);
	if (rc) {
		free(pool);
		errno = -rc;
		return NULL;
	}
	return pool;
}

/* 0 when page_count more pages in one more region are within the limits. */
static int check_limits(const struct share_pool *pool, enum share_side side, uint32_t page_count)
{
	if (pool->side != side || !page_count || page_count > SHARE_PAGES_PER_REGION_MAX) {
		return -EINVAL;
	}
	if (pool->region_count >= pool->limits.region_count_max ||
	    page_count > pool->limits.page_count_max - pool->page_count) {
		return -ENOSPC;
	}
	return 0;
}

static void count_in(struct share_pool *pool, uint32_t page_count)
{
	pool->page_count += page_count;
	pool->region_count++;
}

static void count_out(struct share_pool *pool, uint32_t page_count)
{
	pool->page_count -= page_count;
	pool->region_count--;
}

int share_create(struct share_pool *pool, uint32_t page_count, bool may_peer_write,
		 const struct share_region **out)
{
	struct share_shown *shown;
	int rc;

	rc = check_limits(pool, SHARE_SHOW, page_count);
	if (rc) {
		return rc;
	}
	shown = calloc(1, sizeof(*shown));
	if (!shown) {
		return -ENOMEM;
	}
	shown->refs = calloc(page_count, sizeof(*shown->refs));
	if (!shown->refs) {
		rc = -ENOMEM;
		goto free_shown;
	}
	shown->region.page_count = page_count;
	shown->region.refs = shown->refs;
	rc = pool->ops->show(pool->state, shown, may_peer_write);
	if (rc) {
		goto free_refs;
	}
	shown->next = pool->shown;
	pool->shown = shown;
	count_in(pool, page_count);
	*out = &shown->region;
	return 0;

free_refs:
	free(shown->refs);
free_shown:
	free(shown);
	return rc;
}

void share_destroy(struct share_pool *pool, const struct share_region *region)
{
	struct share_shown **link, *shown;

	if (!region) {
		return;
	}
	for (link = &pool->shown; *link && &(*link)->region != region; link = &(*link)->next) {
	}
	shown = *link;
	if (!shown) {
		fputs("share_destroy: not a region of this pool\n", stderr);
		abort();
	}
	*link = shown->next;
	pool->ops->hide(pool->state, shown);
	count_out(pool, shown->region.page_count);
	free(shown->refs);
	free(shown);
}

int share_map(struct share_pool *pool, const uint32_t *refs, uint32_t ref_count, bool is_writable,
	      void **out)
{
	struct share_mapping *m;
	int rc;

	rc = check_limits(pool, SHARE_MAP, ref_count);
	if (rc) {
		return rc;
	}
	m = calloc(1, sizeof(*m));
	if (!m) {
		return -ENOMEM;
	}
	rc = pool->ops->map(pool->state, refs, ref_count, is_writable, &m->pages);
	if (rc) {
		free(m);
		return rc;
	}
	m->page_count = ref_count;
	m->next = pool->mappings;
	pool->mappings = m;
	count_in(pool, ref_count);
	*out = m->pages;
	return 0;
}

void share_unmap(struct share_pool *pool, void *pages)
{
	struct share_mapping **link, *m;

	if (!pages) {
		return;
	}
	for (link = &pool->mappings; *link && (*link)->pages != pages; link = &(*link)->next) {
	}
	m = *link;
	if (!m) {
		fputs("share_unmap: not a mapping of this pool\n", stderr);
		abort();
	}
	*link = m->next;
	pool->ops->unmap(pool->state, m->pages, m->page_count);
	count_out(pool, m->page_count);
	free(m);
}

bool share_is_peer_gone(struct share_pool *pool)
{
	return pool->ops->is_peer_gone(pool->state);
}

void share_pool_close(struct share_pool *pool)
{
	if (!pool) {
		return;
	}
	while (pool->shown) {
		share_destroy(pool, &pool->shown->region);
	}
	while (pool->mappings) {
		share_unmap(pool, pool->mappings->pages);
	}
	pool->ops->close(pool->state);
	free(pool);
}
