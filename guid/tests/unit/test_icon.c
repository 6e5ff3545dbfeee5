/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/icon.h"

#include "base/test.h"

#include <stdlib.h>

TEST(icon, a_small_picture_stays_as_it_is)
{
	/* the fourth byte is anything; the last column is not of this part */
	const uint32_t pixels[] = {0xff112233, 0x00445566, 1, 0x55778899, 0xaa0000ff, 1};
	struct icon icon;

	icon_from_pixels(&icon, pixels, 3, 2, 2);
	EXPECT_EQ(icon.width, 2);
	EXPECT_EQ(icon.height, 2);
	EXPECT_EQ(icon.rgb[0], 0x112233);
	EXPECT_EQ(icon.rgb[1], 0x445566);
	EXPECT_EQ(icon.rgb[2], 0x778899);
	EXPECT_EQ(icon.rgb[3], 0x0000ff);
}

/* Memory that is exactly as large: reading beside it is found by the sanitizer. */
TEST(icon, every_size_is_made_small)
{
	static const uint32_t sizes[][2] = {{1, 1},   {33, 1},	 {1, 6144}, {16384, 2},
					    {64, 64}, {100, 37}, {31, 33}};
	size_t i;
	uint32_t k;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t count = sizes[i][0] * sizes[i][1];
		uint32_t *pixels = malloc(count * sizeof(*pixels));
		struct icon icon;

		for (k = 0; k < count; k++) {
			pixels[k] = 0x0a141e;
		}
		icon_from_pixels(&icon, pixels, sizes[i][0], sizes[i][0], sizes[i][1]);
		EXPECT(icon.width >= 1 && icon.width <= ICON_SIZE_MAX);
		EXPECT(icon.height >= 1 && icon.height <= ICON_SIZE_MAX);
		for (k = 0; k < icon.width * icon.height; k++) {
			EXPECT_EQ(icon.rgb[k], 0x0a141e);
		}
		free(pixels);
	}
}

TEST(icon, a_large_picture_is_averaged)
{
	uint32_t pixels[64 * 64];
	struct icon icon;
	uint32_t i;

	for (i = 0; i < 64 * 64; i++) {
		pixels[i] = i & 1 ? 0xff0000 : 0x0000ff;
	}
	icon_from_pixels(&icon, pixels, 64, 64, 64);
	EXPECT_EQ(icon.width, 32);
	EXPECT_EQ(icon.rgb[0], 0x7f007f);
	EXPECT_EQ(icon.rgb[32 * 32 - 1], 0x7f007f);
}

TEST(icon, the_label_is_seen_whatever_the_guest_draws)
{
	struct icon icon = {.width = 6, .height = 6};
	uint32_t i;

	for (i = 0; i < 36; i++) {
		icon.rgb[i] = 0xffffff;
	}
	icon_tint(&icon, 0x804020);
	EXPECT_EQ(icon.rgb[0], 0x804020);
	EXPECT_EQ(icon.rgb[6 + 1], 0x804020);
	EXPECT_EQ(icon.rgb[35], 0x804020);
	EXPECT_EQ(icon.rgb[2 * 6 + 2], 0xbf9f8f);
	EXPECT_EQ(icon.rgb[3 * 6 + 3], 0xbf9f8f);
}

TEST_MAIN()
