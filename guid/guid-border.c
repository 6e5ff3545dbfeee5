/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/guid-border.h"

#include <math.h>

struct _GuidBorder {
	GtkWidget parent_instance;

	const struct label *label;
	GtkWidget *child;
	GskRenderNode *frame; /* NULL: to be made for the present size */
};

G_DEFINE_FINAL_TYPE(GuidBorder, guid_border, GTK_TYPE_WIDGET)

void guid_border_rgba(uint32_t rgb, GdkRGBA *out)
{
	out->red = (float)(rgb >> 16 & 0xff) / 255;
	out->green = (float)(rgb >> 8 & 0xff) / 255;
	out->blue = (float)(rgb & 0xff) / 255;
	out->alpha = 1;
}

/* Lines at 45 degrees over the whole frame. */
static void draw_diagonals(cairo_t *cr, double width, double height, double step, bool is_rising)
{
	double at;

	for (at = -height; at < width + height; at += step) {
		cairo_move_to(cr, at, is_rising ? height : 0);
		cairo_line_to(cr, at + height, is_rising ? 0 : height);
	}
	cairo_stroke(cr);
}

/* Short lines across the frame, on all four sides. */
static void draw_bars(cairo_t *cr, double width, double height, double step)
{
	const double w = GUID_BORDER_WIDTH;
	double at;

	for (at = step / 2; at < width; at += step) {
		cairo_move_to(cr, at, 0);
		cairo_line_to(cr, at, w);
		cairo_move_to(cr, at, height - w);
		cairo_line_to(cr, at, height);
	}
	for (at = step / 2; at < height; at += step) {
		cairo_move_to(cr, 0, at);
		cairo_line_to(cr, w, at);
		cairo_move_to(cr, width - w, at);
		cairo_line_to(cr, width, at);
	}
	cairo_stroke(cr);
}

static void draw_dots(cairo_t *cr, double width, double height, double step)
{
	const double middle = GUID_BORDER_WIDTH / 2.0, radius = 1.5;
	double at;

	for (at = step / 2; at < width; at += step) {
		cairo_arc(cr, at, middle, radius, 0, 2 * G_PI);
		cairo_close_path(cr);
		cairo_arc(cr, at, height - middle, radius, 0, 2 * G_PI);
		cairo_close_path(cr);
	}
	for (at = step / 2; at < height; at += step) {
		cairo_arc(cr, middle, at, radius, 0, 2 * G_PI);
		cairo_close_path(cr);
		cairo_arc(cr, width - middle, at, radius, 0, 2 * G_PI);
		cairo_close_path(cr);
	}
	cairo_fill(cr);
}

static void draw_line(cairo_t *cr, double width, double height)
{
	const double middle = GUID_BORDER_WIDTH / 2.0;

	cairo_rectangle(cr, middle, middle, width - 2 * middle, height - 2 * middle);
	cairo_stroke(cr);
}

static void draw_pattern(cairo_t *cr, enum label_pattern pattern, double width, double height)
{
	static const double dashes[] = {14, 8};

	cairo_set_line_width(cr, 1.5);
	switch (pattern) {
	case LABEL_PLAIN:
		break;
	case LABEL_DIAGONAL:
		draw_diagonals(cr, width, height, 9, true);
		break;
	case LABEL_DIAGONAL_BACK:
		draw_diagonals(cr, width, height, 9, false);
		break;
	case LABEL_CROSSED:
		draw_diagonals(cr, width, height, 9, true);
		draw_diagonals(cr, width, height, 9, false);
		break;
	case LABEL_DOTS:
		draw_dots(cr, width, height, 8);
		break;
	case LABEL_BARS:
		draw_bars(cr, width, height, 6);
		break;
	case LABEL_LINE:
		draw_line(cr, width, height);
		break;
	case LABEL_DASHES:
		cairo_set_line_width(cr, 2);
		cairo_set_dash(cr, dashes, 2, 0);
		draw_line(cr, width, height);
		break;
	}
}

/*
 * One side of a frame around width x height, as a picture: a node is gone through for each
 * frame of the guest's, whether its side is drawn or not, and the lines of the pattern are slow.
 */
static cairo_surface_t *side_paint(GuidBorder *self, const graphene_rect_t *side, int width,
				   int height)
{
	const int scale = gtk_widget_get_scale_factor(GTK_WIDGET(self));
	cairo_surface_t *image = cairo_image_surface_create(
		CAIRO_FORMAT_RGB24, (int)side->size.width * scale, (int)side->size.height * scale);
	cairo_t *cr;
	GdkRGBA colour, ink;

	cairo_surface_set_device_scale(image, scale, scale);
	cr = cairo_create(image);
	cairo_translate(cr, -side->origin.x, -side->origin.y);
	guid_border_rgba(self->label->rgb, &colour);
	guid_border_rgba(self->label->ink_rgb, &ink);
	gdk_cairo_set_source_rgba(cr, &colour);
	cairo_paint(cr);
	ink.alpha = 0.55f;
	gdk_cairo_set_source_rgba(cr, &ink);
	draw_pattern(cr, self->label->pattern, width, height);
	cairo_destroy(cr);
	return image;
}

static GskRenderNode *side_make(GuidBorder *self, const graphene_rect_t *side, int width,
				int height)
{
	cairo_surface_t *image = side_paint(self, side, width, height);
	GskRenderNode *node = gsk_cairo_node_new(side);
	cairo_t *cr = gsk_cairo_node_get_draw_context(node);

	cairo_set_source_surface(cr, image, side->origin.x, side->origin.y);
	cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
	cairo_paint(cr);
	cairo_destroy(cr);
	cairo_surface_destroy(image); /* the node has it */
	return node;
}

/*
 * Made once for a size. What is drawn again is found by comparing nodes: a new frame for each
 * picture of the guest's would draw the whole window each time.
 */
static GskRenderNode *frame_make(GuidBorder *self, int width, int height)
{
	const float w = GUID_BORDER_WIDTH, right = (float)width, bottom = (float)height;
	const graphene_rect_t all = GRAPHENE_RECT_INIT(0, 0, right, bottom);
	const graphene_rect_t sides[4] = {
		GRAPHENE_RECT_INIT(0, 0, right, w),
		GRAPHENE_RECT_INIT(0, bottom - w, right, w),
		GRAPHENE_RECT_INIT(0, w, w, bottom - 2 * w),
		GRAPHENE_RECT_INIT(right - w, w, w, bottom - 2 * w),
	};
	GskRenderNode *nodes[4], *frame;
	int i;

	if (!self->child || right <= 2 * w || bottom <= 2 * w) {
		return side_make(self, &all, width, height);
	}
	for (i = 0; i < 4; i++) {
		nodes[i] = side_make(self, &sides[i], width, height);
	}
	frame = gsk_container_node_new(nodes, 4);
	for (i = 0; i < 4; i++) {
		gsk_render_node_unref(nodes[i]);
	}
	return frame;
}

static void frame_forget(GuidBorder *self)
{
	g_clear_pointer(&self->frame, gsk_render_node_unref);
}

static void guid_border_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
	GuidBorder *self = GUID_BORDER(widget);
	int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);

	if (self->child) {
		gtk_widget_snapshot_child(widget, self->child, snapshot);
	}
	/* After the child: whatever that draws, the frame is on top. */
	if (self->label && width > 0 && height > 0) {
		if (!self->frame) {
			self->frame = frame_make(self, width, height);
		}
		gtk_snapshot_append_node(snapshot, self->frame);
	}
}

static void guid_border_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
				int *minimum, int *natural, int *minimum_baseline,
				int *natural_baseline)
{
	GuidBorder *self = GUID_BORDER(widget);
	int child_minimum = 0, child_natural = 0;

	if (self->child) {
		gtk_widget_measure(self->child, orientation, -1, &child_minimum, &child_natural,
				   NULL, NULL);
	}
	*minimum = child_minimum + 2 * GUID_BORDER_WIDTH;
	*natural = child_natural + 2 * GUID_BORDER_WIDTH;
	*minimum_baseline = -1;
	*natural_baseline = -1;
}

static void guid_border_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
	GuidBorder *self = GUID_BORDER(widget);
	GskTransform *transform;

	frame_forget(self);
	if (!self->child) {
		return;
	}
	transform = gsk_transform_translate(
		NULL, &GRAPHENE_POINT_INIT(GUID_BORDER_WIDTH, GUID_BORDER_WIDTH));
	gtk_widget_allocate(self->child, MAX(width - 2 * GUID_BORDER_WIDTH, 0),
			    MAX(height - 2 * GUID_BORDER_WIDTH, 0), -1, transform);
}

static void guid_border_dispose(GObject *object)
{
	GuidBorder *self = GUID_BORDER(object);

	frame_forget(self);
	g_clear_pointer(&self->child, gtk_widget_unparent);
	G_OBJECT_CLASS(guid_border_parent_class)->dispose(object);
}

static void guid_border_class_init(GuidBorderClass *klass)
{
	GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

	G_OBJECT_CLASS(klass)->dispose = guid_border_dispose;
	widget_class->snapshot = guid_border_snapshot;
	widget_class->measure = guid_border_measure;
	widget_class->size_allocate = guid_border_size_allocate;
	gtk_widget_class_set_css_name(widget_class, "guidborder");
}

static void on_scale(GObject *object, GParamSpec *spec, gpointer data)
{
	frame_forget(GUID_BORDER(object));
	gtk_widget_queue_draw(GTK_WIDGET(object));
}

static void guid_border_init(GuidBorder *self)
{
	g_signal_connect(self, "notify::scale-factor", G_CALLBACK(on_scale), NULL);
	gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
}

void guid_border_set_label(GuidBorder *self, const struct label *label)
{
	self->label = label;
	frame_forget(self);
	gtk_widget_queue_draw(GTK_WIDGET(self));
}

void guid_border_set_child(GuidBorder *self, GtkWidget *child)
{
	g_clear_pointer(&self->child, gtk_widget_unparent);
	self->child = child;
	frame_forget(self);
	gtk_widget_set_parent(child, GTK_WIDGET(self));
}
