/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the start in which the machine gets its own page tables. Only boot/ calls it.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

#include <asm/frame_table.h>

struct hpa_range {
	hpa_t start, end;
};
/* The hypervisor's own image in memory. */
struct hpa_range arch_image_range(void);

/*
 * Builds the tables out of pool (2 MiB aligned, below 4 GiB) and switches to them. The pool is
 * mapped as heap.
 */
void paging_setup(hpa_t pool, u64 pool_bytes, hpa_t ram_end);
/* How much pool paging_setup() needs at most for RAM that ends at ram_end. */
u64 paging_pool_bytes(hpa_t ram_end);
/*
 * Later tables come from alloc(): zeroed heap pages, or NULL. Until then they come from the pool;
 * returns how many bytes of it are in use, the rest is the caller's.
 */
u64 paging_set_table_source(void *(*alloc)(void));
/* 2 MiB of the frame table, for good. */
void paging_map_frame_table(unsigned long virtual_address, hpa_t memory);
/*
 * The parts of the image that nobody needs after start, the i-th of them; paging_protect_after_init()
 * takes them out of the tables. False: there are no more.
 */
bool arch_start_part(unsigned int i, struct hpa_range *out);
/* What was written during start becomes read-only, on all CPUs. */
void paging_protect_after_init(void);

/*
 * Calls visit for every mapping (2^order frames) that cpu has, while it runs. is_window: one of
 * its windows. Not of the boot map, which is gone before a guest runs.
 */
void arch_host_map_walk(cpu_t cpu,
			void (*visit)(void *context, unsigned long virtual_address, mfn_t first,
				      unsigned int order, bool is_window),
			void *context);
