/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desktop-files/icon.h"

#include <errno.h>
#include <string.h>

struct size {
	uint32_t width, height;
};

int icon_label_rgb(const char *label)
{
	/* As guid/label.c and the manager's style sheet have them. */
	static const struct {
		const char *name;
		int rgb;
	} labels[] = {
		{"red", 0xb3152a},  {"orange", 0xe8820c}, {"yellow", 0xf2d024}, {"green", 0x2f7d32},
		{"gray", 0x5f6770}, {"blue", 0x1d5fc4},	  {"purple", 0x7d2fa8}, {"black", 0x111111},
	};
	size_t i;

	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (strcmp(label, labels[i].name) == 0) {
			return labels[i].rgb;
		}
	}
	return -1;
}

/* A decimal number up to 9999 and the byte after it. */
static bool read_number(const uint8_t **at, const uint8_t *end, uint8_t after, uint32_t *out)
{
	uint32_t value = 0;
	const uint8_t *p = *at;

	while (p < end && *p >= '0' && *p <= '9' && p - *at < 4) {
		value = value * 10 + (uint32_t)(*p++ - '0');
	}
	if (p == *at || p == end || *p != after) {
		return false;
	}
	*at = p + 1;
	*out = value;
	return true;
}

/* One channel in the label's shades: black stays black, white white, gray becomes the colour. */
static uint8_t tint(uint32_t gray, uint32_t colour)
{
	return (uint8_t)(gray < 128 ? colour * gray / 128
				    : colour + (255 - colour) * (gray - 128) / 127);
}

static void put_pixel(uint8_t *to, uint32_t gray, uint32_t alpha, uint32_t rgb)
{
	to[0] = tint(gray, rgb >> 16 & 255);
	to[1] = tint(gray, rgb >> 8 & 255);
	to[2] = tint(gray, rgb & 255);
	to[3] = (uint8_t)alpha;
}

/* The mean brightness and opacity of the source's pixels that fall on one of ours. */
static void mean(const uint8_t *pixels, struct size source, uint32_t x0, uint32_t x1, uint32_t y0,
		 uint32_t y1, uint32_t *gray, uint32_t *alpha)
{
	uint64_t light = 0, weight = 0, count = 0;
	uint32_t x, y;

	for (y = y0; y < y1; y++) {
		for (x = x0; x < x1; x++) {
			const uint8_t *p = pixels + ((size_t)y * source.width + x) * 4;

			/* Rec. 601 weights in 256ths */
			light += (uint64_t)(77 * p[0] + 150 * p[1] + 29 * p[2]) / 256 * p[3];
			weight += p[3];
			count++;
		}
	}
	*gray = weight ? (uint32_t)(light / weight) : 0;
	*alpha = (uint32_t)(weight / count);
}

int icon_decode(const uint8_t *data, size_t size_bytes, uint32_t rgb, uint8_t out[ICON_BYTES])
{
	const uint8_t *at = data, *end = data + size_bytes;
	uint32_t x, y, gray, alpha, side, left, top;
	struct size source, shown;

	if (!read_number(&at, end, ' ', &source.width) ||
	    !read_number(&at, end, '\n', &source.height)) {
		return -EPROTO;
	}
	if (source.width < 1 || source.height < 1 || source.width > ICON_SOURCE_MAX ||
	    source.height > ICON_SOURCE_MAX) {
		return -ERANGE;
	}
	if ((size_t)(end - at) != (size_t)source.width * source.height * 4) {
		return -EPROTO;
	}
	/* The longer side fills ours; the other one is centred. */
	side = source.width > source.height ? source.width : source.height;
	shown.width = source.width * ICON_SIDE / side ? source.width * ICON_SIDE / side : 1;
	shown.height = source.height * ICON_SIDE / side ? source.height * ICON_SIDE / side : 1;
	left = (ICON_SIDE - shown.width) / 2;
	top = (ICON_SIDE - shown.height) / 2;
	memset(out, 0, ICON_BYTES);
	for (y = 0; y < shown.height; y++) {
		for (x = 0; x < shown.width; x++) {
			uint32_t x0 = x * source.width / shown.width;
			uint32_t x1 = (x + 1) * source.width / shown.width;
			uint32_t y0 = y * source.height / shown.height;
			uint32_t y1 = (y + 1) * source.height / shown.height;

			/* A source that is smaller than ours: one of its pixels for several. */
			mean(at, source, x0, x1 > x0 ? x1 : x0 + 1, y0, y1 > y0 ? y1 : y0 + 1,
			     &gray, &alpha);
			put_pixel(out + ((size_t)(y + top) * ICON_SIDE + x + left) * 4, gray, alpha,
				  rgb);
		}
	}
	return 0;
}

void icon_plain(uint32_t rgb, uint8_t out[ICON_BYTES])
{
	uint32_t x, y;

	memset(out, 0, ICON_BYTES);
	for (y = 8; y < ICON_SIDE - 8; y++) {
		for (x = 8; x < ICON_SIDE - 8; x++) {
			bool is_edge =
				x < 11 || y < 18 || x >= ICON_SIDE - 11 || y >= ICON_SIDE - 11;

			put_pixel(out + ((size_t)y * ICON_SIDE + x) * 4, is_edge ? 128 : 235, 255,
				  rgb);
		}
	}
}

/* --- PNG (ISO/IEC 15948), with its data stored instead of packed (RFC 1950, RFC 1951) --- */

static uint32_t crc_of(const uint8_t *data, size_t size)
{
	uint32_t crc = ~0u;
	int bit;

	for (; size--; data++) {
		crc ^= *data;
		for (bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
		}
	}
	return ~crc;
}

static uint32_t adler_of(const uint8_t *data, size_t size)
{
	uint32_t a = 1, b = 0;

	for (; size--; data++) {
		a = (a + *data) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

static uint8_t *put_u32(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 24);
	to[1] = (uint8_t)(value >> 16);
	to[2] = (uint8_t)(value >> 8);
	to[3] = (uint8_t)value;
	return to + 4;
}

static uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t size)
{
	memcpy(to, bytes, size);
	return to + size;
}

/* The body is at begin + 8 already. */
static uint8_t *end_chunk(uint8_t *begin, const char *type, uint8_t *end)
{
	put_u32(begin, (uint32_t)(end - begin - 8));
	memcpy(begin + 4, type, 4);
	return put_u32(end, crc_of(begin + 4, (size_t)(end - begin - 4)));
}

size_t icon_png(const uint8_t pixels[ICON_BYTES], uint8_t out[ICON_PNG_MAX])
{
	static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	static const uint8_t format[5] = {8, 6, 0, 0, 0}; /* bits, RGBA, deflate, no filter, rows */
	const uint32_t raw_size = ICON_SIDE * (1 + ICON_SIDE * 4);
	uint8_t *at = put_bytes(out, signature, sizeof(signature)), *begin = at, *raw;
	uint32_t y;

	_Static_assert(ICON_SIDE * (1 + ICON_SIDE * 4) <= 65535, "one stored block holds it");
	at = put_u32(at + 8, ICON_SIDE);
	at = put_u32(at, ICON_SIDE);
	at = put_bytes(at, format, sizeof(format));
	begin = end_chunk(begin, "IHDR", at);
	at = begin + 8;
	*at++ = 0x78;
	*at++ = 0x01;
	*at++ = 1; /* the last block, stored */
	*at++ = (uint8_t)raw_size;
	*at++ = (uint8_t)(raw_size >> 8);
	*at++ = (uint8_t)~raw_size;
	*at++ = (uint8_t)(~raw_size >> 8);
	raw = at;
	for (y = 0; y < ICON_SIDE; y++) {
		*at++ = 0;
		at = put_bytes(at, pixels + (size_t)y * ICON_SIDE * 4, ICON_SIDE * 4);
	}
	at = put_u32(at, adler_of(raw, raw_size));
	begin = end_chunk(begin, "IDAT", at);
	at = end_chunk(begin, "IEND", begin + 8);
	return (size_t)(at - out);
}
