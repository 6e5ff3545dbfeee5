/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules are too large for windows and not the heap's. They are reached where the heap's
 * address range would have their frames: nothing else is mapped there, because the heap only
 * takes chunks that are free as a whole, and a module's chunk is not.
 */
#include "boot/modules.h"

#include "arch/contract/host.h"
#include "boot/memory.h"
#include "mm/frame_alloc.h"

#define CHUNK_BYTES (PAGE_SIZE << ORDER_2M)
#define SCRATCH_MAX 2u

struct boot_info boot_info RO_AFTER_INIT;

static INIT_DATA struct {
	struct frame *first;
	unsigned int order;
} scratch[SCRATCH_MAX];
static INIT_DATA unsigned int scratch_count;

static bool map_chunks(u64 start, u64 end)
{
	u64 at;

	for (at = start & ~(CHUNK_BYTES - 1); at < end; at += CHUNK_BYTES) {
		if (arch_heap_chunk_map(hpa_to_mfn(hpa_of(at)))) {
			return false;
		}
	}
	return true;
}

static void unmap_chunks(u64 start, u64 end)
{
	u64 at;

	for (at = start & ~(CHUNK_BYTES - 1); at < end; at += CHUNK_BYTES) {
		arch_heap_chunk_unmap(hpa_to_mfn(hpa_of(at)));
	}
}

const void *module_map(const struct boot_module *m)
{
	u64 start = hpa_raw(m->start);

	if (!map_chunks(start, start + m->size_bytes)) {
		return NULL;
	}
	return (const u8 *)arch_heap_address(hpa_to_mfn(m->start)) + page_offset(start);
}

void *module_scratch(u64 size_bytes)
{
	unsigned int order = ORDER_2M;
	struct frame *f;
	u64 start;

	while (PAGE_SIZE << order < size_bytes) {
		order++;
	}
	f = scratch_count < SCRATCH_MAX ? frame_alloc_raw(order, FRAME_ANYWHERE) : NULL;
	if (!f) {
		return NULL;
	}
	scratch[scratch_count].first = f;
	scratch[scratch_count++].order = order;
	start = hpa_raw(mfn_to_hpa(frame_mfn(f)));
	if (!map_chunks(start, start + size_bytes)) {
		return NULL;
	}
	return arch_heap_address(frame_mfn(f));
}

/* Loaders may let one module begin on the page where another one ends. */
static void give_back(const struct boot_module *m)
{
	u64 start = hpa_raw(m->start), end = start + m->size_bytes, other_start, other_end;
	unsigned int i;

	if (m->size_bytes == 0) {
		return;
	}
	for (i = 0; i < boot_info.module_count; i++) {
		other_start = hpa_raw(boot_info.modules[i].start);
		other_end = other_start + boot_info.modules[i].size_bytes;
		if (other_start < start && ROUND_UP(other_end, PAGE_SIZE) > start) {
			start = ROUND_UP(start, PAGE_SIZE);
		}
	}
	if (start < end) {
		boot_memory_release(hpa_of(start), end - start);
	}
}

void modules_release(void)
{
	unsigned int i;
	u64 start;

	for (i = 0; i < boot_info.module_count; i++) {
		start = hpa_raw(boot_info.modules[i].start);
		unmap_chunks(start, start + boot_info.modules[i].size_bytes);
	}
	for (i = 0; i < boot_info.module_count; i++) {
		give_back(&boot_info.modules[i]);
	}
	while (scratch_count) {
		scratch_count--;
		start = hpa_raw(mfn_to_hpa(frame_mfn(scratch[scratch_count].first)));
		unmap_chunks(start, start + (PAGE_SIZE << scratch[scratch_count].order));
		frame_free_raw(scratch[scratch_count].first, scratch[scratch_count].order);
	}
}
