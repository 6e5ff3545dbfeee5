/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the loader puts things, in any memory map: what is found is RAM that nobody has. The input is
 * words of 16 bits: a map's regions (kind and size, in pages), what is busy, and what is asked for.
 */
#include "loader/place.h"

#define PAGE 0x1000ull

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes);

static u64 next(const u8 **data, size_t *left)
{
	u64 value = 0;

	if (*left >= 2) {
		value = (u64)((*data)[0] | (*data)[1] << 8);
		*data += 2;
		*left -= 2;
	}
	return value;
}

/* Said once more, in other words than place.c's. */
static void check(const struct place_map *map, u64 at, u64 size)
{
	bool is_ram = false;
	unsigned int i;

	if (!at) {
		return;
	}
	for (i = 0; i < map->region_count; i++) {
		const struct hvm_memmap_table_entry *r = &map->regions[i];

		is_ram |= r->type == XEN_HVM_MEMMAP_TYPE_RAM && at >= r->addr &&
			  at + size <= r->addr + r->size;
	}
	for (i = 0; i < map->busy_count; i++) {
		if (at + size > map->busy[i].start && map->busy[i].end > at) {
			__builtin_trap();
		}
	}
	if (!is_ram || at % PAGE || at < 0x100000 || at + size > 0x100000000) {
		__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes)
{
	struct hvm_memmap_table_entry regions[12] = {{0}};
	struct place_map map = {.regions = regions, .region_count = 12};
	u64 at = 0, size, from;
	unsigned int i;

	for (i = 0; i < map.region_count; i++) {
		u64 word = next(&data, &size_bytes);

		regions[i].addr = at + (word & 0x3f) * 0x123;
		regions[i].size = word * 0x34567;
		regions[i].type = (word & 3) + 1;
		at = regions[i].addr + regions[i].size;
	}
	for (i = 0; i < PLACE_BUSY_MAX; i++) {
		from = next(&data, &size_bytes) * 0x5432;
		place_add_busy(&map, from, next(&data, &size_bytes) * 0x765);
	}
	size = next(&data, &size_bytes) * 0x4321 + 1;
	check(&map, place_find(&map, size), size);
	from = next(&data, &size_bytes) * 0x6543;
	at = place_find_behind(&map, from, size);
	check(&map, at, size);
	if (at && at < from) {
		__builtin_trap();
	}
	return 0;
}
