/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/tray.h"

#include "guid/icon.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TELL_MS	       200
#define CLICK_LINE_MAX 64
#define PART_SIZE_MAX  256u /* of a docked window; the rest of a larger one is not seen */

struct tray_icon {
	uint32_t id;
	gboolean is_used, is_changed;
};

struct tray {
	struct session *session;
	struct tray_icon icons[TRAY_MAX];
	guint tell, input;
	gsize line_size;
	char line[CLICK_LINE_MAX];
};

static struct tray_icon *icon_find(struct tray *t, uint32_t id)
{
	size_t i;

	for (i = 0; i < TRAY_MAX; i++) {
		if (t->icons[i].is_used && t->icons[i].id == id) {
			return &t->icons[i];
		}
	}
	return NULL;
}

static void icon_tell(struct tray *t, struct window *w)
{
	uint8_t bytes[ICON_SIZE_MAX * ICON_SIZE_MAX * 3];
	g_autofree char *text = NULL;
	struct damage damage;
	struct dump dump;
	struct rect part;
	struct icon icon;
	const uint32_t *pixels;
	uint32_t i;

	windows_take_damage(w, &damage);
	if (!windows_content(session_windows(t->session), w, &dump, &part)) {
		return; /* told when it has a picture */
	}
	pixels = pages_bytes(session_pages(&dump));
	icon_from_pixels(&icon, pixels + (gsize)part.y * dump.width + (gsize)part.x, dump.width,
			 MIN((uint32_t)part.width, PART_SIZE_MAX),
			 MIN((uint32_t)part.height, PART_SIZE_MAX));
	for (i = 0; i < icon.width * icon.height; i++) {
		bytes[i * 3] = (uint8_t)(icon.rgb[i] >> 16);
		bytes[i * 3 + 1] = (uint8_t)(icon.rgb[i] >> 8);
		bytes[i * 3 + 2] = (uint8_t)icon.rgb[i];
	}
	text = g_base64_encode(bytes, (gsize)icon.width * icon.height * 3);
	printf("tray\t%u\t%u\t%u\t%s\t%s\n", w->id, icon.width, icon.height, text, w->title);
	fflush(stdout);
}

static gboolean on_tell(gpointer data)
{
	struct tray *t = data;
	size_t i;

	t->tell = 0;
	for (i = 0; i < TRAY_MAX; i++) {
		struct tray_icon *icon = &t->icons[i];
		struct window *w = icon->is_used && icon->is_changed
					   ? windows_find(session_windows(t->session), icon->id)
					   : NULL;

		icon->is_changed = FALSE;
		if (w) {
			icon_tell(t, w);
		}
	}
	return G_SOURCE_REMOVE;
}

void tray_show(struct tray *t, struct window *w)
{
	struct tray_icon *icon = icon_find(t, w->id);
	size_t i;

	for (i = 0; i < TRAY_MAX && !icon; i++) {
		if (!t->icons[i].is_used) {
			icon = &t->icons[i];
			icon->is_used = TRUE;
			icon->id = w->id;
		}
	}
	if (!icon) {
		return;
	}
	icon->is_changed = TRUE;
	if (!t->tell) {
		t->tell = g_timeout_add(TELL_MS, on_tell, t);
	}
}

void tray_hide(struct tray *t, const struct window *w)
{
	struct tray_icon *icon = icon_find(t, w->id);

	if (icon) {
		icon->is_used = FALSE;
		printf("tray\t%u\n", w->id);
		fflush(stdout);
	}
}

/* ---- clicks ---- */

static void line_handle(struct tray *t, const char *line)
{
	struct input *in = session_input(t->session);
	struct window *w;
	unsigned int id, button;

	if (sscanf(line, "click %u %u", &id, &button) != 2 || !icon_find(t, id)) {
		return; /* it went meanwhile */
	}
	w = windows_find(session_windows(t->session), id);
	if (w) {
		input_button(in, id, button, true, w->rect.width / 2, w->rect.height / 2, 0);
		input_button(in, id, button, false, w->rect.width / 2, w->rect.height / 2, 0);
		input_leave(in, id, 0);
	}
}

static gboolean on_input(gint fd, GIOCondition condition, gpointer data)
{
	struct tray *t = data;
	char bytes[256];
	ssize_t count = read(fd, bytes, sizeof(bytes)), i;

	if (count <= 0) {
		t->input = 0;
		return G_SOURCE_REMOVE;
	}
	for (i = 0; i < count; i++) {
		if (bytes[i] != '\n' && t->line_size + 1 < sizeof(t->line)) {
			t->line[t->line_size++] = bytes[i];
		} else if (bytes[i] == '\n') {
			t->line[t->line_size] = '\0';
			t->line_size = 0;
			line_handle(t, t->line);
		}
	}
	return G_SOURCE_CONTINUE;
}

struct tray *tray_create(struct session *session)
{
	struct tray *t = g_new0(struct tray, 1);
	struct stat st;

	t->session = session;
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISFIFO(st.st_mode)) {
		t->input = g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, on_input, t);
	}
	puts("tray"); /* those of a daemon that crashed before this one */
	fflush(stdout);
	return t;
}

void tray_destroy(struct tray *t)
{
	if (t->tell) {
		g_source_remove(t->tell);
	}
	if (t->input) {
		g_source_remove(t->input);
	}
	g_free(t);
}
