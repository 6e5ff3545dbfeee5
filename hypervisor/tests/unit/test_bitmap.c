// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/test.h"
#include "lib/bitmap.h"

TEST(bitmap, find_set_stops_at_the_end)
{
	u64 map[2] = {0, 1ull << 40};

	EXPECT_EQ(bitmap_find_set(map, 128, 0), 104);
	EXPECT_EQ(bitmap_find_set(map, 104, 0), 104);
	EXPECT_EQ(bitmap_find_set(map, 128, 105), 128);
	EXPECT_EQ(bitmap_find_set(map, 128, 500), 128);
	EXPECT_EQ(bitmap_find_set(map, 0, 0), 0);
}

TEST(bitmap, find_clear_skips_full_words)
{
	u64 map[2] = {~0ull, 0xff};

	EXPECT_EQ(bitmap_find_clear(map, 128, 0), 72);
	EXPECT_EQ(bitmap_find_clear(map, 70, 3), 70);
}

TEST(bitmap, ranges_and_count_agree_with_single_bits)
{
	unsigned long first, count, i;

	for (first = 0; first < 130; first += 7) {
		for (count = 0; first + count <= 192; count += 5) {
			u64 one[3] = {0}, two[3] = {0};

			bitmap_set_range(one, first, count);
			for (i = first; i < first + count; i++) {
				bitmap_set(two, i);
			}
			EXPECT(memcmp(one, two, sizeof(one)) == 0);
			EXPECT_EQ(bitmap_count(one, 192), count);
			bitmap_clear_range(one, first, count);
			EXPECT_EQ(bitmap_count(one, 192), 0);
		}
	}
}

TEST(bitmap, count_ignores_bits_past_the_end)
{
	u64 map[1] = {~0ull};

	EXPECT_EQ(bitmap_count(map, 13), 13);
	EXPECT_EQ(bitmap_count(map, 64), 64);
}

TEST(bitmap, for_each_cpu_visits_exactly_the_members)
{
	struct cpu_set set = {{0}};
	cpu_t cpu;
	unsigned int sum = 0;

	bitmap_set(set.words, 0);
	bitmap_set(set.words, 65);
	bitmap_set(set.words, 255);
	for_each_cpu(cpu, &set) {
		sum += cpu;
	}
	EXPECT_EQ(sum, 320);
}

TEST_MAIN()
