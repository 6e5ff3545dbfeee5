/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a domain's memory without taking references, for the paths that every exit takes.
 *
 * What an entry maps is read through one window, and the entry is compared again afterwards:
 * unchanged means that the domain owned (or was lent) the frame while it was read, because an
 * entry keeps its reference until it has been removed and flushed. Changed: the bytes are
 * thrown away, and the caller takes the path with references. Tables outlive the reader by RCU.
 */
#pragma once

#include "asm/p2m.h"
#include "lib/string.h"
#include "memory/p2m.h"
#include "mm/window.h"

struct p2m_reader {
	const u64 *root;
	u8 *window; /* NULL: not open */
};

static inline struct p2m_reader p2m_reader_of(const struct domain *d)
{
	return (struct p2m_reader){((const struct p2m_root *)d->p2m)->table, NULL};
}

static inline void p2m_reader_close(struct p2m_reader *r)
{
	if (r->window) {
		window_unmap(r->window);
	}
}

/* Entry and level that map gfn; the place is remembered for the comparison. */
static inline const u64 *p2m_reader_find(const u64 *table, u64 gfn, u64 *entry, unsigned int *level)
{
	const u64 *at;
	unsigned int l = 3;

	for (;;) {
		at = &table[gfn >> (9 * l) & 511];
		*entry = load_relaxed(at);
		if (!arch_p2m_is_table(*entry)) {
			break;
		}
		table = arch_p2m_next(*entry);
		l--;
	}
	*level = l;
	return at;
}

static inline bool p2m_is_readable(unsigned int type)
{
	return (1u << type & (1u << P2M_RAM | 1u << P2M_RAM_RO | 1u << P2M_SHARED |
			      1u << P2M_FOREIGN | 1u << P2M_GRANT_RW | 1u << P2M_GRANT_RO)) != 0;
}

/* Where gpa can be read until the next call; check p2m_reader_is_good() after reading. */
struct p2m_view {
	const u8 *bytes;
	const u64 *entry_at;
	u64 entry;
};

static inline bool p2m_reader_view(struct p2m_reader *r, u64 gpa, struct p2m_view *view)
{
	u64 gfn = gpa >> PAGE_SHIFT;
	unsigned int level;
	mfn_t mfn;

	if (gfn >> 36) {
		return false;
	}
	view->entry_at = p2m_reader_find(r->root, gfn, &view->entry, &level);
	if (!p2m_is_readable(arch_p2m_decode(view->entry, &mfn))) {
		return false;
	}
	mfn = mfn_add(mfn, gfn & ((1ull << (9 * level)) - 1));
	if (r->window) {
		window_move(r->window, mfn);
	} else {
		r->window = window_map(mfn);
	}
	view->bytes = r->window + page_offset(gpa);
	return true;
}

static inline bool p2m_reader_is_good(const struct p2m_view *view)
{
	barrier(); /* loads stay in order on x86 (SDM 3 8.2.2); the unit tests have one thread */
	return load_acquire(view->entry_at) == view->entry;
}

/* Inside one page. False: take the other path. */
static inline bool p2m_reader_copy(struct p2m_reader *r, u64 gpa, void *to, size_t size_bytes)
{
	struct p2m_view view;

	if (!p2m_reader_view(r, gpa, &view)) {
		return false;
	}
	memcpy(to, view.bytes, size_bytes);
	return p2m_reader_is_good(&view);
}
