/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which X cursor font number a program's cursor picture means.
 *
 * Programs give pictures, the protocol carries numbers. Programs take their pictures
 * from the cursor theme of the session, so the theme read backwards tells the shape.
 * A picture that is none of the theme's is the default arrow.
 */
#pragma once

#include <stdint.h>

struct cursor_table;

/* The theme of XCURSOR_THEME at XCURSOR_SIZE. NULL: no theme, everything is the arrow. */
struct cursor_table *cursor_table_create(void);
void cursor_table_destroy(struct cursor_table *t);

/* hash: of pixels_hash(). 0 (default) or GUI_CURSOR_X11 + number. */
uint32_t cursor_table_find(const struct cursor_table *t, uint64_t hash);
