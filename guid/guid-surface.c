/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/guid-surface.h"

#include "guid/ext.h"
#include "guid/surface.h"

#include <math.h>

#define SIZE_MAX_SHOWN	     4096 /* of a popup in either direction */
#define POPUP_BORDER	     2
#define GUEST_RESIZE_HOLD_US 400000
#define BUTTONS_MASK                                                                 \
	(GDK_BUTTON1_MASK | GDK_BUTTON2_MASK | GDK_BUTTON3_MASK | GDK_BUTTON4_MASK | \
	 GDK_BUTTON5_MASK)

struct _GuidSurface {
	GtkWidget parent_instance;

	struct session *session;
	struct window *window;
	struct surface *surface;
	gboolean is_popup;
	GdkRGBA border;
	gint64 guest_resized_us;
	guint resize_timeout;
	guint32 cursor;
	gboolean is_cursor_hidden;
	const GdkEventSequence *fingers[EXT_FINGERS]; /* only ever compared; NULL: up */
};

G_DEFINE_FINAL_TYPE(GuidSurface, guid_surface, GTK_TYPE_WIDGET)

/* GDK's low bits are X11's; Super has moved away from Mod4. */
static uint32_t state_to_x11(GdkModifierType state)
{
	uint32_t x11 = state & (GDK_SHIFT_MASK | GDK_LOCK_MASK | GDK_CONTROL_MASK | GDK_ALT_MASK |
				BUTTONS_MASK);

	if (state & GDK_SUPER_MASK) {
		x11 |= 1u << 6;
	}
	return x11;
}

/* ---- drawing ---- */

static void content_load(GuidSurface *self)
{
	struct dump dump;
	struct rect part;

	if (windows_content(session_windows(self->session), self->window, &dump, &part)) {
		surface_set_pages(self->surface, session_pages(&dump), &dump, part);
	} else {
		surface_set_pages(self->surface, NULL, &(const struct dump){.scale = 1},
				  (struct rect){0, 0, 0, 0});
	}
}

static void border_snapshot(GuidSurface *self, GtkSnapshot *snapshot, int width, int height)
{
	GskRoundedRect outline;
	const float widths[4] = {POPUP_BORDER, POPUP_BORDER, POPUP_BORDER, POPUP_BORDER};
	const GdkRGBA colours[4] = {self->border, self->border, self->border, self->border};

	gsk_rounded_rect_init_from_rect(&outline,
					&GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height), 0);
	gtk_snapshot_append_border(snapshot, &outline, widths, colours);
}

static void guid_surface_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
	static const GdkRGBA black = {0, 0, 0, 1};
	GuidSurface *self = GUID_SURFACE(widget);
	int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
	const graphene_rect_t all = GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height);
	struct damage damage;
	uint32_t i;

	if (self->window) {
		windows_take_damage(self->window, &damage);
		for (i = 0; i < damage.count; i++) {
			surface_damage(self->surface, damage.rects[i]);
		}
		if (damage.count) {
			session_framed(self->session, self->window->id);
		}
	}
	gtk_snapshot_push_clip(snapshot, &all);
	gtk_snapshot_append_color(snapshot, &black, &all);
	surface_snapshot(self->surface, snapshot);
	if (self->is_popup) {
		border_snapshot(self, snapshot, width, height);
	}
	gtk_snapshot_pop(snapshot);
}

void guid_surface_content_changed(GuidSurface *self)
{
	content_load(self);
	gtk_widget_queue_draw(GTK_WIDGET(self));
}

void guid_surface_damaged(GuidSurface *self)
{
	gtk_widget_queue_draw(GTK_WIDGET(self));
}

/* ---- size ---- */

static void guid_surface_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
				 int *minimum, int *natural, int *minimum_baseline,
				 int *natural_baseline)
{
	GuidSurface *self = GUID_SURFACE(widget);
	const struct window *w = self->window;
	gboolean is_wide = orientation == GTK_ORIENTATION_HORIZONTAL;

	*natural = !w ? 1 : is_wide ? w->rect.width : w->rect.height;
	*natural = MIN(*natural, SIZE_MAX_SHOWN);
	*minimum = 1;
	if (self->is_popup) {
		*minimum = *natural;
	} else if (w && (w->hints.flags & GUI_HINT_MIN_SIZE)) {
		/* A guest may not push its window over the edge of the screen by a minimum. */
		*minimum = (int)MIN(is_wide ? w->hints.min_width : w->hints.min_height, 480);
		*natural = MAX(*natural, *minimum);
	}
	*minimum_baseline = -1;
	*natural_baseline = -1;
}

static void size_tell(GuidSurface *self)
{
	int width = gtk_widget_get_width(GTK_WIDGET(self));
	int height = gtk_widget_get_height(GTK_WIDGET(self));

	if (self->window && !self->is_popup && width > 0 && height > 0) {
		windows_user_resize(session_windows(self->session), self->window, (uint32_t)width,
				    (uint32_t)height, g_get_monotonic_time());
	}
}

static gboolean on_resize_timeout(gpointer data)
{
	GuidSurface *self = data;

	self->resize_timeout = 0;
	self->guest_resized_us = 0;
	size_tell(self);
	return G_SOURCE_REMOVE;
}

static void guid_surface_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
	GuidSurface *self = GUID_SURFACE(widget);

	if (!self->window || self->is_popup || self->guest_resized_us) {
		return;
	}
	size_tell(self);
}

void guid_surface_guest_resized(GuidSurface *self)
{
	content_load(self);
	gtk_widget_queue_resize(GTK_WIDGET(self));
	if (self->is_popup) {
		return;
	}
	self->guest_resized_us = g_get_monotonic_time();
	if (self->resize_timeout) {
		g_source_remove(self->resize_timeout);
	}
	self->resize_timeout = g_timeout_add(GUEST_RESIZE_HOLD_US / 1000, on_resize_timeout, self);
}

/* ---- input ---- */

/* Places come in parts of 1/256, GTK reckons with floats: what is a little less is meant whole. */
static int32_t pixel_of(double place)
{
	return (int32_t)floor(round(place * 256) / 256);
}

static void on_motion(GtkEventControllerMotion *controller, double x, double y, gpointer data)
{
	GuidSurface *self = data;
	GdkModifierType state =
		gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(controller));

	if (self->window) {
		session_motion(self->session, self->window->id, pixel_of(x), pixel_of(y),
			       state_to_x11(state));
	}
}

static void on_leave(GtkEventControllerMotion *controller, gpointer data)
{
	GuidSurface *self = data;

	if (self->window) {
		input_leave(session_input(self->session), self->window->id, 0);
	}
}

/* Where an event happened, in this widget. False: it has no place. */
static gboolean event_place(GuidSurface *self, GdkEvent *event, double *x, double *y)
{
	GtkNative *native = gtk_widget_get_native(GTK_WIDGET(self));
	double surface_x, surface_y;

	if (!native || !gdk_event_get_position(event, x, y)) {
		return FALSE;
	}
	gtk_native_get_surface_transform(native, &surface_x, &surface_y);
	return gtk_widget_translate_coordinates(GTK_WIDGET(native), GTK_WIDGET(self),
						*x - surface_x, *y - surface_y, x, y);
}

static void scroll(GuidSurface *self, GdkEvent *event, double x, double y, uint32_t state)
{
	double dx = 0, dy = 0;

	switch (gdk_scroll_event_get_direction(event)) {
	case GDK_SCROLL_UP:
		dy = -1;
		break;
	case GDK_SCROLL_DOWN:
		dy = 1;
		break;
	case GDK_SCROLL_LEFT:
		dx = -1;
		break;
	case GDK_SCROLL_RIGHT:
		dx = 1;
		break;
	case GDK_SCROLL_SMOOTH:
		gdk_scroll_event_get_deltas(event, &dx, &dy);
		break;
	}
	session_scroll(self->session, self->window->id, dx, dy, pixel_of(x), pixel_of(y), state);
}

/* The number of this finger, or of a free place for one that comes down; or EXT_FINGERS. */
static guint32 finger_of(const GuidSurface *self, const GdkEventSequence *sequence)
{
	guint32 i;

	for (i = 0; i < EXT_FINGERS && self->fingers[i] != sequence; i++) {
	}
	return i;
}

static void touch(GuidSurface *self, GdkEvent *event, double x, double y, uint32_t state)
{
	const GdkEventSequence *sequence = gdk_event_get_event_sequence(event);
	GdkEventType type = gdk_event_get_event_type(event);
	guint32 finger = finger_of(self, type == GDK_TOUCH_BEGIN ? NULL : sequence);
	guint32 kind = type == GDK_TOUCH_BEGIN	  ? EXT_TOUCH_DOWN
		       : type == GDK_TOUCH_UPDATE ? EXT_TOUCH_MOTION
		       : type == GDK_TOUCH_END	  ? EXT_TOUCH_UP
						  : EXT_TOUCH_CANCEL;

	if (finger == EXT_FINGERS) {
		return; /* one too many, or one that came down elsewhere */
	}
	if (kind == EXT_TOUCH_DOWN) {
		self->fingers[finger] = sequence;
	} else if (kind == EXT_TOUCH_UP) {
		self->fingers[finger] = NULL;
	} else if (kind == EXT_TOUCH_CANCEL) {
		memset(self->fingers, 0, sizeof(self->fingers));
	}
	session_touch(self->session, self->window->id, kind, finger, pixel_of(x), pixel_of(y),
		      state);
}

static gboolean on_event(GtkEventControllerLegacy *controller, GdkEvent *event, gpointer data)
{
	GuidSurface *self = data;
	GdkEventType type = gdk_event_get_event_type(event);
	uint32_t state = state_to_x11(gdk_event_get_modifier_state(event));
	double x = 0, y = 0;

	if (self->window && type == GDK_TOUCH_CANCEL) { /* happens nowhere */
		touch(self, event, x, y, state);
		return GDK_EVENT_STOP;
	}
	if (!self->window || !event_place(self, event, &x, &y)) {
		return GDK_EVENT_PROPAGATE;
	}
	switch (type) {
	case GDK_BUTTON_PRESS:
	case GDK_BUTTON_RELEASE:
		input_button(session_input(self->session), self->window->id,
			     gdk_button_event_get_button(event), type == GDK_BUTTON_PRESS,
			     pixel_of(x), pixel_of(y), state);
		return GDK_EVENT_STOP;
	case GDK_SCROLL:
		scroll(self, event, x, y, state);
		return GDK_EVENT_STOP;
	case GDK_TOUCH_BEGIN:
	case GDK_TOUCH_UPDATE:
	case GDK_TOUCH_END:
		touch(self, event, x, y, state);
		return GDK_EVENT_STOP;
	default:
		return GDK_EVENT_PROPAGATE;
	}
}

/* Names of cursors for the numbers of cursorfont.h that have one; all others are the arrow. */
static const char *cursor_name(uint32_t cursor)
{
	static const struct {
		uint32_t number;
		const char *name;
	} names[] = {
		{12, "sw-resize"},  {14, "se-resize"},	{16, "s-resize"},   {30, "crosshair"},
		{34, "crosshair"},  {52, "move"},	{58, "pointer"},    {60, "pointer"},
		{70, "w-resize"},   {92, "help"},	{96, "e-resize"},   {108, "ew-resize"},
		{116, "ns-resize"}, {134, "nw-resize"}, {136, "ne-resize"}, {138, "n-resize"},
		{150, "wait"},	    {152, "text"},
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(names); i++) {
		if (cursor == GUI_CURSOR_X11 + names[i].number) {
			return names[i].name;
		}
	}
	return "default";
}

void guid_surface_cursor_changed(GuidSurface *self)
{
	const struct window *w = self->window;

	if (w && (self->cursor != w->cursor || self->is_cursor_hidden != w->is_cursor_hidden)) {
		self->cursor = w->cursor;
		self->is_cursor_hidden = w->is_cursor_hidden;
		gtk_widget_set_cursor_from_name(GTK_WIDGET(self),
						self->is_cursor_hidden ? "none"
								       : cursor_name(self->cursor));
	}
}

/* ---- life ---- */

void guid_surface_detach(GuidSurface *self)
{
	self->window = NULL;
	if (self->resize_timeout) {
		g_source_remove(self->resize_timeout);
		self->resize_timeout = 0;
	}
}

struct window *guid_surface_get_window(GuidSurface *self)
{
	return self->window;
}

/* A popup's own popups hang on this widget: they are unparented before it goes. */
static void guid_surface_dispose(GObject *object)
{
	GuidSurface *self = GUID_SURFACE(object);
	GtkWidget *child;

	guid_surface_detach(self);
	g_clear_pointer(&self->surface, surface_destroy);
	while ((child = gtk_widget_get_first_child(GTK_WIDGET(self)))) {
		gtk_widget_unparent(child);
	}
	G_OBJECT_CLASS(guid_surface_parent_class)->dispose(object);
}

static void guid_surface_class_init(GuidSurfaceClass *klass)
{
	GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

	G_OBJECT_CLASS(klass)->dispose = guid_surface_dispose;
	widget_class->snapshot = guid_surface_snapshot;
	widget_class->measure = guid_surface_measure;
	widget_class->size_allocate = guid_surface_size_allocate;
	gtk_widget_class_set_css_name(widget_class, "guidsurface");
}

static void guid_surface_init(GuidSurface *self)
{
	GtkEventController *motion = gtk_event_controller_motion_new();
	GtkEventController *legacy = gtk_event_controller_legacy_new();

	self->surface = surface_create();
	gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
	g_signal_connect(motion, "enter", G_CALLBACK(on_motion), self);
	g_signal_connect(motion, "motion", G_CALLBACK(on_motion), self);
	g_signal_connect(motion, "leave", G_CALLBACK(on_leave), self);
	gtk_widget_add_controller(GTK_WIDGET(self), motion);
	g_signal_connect(legacy, "event", G_CALLBACK(on_event), self);
	gtk_widget_add_controller(GTK_WIDGET(self), legacy);
}

GuidSurface *guid_surface_new(struct session *session, struct window *window, gboolean is_popup,
			      const GdkRGBA *border)
{
	GuidSurface *self = g_object_new(GUID_TYPE_SURFACE, NULL);

	self->session = session;
	self->window = window;
	self->is_popup = is_popup;
	self->border = *border;
	gtk_widget_set_hexpand(GTK_WIDGET(self), !is_popup);
	gtk_widget_set_vexpand(GTK_WIDGET(self), !is_popup);
	content_load(self);
	guid_surface_cursor_changed(self);
	return self;
}
