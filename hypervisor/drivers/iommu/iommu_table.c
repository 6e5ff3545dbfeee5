/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/iommu/iommu_table.h"

#include "arch/contract/host.h"
#include "hv/error.h"
#include "mm/heap.h"

#define ENTRIES	   512u
#define LEVELS_MAX 6u

static unsigned int index_of(u64 iofn, unsigned int level)
{
	return (unsigned int)(iofn >> 9 * (level - 1)) & (ENTRIES - 1);
}

static void write_back(const struct iommu_table *t, const void *p, size_t size_bytes)
{
	if (t->needs_write_back) {
		arch_cache_write_back(p, size_bytes);
	}
}

static void entry_store(const struct iommu_table *t, u64 *entry, u64 value)
{
	store_release(entry, value); /* pairs with the unit's own walk */
	write_back(t, entry, sizeof(*entry));
}

static u64 *table_of(u64 entry)
{
	return heap_from_mfn(hpa_to_mfn(hpa_of(entry & IOMMU_ADDRESS_MASK)));
}

static u64 *page_create(struct iommu_table *t)
{
	u64 *page = heap_alloc_pages_for(t->owner, 0);

	if (page) {
		t->page_count++;
	}
	return page;
}

int iommu_table_init(struct iommu_table *t)
{
	t->page_count = 0;
	t->root = page_create(t);
	if (!t->root) {
		return -ENOMEM;
	}
	write_back(t, t->root, PAGE_SIZE);
	return 0;
}

/* A superpage entry becomes a table of the next smaller leaves: the same translation. */
static u64 *split(struct iommu_table *t, u64 *entry, unsigned int level)
{
	const struct iommu_format *f = t->format;
	mfn_t mfn = hpa_to_mfn(hpa_of(*entry & IOMMU_ADDRESS_MASK));
	unsigned int access = f->access(*entry), i;
	u64 *page = page_create(t);

	if (!page) {
		return NULL;
	}
	/* the bits below a superpage's size are other things than its address */
	mfn = mfn_of(mfn_raw(mfn) & ~((1ull << 9 * (level - 1)) - 1));
	for (i = 0; i < ENTRIES; i++) {
		page[i] = f->leaf(mfn_add(mfn, (u64)i << 9 * (level - 2)), level - 1, access);
	}
	write_back(t, page, PAGE_SIZE);
	entry_store(t, entry, f->table(heap_to_mfn(page), level));
	return page;
}

/* The table below entry, made or split from a superpage when there is none. NULL: no memory. */
static u64 *descend(struct iommu_table *t, u64 *entry, unsigned int level)
{
	u64 *page;

	if (*entry & t->format->present) {
		return t->format->is_leaf(*entry, level) ? split(t, entry, level)
							 : table_of(*entry);
	}
	page = page_create(t);
	if (!page) {
		return NULL;
	}
	write_back(t, page, PAGE_SIZE);
	entry_store(t, entry, t->format->table(heap_to_mfn(page), level));
	return page;
}

/* The entry of iofn at level; NULL when there is no memory to get there. */
static u64 *walk_create(struct iommu_table *t, u64 iofn, unsigned int level)
{
	u64 *page = t->root;
	unsigned int at;

	for (at = t->levels; at > level; at--) {
		page = descend(t, &page[index_of(iofn, at)], at);
		if (!page) {
			return NULL;
		}
	}
	return &page[index_of(iofn, level)];
}

static bool is_level_leaf(const struct iommu_table *t, unsigned int level)
{
	return level == 1 || (level <= 3 && t->large_levels >> (level - 1) & 1);
}

/* The largest leaf for a piece that starts at both numbers and has count frames. */
static unsigned int leaf_level(const struct iommu_table *t, u64 iofn, u64 mfn, u64 count)
{
	unsigned int level;

	for (level = MIN(3u, t->levels); level > 1; level--) {
		u64 frames = 1ull << 9 * (level - 1);

		if (is_level_leaf(t, level) && !((iofn | mfn) & (frames - 1)) && count >= frames) {
			return level;
		}
	}
	return 1;
}

static bool is_in_reach(const struct iommu_table *t, u64 iofn, unsigned int order)
{
	u64 limit = 1ull << 9 * t->levels;

	return order <= ORDER_1G && iofn < limit && (1ull << order) <= limit - iofn;
}

int iommu_table_map(struct iommu_table *t, iofn_t iofn, mfn_t mfn, unsigned int order,
		    unsigned int access, bool *was_present)
{
	u64 from = iofn_raw(iofn), to = mfn_raw(mfn), left = 1ull << order;

	*was_present = false;
	if (!is_in_reach(t, from, order)) {
		return -ERANGE;
	}
	while (left) {
		unsigned int level = leaf_level(t, from, to, left);
		u64 *entry = walk_create(t, from, level);
		u64 frames;

		if (!entry) {
			return -ENOMEM;
		}
		/* a table stays a table: go down and fill it */
		while (level > 1 && *entry & t->format->present &&
		       !t->format->is_leaf(*entry, level)) {
			entry = &table_of(*entry)[index_of(from, --level)];
		}
		/* a level without leaves of its own cannot be what the table above leads to */
		ASSERT(is_level_leaf(t, level));
		*was_present |= (*entry & t->format->present) != 0;
		entry_store(t, entry, t->format->leaf(mfn_of(to), level, access));
		frames = 1ull << 9 * (level - 1);
		from += frames;
		to += frames;
		left -= frames;
	}
	return 0;
}

/* The deepest entry on the way to iofn: a leaf or an empty one; *level says where. */
static u64 *walk(const struct iommu_table *t, u64 iofn, unsigned int *level)
{
	u64 *page = t->root, *entry;
	unsigned int at = t->levels;

	for (;;) {
		entry = &page[index_of(iofn, at)];
		if (!(*entry & t->format->present) || at == 1 || t->format->is_leaf(*entry, at)) {
			*level = at;
			return entry;
		}
		page = table_of(*entry);
		at--;
	}
}

int iommu_table_unmap(struct iommu_table *t, iofn_t iofn, unsigned int order, bool *was_present)
{
	u64 from = iofn_raw(iofn), end;

	*was_present = false;
	if (!is_in_reach(t, from, order)) {
		return -ERANGE;
	}
	end = from + (1ull << order);
	while (from < end) {
		unsigned int level;
		u64 *entry = walk(t, from, &level);
		u64 frames = 1ull << 9 * (level - 1);
		u64 next = (from & ~(frames - 1)) + frames;

		if (*entry & t->format->present) {
			if (from & (frames - 1) || end < next) {
				if (!split(t, entry, level)) {
					return -ENOMEM;
				}
				continue; /* the same place, one level further down */
			}
			entry_store(t, entry, 0);
			*was_present = true;
		}
		from = next;
	}
	return 0;
}

bool iommu_table_lookup(const struct iommu_table *t, iofn_t iofn, mfn_t *mfn, unsigned int *order,
			unsigned int *access)
{
	unsigned int level;
	u64 entry, frames;

	if (!is_in_reach(t, iofn_raw(iofn), 0)) {
		return false;
	}
	entry = *walk(t, iofn_raw(iofn), &level);
	if (!(entry & t->format->present)) {
		return false;
	}
	frames = 1ull << 9 * (level - 1);
	*mfn = mfn_of(((entry & IOMMU_ADDRESS_MASK) >> PAGE_SHIFT & ~(frames - 1)) +
		      (iofn_raw(iofn) & (frames - 1)));
	*order = 9 * (level - 1);
	*access = t->format->access(entry);
	return true;
}

/* Pages of the tree, deepest first, with an explicit stack of one position a level. */
void iommu_table_fini(struct iommu_table *t)
{
	u64 *pages[LEVELS_MAX + 1];
	unsigned int positions[LEVELS_MAX + 1];
	unsigned int level = t->levels;

	if (!t->root) {
		return;
	}
	pages[level] = t->root;
	positions[level] = 0;
	while (level <= t->levels) {
		u64 entry;

		if (level == 1 || positions[level] == ENTRIES) {
			heap_free_pages_for(t->owner, pages[level], 0);
			level++;
			continue;
		}
		entry = pages[level][positions[level]++];
		if (entry & t->format->present && !t->format->is_leaf(entry, level)) {
			level--;
			pages[level] = table_of(entry);
			positions[level] = 0;
		}
	}
	t->root = NULL;
	t->page_count = 0;
}
