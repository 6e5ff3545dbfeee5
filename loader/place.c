/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader/place.h"

#define PAGE	0x1000ull
#define LOWEST	(1ull << 20) /* below is firmware's and where CPUs start */
#define HIGHEST (1ull << 32)

void place_add_busy(struct place_map *map, u64 start, u64 size_bytes)
{
	map->busy[map->busy_count++] = (struct place_span){start, start + size_bytes};
}

bool place_is_ram(const struct place_map *map, u64 start, u64 size_bytes)
{
	unsigned int i;

	if (start < LOWEST || start >= HIGHEST || size_bytes > HIGHEST - start) {
		return false;
	}
	for (i = 0; i < map->region_count; i++) {
		const struct hvm_memmap_table_entry *r = &map->regions[i];

		if (r->type == XEN_HVM_MEMMAP_TYPE_RAM && start >= r->addr &&
		    start - r->addr < r->size && size_bytes <= r->size - (start - r->addr)) {
			return true;
		}
	}
	return false;
}

/* The busy span with the lowest start that start .. end touches, or NULL. */
static const struct place_span *first_busy(const struct place_map *map, u64 start, u64 end)
{
	const struct place_span *first = NULL;
	unsigned int i;

	for (i = 0; i < map->busy_count; i++) {
		const struct place_span *b = &map->busy[i];

		if (start < b->end && end > b->start && (!first || b->start < first->start)) {
			first = b;
		}
	}
	return first;
}

bool place_is_idle(const struct place_map *map, u64 start, u64 size_bytes)
{
	return !first_busy(map, start, start + size_bytes);
}

u64 place_find(const struct place_map *map, u64 size_bytes)
{
	u64 size = (size_bytes + PAGE - 1) & ~(PAGE - 1), best = 0;
	unsigned int i;

	for (i = 0; i < map->region_count; i++) {
		const struct hvm_memmap_table_entry *r = &map->regions[i];
		u64 start = MAX(r->addr, LOWEST), end = MIN(r->addr + r->size, HIGHEST) & ~(PAGE - 1);

		if (r->type != XEN_HVM_MEMMAP_TYPE_RAM) {
			continue;
		}
		while (end > start && end - start >= size) {
			const struct place_span *b = first_busy(map, end - size, end);

			if (!b) {
				best = MAX(best, end - size);
				break;
			}
			end = b->start & ~(PAGE - 1);
		}
	}
	return best;
}

u64 place_find_behind(const struct place_map *map, u64 from, u64 size_bytes)
{
	u64 best = 0;
	unsigned int i;

	for (i = 0; i < map->region_count; i++) {
		u64 at = (MAX(from, map->regions[i].addr) + PAGE - 1) & ~(PAGE - 1);

		while (place_is_ram(map, at, size_bytes)) {
			const struct place_span *b = first_busy(map, at, at + size_bytes);

			if (!b) {
				best = best ? MIN(best, at) : at;
				break;
			}
			at = (b->end + PAGE - 1) & ~(PAGE - 1);
		}
	}
	return best;
}
