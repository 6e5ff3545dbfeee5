/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/agent/cursor.h"

#include "guid/agent/pixels.h"
#include "guid/proto.h"

#include <stdlib.h>
#include <wlr/xcursor.h>

/* Numbers of cursorfont.h; several names of themes may mean the same shape. */
static const struct {
	const char *name;
	uint32_t number;
} shapes[] = {
	{"xterm", 152},
	{"text", 152},
	{"ibeam", 152},
	{"hand2", 60},
	{"hand1", 58},
	{"pointer", 60},
	{"pointing_hand", 60},
	{"crosshair", 34},
	{"cross", 30},
	{"watch", 150},
	{"wait", 150},
	{"progress", 150},
	{"left_ptr_watch", 150},
	{"fleur", 52},
	{"move", 52},
	{"all-scroll", 52},
	{"grabbing", 52},
	{"question_arrow", 92},
	{"help", 92},
	{"sb_h_double_arrow", 108},
	{"col-resize", 108},
	{"ew-resize", 108},
	{"sb_v_double_arrow", 116},
	{"row-resize", 116},
	{"ns-resize", 116},
	{"top_side", 138},
	{"n-resize", 138},
	{"bottom_side", 16},
	{"s-resize", 16},
	{"left_side", 70},
	{"w-resize", 70},
	{"right_side", 96},
	{"e-resize", 96},
	{"top_left_corner", 134},
	{"nw-resize", 134},
	{"top_right_corner", 136},
	{"ne-resize", 136},
	{"bottom_left_corner", 12},
	{"sw-resize", 12},
	{"bottom_right_corner", 14},
	{"se-resize", 14},
	{"nwse-resize", 14},
	{"nesw-resize", 12},
	{"X_cursor", 0},
	{"not-allowed", 0},
	{"circle", 24},
	{"plus", 90},
	{"pencil", 86},
};

#define SHAPE_COUNT (sizeof(shapes) / sizeof(shapes[0]))

struct entry {
	uint64_t hash;
	uint32_t cursor;
};

struct cursor_table {
	struct entry *entries;
	uint32_t count, capacity;
};

static void entry_add(struct cursor_table *t, uint64_t hash, uint32_t cursor)
{
	if (t->count == t->capacity) {
		uint32_t capacity = t->capacity ? t->capacity * 2 : 64;
		struct entry *bigger = realloc(t->entries, capacity * sizeof(*bigger));

		if (!bigger) {
			return;
		}
		t->entries = bigger;
		t->capacity = capacity;
	}
	t->entries[t->count++] = (struct entry){hash, cursor};
}

static void shape_add(struct cursor_table *t, struct wlr_xcursor *cursor, uint32_t number)
{
	unsigned int i;

	for (i = 0; cursor && i < cursor->image_count; i++) {
		const struct wlr_xcursor_image *image = cursor->images[i];

		entry_add(t,
			  pixels_hash_of((const uint32_t *)(const void *)image->buffer,
					 image->width, image->height, image->width * 4),
			  number);
	}
}

static int theme_size(void)
{
	const char *text = getenv("XCURSOR_SIZE");
	long size = text ? strtol(text, NULL, 10) : 24;

	return size >= 8 && size <= 256 ? (int)size : 24;
}

struct cursor_table *cursor_table_create(void)
{
	struct wlr_xcursor_theme *theme =
		wlr_xcursor_theme_load(getenv("XCURSOR_THEME"), theme_size());
	struct cursor_table *t = theme ? calloc(1, sizeof(*t)) : NULL;
	size_t i;

	if (t) {
		/* The arrow first: where a theme has one picture for two names, it wins. */
		shape_add(t, wlr_xcursor_theme_get_cursor(theme, "left_ptr"), 0);
		shape_add(t, wlr_xcursor_theme_get_cursor(theme, "default"), 0);
		for (i = 0; i < SHAPE_COUNT; i++) {
			shape_add(t, wlr_xcursor_theme_get_cursor(theme, shapes[i].name),
				  GUI_CURSOR_X11 + shapes[i].number);
		}
	}
	if (theme) {
		wlr_xcursor_theme_destroy(theme);
	}
	return t;
}

void cursor_table_destroy(struct cursor_table *t)
{
	if (t) {
		free(t->entries);
		free(t);
	}
}

uint32_t cursor_table_find(const struct cursor_table *t, uint64_t hash)
{
	uint32_t i;

	for (i = 0; t && hash && i < t->count; i++) {
		if (t->entries[i].hash == hash) {
			return t->entries[i].cursor;
		}
	}
	return 0;
}
