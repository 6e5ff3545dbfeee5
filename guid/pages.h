/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapped pages of a guest, counted by reference.
 *
 * A picture that was made of them may live a frame longer than the window that they
 * belong to, and longer than the connection; what is mapped stays until the last user
 * is done. Main thread only.
 */
#pragma once

#include "vchan/share.h"

#include <stdbool.h>
#include <stdint.h>

struct pages_pool; /* a share pool, open as long as pages of it are mapped */
struct pages;

/* NULL and errno as share_pool_open(). */
struct pages_pool *pages_pool_open(int peer, int port, uint32_t page_count_max);
void pages_pool_close(struct pages_pool *pool);

/* Read-only. 0, or what share_map() says. The result has one reference. */
int pages_map(struct pages_pool *pool, const uint32_t *refs, uint32_t ref_count,
	      struct pages **out);
bool pages_is_peer_gone(struct pages_pool *pool);
struct pages *pages_ref(struct pages *p);
void pages_unref(struct pages *p);
const void *pages_bytes(const struct pages *p);
