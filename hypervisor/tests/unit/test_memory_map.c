/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/test.h"

#include <stdlib.h>

#include "boot/modules.h"

#define R(s, e, t)                        \
	{                                 \
		hpa_of(s), (e) - (s), (t) \
	}

static struct boot_region out[64];

static unsigned int sanitise(const struct boot_region *in, unsigned int count)
{
	return boot_regions_sanitise(in, count, out, ARRAY_SIZE(out));
}

static void expect_region(unsigned int i, u64 start, u64 end, u32 type)
{
	EXPECT_EQ(hpa_raw(out[i].start), start);
	EXPECT_EQ(hpa_raw(out[i].start) + out[i].size_bytes, end);
	EXPECT_EQ(out[i].type, type);
}

TEST(memory_map, regions_come_out_sorted)
{
	const struct boot_region in[] = {R(0x300000, 0x400000, BOOT_RAM),
					 R(0, 0x1000, BOOT_RESERVED),
					 R(0x100000, 0x200000, BOOT_RAM)};

	EXPECT_EQ(sanitise(in, 3), 3);
	expect_region(0, 0, 0x1000, BOOT_RESERVED);
	expect_region(1, 0x100000, 0x200000, BOOT_RAM);
	expect_region(2, 0x300000, 0x400000, BOOT_RAM);
}

TEST(memory_map, the_more_restrictive_type_wins_inside_ram)
{
	const struct boot_region in[] = {R(0x100000, 0x400000, BOOT_RAM),
					 R(0x200000, 0x201000, BOOT_ACPI),
					 R(0x200000, 0x200001, BOOT_NVS)};

	EXPECT_EQ(sanitise(in, 3), 3);
	expect_region(0, 0x100000, 0x200000, BOOT_RAM);
	expect_region(1, 0x200000, 0x201000, BOOT_NVS);
	expect_region(2, 0x201000, 0x400000, BOOT_RAM);
}

TEST(memory_map, bad_memory_beats_everything)
{
	const struct boot_region in[] = {R(0x1000, 0x9000, BOOT_RESERVED),
					 R(0x2000, 0x3000, BOOT_BAD), R(0x2000, 0x8000, BOOT_RAM)};

	EXPECT_EQ(sanitise(in, 3), 3);
	expect_region(1, 0x2000, 0x3000, BOOT_BAD);
}

TEST(memory_map, ram_shrinks_and_the_rest_grows_to_pages)
{
	const struct boot_region in[] = {R(0x1001, 0x9fc00, BOOT_RAM),
					 R(0x9fc00, 0xa0000, BOOT_RESERVED),
					 R(0xa0001, 0xa0002, BOOT_RAM)};

	EXPECT_EQ(sanitise(in, 3), 2);
	expect_region(0, 0x2000, 0x9f000, BOOT_RAM);
	expect_region(1, 0x9f000, 0xa0000, BOOT_RESERVED);
}

TEST(memory_map, neighbours_of_one_type_become_one)
{
	const struct boot_region in[] = {R(0x1000, 0x3000, BOOT_RAM), R(0x2000, 0x5000, BOOT_RAM),
					 R(0x5000, 0x6000, BOOT_RAM)};

	EXPECT_EQ(sanitise(in, 3), 1);
	expect_region(0, 0x1000, 0x6000, BOOT_RAM);
}

TEST(memory_map, unknown_types_count_as_reserved)
{
	const struct boot_region in[] = {R(0x1000, 0x5000, BOOT_RAM), R(0x2000, 0x3000, 0),
					 R(0x3000, 0x4000, 0xffffffff)};

	EXPECT_EQ(sanitise(in, 3), 3);
	expect_region(1, 0x2000, 0x4000, BOOT_RESERVED);
}

TEST(memory_map, wrapping_and_empty_regions_do_no_harm)
{
	const struct boot_region in[] = {{hpa_of(0x100000), ~0ull, BOOT_RAM},
					 {hpa_of(~0ull), ~0ull, BOOT_RESERVED},
					 {hpa_of(0x1000), 0, BOOT_BAD}};

	EXPECT_EQ(sanitise(in, 3), 1);
	expect_region(0, 0x100000, 1ull << 52, BOOT_RAM);
}

TEST(memory_map, what_does_not_fit_is_left_out)
{
	struct boot_region in[100];
	unsigned int i;

	for (i = 0; i < 100; i++) {
		in[i] = (struct boot_region){hpa_of(i * 0x2000ull), 0x1000, BOOT_RAM};
	}
	EXPECT_EQ(boot_regions_sanitise(in, 100, out, 64), 64);
	expect_region(63, 63 * 0x2000, 63 * 0x2000 + 0x1000, BOOT_RAM);
}

/* Against the meaning itself: for each page, the strongest claim of the input. */
TEST(memory_map, random_maps_mean_what_they_say)
{
	static const u32 strength[] = {0, 1, 4, 2, 3, 5};
	unsigned int round, i, count, page;

	srand(1);
	for (round = 0; round < 2000; round++) {
		struct boot_region in[8];

		for (i = 0; i < 8; i++) {
			in[i] = (struct boot_region){hpa_of((u64)(rand() % 64) << 12),
						     (u64)(rand() % 32) << 12, 1 + (u32)rand() % 5};
		}
		count = sanitise(in, 8);
		for (page = 0; page < 128; page++) {
			u32 want = 0, got = 0;

			for (i = 0; i < 8; i++) {
				u64 first = hpa_raw(in[i].start) >> 12,
				    pages = in[i].size_bytes >> 12;

				if (page >= first && page - first < pages &&
				    strength[in[i].type] > strength[want]) {
					want = in[i].type;
				}
			}
			for (i = 0; i < count; i++) {
				u64 first = hpa_raw(out[i].start) >> 12,
				    pages = out[i].size_bytes >> 12;

				if (page >= first && page - first < pages) {
					EXPECT_EQ(got, 0);
					got = out[i].type;
				}
			}
			EXPECT_EQ(got, want);
		}
		for (i = 1; i < count; i++) {
			EXPECT(hpa_raw(out[i - 1].start) + out[i - 1].size_bytes <=
			       hpa_raw(out[i].start));
		}
	}
}

TEST(memory_map, ram_is_had_only_in_one_piece)
{
	const struct boot_region in[] = {R(0x1000, 0x3000, BOOT_RAM), R(0x3000, 0x4000, BOOT_ACPI),
					 R(0x4000, 0x5000, BOOT_RAM)};
	unsigned int count = sanitise(in, 3);

	EXPECT(boot_regions_have_ram(out, count, hpa_of(0x1000), 0x2000));
	EXPECT(!boot_regions_have_ram(out, count, hpa_of(0x1000), 0x2001));
	EXPECT(!boot_regions_have_ram(out, count, hpa_of(0x0fff), 2));
	EXPECT(!boot_regions_have_ram(out, count, hpa_of(0x2000), 0x3000));
	EXPECT(!boot_regions_have_ram(out, count, hpa_of(0x4000), ~0ull));
}

TEST_MAIN()
