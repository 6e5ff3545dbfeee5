/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages shown to a peer, and a peer's pages mapped here.
 *
 * A page reference is a u32, as WINDOW_DUMP carries it: on Xen a grant reference, on the local
 * transport a number that stands for a page of a sealed memory file. References travel in the
 * program's own messages (over a vchan); what makes them mappable travels beside, never in the
 * byte stream.
 *
 * A pool belongs to one vchan, named by peer and port, and to one side:
 *   SHARE_SHOW  share_create() makes zeroed pages, visible here and to the peer
 *   SHARE_MAP   share_map() maps pages that the peer made
 * Rule of order: the mapping side opens its pool before the vchan that will carry the references
 * is connected (local transport: it listens, the showing side connects to it and pushes the
 * files, so that neither side ever waits for an answer of the other). A showing side may hold
 * one pool for each peer and port; a second one takes the place of the first.
 *
 * Local transport, on the wire: SOCK_SEQPACKET socket
 * $VCHAN_SOCKET_DIR/share.<showing>.<mapping>.<port>.sock, packets of 16 bytes, little-endian:
 *   {u32 1, u32 first_ref, u32 page_count, u32 flags} with one file descriptor: pages
 *       first_ref .. first_ref + page_count - 1 are pages 0.. of this file (flags bit 0: the
 *       peer may write)
 *   {u32 2, u32 first_ref, u32 page_count, u32 0} without one: forget them
 * The file must be a memfd with F_SEAL_SHRINK, or the peer could make us die of SIGBUS.
 *
 * Not thread-safe for one pool; two pools are independent. All functions return 0 or -errno
 * unless they say otherwise. They may be called from any ordinary context, not from a signal
 * handler.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SHARE_PAGE_SIZE 4096u

/* What the GUI protocol allows for one window, see qubes GUI protocol: 98,304 references. */
#define SHARE_PAGES_PER_REGION_MAX 98304u

enum share_side {
	SHARE_SHOW,
	SHARE_MAP,
};

/* How much one pool may hold at a time; share_create()/share_map() refuse more with -ENOSPC. */
struct share_limits {
	uint32_t page_count_max;   /* sum over all regions; 0: 262144 (1 GiB) */
	uint32_t region_count_max; /* 0: 1024 */
};

struct share_pool;

/* Pages of ours; read-only for the caller apart from what `pages` points to. */
struct share_region {
	void *pages;	      /* page_count * SHARE_PAGE_SIZE bytes, zeroed at first */
	const uint32_t *refs; /* page_count references, in the order of the pages */
	uint32_t page_count;
};

/*
 * Opens a pool towards `peer` (a domain id) for the vchan `port`. NULL limits mean the defaults.
 * Returns NULL and sets errno: EINVAL (peer, port or VCHAN_DOMAIN out of range), ENOENT or EACCES
 * (socket folder, /dev/xen/gnt*), EMFILE, ENOMEM.
 */
struct share_pool *share_pool_open(int peer, int port, enum share_side side,
				   const struct share_limits *limits);

/* Unmaps and takes back everything that is left. NULL is allowed. */
void share_pool_close(struct share_pool *pool);

/*
 * SHARE_SHOW. Makes page_count zeroed pages that the peer may map; *out stays valid until
 * share_destroy() or share_pool_close(). After this returns the references may be sent.
 * -EINVAL (0 pages or too many, wrong side), -ENOSPC (limits; on Xen also gntalloc's own limit),
 * -ENOMEM, -ETIMEDOUT (local: the peer did not open its side within 5 s, or has not looked at a
 * thousand regions), -EPIPE (the peer is gone).
 */
int share_create(struct share_pool *pool, uint32_t page_count, bool may_peer_write,
		 const struct share_region **out);

/*
 * SHARE_SHOW. Takes the pages back; pages that the peer still maps stay readable by it until it
 * unmaps them, and are not reused for anything else before that.
 */
void share_destroy(struct share_pool *pool, const struct share_region *region);

/*
 * SHARE_MAP. Maps ref_count pages in the order of refs[]; the result is contiguous. The contents
 * may change at any moment: read each value once. -EINVAL (0 or more than
 * SHARE_PAGES_PER_REGION_MAX references, wrong side), -ENOENT (a reference that the peer does not
 * show), -EACCES (write asked for, not offered), -EPROTO (the peer broke the rules above),
 * -ENOSPC (limits), -ENOMEM.
 */
int share_map(struct share_pool *pool, const uint32_t *refs, uint32_t ref_count, bool is_writable,
	      void **out);

/* SHARE_MAP. Undoes share_map(); NULL is allowed. Aborts for a pointer that is not from it. */
void share_unmap(struct share_pool *pool, void *pages);

/*
 * True when the peer's side was here and is gone. What is mapped stays mapped (and readable)
 * until share_unmap() or share_pool_close(); nothing new can be mapped from a peer that is gone.
 * On Xen this is always false: the vchan beside it tells.
 */
bool share_is_peer_gone(struct share_pool *pool);
