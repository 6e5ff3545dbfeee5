/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pixels of a program's surface into the pages of a window. No state. */
#pragma once

#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>
#include <wlr/types/wlr_surface.h>

/*
 * Copies `damage` of a surface whose upper left corner lies at x, y of the window into `to`,
 * which has `scale` pixels each way for a unit of these. is_base: nothing lies below, so no
 * blending. Buffers that are not in memory, or whose program is gone, leave the old pixels. Returns
 * the number of pixels written.
 */
uint64_t pixels_copy(struct wlr_surface *surface, int32_t x, int32_t y, bool is_base,
		     const pixman_region32_t *damage, uint32_t scale, pixman_image_t *to);

/* All of its rectangles so many times as large, from the origin on. */
void pixels_region_scale(pixman_region32_t *region, uint32_t scale);

/* A hash of a small surface (a cursor), 0 when it has no readable buffer. */
uint64_t pixels_hash(struct wlr_surface *surface);
uint64_t pixels_hash_of(const uint32_t *argb, uint32_t width, uint32_t height, uint32_t stride);
