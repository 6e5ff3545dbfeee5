/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The eight labels: which colour and which pattern the frame of a domain has.
 *
 * The label comes from dom0's configuration. Each has a pattern besides its colour,
 * so that it is told apart without seeing colours. Constant data; any context.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LABEL_COUNT 8u

enum label_pattern {
	LABEL_PLAIN,
	LABEL_DIAGONAL,	     /* stripes rising to the right */
	LABEL_DIAGONAL_BACK, /* falling */
	LABEL_CROSSED,
	LABEL_DOTS,
	LABEL_BARS, /* across the frame, like a rail */
	LABEL_LINE, /* one line along the middle */
	LABEL_DASHES,
};

struct label {
	const char *name;
	uint32_t rgb;	  /* 0xrrggbb: frame and title bar */
	uint32_t ink_rgb; /* pattern and title text on it; contrast at least 4.5 : 1 */
	enum label_pattern pattern;
};

extern const struct label labels[LABEL_COUNT];

/* NULL: there is no such label. */
const struct label *label_find(const char *name);

/* Contrast of two colours times 100, as WCAG 2.1 defines it: 100..2100. */
uint32_t label_contrast(uint32_t rgb_a, uint32_t rgb_b);
