/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tray icons of one domain on dom0's desktop: a StatusNotifierItem for each, with the
 * domain's name in its title and the label's colour in its picture.
 *
 * What is told here comes from a guest in the end; whatever it is, it is a picture and a text.
 */
#pragma once

#include <gio/gio.h>

struct desktop_tray;

/* A button of the mouse (1 left, 2 middle, 3 right) on an icon. */
typedef void desktop_tray_click(void *context, guint32 id, guint32 button);

/* bus: NULL shows nothing. An unknown label leaves the pictures as they are. */
struct desktop_tray *desktop_tray_create(GDBusConnection *bus, const char *name, const char *label,
					 desktop_tray_click *click, void *context);
void desktop_tray_destroy(struct desktop_tray *t);
/* rgb: base64, width x height x 3 bytes; nothing happens when it is not. title is clean. */
void desktop_tray_show(struct desktop_tray *t, guint32 id, guint32 width, guint32 height,
		       const char *rgb, const char *title);
void desktop_tray_hide(struct desktop_tray *t, guint32 id);
void desktop_tray_clear(struct desktop_tray *t);
