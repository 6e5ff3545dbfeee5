/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desktop-files/icon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"

static uint8_t pixels[ICON_BYTES];

/* A picture of one colour; extra bytes at its end, or missing ones. */
static int decode(const char *head, size_t pixel_count, const uint8_t rgba[4], long extra)
{
	size_t size = strlen(head) + pixel_count * 4 + (size_t)extra, i;
	uint8_t *data = calloc(1, size + 16);
	int rc;

	memcpy(data, head, strlen(head));
	for (i = 0; i < pixel_count * 4; i++) {
		data[strlen(head) + i] = rgba[i % 4];
	}
	rc = icon_decode(data, size, 0xe8820c, pixels);
	free(data);
	return rc;
}

static const uint8_t *pixel(int x, int y)
{
	return pixels + ((size_t)y * ICON_SIDE + (size_t)x) * 4;
}

TEST(icon, gray_becomes_the_labels_colour)
{
	static const uint8_t gray[4] = {128, 128, 128, 255};
	static const uint8_t white[4] = {255, 255, 255, 255}, black[4] = {0, 0, 0, 255};

	EXPECT_EQ(decode("32 32\n", 32 * 32, gray, 0), 0);
	EXPECT(memcmp(pixel(0, 0), "\xe8\x82\x0c\xff", 4) == 0);
	EXPECT(memcmp(pixel(63, 63), "\xe8\x82\x0c\xff", 4) == 0);
	EXPECT_EQ(decode("1 1\n", 1, white, 0), 0);
	EXPECT(memcmp(pixel(31, 31), "\xff\xff\xff\xff", 4) == 0);
	EXPECT_EQ(decode("512 512\n", 512 * 512, black, 0), 0);
	EXPECT(memcmp(pixel(31, 31), "\0\0\0\xff", 4) == 0);
}

TEST(icon, the_shape_is_kept_and_centred)
{
	static const uint8_t gray[4] = {128, 128, 128, 255};

	EXPECT_EQ(decode("128 64\n", 128 * 64, gray, 0), 0);
	EXPECT_EQ(pixel(10, 15)[3], 0);
	EXPECT_EQ(pixel(10, 16)[3], 255);
	EXPECT_EQ(pixel(10, 47)[3], 255);
	EXPECT_EQ(pixel(10, 48)[3], 0);
	EXPECT_EQ(decode("1 512\n", 512, gray, 0), 0);
	EXPECT_EQ(pixel(31, 0)[3], 255);
	EXPECT_EQ(pixel(30, 0)[3], 0);
}

TEST(icon, what_is_not_a_picture_is_refused)
{
	static const uint8_t gray[4] = {128, 128, 128, 255};

	EXPECT_EQ(decode("", 0, gray, 0), -EPROTO);
	EXPECT_EQ(decode("2", 0, gray, 0), -EPROTO);
	EXPECT_EQ(decode("2 2", 0, gray, 0), -EPROTO);
	EXPECT_EQ(decode("2 2\n", 4, gray, 1), -EPROTO);
	EXPECT_EQ(decode("2 2\n", 4, gray, -1), -EPROTO);
	EXPECT_EQ(decode("-2 2\n", 4, gray, 0), -EPROTO);
	EXPECT_EQ(decode(" 2 2\n", 4, gray, 0), -EPROTO);
	EXPECT_EQ(decode("2  2\n", 4, gray, 0), -EPROTO);
	EXPECT_EQ(decode("00002 2\n", 4, gray, 0), -EPROTO);
	EXPECT_EQ(decode("0 2\n", 0, gray, 0), -ERANGE);
	EXPECT_EQ(decode("2 0\n", 0, gray, 0), -ERANGE);
	EXPECT_EQ(decode("513 1\n", 513, gray, 0), -ERANGE);
	EXPECT_EQ(decode("1 513\n", 513, gray, 0), -ERANGE);
}

TEST(icon, a_png_has_all_its_parts)
{
	static const uint8_t end[12] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};
	static uint8_t png[ICON_PNG_MAX];
	size_t size;

	icon_plain(0x1d5fc4, pixels);
	size = icon_png(pixels, png);
	EXPECT(size <= ICON_PNG_MAX);
	EXPECT(memcmp(png, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x40\0\0\0\x40\x08\x06\0\0\0", 29) ==
	       0);
	/* The checksum of an IHDR of this size, as other programs write it. */
	EXPECT(memcmp(png + 29, "\xaa\x69\x71\xde", 4) == 0);
	EXPECT(memcmp(png + size - 12, end, 12) == 0);
}

TEST(icon, labels_have_colours)
{
	EXPECT_EQ(icon_label_rgb("orange"), 0xe8820c);
	EXPECT_EQ(icon_label_rgb("pink"), -1);
}

TEST_MAIN()
