/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domain's memory as the loader may use it: RAM of the start information's map from 1 MiB to
 * 4 GiB, without what lies there already. Pure.
 */
#pragma once

#include <stdint.h>
#include <xen/arch-x86/hvm/start_info.h>

#include "hv/compiler.h"
#include "hv/types.h"

#define PLACE_BUSY_MAX 4u

struct place_span {
	u64 start, end;
};
struct place_map {
	const struct hvm_memmap_table_entry *regions;
	unsigned int region_count;
	struct place_span busy[PLACE_BUSY_MAX];
	unsigned int busy_count;
};

void place_add_busy(struct place_map *map, u64 start, u64 size_bytes);

/* start .. start + size_bytes lies in one region of RAM. */
bool place_is_ram(const struct place_map *map, u64 start, u64 size_bytes);
/* No byte of start .. start + size_bytes is busy. */
bool place_is_idle(const struct place_map *map, u64 start, u64 size_bytes);
/* The highest whole pages that are RAM and idle, for size_bytes; 0: nowhere. */
u64 place_find(const struct place_map *map, u64 size_bytes);
/* The lowest such pages at or behind from. */
u64 place_find_behind(const struct place_map *map, u64 from, u64 size_bytes);
