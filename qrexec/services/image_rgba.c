/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qubes.GetImageRGBA: one line with a path or xdgicon:NAME; the picture as plain pixels.
 *
 * The picture is decoded here, in the domain that it is from: dom0 gets numbers and bytes only.
 */
#include <stdio.h>
#include <string.h>

#include <gdk-pixbuf/gdk-pixbuf.h>

#define SIZE_MAX_PIXELS 512

static GdkPixbuf *load_icon(const char *name)
{
	static const char *const places[] = {
		"/usr/share/icons/hicolor/128x128/apps/%s.png",
		"/usr/share/icons/hicolor/256x256/apps/%s.png",
		"/usr/share/icons/hicolor/scalable/apps/%s.svg",
		"/usr/share/icons/hicolor/64x64/apps/%s.png",
		"/usr/share/icons/hicolor/48x48/apps/%s.png",
		"/usr/share/pixmaps/%s.png",
		"/usr/share/pixmaps/%s.xpm",
	};
	GdkPixbuf *pixbuf = NULL;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(places) && !pixbuf; i++) {
		g_autofree char *stem = g_strndup(places[i], strstr(places[i], "%s") - places[i]);
		g_autofree char *path = g_strconcat(stem, name, strstr(places[i], "%s") + 2, NULL);

		pixbuf = gdk_pixbuf_new_from_file_at_scale(path, 128, 128, TRUE, NULL);
	}
	return pixbuf;
}

static int write_pixels(GdkPixbuf *pixbuf)
{
	int width = gdk_pixbuf_get_width(pixbuf), height = gdk_pixbuf_get_height(pixbuf), y;
	const guchar *pixels = gdk_pixbuf_read_pixels(pixbuf);

	printf("%d %d\n", width, height);
	for (y = 0; y < height; y++) {
		fwrite(pixels + (size_t)y * gdk_pixbuf_get_rowstride(pixbuf), 4, (size_t)width,
		       stdout);
	}
	return fflush(stdout) ? 1 : 0;
}

int main(void)
{
	g_autoptr(GdkPixbuf) raw = NULL;
	g_autoptr(GdkPixbuf) rgba = NULL;
	g_autoptr(GError) error = NULL;
	char name[4096];

	if (!fgets(name, sizeof(name), stdin)) {
		return 1;
	}
	name[strcspn(name, "\n")] = 0;
	if (g_str_has_prefix(name, "xdgicon:")) {
		if (strchr(name, '/')) {
			return 1;
		}
		raw = load_icon(name + strlen("xdgicon:"));
	} else {
		raw = gdk_pixbuf_new_from_file_at_scale(name, SIZE_MAX_PIXELS, SIZE_MAX_PIXELS,
							TRUE, &error);
	}
	if (!raw) {
		fprintf(stderr, "qubes.GetImageRGBA: %s\n",
			error ? error->message : "no such icon");
		return 1;
	}
	rgba = gdk_pixbuf_add_alpha(raw, FALSE, 0, 0, 0);
	return write_pixels(rgba);
}
