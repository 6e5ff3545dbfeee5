/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory/p2m.h"

#include "arch/contract/guest.h"
#include "arch/contract/host.h"
#include "asm/p2m.h"
#include "core/rcu.h"
#include "core/smp.h"
#include "core/spinlock.h"
#include "core/timer.h"
#include "domain/service.h"
#include "drivers/iommu/iommu.h"
#include "mm/frame_alloc.h"
#include "mm/heap.h"
#include "mm/window.h"

#define TABLE_ENTRIES 512u
#define LEVEL_TOP     3u
#define GFN_BITS      36u /* four levels of nine bits */
#define TEARDOWN_STEP 64u /* 2 MiB pieces for each call */
#define LATER_NS      (2 * NS_PER_MS)
#define LATER_ROOM    32u /* when the page of references is as full as this, it is time */

/*
 * What waits for a flush: one page, with references of frames that were removed and tables
 * that a CPU or a lock-free reader may still walk.
 */
struct p2m_batch {
	struct rcu_head rcu;
	struct p2m_batch *next;
	struct domain *domain;
	u32 count;
	u64 entries[507];
};
_Static_assert(sizeof(struct p2m_batch) <= 4096, "a batch is one page");
#define BATCH_TABLE	  (1ull << 63)
#define BATCH_ORDER_SHIFT 52
#define BATCH_MFN_MASK	  ((1ull << 40) - 1)

struct p2m {
	u64 *root;
	u64 version;
	struct spinlock lock; /* LOCK_P2M: tables, batches, version */
	mfn_t root_mfn;
	u64 max_gfn;
	u8 is_cpu_flush_due, is_iommu_flush_due;
	u32 flushes_running;	   /* atomic */
	struct p2m_batch *batches; /* the first has room */
	u64 room;		   /* entries left in the batches */
	struct timer later;	   /* pays for what p2m_flush_later() left */
	u8 is_later_set;	   /* atomic */
};

static bool holds_reference(enum p2m_type type)
{
	switch (type) {
	case P2M_RAM:
	case P2M_SHARED:
	case P2M_FOREIGN:
	case P2M_GRANT_RW:
	case P2M_GRANT_RO:
	case P2M_RAM_RO:
		return true;
	default:
		return false;
	}
}

/* What devices of the domain may do: bit 0 read, bit 1 write. */
static unsigned int device_access(enum p2m_type type)
{
	switch (type) {
	case P2M_RAM:
	case P2M_FOREIGN:
	case P2M_GRANT_RW:
	case P2M_MMIO:
		return 3;
	case P2M_GRANT_RO:
	case P2M_RAM_RO:
		return 1;
	default:
		return 0;
	}
}

static unsigned int table_index(gfn_t gfn, unsigned int level)
{
	return (unsigned int)(gfn_raw(gfn) >> (9 * level)) & (TABLE_ENTRIES - 1);
}

/* --- lookup --- */

struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn)
{
	struct p2m_entry e = {P2M_NONE, MFN_INVALID, ORDER_1G};
	u64 *table = d->p2m->root;
	unsigned int level;
	u64 entry;

	if (gfn_raw(gfn) >> GFN_BITS) {
		return e;
	}
	for (level = LEVEL_TOP;; level--) {
		entry = load_relaxed(&table[table_index(gfn, level)]);
		if (!arch_p2m_is_table(entry)) {
			break;
		}
		table = arch_p2m_next(entry);
	}
	e.type = arch_p2m_decode(entry, &e.mfn);
	e.order = MIN(level * 9, ORDER_1G);
	if (e.mfn.v != MFN_INVALID.v) {
		e.mfn = mfn_add(e.mfn, gfn_raw(gfn) & ((1ull << e.order) - 1));
	}
	return e;
}

static bool may_access(enum p2m_type type, bool is_write)
{
	switch (type) {
	case P2M_RAM:
	case P2M_SHARED:
	case P2M_FOREIGN:
	case P2M_GRANT_RW:
		return true;
	case P2M_GRANT_RO:
	case P2M_RAM_RO:
		return !is_write;
	default:
		return false;
	}
}

/* A frame of somebody else: the entry's own reference keeps it while the lock is held. */
static struct frame *get_others_frame(struct domain *d, gfn_t gfn, bool is_write)
{
	struct frame *f = NULL;
	struct p2m_entry e;

	spin_lock(&d->p2m->lock);
	e = p2m_lookup(d, gfn);
	if (may_access(e.type, is_write)) {
		f = frame_of(e.mfn);
		if (f) {
			frame_get_more(f);
		}
	}
	spin_unlock(&d->p2m->lock);
	return f;
}

static int populate(struct domain *d, gfn_t gfn)
{
	struct frame *f = frame_alloc_domain(d, 0, FRAME_ANYWHERE);
	int rc;

	if (!f) {
		return -ENOMEM;
	}
	window_zero(frame_mfn(f));
	rc = p2m_set(d, gfn, frame_mfn(f), 0, P2M_RAM);
	if (rc) {
		frame_put(f);
	}
	return rc;
}

struct frame *p2m_get_frame(struct domain *d, gfn_t gfn, bool is_write, enum p2m_type *type)
{
	struct p2m_entry e = p2m_lookup(d, gfn);
	struct frame *f;

	if (unlikely(e.type == P2M_POD)) {
		if (populate(d, gfn) != 0) {
			return NULL;
		}
		e = p2m_lookup(d, gfn);
	}
	if (type) {
		*type = e.type;
	}
	if (!may_access(e.type, is_write)) {
		return NULL;
	}
	if (!p2m_is_own(e.type)) {
		return get_others_frame(d, gfn, is_write);
	}
	f = frame_of(e.mfn);
	/* It may be on its way out: then it is not d's any more, or its count is 0. */
	if (!f || !frame_get(f, d)) {
		return NULL;
	}
	return f;
}

/* --- batches --- */

static void batch_add_locked(struct p2m *p2m, u64 entry)
{
	struct p2m_batch *batch = p2m->batches;

	while (batch->count == ARRAY_SIZE(batch->entries)) {
		batch = batch->next; /* room was made by reserve() */
	}
	batch->entries[batch->count++] = entry;
	p2m->room--;
}

static int batch_room_add(struct domain *d)
{
	struct p2m *p2m = d->p2m;
	struct p2m_batch *batch = heap_alloc_pages_for(d, 0);

	if (!batch) {
		return -ENOMEM;
	}
	batch->domain = d;
	spin_lock(&p2m->lock);
	batch->next = p2m->batches;
	p2m->batches = batch;
	p2m->room += ARRAY_SIZE(batch->entries);
	spin_unlock(&p2m->lock);
	return 0;
}

static void batch_free(struct rcu_head *head)
{
	struct p2m_batch *batch = container_of(head, struct p2m_batch, rcu);
	struct domain *d = batch->domain;
	u32 i;

	for (i = 0; i < batch->count; i++) {
		if (batch->entries[i] & BATCH_TABLE) {
			heap_free_pages_for(
				d, arch_heap_address(mfn_of(batch->entries[i] & BATCH_MFN_MASK)),
				0);
		}
	}
	heap_free_pages_for(d, batch, 0);
	domain_put(d);
}

static void batch_put_frames(struct p2m_batch *batch)
{
	u32 i;
	u64 k;

	for (i = 0; i < batch->count; i++) {
		u64 entry = batch->entries[i];
		u64 frames = 1ull << (entry >> BATCH_ORDER_SHIFT & 0x1f);

		if (entry & BATCH_TABLE) {
			continue;
		}
		for (k = 0; k < frames; k++) {
			frame_put(frame_of(mfn_of((entry & BATCH_MFN_MASK) + k)));
		}
	}
}

void p2m_flush(struct domain *d)
{
	struct p2m *p2m = d->p2m;
	struct p2m_batch *batch, *next;
	bool is_iommu_due;

	if (likely(!load_acquire(&p2m->is_cpu_flush_due))) {
		/* Somebody else may be paying for what this caller changed. */
		while (unlikely(load_acquire(&p2m->flushes_running))) {
			arch_cpu_relax();
		}
		return;
	}
	spin_lock(&p2m->lock);
	batch = p2m->batches;
	p2m->batches = NULL;
	p2m->room = 0;
	is_iommu_due = p2m->is_iommu_flush_due;
	p2m->is_iommu_flush_due = 0;
	/* First running, then not due: who reads the two without the lock must see one of them. */
	__atomic_fetch_add(&p2m->flushes_running, 1, __ATOMIC_SEQ_CST);
	store_release(&p2m->is_cpu_flush_due, 0);
	spin_unlock(&p2m->lock);

	arch_p2m_flush(d);
	if (is_iommu_due) {
		iommu_flush(d);
	}
	__atomic_fetch_sub(&p2m->flushes_running, 1, __ATOMIC_SEQ_CST);
	for (; batch; batch = next) {
		next = batch->next;
		batch_put_frames(batch);
		domain_get_more(d);
		rcu_call(&batch->rcu, batch_free);
	}
}

static void handle_later(void *data)
{
	struct domain *d = data;

	/* First clear, then pay: who comes between the two sets the timer again. */
	__atomic_store_n(&d->p2m->is_later_set, 0, __ATOMIC_SEQ_CST);
	p2m_flush(d);
}

void p2m_flush_later(struct domain *d)
{
	struct p2m *p2m = d->p2m;

	if (!load_acquire(&p2m->is_cpu_flush_due)) {
		return;
	}
	if (load_relaxed(&p2m->room) <= LATER_ROOM) {
		p2m_flush(d);
	} else if (!__atomic_exchange_n(&p2m->is_later_set, 1, __ATOMIC_SEQ_CST)) {
		timer_set(&p2m->later, clock_now() + LATER_NS);
	}
}

/* --- change --- */

static void link_frames(mfn_t mfn, gfn_t gfn, unsigned int level, bool is_set)
{
	u64 count = 1ull << (9 * level), i;

	for (i = 0; i < count; i++) {
		struct frame *f = frame_of(mfn_add(mfn, i));

		if (f) {
			f->link[0] = is_set ? (u32)(gfn_raw(gfn) + i + 1) : 0;
		}
	}
}

static void drop_leaf_locked(struct domain *d, u64 entry, gfn_t gfn, unsigned int level)
{
	struct p2m *p2m = d->p2m;
	enum p2m_type type;
	mfn_t mfn;

	type = arch_p2m_decode(entry, &mfn);
	if (type == P2M_NONE) {
		return;
	}
	if (type == P2M_RAM || type == P2M_RAM_RO) {
		link_frames(mfn, gfn, level, false);
	}
	if (holds_reference(type)) {
		batch_add_locked(p2m, mfn_raw(mfn) | (u64)(9 * level) << BATCH_ORDER_SHIFT);
	}
	store_relaxed(&p2m->is_cpu_flush_due, 1);
	if (device_access(type)) {
		p2m->is_iommu_flush_due = 1;
	}
}

/* A table of 4 KiB entries goes as a whole; larger ones are taken apart by the callers. */
static void drop_table_locked(struct domain *d, u64 entry, gfn_t gfn)
{
	u64 *table = arch_p2m_next(entry);
	unsigned int i;

	for (i = 0; i < TABLE_ENTRIES; i++) {
		drop_leaf_locked(d, load_relaxed(&table[i]), gfn_add(gfn, i), 0);
	}
	batch_add_locked(d->p2m, mfn_raw(heap_to_mfn(table)) | BATCH_TABLE);
	store_relaxed(&d->p2m->is_cpu_flush_due, 1);
}

/* Tables for the way down, allocated before the lock is taken. */
struct table_stock {
	void *pages[LEVEL_TOP];
	unsigned int count;
};

static void stock_free(struct domain *d, struct table_stock *stock)
{
	while (stock->count) {
		heap_free_pages_for(d, stock->pages[--stock->count], 0);
	}
}

/* The superpage (or the hole) at entry becomes a table with the same meaning. */
static void split_locked(struct p2m *p2m, u64 *entry, unsigned int level, u64 *table)
{
	u64 old = *entry;
	enum p2m_type type;
	unsigned int i;
	mfn_t mfn;

	type = arch_p2m_decode(old, &mfn);
	for (i = 0; i < TABLE_ENTRIES && type != P2M_NONE; i++) {
		mfn_t part = mfn;

		if (mfn.v != MFN_INVALID.v) {
			part = mfn_add(mfn, (u64)i << (9 * (level - 1)));
		}
		table[i] = arch_p2m_leaf(type, part, level - 1);
	}
	if (type != P2M_NONE) {
		store_relaxed(&p2m->is_cpu_flush_due, 1);
	}
	store_release(entry, arch_p2m_table(heap_to_mfn(table))); /* pairs with p2m_lookup() */
}

/*
 * The entry of gfn at level, with tables made on the way. -EAGAIN: the stock is empty.
 * -ENOENT: nothing is there and is_removing wants nothing.
 */
static int descend_locked(struct p2m *p2m, gfn_t gfn, unsigned int level, bool is_removing,
			  struct table_stock *stock, u64 **out)
{
	u64 *table = p2m->root;
	unsigned int l;

	for (l = LEVEL_TOP; l > level; l--) {
		u64 *entry = &table[table_index(gfn, l)];

		if (!arch_p2m_is_table(*entry)) {
			if (is_removing && *entry == 0) {
				return -ENOENT;
			}
			if (!stock->count) {
				return -EAGAIN;
			}
			split_locked(p2m, entry, l, stock->pages[--stock->count]);
		}
		table = arch_p2m_next(*entry);
	}
	*out = &table[table_index(gfn, level)];
	return 0;
}

/* Devices first: that can fail, and then nothing has changed. */
static int change_device_view(struct domain *d, u64 old, bool is_old_table, gfn_t gfn, mfn_t mfn,
			      unsigned int level, enum p2m_type type)
{
	iofn_t iofn = iofn_of(gfn_raw(gfn));
	mfn_t unused;

	if (!d->iommu) {
		return 0;
	}
	if (device_access(type)) {
		return iommu_map(d, iofn, mfn, 9 * level, device_access(type));
	}
	if (is_old_table || device_access(arch_p2m_decode(old, &unused))) {
		return iommu_unmap(d, iofn, 9 * level);
	}
	return 0;
}

/* -E2BIG: a table of tables is there, and level 2 is asked for; do it in 2 MiB pieces. */
static int change_locked(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int level,
			 enum p2m_type type, struct table_stock *stock)
{
	bool is_old_table;
	u64 *entry, old;
	mfn_t unused;
	int rc;

	/* What were put in now would stay: the death of d has been here, or will not look for it. */
	if (type != P2M_NONE && domain_is_dying(d)) {
		return -EINVAL;
	}
	rc = descend_locked(d->p2m, gfn, level, type == P2M_NONE, stock, &entry);
	if (rc) {
		return rc == -ENOENT ? 0 : rc;
	}
	old = *entry;
	is_old_table = level > 0 && arch_p2m_is_table(old);
	if (is_old_table && level > 1) {
		return -E2BIG;
	}
	rc = change_device_view(d, old, is_old_table, gfn, mfn, level, type);
	if (rc) {
		return rc;
	}
	if (is_old_table || p2m_is_own(arch_p2m_decode(old, &unused))) {
		store_relaxed(&d->p2m->version, d->p2m->version + 1);
	}
	store_release(entry, type == P2M_NONE ? 0 : arch_p2m_leaf(type, mfn, level));
	if (is_old_table) {
		drop_table_locked(d, old, gfn);
	} else {
		drop_leaf_locked(d, old, gfn, level);
	}
	if (type == P2M_RAM || type == P2M_RAM_RO) {
		link_frames(mfn, gfn, level, true);
	}
	if (type != P2M_NONE) {
		u64 last = gfn_raw(gfn) + (1ull << (9 * level)) - 1;

		d->p2m->max_gfn = MAX(d->p2m->max_gfn, last);
	}
	return 0;
}

static int stock_fill(struct domain *d, struct table_stock *stock, unsigned int count)
{
	while (stock->count < count) {
		void *page = heap_alloc_pages_for(d, 0);

		if (!page) {
			return -ENOMEM;
		}
		stock->pages[stock->count++] = page;
	}
	return 0;
}

/* Allocates what turns out to be missing with the lock released, and tries again. */
static int change(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int level, enum p2m_type type)
{
	u64 room = level == 1 ? TABLE_ENTRIES + 1 : 1;
	struct table_stock stock = {{NULL}, 0};
	int rc;

	do {
		spin_lock(&d->p2m->lock);
		if (d->p2m->room < room) {
			rc = -ENOBUFS;
		} else {
			rc = change_locked(d, gfn, mfn, level, type, &stock);
		}
		spin_unlock(&d->p2m->lock);
		if (rc == -ENOBUFS) {
			rc = batch_room_add(d) == 0 ? -EAGAIN : -ENOMEM;
		} else if (rc == -EAGAIN && stock_fill(d, &stock, LEVEL_TOP - level) != 0) {
			rc = -ENOMEM;
		}
	} while (rc == -EAGAIN);
	stock_free(d, &stock);
	return rc;
}

/* In the largest entries that alignment, the CPU and what is there allow. */
static int change_range(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order,
			enum p2m_type type)
{
	u64 left = 1ull << order;
	bool has_mfn = type != P2M_NONE && type != P2M_POD;
	unsigned int limit = arch_p2m_max_order() / 9;

	if (gfn_raw(gfn) & (left - 1) || (gfn_raw(gfn) + left - 1) >> GFN_BITS) {
		return -EINVAL;
	}
	while (left) {
		u64 aligned = gfn_raw(gfn) | (has_mfn ? mfn_raw(mfn) : 0);
		unsigned int level = limit;
		u64 frames;
		int rc;

		while (level &&
		       (aligned & ((1ull << (9 * level)) - 1) || left < 1ull << (9 * level))) {
			level--;
		}
		rc = change(d, gfn, mfn, level, type);
		if (rc == -E2BIG) {
			limit = 1;
			continue;
		}
		if (rc) {
			return rc;
		}
		frames = 1ull << (9 * level);
		gfn = gfn_add(gfn, frames);
		if (has_mfn) {
			mfn = mfn_add(mfn, frames);
		}
		left -= frames;
	}
	return 0;
}

int p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type)
{
	if (type == P2M_NONE || type >= P2M_TYPE_COUNT || order > ORDER_1G) {
		return -EINVAL;
	}
	if (type == P2M_POD) {
		mfn = MFN_INVALID;
	}
	return change_range(d, gfn, mfn, order, type);
}

int p2m_remove(struct domain *d, gfn_t gfn, unsigned int order)
{
	return change_range(d, gfn, MFN_INVALID, order, P2M_NONE);
}

u64 p2m_max_gfn(const struct domain *d)
{
	return load_relaxed(&d->p2m->max_gfn);
}

u64 p2m_version(const struct domain *d)
{
	return load_acquire(&d->p2m->version);
}

mfn_t p2m_root(const struct domain *d)
{
	return d->p2m->root_mfn;
}

/* --- the service --- */

static int handle_init(struct domain *d, const struct domain_config *config)
{
	struct p2m *p2m = heap_alloc(sizeof(*p2m));

	if (!p2m) {
		return -ENOMEM;
	}
	p2m->root = heap_alloc_pages_for(d, 0);
	if (!p2m->root) {
		heap_free(p2m);
		return -ENOMEM;
	}
	p2m->root_mfn = heap_to_mfn(p2m->root);
	spinlock_init(&p2m->lock, LOCK_P2M);
	timer_init(&p2m->later, handle_later, d, smp_cpu_id());
	d->p2m = p2m;
	return 0;
}

/* All of the memory goes in pieces of 2 MiB; progress is the piece, teardown_step. */
static int handle_teardown(struct domain *d)
{
	u64 pieces, piece = d->teardown_step;
	unsigned int done = 0;

	if (!d->p2m) {
		return 0;
	}
	/* Whoever was in change_locked() before d was dying is out of it now; others are refused. */
	spin_lock(&d->p2m->lock);
	spin_unlock(&d->p2m->lock);
	pieces = (d->p2m->max_gfn >> ORDER_2M) + 1;
	while (piece < pieces) {
		gfn_t gfn = gfn_of(piece << ORDER_2M);
		struct p2m_entry e = p2m_lookup(d, gfn);

		if (e.type == P2M_NONE && e.order > ORDER_2M) {
			piece = (piece | ((1u << (e.order - ORDER_2M)) - 1)) + 1;
			continue;
		}
		if (done++ == TEARDOWN_STEP) {
			d->teardown_step = (unsigned int)piece;
			p2m_flush(d);
			return -ERESTART;
		}
		if (p2m_remove(d, gfn, ORDER_2M) != 0) {
			d->teardown_step = (unsigned int)piece;
			p2m_flush(d); /* gives memory back, so the next call gets on */
			return -ERESTART;
		}
		piece++;
	}
	p2m_flush(d);
	return 0;
}

static void free_tables(struct domain *d, u64 *root)
{
	unsigned int i, k, m;

	for (i = 0; i < TABLE_ENTRIES; i++) {
		u64 *second = arch_p2m_is_table(root[i]) ? arch_p2m_next(root[i]) : NULL;

		for (k = 0; second && k < TABLE_ENTRIES; k++) {
			u64 *third = arch_p2m_is_table(second[k]) ? arch_p2m_next(second[k]) : NULL;

			for (m = 0; third && m < TABLE_ENTRIES; m++) {
				if (arch_p2m_is_table(third[m])) {
					heap_free_pages_for(d, arch_p2m_next(third[m]), 0);
				}
			}
			if (third) {
				heap_free_pages_for(d, third, 0);
			}
		}
		if (second) {
			heap_free_pages_for(d, second, 0);
		}
	}
	heap_free_pages_for(d, root, 0);
}

static void handle_fini(struct domain *d)
{
	struct p2m *p2m = d->p2m;

	if (!p2m) {
		return;
	}
	timer_stop(&p2m->later);
	while (p2m->batches) {
		struct p2m_batch *batch = p2m->batches;

		/* Empty, because teardown flushed; a half-built domain never had entries. */
		p2m->batches = batch->next;
		batch_put_frames(batch);
		heap_free_pages_for(d, batch, 0);
	}
	free_tables(d, p2m->root);
	heap_free(p2m);
	d->p2m = NULL;
}

const struct domain_service p2m_service = {
	.name = "p2m",
	.init = handle_init,
	.teardown = handle_teardown,
	.fini = handle_fini,
};
