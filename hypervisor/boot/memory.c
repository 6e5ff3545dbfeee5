// SPDX-License-Identifier: GPL-2.0-or-later
#include "boot/memory.h"

#include "arch/contract/host.h"
#include "arch/contract/paging.h"
#include "boot/modules.h"
#include "core/log.h"
#include "core/panic.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/frame_alloc.h"
#include "mm/heap.h"

#define SIZE_2M	     (1ull << 21)
#define LOW_END	     0x100000ull /* firmware's, and where CPUs start */
#define LIMIT_4G     (1ull << 32)
#define RESERVED_MAX (BOOT_MODULE_MAX + 8)
#define RAM_MIN	     (64ull << 20)
#define CHUNK_BYTES  (FRAMES_PER_CHUNK * PAGE_SIZE) /* RAM that 2 MiB of the frame table describe */

struct range {
	u64 start, end; /* whole pages */
};
static INIT_DATA struct range reserved[RESERVED_MAX]; /* sorted; may overlap */
static INIT_DATA unsigned int reserved_count;

static void reserve(u64 start, u64 end)
{
	unsigned int i = reserved_count;

	start &= PAGE_MASK;
	end = ROUND_UP(end, PAGE_SIZE);
	if (start >= end) {
		return;
	}
	CHECK(reserved_count < RESERVED_MAX);
	for (; i > 0 && reserved[i - 1].start > start; i--) {
		reserved[i] = reserved[i - 1];
	}
	reserved[i] = (struct range){start, end};
	reserved_count++;
}

static u64 region_end(const struct boot_region *r)
{
	return hpa_raw(r->start) + r->size_bytes;
}

static u64 find_ram_end(u64 *ram_bytes)
{
	unsigned int i;
	u64 end = 0;

	*ram_bytes = 0;
	for (i = 0; i < boot_info.region_count; i++) {
		if (boot_info.regions[i].type == BOOT_RAM) {
			end = MAX(end, region_end(&boot_info.regions[i]));
			*ram_bytes += boot_info.regions[i].size_bytes;
		}
	}
	return end;
}

static void reserve_what_is_used(void)
{
	struct hpa_range image = arch_image_range();
	unsigned int i;

	reserve(0, LOW_END);
	reserve(hpa_raw(image.start), hpa_raw(image.end));
	for (i = 0; i < boot_info.module_count; i++) {
		reserve(hpa_raw(boot_info.modules[i].start),
			hpa_raw(boot_info.modules[i].start) + boot_info.modules[i].size_bytes);
	}
	reserve(hpa_raw(boot_info.loader_data.start),
		hpa_raw(boot_info.loader_data.start) + boot_info.loader_data.size_bytes);
}

/* The highest 2 MiB aligned place for size bytes in start..end that nothing reserved touches, or 0. */
static u64 find_in(u64 start, u64 end, u64 size)
{
	unsigned int i = reserved_count;
	u64 at;

	end = MIN(end, LIMIT_4G);
	for (;;) {
		if (end < size || (at = (end - size) & ~(SIZE_2M - 1)) < start || at == 0) {
			return 0;
		}
		for (i = reserved_count; i > 0; i--) {
			if (reserved[i - 1].start < at + size && reserved[i - 1].end > at) {
				break;
			}
		}
		if (i == 0) {
			return at;
		}
		end = reserved[i - 1].start;
	}
}

static u64 find_pool(u64 size)
{
	unsigned int i;
	u64 at, best = 0;

	for (i = 0; i < boot_info.region_count; i++) {
		if (boot_info.regions[i].type == BOOT_RAM) {
			at = find_in(hpa_raw(boot_info.regions[i].start),
				     region_end(&boot_info.regions[i]), size);
			best = MAX(best, at);
		}
	}
	return best;
}

/* Calls visit for each chunk of the frame table that describes some RAM. */
static unsigned int for_each_chunk(void (*visit)(u64 chunk, u64 *context), u64 *context)
{
	unsigned int i, count = 0;
	u64 chunk, last = ~0ull;

	for (i = 0; i < boot_info.region_count; i++) {
		if (boot_info.regions[i].type != BOOT_RAM) {
			continue;
		}
		for (chunk = hpa_raw(boot_info.regions[i].start) / CHUNK_BYTES;
		     chunk <= (region_end(&boot_info.regions[i]) - 1) / CHUNK_BYTES; chunk++) {
			if (chunk == last) {
				continue; /* the regions are sorted */
			}
			last = chunk;
			count++;
			if (visit) {
				visit(chunk, context);
			}
		}
	}
	return count;
}

static void add_chunk(u64 chunk, u64 *memory)
{
	mfn_t first = mfn_of(chunk * FRAMES_PER_CHUNK);

	paging_map_frame_table((unsigned long)&FRAME_TABLE[mfn_raw(first)], hpa_of(*memory));
	memset(&FRAME_TABLE[mfn_raw(first)], 0, SIZE_2M);
	frame_table_add_chunk(first);
	*memory += SIZE_2M;
}

static void set_state(u64 start, u64 end, enum frame_state state)
{
	u64 mfn;

	for (mfn = start >> PAGE_SHIFT; mfn < end >> PAGE_SHIFT; mfn++) {
		if (!frame_table_has_chunk(mfn_of(mfn))) {
			mfn |= FRAMES_PER_CHUNK - 1;
			continue;
		}
		FRAME_TABLE[mfn].state = (u8)state;
	}
}

static void add_free_between(u64 start, u64 end)
{
	unsigned int i;

	for (i = 0; i < reserved_count && start < end; i++) {
		if (reserved[i].end <= start) {
			continue;
		}
		if (reserved[i].start >= end) {
			break;
		}
		if (reserved[i].start > start) {
			frame_add_free(hpa_to_mfn(hpa_of(start)), (reserved[i].start - start) >> PAGE_SHIFT);
		}
		start = reserved[i].end;
	}
	if (start < end) {
		frame_add_free(hpa_to_mfn(hpa_of(start)), (end - start) >> PAGE_SHIFT);
	}
}

/* Whatever lies between two RAM regions is not RAM. */
static void mark_holes(u64 ram_end)
{
	unsigned int i;
	u64 at = 0;

	for (i = 0; i < boot_info.region_count; i++) {
		if (boot_info.regions[i].type == BOOT_RAM) {
			set_state(at, hpa_raw(boot_info.regions[i].start), FRAME_NONE);
			at = region_end(&boot_info.regions[i]);
		}
	}
	set_state(at, ROUND_UP(ram_end, CHUNK_BYTES), FRAME_NONE);
	for (i = 0; i < reserved_count; i++) {
		set_state(reserved[i].start, MIN(reserved[i].end, ram_end), FRAME_NONE);
	}
}

static void *table_from_heap(void)
{
	return heap_alloc_pages(0);
}

void boot_memory_setup(void)
{
	u64 ram_bytes, ram_end = find_ram_end(&ram_bytes), pool_bytes, table_bytes, pool, at, used;
	unsigned int i;

	if (ram_bytes < RAM_MIN) {
		boot_refuse("The machine has %lu MiB of memory; at least %llu MiB are needed.",
			    ram_bytes >> 20, RAM_MIN >> 20);
	}
	reserve_what_is_used();
	pool_bytes = paging_pool_bytes(hpa_of(ram_end));
	table_bytes = for_each_chunk(NULL, NULL) * SIZE_2M;
	pool = find_pool(pool_bytes + table_bytes);
	if (!pool) {
		boot_refuse("No %lu MiB of memory in one piece below 4 GiB for the hypervisor's tables.",
			    (pool_bytes + table_bytes) >> 20);
	}
	paging_setup(hpa_of(pool), pool_bytes, hpa_of(ram_end));
	at = pool + pool_bytes;
	frame_table_setup(hpa_of(ram_end));
	for_each_chunk(add_chunk, &at);
	reserve(pool, pool + pool_bytes + table_bytes);
	mark_holes(ram_end);
	set_state(pool, pool + pool_bytes, FRAME_HEAP);
	for (i = 0; i < boot_info.region_count; i++) {
		if (boot_info.regions[i].type == BOOT_RAM) {
			add_free_between(hpa_raw(boot_info.regions[i].start),
					 region_end(&boot_info.regions[i]));
		}
	}
	used = paging_set_table_source(table_from_heap);
	heap_add_pages(hpa_to_mfn(hpa_of(pool + used)), (pool_bytes - used) >> PAGE_SHIFT);
	log_info("memory: %lu MiB, %lu KiB for the frame table\n", ram_bytes >> 20, table_bytes >> 10);
}

void boot_memory_release(hpa_t start, u64 size_bytes)
{
	u64 from = hpa_raw(start) & PAGE_MASK, to = ROUND_UP(hpa_raw(start) + size_bytes, PAGE_SIZE);

	set_state(from, to, FRAME_FREE);
	frame_add_free(hpa_to_mfn(hpa_of(from)), (to - from) >> PAGE_SHIFT);
}

#ifdef HV_UNIT
void boot_memory_forget_all(void)
{
	reserved_count = 0;
}
#endif
