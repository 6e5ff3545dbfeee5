/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/icon.h"

#include <stdbool.h>

#define EDGE 2u

static uint32_t part(uint32_t rgb, int shift)
{
	return rgb >> shift & 0xff;
}

/* The middle of all pixels of a rectangle that is not empty. */
static uint32_t average(const uint32_t *pixels, uint32_t stride, uint32_t width, uint32_t height)
{
	uint64_t red = 0, green = 0, blue = 0, count = (uint64_t)width * height;
	uint32_t x, y;

	for (y = 0; y < height; y++) {
		for (x = 0; x < width; x++) {
			uint32_t pixel = *(const volatile uint32_t *)&pixels[y * stride + x];

			red += part(pixel, 16);
			green += part(pixel, 8);
			blue += part(pixel, 0);
		}
	}
	return (uint32_t)(red / count << 16 | green / count << 8 | blue / count);
}

void icon_from_pixels(struct icon *out, const uint32_t *pixels, uint32_t stride, uint32_t width,
		      uint32_t height)
{
	uint32_t x, y;

	out->width = width < ICON_SIZE_MAX ? width : ICON_SIZE_MAX;
	out->height = height < ICON_SIZE_MAX ? height : ICON_SIZE_MAX;
	for (y = 0; y < out->height; y++) {
		uint32_t top = y * height / out->height, bottom = (y + 1) * height / out->height;

		for (x = 0; x < out->width; x++) {
			uint32_t left = x * width / out->width;
			uint32_t right = (x + 1) * width / out->width;

			out->rgb[y * out->width + x] =
				average(pixels + (uint64_t)top * stride + left, stride,
					right - left, bottom - top);
		}
	}
}

void icon_tint(struct icon *icon, uint32_t rgb)
{
	uint32_t x, y;

	for (y = 0; y < icon->height; y++) {
		for (x = 0; x < icon->width; x++) {
			uint32_t *p = &icon->rgb[y * icon->width + x];
			bool is_edge = x < EDGE || y < EDGE || x + EDGE >= icon->width ||
				       y + EDGE >= icon->height;

			*p = is_edge ? rgb : (*p >> 1 & 0x7f7f7f) + (rgb >> 1 & 0x7f7f7f);
		}
	}
}
