/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/keymap.h"

#include <X11/Xatom.h>
#include <gdk/wayland/gdkwayland.h>
#include <gdk/x11/gdkx.h>
#include <string.h>
#include <xkbcommon/xkbcommon.h>

#define NAMES_SIZE_MAX 1024

static char *wayland_if_new(struct keymap *k, GdkDevice *keyboard)
{
	struct xkb_keymap *map = gdk_wayland_device_get_xkb_keymap(keyboard);

	if (map == k->wayland) {
		return NULL;
	}
	k->wayland = map;
	return map ? xkb_keymap_get_as_string(map, XKB_KEYMAP_FORMAT_TEXT_V1) : NULL;
}

/* Rules, model, layout, variant and options, each with its NUL; what setxkbmap leaves there. */
static char *x11_names(Display *x, gsize *size_out)
{
	Atom property = XInternAtom(x, "_XKB_RULES_NAMES", True), type = None;
	unsigned char *bytes = NULL;
	unsigned long count = 0, left;
	char *names = NULL;
	int format;

	if (property != None &&
	    XGetWindowProperty(x, DefaultRootWindow(x), property, 0, NAMES_SIZE_MAX / 4, False,
			       XA_STRING, &type, &format, &count, &left, &bytes) == Success &&
	    type == XA_STRING && format == 8 && count) {
		names = g_memdup2(bytes, count + 1); /* Xlib adds a NUL of its own */
		*size_out = count;
	}
	if (bytes) {
		XFree(bytes);
	}
	return names;
}

static char *text_of(const char *names, gsize size)
{
	const char *part[5] = {NULL};
	struct xkb_rule_names rules;
	struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_FLAGS);
	struct xkb_keymap *map;
	char *text = NULL;
	gsize at = 0, i;

	for (i = 0; i < G_N_ELEMENTS(part) && at < size; i++) {
		part[i] = names + at;
		at += strlen(names + at) + 1;
	}
	rules = (struct xkb_rule_names){part[0], part[1], part[2], part[3], part[4]};
	map = context ? xkb_keymap_new_from_names(context, &rules, XKB_KEYMAP_COMPILE_NO_FLAGS)
		      : NULL;
	if (map) {
		text = xkb_keymap_get_as_string(map, XKB_KEYMAP_FORMAT_TEXT_V1);
	}
	xkb_keymap_unref(map);
	xkb_context_unref(context);
	return text;
}

static char *x11_if_new(struct keymap *k, GdkDisplay *display)
{
	gsize size = 0;
	char *names = x11_names(gdk_x11_display_get_xdisplay(display), &size);
	char *text = NULL;

	if (names && (!k->names || memcmp(names, k->names, size + 1) != 0)) {
		text = text_of(names, size);
		g_free(k->names);
		k->names = g_malloc0(NAMES_SIZE_MAX + 1); /* comparable with any other */
		memcpy(k->names, names, size);
	}
	g_free(names);
	return text;
}

char *keymap_if_new(struct keymap *k)
{
	GdkDisplay *display = gdk_display_get_default();
	GdkSeat *seat = gdk_display_get_default_seat(display);
	GdkDevice *keyboard = seat ? gdk_seat_get_keyboard(seat) : NULL;

	if (keyboard && GDK_IS_WAYLAND_DEVICE(keyboard)) {
		return wayland_if_new(k, keyboard);
	}
	return GDK_IS_X11_DISPLAY(display) ? x11_if_new(k, display) : NULL;
}

void keymap_forget(struct keymap *k)
{
	k->wayland = NULL;
	g_clear_pointer(&k->names, g_free);
}
