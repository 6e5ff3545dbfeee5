/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared pages as Xen grants: gntalloc on the showing side, gntdev on the mapping side.
 *
 * gntalloc hands out at most as many pages as its module parameter `limit` says (1024 unless
 * set), which is less than one large window: the guest package raises it. A page that the peer
 * still maps stays with gntalloc until the peer unmaps it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <xengnttab.h>

#include "vchan/share_transport.h"

struct share_xen {
	int peer;
	xengntshr_handle *shr; /* SHARE_SHOW */
	xengnttab_handle *tab; /* SHARE_MAP */
};

static void xen_close(void *state)
{
	struct share_xen *s = state;

	if (s->shr) {
		xengntshr_close(s->shr);
	}
	if (s->tab) {
		xengnttab_close(s->tab);
	}
	free(s);
}

static int xen_open(int peer, int port, enum share_side side, void **state)
{
	struct share_xen *s = calloc(1, sizeof(*s));
	int saved;

	if (!s) {
		return -ENOMEM;
	}
	s->peer = peer;
	if (side == SHARE_SHOW) {
		s->shr = xengntshr_open(NULL, 0);
	} else {
		s->tab = xengnttab_open(NULL, 0);
	}
	if (!s->shr && !s->tab) {
		saved = errno;
		xen_close(s);
		return saved ? -saved : -ENODEV;
	}
	*state = s;
	return 0;
}

static int xen_show(void *state, struct share_shown *shown, bool may_peer_write)
{
	struct share_xen *s = state;

	shown->region.pages =
		xengntshr_share_pages(s->shr, (uint32_t)s->peer, (int)shown->region.page_count,
				      shown->refs, may_peer_write);
	return shown->region.pages ? 0 : errno ? -errno : -ENOMEM;
}

static void xen_hide(void *state, struct share_shown *shown)
{
	struct share_xen *s = state;

	(void)xengntshr_unshare(s->shr, shown->region.pages, shown->region.page_count);
}

static int xen_map(void *state, const uint32_t *refs, uint32_t ref_count, bool is_writable,
		   void **out)
{
	struct share_xen *s = state;
	void *pages;

	/* The library does not change the array, it only lacks the const. */
	pages = xengnttab_map_domain_grant_refs(s->tab, ref_count, (uint32_t)s->peer,
						(uint32_t *)refs,
						PROT_READ | (is_writable ? PROT_WRITE : 0));
	if (!pages) {
		/* gntdev says EINVAL for a reference that the hypervisor refused. */
		return errno == EINVAL ? -ENOENT : errno ? -errno : -ENOMEM;
	}
	*out = pages;
	return 0;
}

static void xen_unmap(void *state, void *pages, uint32_t page_count)
{
	struct share_xen *s = state;

	(void)xengnttab_unmap(s->tab, pages, page_count);
}

static bool xen_is_peer_gone(void *state)
{
	return false;
}

const struct share_ops share_ops_xen = {
	.open = xen_open,
	.close = xen_close,
	.show = xen_show,
	.hide = xen_hide,
	.map = xen_map,
	.unmap = xen_unmap,
	.is_peer_gone = xen_is_peer_gone,
};
