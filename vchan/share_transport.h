/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a transport does for share.h; share.c checks arguments and limits, and calls here.
 *
 * A transport keeps its own state behind `state`. It may trust the counts it is given.
 */
#pragma once

#include "vchan/share.h"

struct share_shown {
	struct share_region region; /* first: share.c converts between the two */
	uint32_t *refs;		    /* filled by show() */
	struct share_shown *next;
};

struct share_ops {
	int (*open)(int peer, int port, enum share_side side, void **state);
	void (*close)(void *state);
	/* Fills region.pages and refs[]. */
	int (*show)(void *state, struct share_shown *shown, bool may_peer_write);
	void (*hide)(void *state, struct share_shown *shown);
	int (*map)(void *state, const uint32_t *refs, uint32_t ref_count, bool is_writable,
		   void **out);
	void (*unmap)(void *state, void *pages, uint32_t page_count);
	bool (*is_peer_gone)(void *state);
};

extern const struct share_ops share_ops_local;
extern const struct share_ops share_ops_xen;
