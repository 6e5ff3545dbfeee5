// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the loader's map to free frames. Page tables are fakes here: what counts is which frames
 * end up where. The first 512 MiB of a machine: one piece of the frame table.
 */
#include "boot/memory.h"

#include "arch/contract/paging.h"
#include "arch/unit/unit.h"
#include "base/test.h"
#include "boot/modules.h"
#include "mm/frame_alloc.h"
#include "mm/heap.h"

#define MIB	   (1ull << 20)
#define IMAGE	   (2 * MIB)
#define IMAGE_END  (3 * MIB)
#define TABLE_MIB  2u
#define POOL_USED  (64 * PAGE_SIZE)

struct boot_info boot_info;
static u64 pool_start, pool_bytes, heap_first, heap_count;
static u64 chunk_count;

struct hpa_range arch_image_range(void)
{
	return (struct hpa_range){hpa_of(IMAGE), hpa_of(IMAGE_END)};
}

u64 paging_pool_bytes(hpa_t ram_end)
{
	return 2 * MIB;
}

void paging_setup(hpa_t pool, u64 bytes, hpa_t ram_end)
{
	pool_start = hpa_raw(pool);
	pool_bytes = bytes;
}

u64 paging_set_table_source(void *(*alloc)(void))
{
	return POOL_USED;
}

void paging_map_frame_table(unsigned long virtual_address, hpa_t memory)
{
	chunk_count++;
	EXPECT_EQ(hpa_raw(memory), pool_start + pool_bytes);
}

void heap_add_pages(mfn_t first, u64 count)
{
	heap_first = mfn_raw(first);
	heap_count = count;
}

static void map_is(const struct boot_region *regions, unsigned int count)
{
	unit_reset(1);
	frame_alloc_forget_all();
	boot_memory_forget_all();
	memset(&boot_info, 0, sizeof(boot_info));
	if (count) {
		memcpy(boot_info.regions, regions, count * sizeof(*regions));
	}
	boot_info.region_count = count;
	chunk_count = 0;
}

static const struct boot_region plain[] = {
	{{0}, 0x9f000, BOOT_RAM},
	{{0xf0000}, 0x10000, BOOT_RESERVED},
	{{0x100000}, 255 * MIB, BOOT_RAM},
	{{0x10000000}, 0x20000, BOOT_ACPI},
};

/* Takes every free frame and says whether each is one that may be free. */
static u64 take_all(bool (*may_be_free)(u64 mfn))
{
	struct frame *f;
	u64 count = 0;

	while ((f = frame_alloc_raw(0, FRAME_ANYWHERE))) {
		EXPECT(may_be_free(mfn_raw(frame_mfn(f))));
		count++;
	}
	return count;
}

static bool is_plain_free(u64 mfn)
{
	u64 at = mfn << PAGE_SHIFT;

	return at >= MIB && at < 256 * MIB && (at < IMAGE || at >= IMAGE_END) &&
	       (at < pool_start || at >= pool_start + pool_bytes + TABLE_MIB * MIB);
}

TEST(boot_memory, everything_but_what_is_used_becomes_free)
{
	map_is(plain, 4);
	boot_memory_setup();
	EXPECT_EQ(chunk_count, 1);
	EXPECT_EQ(pool_start, 252 * MIB); /* as high as it fits, aligned */
	EXPECT_EQ(heap_first, (pool_start + POOL_USED) >> PAGE_SHIFT);
	EXPECT_EQ(heap_count, (2 * MIB - POOL_USED) >> PAGE_SHIFT);
	EXPECT_EQ(frame_free_count(), (255 - 1 - 4) * MIB >> PAGE_SHIFT);
	EXPECT_EQ(take_all(is_plain_free), (255 - 1 - 4) * MIB >> PAGE_SHIFT);
	EXPECT(!frame_of(mfn_of(0xf0)));	       /* firmware */
	EXPECT(!frame_of(mfn_of(0x10000)));	       /* ACPI */
	EXPECT(!frame_of(mfn_of(IMAGE >> PAGE_SHIFT))); /* we */
	EXPECT(frame_of(mfn_of(pool_start >> PAGE_SHIFT)));
}

static bool is_free_beside_module(u64 mfn)
{
	return is_plain_free(mfn) && !(mfn >= 0xffff && mfn < 0x10001) && !(mfn >= 0x8000 && mfn <= 0x8010);
}

TEST(boot_memory, modules_are_kept_and_given_back)
{
	u64 before;

	map_is(plain, 4);
	boot_info.module_count = 1;
	boot_info.modules[0].start = hpa_of(128 * MIB);
	boot_info.modules[0].size_bytes = 0x10001; /* 17 pages */
	boot_memory_setup();
	before = frame_free_count();
	EXPECT_EQ(before, ((255 - 1 - 4) * MIB >> PAGE_SHIFT) - 17);
	EXPECT(!frame_of(mfn_of(0x8010)));
	EXPECT_EQ(take_all(is_free_beside_module), before);
	boot_memory_release(boot_info.modules[0].start, boot_info.modules[0].size_bytes);
	EXPECT_EQ(frame_free_count(), 17);
	EXPECT(frame_of(mfn_of(0x8010)));
}

/* The image's parts that only start needs: no more reserved, and whole for who allocates. */
TEST(boot_memory, parts_of_the_image_are_given_back)
{
	u64 before;

	map_is(plain, 4);
	boot_memory_setup();
	before = frame_free_count();
	EXPECT_EQ(FRAME_TABLE[(IMAGE + 8 * PAGE_SIZE) >> PAGE_SHIFT].state, FRAME_NONE);
	boot_memory_release(hpa_of(IMAGE + 8 * PAGE_SIZE), 7 * PAGE_SIZE);
	EXPECT_EQ(frame_free_count(), before + 7);
	EXPECT_EQ(FRAME_TABLE[(IMAGE + 8 * PAGE_SIZE) >> PAGE_SHIFT].state, FRAME_FREE);
	EXPECT_EQ(FRAME_TABLE[(IMAGE + 15 * PAGE_SIZE) >> PAGE_SHIFT].state, FRAME_NONE);
}

TEST(boot_memory, a_pool_avoids_modules)
{
	map_is(plain, 4);
	boot_info.module_count = 1;
	boot_info.modules[0].start = hpa_of(253 * MIB);
	boot_info.modules[0].size_bytes = MIB;
	boot_memory_setup();
	EXPECT_EQ(pool_start, 248 * MIB);
}

TEST(boot_memory, too_little_is_refused_with_a_sentence)
{
	static const struct boot_region small[] = {{{0x100000}, 62 * MIB, BOOT_RAM}};

	map_is(small, 1);
	EXPECT(UNIT_PANICS(boot_memory_setup()));
	EXPECT(strstr(unit_panic_text, "62 MiB"));
	map_is(NULL, 0);
	EXPECT(UNIT_PANICS(boot_memory_setup()));
}

TEST(boot_memory, no_piece_large_enough_is_refused)
{
	struct boot_region holes[50];
	unsigned int i;

	/* 3 MiB of RAM in each 4 MiB, never enough for 4 aligned MiB */
	for (i = 0; i < 50; i++) {
		holes[i] = (struct boot_region){hpa_of((4 + 4 * i) * MIB), 3 * MIB, BOOT_RAM};
	}
	map_is(holes, 50);
	EXPECT(UNIT_PANICS(boot_memory_setup()));
	EXPECT(strstr(unit_panic_text, "in one piece"));
}

TEST_MAIN()
