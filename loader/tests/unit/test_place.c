/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/test.h"

#include "loader/place.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static const struct hvm_memmap_table_entry regions[] = {
	{.addr = 0, .size = 0x9f000, .type = XEN_HVM_MEMMAP_TYPE_RAM},
	{.addr = 1 * MIB, .size = 511 * MIB, .type = XEN_HVM_MEMMAP_TYPE_RAM},
	{.addr = 512 * MIB, .size = MIB, .type = XEN_HVM_MEMMAP_TYPE_ACPI},
	{.addr = 600 * MIB, .size = 0x3800, .type = XEN_HVM_MEMMAP_TYPE_RAM},
	{.addr = 4 * GIB, .size = 4 * GIB, .type = XEN_HVM_MEMMAP_TYPE_RAM},
};

static struct place_map map_without(u64 start, u64 size_bytes)
{
	struct place_map map = {.regions = regions, .region_count = 5};

	place_add_busy(&map, start, size_bytes);
	return map;
}

TEST(place, ram_is_what_one_region_of_ram_holds)
{
	struct place_map map = map_without(0, 0);

	EXPECT(place_is_ram(&map, MIB, 511 * MIB));
	EXPECT(!place_is_ram(&map, MIB, 511 * MIB + 1));
	EXPECT(!place_is_ram(&map, 512 * MIB, 1));
	EXPECT(!place_is_ram(&map, 2 * MIB, ~0ull));
	EXPECT(!place_is_ram(&map, ~0ull, 2));
}

TEST(place, the_first_mib_and_what_lies_above_4g_are_no_place)
{
	struct place_map map = map_without(0, 0);

	EXPECT(!place_is_ram(&map, 0x1000, 0x1000));
	EXPECT(!place_is_ram(&map, 4 * GIB, 0x1000));
	EXPECT_EQ(place_find(&map, GIB), 0);
}

TEST(place, the_highest_whole_pages_are_found)
{
	struct place_map map = map_without(0, 0);

	EXPECT_EQ(place_find(&map, 1), 600 * MIB + 0x2000);
	EXPECT_EQ(place_find(&map, 0x3000), 600 * MIB);
	EXPECT_EQ(place_find(&map, 0x3001), 512 * MIB - 0x4000);
	EXPECT_EQ(place_find(&map, 511 * MIB), MIB);
	EXPECT_EQ(place_find(&map, 511 * MIB + 1), 0);
}

TEST(place, what_is_busy_is_passed_over)
{
	struct place_map map = map_without(500 * MIB + 0x123, MIB);

	place_add_busy(&map, 511 * MIB, MIB);
	EXPECT_EQ(place_find(&map, MIB), 510 * MIB);
	EXPECT_EQ(place_find(&map, 10 * MIB), 490 * MIB);
	EXPECT_EQ(place_find(&map, 499 * MIB), MIB);
	EXPECT_EQ(place_find(&map, 499 * MIB + 0x1000), 0);
}

TEST(place, idle_is_what_touches_nothing_busy)
{
	struct place_map map = map_without(500 * MIB, MIB);

	EXPECT(place_is_idle(&map, 499 * MIB, MIB));
	EXPECT(place_is_idle(&map, 501 * MIB, MIB));
	EXPECT(!place_is_idle(&map, 499 * MIB, MIB + 1));
	EXPECT(!place_is_idle(&map, 501 * MIB - 1, 1));
	EXPECT(!place_is_idle(&map, MIB, 511 * MIB));
}

TEST(place, behind_something_comes_the_next_whole_page_that_is_free)
{
	struct place_map map = map_without(500 * MIB, MIB);

	EXPECT_EQ(place_find_behind(&map, 16 * MIB + 1, 0x2000), 16 * MIB + 0x1000);
	EXPECT_EQ(place_find_behind(&map, 0, 0x2000), MIB);
	EXPECT_EQ(place_find_behind(&map, 500 * MIB - 0x1000, 0x2000), 501 * MIB);
	EXPECT_EQ(place_find_behind(&map, 512 * MIB - 0x1000, 0x2000), 600 * MIB);
	EXPECT_EQ(place_find_behind(&map, 600 * MIB + 0x2000, 0x2000), 0);
}

TEST_MAIN()
