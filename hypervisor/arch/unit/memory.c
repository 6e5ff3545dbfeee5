// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames and windows of unit tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/contract/host.h"
#include "arch/unit/unit.h"
#include "mm/frame.h"
#include "mm/frame_alloc.h"
#include "mm/window.h"

struct frame *unit_frame_table;
static char *arena, *window_area;
static int arena_file = -1;
static unsigned int fail_in;
static bool has_failed;
unsigned long unit_objects;
static u64 huge_frames; /* table entries */

#define ARENA_BYTES (UNIT_FRAME_COUNT * PAGE_SIZE)
#define TABLE_COUNT (UNIT_FRAME_FIRST + UNIT_FRAME_COUNT)

static void *must(void *p)
{
	if (!p || p == MAP_FAILED) {
		perror("unit test set-up");
		abort();
	}
	return p;
}

static void make_arena(void)
{
	arena_file = memfd_create("arena", 0);
	if (arena_file < 0 || ftruncate(arena_file, (off_t)ARENA_BYTES)) {
		must(NULL);
	}
	arena = must(mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, arena_file, 0));
	window_area = must(mmap(NULL, WINDOW_SLOTS * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0));
	huge_frames = ROUND_UP(TABLE_COUNT, FRAMES_PER_CHUNK);
	unit_frame_table = must(calloc(huge_frames, sizeof(struct frame)));
}

void unit_reset(cpu_t cpu_count)
{
	u64 i;

	unit_reset_cpus(cpu_count);
	if (!arena) {
		make_arena();
	}
	unit_fail_allocation(0);
	memset(unit_frame_table, 0, huge_frames * sizeof(struct frame));
	for (i = 0; i < huge_frames; i++) {
		if (i < UNIT_FRAME_FIRST || i >= TABLE_COUNT) {
			unit_frame_table[i].state = FRAME_NONE;
		}
	}
	frame_table_setup(hpa_of(TABLE_COUNT << PAGE_SHIFT));
	for (i = 0; i < huge_frames; i += FRAMES_PER_CHUNK) {
		frame_table_add_chunk(mfn_of(i));
	}
	frame_alloc_forget_all();
	frame_add_free(mfn_of(UNIT_FRAME_FIRST), UNIT_FRAME_COUNT);
	unit_objects = 0;
}

void *unit_frame_bytes(mfn_t mfn)
{
	if (mfn_raw(mfn) < UNIT_FRAME_FIRST || mfn_raw(mfn) >= TABLE_COUNT) {
		fprintf(stderr, "frame %#lx is not in the arena\n", (unsigned long)mfn_raw(mfn));
		abort();
	}
	return arena + (mfn_raw(mfn) - UNIT_FRAME_FIRST) * PAGE_SIZE;
}

/* --- failures --- */

void unit_fail_allocation(unsigned int nth)
{
	fail_in = nth;
	has_failed = false;
}

bool unit_has_failed(void)
{
	return has_failed;
}

/* Asked by mm/frame_alloc.c, too, in its unit build. */
bool unit_must_fail(void)
{
	if (!fail_in || --fail_in) {
		return false;
	}
	has_failed = true;
	return true;
}

bool unit_is_arena(const void *p)
{
	return (const char *)p >= arena && (const char *)p < arena + ARENA_BYTES;
}

/* --- the contract --- */

int arch_heap_chunk_map(mfn_t first)
{
	return unit_must_fail() ? -ENOMEM : 0;
}

void *arch_heap_address(mfn_t mfn)
{
	return unit_frame_bytes(mfn);
}

mfn_t arch_heap_mfn(const void *p)
{
	CHECK(unit_is_arena(p));
	return mfn_of(UNIT_FRAME_FIRST + (u64)((const char *)p - arena) / PAGE_SIZE);
}

void *arch_window_set(unsigned int slot, mfn_t mfn)
{
	char *at = window_area + slot * PAGE_SIZE;

	if (mfn_equal(mfn, MFN_INVALID)) {
		return must(mmap(at, PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	}
	unit_frame_bytes(mfn); /* must be in the arena */
	return must(mmap(at, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, arena_file,
			 (off_t)((mfn_raw(mfn) - UNIT_FRAME_FIRST) * PAGE_SIZE)));
}

void arch_window_move(void *p, mfn_t mfn)
{
	arch_window_set(arch_window_slot(p), mfn);
}

unsigned int arch_window_slot(const void *p)
{
	return (unsigned int)(((const char *)p - window_area) / (long)PAGE_SIZE);
}

void *arch_mmio_map(hpa_t base, size_t size_bytes)
{
	void *p;

	if (unit_must_fail()) {
		return NULL;
	}
	p = must(calloc(1, size_bytes));
	if (unit_mmio_mapped) {
		unit_mmio_mapped(base, p, size_bytes);
	}
	return p;
}

const void *arch_boot_map(hpa_t base, u64 size_bytes)
{
	return NULL;
}

void arch_boot_map_end(void)
{
}
