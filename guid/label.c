/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/label.h"

#include <math.h>
#include <string.h>

const struct label labels[LABEL_COUNT] = {
	{"red", 0xb3152a, 0xffffff, LABEL_DIAGONAL},
	{"orange", 0xe8820c, 0x000000, LABEL_BARS},
	{"yellow", 0xf2d024, 0x000000, LABEL_DOTS},
	{"green", 0x2f7d32, 0xffffff, LABEL_LINE},
	{"gray", 0x5f6770, 0xffffff, LABEL_CROSSED},
	{"blue", 0x1d5fc4, 0xffffff, LABEL_DIAGONAL_BACK},
	{"purple", 0x7d2fa8, 0xffffff, LABEL_DASHES},
	{"black", 0x111111, 0xffffff, LABEL_PLAIN},
};

const struct label *label_find(const char *name)
{
	size_t i;

	for (i = 0; i < LABEL_COUNT; i++) {
		if (strcmp(labels[i].name, name) == 0) {
			return &labels[i];
		}
	}
	return NULL;
}

static double channel_linear(uint32_t value)
{
	double c = value / 255.0;

	return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(uint32_t rgb)
{
	return 0.2126 * channel_linear(rgb >> 16 & 0xff) +
	       0.7152 * channel_linear(rgb >> 8 & 0xff) + 0.0722 * channel_linear(rgb & 0xff);
}

uint32_t label_contrast(uint32_t rgb_a, uint32_t rgb_b)
{
	double a = luminance(rgb_a), b = luminance(rgb_b);
	double high = a > b ? a : b, low = a > b ? b : a;

	return (uint32_t)(100 * (high + 0.05) / (low + 0.05));
}
