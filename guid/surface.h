/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's pixels as render nodes, in tiles.
 *
 * A tile is made when it is drawn and stays until its pixels are said to have
 * changed, so that only those are drawn (and uploaded) again. The pixels are read
 * where the guest wrote them: the guest may change them at any time, which can only
 * tear its own picture. The fourth byte of a pixel is ignored. Main thread only.
 */
#pragma once

#include "guid/damage.h"
#include "guid/pages.h"
#include "guid/windows.h"

#include <gtk/gtk.h>

struct surface;

struct surface *surface_create(void);
void surface_destroy(struct surface *s);

/*
 * Shows `part` of a dump, in pixels, that lies in pages; NULL: nothing. A part outside of the
 * picture is not drawn. A pixel is 1 / dump.scale units wide.
 */
void surface_set_pages(struct surface *s, struct pages *pages, const struct dump *dump,
		       struct rect part);

/* The pixels changed; r is in units, relative to the part. */
void surface_damage(struct surface *s, struct rect r);

/* Appends the picture at 0, 0. */
void surface_snapshot(struct surface *s, GtkSnapshot *snapshot);

/* Pixels of all tiles that were made so far, by all surfaces: for the tests. */
guint64 surface_uploaded_pixels(void);

/* With a GPU the tiles are textures; without, they are painted from where they are. */
void surface_use_textures(gboolean is_on);
