/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/window-buffers.h"

#include <dlfcn.h>
#include <gdk/wayland/gdkwayland.h>
#include <string.h>
#include <wayland-client.h>

void window_buffers_drop(GtkNative *native)
{
	GdkSurface *surface = gtk_native_get_surface(native);
	GskRenderer *renderer = gtk_native_get_renderer(native);

	if (!GDK_IS_WAYLAND_SURFACE(surface) || !GSK_IS_CAIRO_RENDERER(renderer)) {
		return; /* others keep their memory in their own ways */
	}
	gsk_renderer_unrealize(renderer);
	/* Cannot fail, because the cairo renderer only makes an object for the surface. */
	(void)gsk_renderer_realize(renderer, surface, NULL);
}

/* ---- buffers that come back ---- */

typedef int add_listener(struct wl_proxy *proxy, void (**functions)(void), void *data);

static const struct wl_buffer_listener *gtk_listener;

/*
 * `data` is the picture that lies in the buffer. While GTK's painter lives it has two
 * references, the painter's and one for the desktop, which this event gives back. Of a
 * painter that is gone (GTK makes one for each size) only the desktop's is left, and GTK, up
 * to 4.18 at least, returns without taking it. Then both counts are two, ours included.
 */
static void on_release(void *data, struct wl_buffer *buffer)
{
	cairo_surface_t *picture = cairo_surface_reference(data);
	unsigned int before = cairo_surface_get_reference_count(picture);

	gtk_listener->release(data, buffer);
	if (before == 2 && cairo_surface_get_reference_count(picture) == 2) {
		cairo_surface_destroy(picture);
	}
	cairo_surface_destroy(picture);
}

static const struct wl_buffer_listener listener = {on_release};

/*
 * The function of libwayland-client, which GTK's calls find here first: its own buffers get
 * the listener above. There is no other place where such a buffer can be seen.
 */
int wl_proxy_add_listener(struct wl_proxy *proxy, void (**functions)(void), void *data)
{
	static add_listener *real;
	const void *theirs = functions;

	if (!real) {
		void *found = dlsym(RTLD_NEXT, "wl_proxy_add_listener");

		memcpy(&real, &found, sizeof(real));
	}
	if (strcmp(wl_proxy_get_class(proxy), "wl_buffer") == 0 &&
	    (!gtk_listener || gtk_listener == theirs)) {
		const void *ours = &listener;

		gtk_listener = theirs;
		memcpy(&functions, &ours, sizeof(functions));
	}
	return real(proxy, functions, data);
}
