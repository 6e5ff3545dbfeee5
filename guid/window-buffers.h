/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of windows on a Wayland desktop, of which GTK keeps more than it needs.
 *
 * GTK paints a window into two buffers by turns. It keeps both while the window lies still,
 * and it loses the one that the desktop still shows whenever a window gets another size:
 * the answer of the desktop finds nobody. A guest that resizes its window would fill dom0's
 * memory that way, so this file also watches over the answers; see window-buffers.c.
 */
#pragma once

#include <gtk/gtk.h>

/* For a window that has not changed for a while: it is painted anew when it changes. */
void window_buffers_drop(GtkNative *native);
