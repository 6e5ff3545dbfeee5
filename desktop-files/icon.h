/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture of a guest's program, made safe for dom0's menu.
 *
 * A domain answers qubes.GetImageRGBA with a line "WIDTH HEIGHT" and four bytes for each pixel.
 * icon_decode() checks it whole, scales it to one fixed size and gives it the shades of the
 * domain's label: what a guest draws cannot look like dom0's or another domain's. icon_png()
 * writes that as a PNG file whose bytes are all ours.
 *
 * Pure: no files, no global state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ICON_SIDE	64
#define ICON_BYTES	(ICON_SIDE * ICON_SIDE * 4)
#define ICON_SOURCE_MAX 512 /* pixels of a side */
#define ICON_INPUT_MAX	(ICON_SOURCE_MAX * ICON_SOURCE_MAX * 4 + 16)
#define ICON_PNG_MAX	(ICON_BYTES + ICON_SIDE + 128)

/* The colour of a label, or -1: 0xrrggbb as the windows' frames have it. */
int icon_label_rgb(const char *label);

/* 0, or -EPROTO: not of the announced size, -ERANGE: too large or nothing. out is red, green, blue,
 * alpha of each pixel. */
int icon_decode(const uint8_t *data, size_t size_bytes, uint32_t rgb, uint8_t out[ICON_BYTES]);

/* A plain shape in the label's colour, for a program that has no usable picture. */
void icon_plain(uint32_t rgb, uint8_t out[ICON_BYTES]);

/* The file's size; never more than ICON_PNG_MAX. */
size_t icon_png(const uint8_t pixels[ICON_BYTES], uint8_t out[ICON_PNG_MAX]);
