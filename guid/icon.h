/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small opaque pictures of a domain: made from its pixels, then marked with its label. No state. */
#pragma once

#include <stdint.h>

#define ICON_SIZE_MAX 32u

struct icon {
	uint32_t width, height; /* 1..ICON_SIZE_MAX */
	uint32_t rgb[ICON_SIZE_MAX * ICON_SIZE_MAX];
};

/*
 * The part of a picture with `stride` pixels a row, made no larger than ICON_SIZE_MAX. Reads
 * each pixel at most once: the guest may change them meanwhile. width and height are not 0.
 */
void icon_from_pixels(struct icon *out, const uint32_t *pixels, uint32_t stride, uint32_t width,
		      uint32_t height);

/* Half of each colour becomes the label's, and all of a two pixel edge. */
void icon_tint(struct icon *icon, uint32_t rgb);
