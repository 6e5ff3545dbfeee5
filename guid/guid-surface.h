/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GuidSurface: the widget that shows one window's pixels and takes its input.
 *
 * Draws inside of its allocation only. Belongs to the window until
 * guid_surface_detach(); after that it keeps its last picture and is deaf.
 */
#pragma once

#include "guid/session.h"

#include <gtk/gtk.h>

#define GUID_TYPE_SURFACE (guid_surface_get_type())
G_DECLARE_FINAL_TYPE(GuidSurface, guid_surface, GUID, SURFACE, GtkWidget)

/* is_popup: its size follows the guest, never the other way; a border is drawn over it. */
GuidSurface *guid_surface_new(struct session *session, struct window *window, gboolean is_popup,
			      const GdkRGBA *border);
void guid_surface_detach(GuidSurface *self);
struct window *guid_surface_get_window(GuidSurface *self);

/* The window has other pixels, some new ones, or another size. */
void guid_surface_content_changed(GuidSurface *self);
void guid_surface_damaged(GuidSurface *self);
/* The guest chose another size: allocations of the old one are not sent back for a while. */
void guid_surface_guest_resized(GuidSurface *self);
void guid_surface_cursor_changed(GuidSurface *self);
