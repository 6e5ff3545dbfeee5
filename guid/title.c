/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/title.h"

#include <stdint.h>
#include <string.h>

/*
 * The length of the character at p (at most left bytes), or 0 when it is not
 * well-formed UTF-8 (Unicode 15, table 3-7): overlong, surrogate, beyond 10FFFF.
 */
static size_t utf8_decode(const unsigned char *p, size_t left, uint32_t *out)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length, i;
	uint32_t c;

	if (p[0] < 0x80) {
		*out = p[0];
		return 1;
	}
	length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || left < length) {
		return 0;
	}
	c = p[0] & (0xff >> (length + 1));
	for (i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			return 0;
		}
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < lowest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		return 0;
	}
	*out = c;
	return length;
}

/* Ranges that are never shown, ascending: controls, directions, invisible, private, combining. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{0x0000, 0x001f},   {0x007f, 0x00a0},	 {0x00ad, 0x00ad},   {0x0300, 0x036f},
	{0x034f, 0x034f},   {0x0590, 0x08ff},	 {0x115f, 0x1160},   {0x1680, 0x1680},
	{0x17b4, 0x17b5},   {0x180b, 0x180f},	 {0x1ab0, 0x1aff},   {0x1dc0, 0x1dff},
	{0x2000, 0x200f},   {0x2028, 0x202f},	 {0x205f, 0x206f},   {0x20d0, 0x20ff},
	{0x2800, 0x2800},   {0x3000, 0x3000},	 {0x3164, 0x3164},   {0xe000, 0xf8ff},
	{0xfb1d, 0xfdff},   {0xfe00, 0xfe0f},	 {0xfe20, 0xfe2f},   {0xfe70, 0xfeff},
	{0xffa0, 0xffa0},   {0xfff0, 0xffff},	 {0x10800, 0x10fff}, {0x1d173, 0x1d17a},
	{0x1e800, 0x1efff}, {0xe0000, 0x10ffff},
};

static bool may_show(uint32_t c)
{
	size_t i;

	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (c >= hidden[i].first && c <= hidden[i].last) {
			return false;
		}
	}
	return true;
}

void title_sanitise(const char *from, bool is_utf8_allowed, char *out, size_t out_size)
{
	const unsigned char *p = (const unsigned char *)from;
	size_t left = strlen(from), used = 0;

	while (left) {
		uint32_t c = 0;
		size_t length = utf8_decode(p, left, &c);
		bool is_shown = length && may_show(c) && (length == 1 || is_utf8_allowed);
		size_t step = is_utf8_allowed && length ? length : 1;
		size_t room = is_shown ? step : 1;

		if (used + room >= out_size) {
			break;
		}
		if (is_shown) {
			memcpy(out + used, p, step);
		} else {
			out[used] = '_';
		}
		used += room;
		p += step;
		left -= step;
	}
	out[used] = '\0';
}
