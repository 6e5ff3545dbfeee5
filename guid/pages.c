/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/pages.h"

#include <errno.h>
#include <stdlib.h>

struct pages_pool {
	struct share_pool *share;
	uint32_t users; /* mapped regions, and the owner */
};

struct pages {
	struct pages_pool *pool;
	void *bytes;
	uint32_t users;
};

struct pages_pool *pages_pool_open(int peer, int port, uint32_t page_count_max)
{
	/* A dump is mapped before the one that it replaces goes, and pictures linger. */
	const struct share_limits limits = {.page_count_max = page_count_max * 2,
					    .region_count_max = 8192};
	struct pages_pool *pool = calloc(1, sizeof(*pool));

	if (!pool) {
		return NULL;
	}
	pool->share = share_pool_open(peer, port, SHARE_MAP, &limits);
	if (!pool->share) {
		free(pool);
		return NULL;
	}
	pool->users = 1;
	return pool;
}

static void pool_put(struct pages_pool *pool)
{
	if (--pool->users == 0) {
		share_pool_close(pool->share);
		free(pool);
	}
}

void pages_pool_close(struct pages_pool *pool)
{
	if (pool) {
		pool_put(pool);
	}
}

int pages_map(struct pages_pool *pool, const uint32_t *refs, uint32_t ref_count, struct pages **out)
{
	struct pages *p = calloc(1, sizeof(*p));
	int rc;

	if (!p) {
		return -ENOMEM;
	}
	rc = share_map(pool->share, refs, ref_count, false, &p->bytes);
	if (rc) {
		free(p);
		return rc;
	}
	p->pool = pool;
	p->users = 1;
	pool->users++;
	*out = p;
	return 0;
}

bool pages_is_peer_gone(struct pages_pool *pool)
{
	return share_is_peer_gone(pool->share);
}

struct pages *pages_ref(struct pages *p)
{
	p->users++;
	return p;
}

void pages_unref(struct pages *p)
{
	if (p && --p->users == 0) {
		share_unmap(p->pool->share, p->bytes);
		pool_put(p->pool);
		free(p);
	}
}

const void *pages_bytes(const struct pages *p)
{
	return p->bytes;
}
