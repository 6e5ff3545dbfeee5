/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/surface.h"

#define TILE_WIDTH  256
#define TILE_HEIGHT 128

struct tile {
	GskRenderNode *node;
	cairo_surface_t *image; /* what the node paints; lives as long */
};

struct surface {
	struct pages *pages;
	uint32_t width, height;			/* of the picture */
	int32_t scale, tile_width, tile_height; /* tiles are whole units */
	struct rect part;
	uint32_t columns, rows;
	struct tile *tiles;
};

static guint64 uploaded_pixels;
static gboolean is_texture_used;

guint64 surface_uploaded_pixels(void)
{
	return uploaded_pixels;
}

void surface_use_textures(gboolean is_on)
{
	is_texture_used = is_on;
}

struct surface *surface_create(void)
{
	return g_new0(struct surface, 1);
}

static void tile_clear(struct tile *t)
{
	g_clear_pointer(&t->node, gsk_render_node_unref);
	g_clear_pointer(&t->image, cairo_surface_destroy);
}

static void tiles_clear(struct surface *s)
{
	uint32_t i;

	for (i = 0; i < s->columns * s->rows; i++) {
		tile_clear(&s->tiles[i]);
	}
	g_clear_pointer(&s->tiles, g_free);
	s->columns = 0;
	s->rows = 0;
}

void surface_destroy(struct surface *s)
{
	if (!s) {
		return;
	}
	tiles_clear(s);
	pages_unref(s->pages);
	g_free(s);
}

void surface_set_pages(struct surface *s, struct pages *pages, const struct dump *dump,
		       struct rect part)
{
	const struct rect all = {0, 0, (int32_t)dump->width, (int32_t)dump->height};
	struct pages *old = s->pages;

	tiles_clear(s);
	s->pages = pages ? pages_ref(pages) : NULL;
	pages_unref(old);
	s->width = dump->width;
	s->height = dump->height;
	s->scale = (int32_t)dump->scale;
	s->part = rect_intersect(part, all);
	if (!pages || rect_is_empty(&s->part)) {
		return;
	}
	s->tile_width = TILE_WIDTH / s->scale * s->scale;
	s->tile_height = TILE_HEIGHT / s->scale * s->scale;
	s->columns = (uint32_t)((s->part.width + s->tile_width - 1) / s->tile_width);
	s->rows = (uint32_t)((s->part.height + s->tile_height - 1) / s->tile_height);
	s->tiles = g_new0(struct tile, (gsize)s->columns * s->rows);
}

static struct rect tile_rect(const struct surface *s, uint32_t column, uint32_t row)
{
	const struct rect all = {0, 0, s->part.width, s->part.height};

	return rect_intersect((struct rect){(int32_t)column * s->tile_width,
					    (int32_t)row * s->tile_height, s->tile_width,
					    s->tile_height},
			      all);
}

void surface_damage(struct surface *s, struct rect r)
{
	const struct rect all = {0, 0, s->part.width, s->part.height};
	int32_t column, row;

	if (!s->tiles) {
		return;
	}
	/* Within a window, and so far from where this overflows. */
	r = (struct rect){r.x * s->scale, r.y * s->scale, r.width * s->scale, r.height * s->scale};
	r = rect_intersect(r, all);
	if (rect_is_empty(&r)) {
		return;
	}
	for (row = r.y / s->tile_height; row <= (r.y + r.height - 1) / s->tile_height; row++) {
		for (column = r.x / s->tile_width; column <= (r.x + r.width - 1) / s->tile_width;
		     column++) {
			tile_clear(&s->tiles[(uint32_t)row * s->columns + (uint32_t)column]);
		}
	}
}

static const uint8_t *tile_pixels(const struct surface *s, struct rect r)
{
	const uint8_t *pixels = pages_bytes(s->pages);

	return pixels + ((gsize)(s->part.y + r.y) * s->width + (gsize)(s->part.x + r.x)) * 4;
}

static void pages_release(void *data)
{
	pages_unref(data);
}

/* The data is only read; cairo's interface has no const. */
static uint8_t *without_const(const uint8_t *p)
{
	return (uint8_t *)(uintptr_t)p;
}

/* Painted by the processor, straight from the guest's pages. */
static void tile_make_image(struct surface *s, struct tile *t, struct rect r,
			    const graphene_rect_t *bounds)
{
	static const cairo_user_data_key_t key;
	cairo_t *cr;

	t->image = cairo_image_surface_create_for_data(without_const(tile_pixels(s, r)),
						       CAIRO_FORMAT_RGB24, r.width, r.height,
						       (int)s->width * 4);
	cairo_surface_set_user_data(t->image, &key, pages_ref(s->pages), pages_release);
	t->node = gsk_cairo_node_new(bounds);
	cr = gsk_cairo_node_get_draw_context(t->node);
	cairo_translate(cr, bounds->origin.x, bounds->origin.y);
	cairo_scale(cr, bounds->size.width / r.width, bounds->size.height / r.height);
	cairo_set_source_surface(cr, t->image, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
	/* On a scaled monitor an edge is not mixed with what is not there: tiles have no seams. */
	cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
	cairo_set_operator(cr, CAIRO_OPERATOR_SOURCE);
	cairo_paint(cr);
	cairo_destroy(cr);
}

/*
 * A texture over black: the format has an alpha channel, the guest's fourth byte is
 * anything, and "premultiplied over black" gives its colours whatever alpha says.
 */
static void tile_make_texture(struct surface *s, struct tile *t, struct rect r,
			      const graphene_rect_t *bounds)
{
	static const GdkRGBA black = {0, 0, 0, 1};
	gsize size = ((gsize)(r.height - 1) * s->width + (gsize)r.width) * 4;
	GBytes *bytes = g_bytes_new_with_free_func(tile_pixels(s, r), size, pages_release,
						   pages_ref(s->pages));
	GdkTexture *texture = gdk_memory_texture_new(
		r.width, r.height, GDK_MEMORY_B8G8R8A8_PREMULTIPLIED, bytes, s->width * 4);
	GskRenderNode *layers[2] = {gsk_color_node_new(&black, bounds),
				    gsk_texture_node_new(texture, bounds)};

	t->node = gsk_container_node_new(layers, 2);
	gsk_render_node_unref(layers[0]);
	gsk_render_node_unref(layers[1]);
	g_object_unref(texture);
	g_bytes_unref(bytes);
}

void surface_snapshot(struct surface *s, GtkSnapshot *snapshot)
{
	const double scale = s->scale;
	uint32_t column, row;

	for (row = 0; row < s->rows; row++) {
		for (column = 0; column < s->columns; column++) {
			struct tile *t = &s->tiles[row * s->columns + column];
			struct rect r = tile_rect(s, column, row);

			if (!t->node) {
				const graphene_rect_t bounds = GRAPHENE_RECT_INIT(
					(float)(r.x / scale), (float)(r.y / scale),
					(float)(r.width / scale), (float)(r.height / scale));

				if (is_texture_used) {
					tile_make_texture(s, t, r, &bounds);
				} else {
					tile_make_image(s, t, r, &bounds);
				}
				uploaded_pixels += (guint64)r.width * (guint64)r.height;
			}
			gtk_snapshot_append_node(snapshot, t->node);
		}
	}
}
