/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/guid-window.h"

#include "guid/guid-border.h"
#include "guid/window-buffers.h"

#define NOTICE_SECONDS	   4
#define REST_MS		   2000 /* unpainted for so long, a window gives memory back */
#define ANSWER_ACCEPTED_MS 500	/* a question that comes up below the pointer is not a click */

struct _GuidWindow {
	GtkWindow parent_instance;

	GtkWidget *header;
	GtkWidget *domain_label;
	GtkWidget *title_label;
	GtkWidget *notice;
	GtkWidget *notice_label;
	GtkWidget *allow_button;
	GtkWidget *refuse_button;
	GtkWidget *border;

	struct session *session;
	struct window *window;
	GuidSurface *surface;
	char *domain_name;
	guint notice_timeout, answer_timeout, rest_timeout;
	gulong painted_handler;
	gint64 painted_us;
	gboolean is_asking;
};

enum {
	SIGNAL_COPY,
	SIGNAL_PASTE,
	SIGNAL_ANSWERED,
	SIGNAL_TYPING,
	SIGNAL_COUNT,
};

static guint signals[SIGNAL_COUNT];
static int screen_width = G_MAXINT, screen_height = G_MAXINT;

G_DEFINE_FINAL_TYPE(GuidWindow, guid_window, GTK_TYPE_WINDOW)

/* ---- what the guest says about its window ---- */

static void title_update(GuidWindow *self)
{
	const char *title = self->window->title;
	const char *mark = self->window->wants_attention ? "\xe2\x97\x8f " : "";
	g_autofree char *whole = g_strdup_printf("%s[%s] %s", mark, self->domain_name, title);

	gtk_window_set_title(GTK_WINDOW(self), whole);
	gtk_label_set_text(GTK_LABEL(self->domain_label), self->domain_name);
	gtk_label_set_text(GTK_LABEL(self->title_label), title);
	if (self->window->wants_attention) {
		gtk_widget_add_css_class(GTK_WIDGET(self), "guid-attention");
	} else {
		gtk_widget_remove_css_class(GTK_WIDGET(self), "guid-attention");
	}
}

static void hints_update(GuidWindow *self)
{
	const struct gui_hints *h = &self->window->hints;
	uint32_t both = GUI_HINT_MIN_SIZE | GUI_HINT_MAX_SIZE;
	gboolean is_fixed = (h->flags & both) == both && h->min_width == h->max_width &&
			    h->min_height == h->max_height;

	gtk_window_set_resizable(GTK_WINDOW(self), !is_fixed);
	gtk_widget_queue_resize(GTK_WIDGET(self->surface));
}

/* The window as large as its pixels, title bar and frame want it. */
static void size_update(GuidWindow *self)
{
	int header = 0, width = self->window->rect.width + 2 * GUID_BORDER_WIDTH;
	int height = self->window->rect.height + 2 * GUID_BORDER_WIDTH;

	gtk_widget_measure(self->header, GTK_ORIENTATION_VERTICAL, -1, &header, NULL, NULL, NULL);
	height += header;
	/* Whatever its guest says: a window is as large as the screen at most. */
	gtk_window_set_default_size(GTK_WINDOW(self), MIN(width, screen_width),
				    MIN(height, screen_height));
}

void guid_window_set_screen(int width, int height)
{
	screen_width = width;
	screen_height = height;
}

static void fullscreen_update(GuidWindow *self)
{
	if (self->window->is_fullscreen) {
		gtk_window_fullscreen(GTK_WINDOW(self));
	} else {
		gtk_window_unfullscreen(GTK_WINDOW(self));
	}
}

void guid_window_changed(GuidWindow *self, unsigned int what)
{
	if (what & (WINDOW_TITLE | WINDOW_ATTENTION)) {
		title_update(self);
	}
	if (what & WINDOW_HINTS) {
		hints_update(self);
	}
	if (what & WINDOW_FULLSCREEN) {
		fullscreen_update(self);
	}
	if (what & WINDOW_MINIMIZE) {
		if (self->window->is_minimized) {
			gtk_window_minimize(GTK_WINDOW(self));
		} else {
			gtk_window_unminimize(GTK_WINDOW(self));
		}
	}
	if (what & WINDOW_CURSOR) {
		guid_surface_cursor_changed(self->surface);
	}
	if (what & WINDOW_GEOMETRY) {
		guid_surface_guest_resized(self->surface);
		size_update(self);
	}
	if (what & WINDOW_CONTENT) {
		guid_surface_content_changed(self->surface);
	}
	if (what & WINDOW_DAMAGE) {
		guid_surface_damaged(self->surface);
	}
}

/* ---- notices and questions ---- */

/*
 * A notice lies over the upper edge of the frame, where no guest can draw, and over the
 * guest's pixels: the window keeps its size, and the guest learns nothing of it.
 */
static void source_clear(guint *id)
{
	if (*id) {
		g_source_remove(*id);
		*id = 0;
	}
}

static void notice_hide(GuidWindow *self)
{
	gtk_widget_set_visible(self->notice, FALSE);
	source_clear(&self->notice_timeout);
	source_clear(&self->answer_timeout);
}

static gboolean on_notice_timeout(gpointer data)
{
	GuidWindow *self = data;

	self->notice_timeout = 0;
	notice_hide(self);
	return G_SOURCE_REMOVE;
}

static void answers_allow(GuidWindow *self, gboolean are_allowed)
{
	gtk_widget_set_sensitive(self->allow_button, are_allowed);
	gtk_widget_set_sensitive(self->refuse_button, are_allowed);
}

static gboolean on_answer_timeout(gpointer data)
{
	GuidWindow *self = data;

	self->answer_timeout = 0;
	answers_allow(self, TRUE);
	return G_SOURCE_REMOVE;
}

static void notice_show(GuidWindow *self, const char *text, gboolean is_question)
{
	notice_hide(self);
	self->is_asking = is_question;
	gtk_label_set_text(GTK_LABEL(self->notice_label), text);
	gtk_widget_set_visible(self->allow_button, is_question);
	gtk_widget_set_visible(self->refuse_button, is_question);
	gtk_widget_set_visible(self->notice, TRUE);
	if (!is_question) {
		self->notice_timeout =
			g_timeout_add_seconds(NOTICE_SECONDS, on_notice_timeout, self);
		return;
	}
	answers_allow(self, FALSE);
	/* Below all events: what was clicked before is seen before. */
	self->answer_timeout = g_timeout_add_full(G_PRIORITY_LOW, ANSWER_ACCEPTED_MS,
						  on_answer_timeout, self, NULL);
}

void guid_window_notice(GuidWindow *self, const char *text)
{
	if (!self->is_asking) {
		notice_show(self, text, FALSE);
	}
}

void guid_window_ask(GuidWindow *self, const char *text)
{
	notice_show(self, text, TRUE);
}

static void on_answer(GtkButton *button, GuidWindow *self)
{
	gboolean is_allowed = GTK_WIDGET(button) == self->allow_button;

	self->is_asking = FALSE;
	notice_hide(self);
	g_signal_emit(self, signals[SIGNAL_ANSWERED], 0, is_allowed);
}

/* ---- what the user does ---- */

static uint32_t state_to_x11(GdkModifierType state)
{
	uint32_t x11 = state & (GDK_SHIFT_MASK | GDK_LOCK_MASK | GDK_CONTROL_MASK | GDK_ALT_MASK);
	GdkDisplay *display = gdk_display_get_default();
	GdkSeat *seat = gdk_display_get_default_seat(display);
	GdkDevice *keyboard = seat ? gdk_seat_get_keyboard(seat) : NULL;

	if (state & GDK_SUPER_MASK) {
		x11 |= 1u << 6;
	}
	if (keyboard && gdk_device_get_num_lock_state(keyboard)) {
		x11 |= 1u << 4;
	}
	return x11;
}

static gboolean is_combination(guint keyval, GdkModifierType state, guint wanted)
{
	const GdkModifierType all =
		GDK_SHIFT_MASK | GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SUPER_MASK;

	return gdk_keyval_to_lower(keyval) == wanted &&
	       (state & all) == (GDK_SHIFT_MASK | GDK_CONTROL_MASK);
}

static gboolean on_key_pressed(GtkEventControllerKey *controller, guint keyval, guint keycode,
			       GdkModifierType state, GuidWindow *self)
{
	g_signal_emit(self, signals[SIGNAL_TYPING], 0);
	if (is_combination(keyval, state, GDK_KEY_c)) {
		g_signal_emit(self, signals[SIGNAL_COPY], 0);
		return GDK_EVENT_STOP;
	}
	if (is_combination(keyval, state, GDK_KEY_v)) {
		g_signal_emit(self, signals[SIGNAL_PASTE], 0);
		return GDK_EVENT_STOP;
	}
	if (self->window) {
		input_key(session_input(self->session), self->window->id, keycode, true,
			  state_to_x11(state) | (gtk_event_controller_key_get_group(controller) & 3)
							<< 13);
	}
	return GDK_EVENT_STOP; /* none of GTK's own shortcuts */
}

static void on_key_released(GtkEventControllerKey *controller, guint keyval, guint keycode,
			    GdkModifierType state, GuidWindow *self)
{
	if (self->window) {
		input_key(session_input(self->session), self->window->id, keycode, false,
			  state_to_x11(state));
	}
}

static void on_is_active(GObject *object, GParamSpec *spec, gpointer data)
{
	GuidWindow *self = GUID_WINDOW(object);

	g_signal_emit(self, signals[SIGNAL_TYPING], 0);
	if (self->window) {
		input_focus(session_input(self->session), self->window->id,
			    gtk_window_is_active(GTK_WINDOW(self)));
	}
}

static void on_fullscreened(GObject *object, GParamSpec *spec, gpointer data)
{
	GuidWindow *self = GUID_WINDOW(object);

	if (self->window && !gtk_window_is_fullscreen(GTK_WINDOW(self))) {
		windows_user_left_fullscreen(session_windows(self->session), self->window);
	}
}

static gboolean guid_window_close_request(GtkWindow *window)
{
	GuidWindow *self = GUID_WINDOW(window);

	if (self->window) {
		windows_user_close(session_windows(self->session), self->window);
	}
	return TRUE; /* it closes when the guest has closed it */
}

/* ---- windows that lie still ---- */

static gboolean on_rest_timeout(gpointer data)
{
	GuidWindow *self = data;
	gint64 left_ms = REST_MS - (g_get_monotonic_time() - self->painted_us) / 1000;

	self->rest_timeout = 0;
	if (left_ms > 0) {
		self->rest_timeout = g_timeout_add((guint)left_ms, on_rest_timeout, self);
	} else {
		window_buffers_drop(GTK_NATIVE(self));
	}
	return G_SOURCE_REMOVE;
}

static void on_painted(GdkFrameClock *clock, gpointer data)
{
	GuidWindow *self = data;

	self->painted_us = g_get_monotonic_time();
	if (!self->rest_timeout) {
		self->rest_timeout = g_timeout_add(REST_MS, on_rest_timeout, self);
	}
}

static void guid_window_realize(GtkWidget *widget)
{
	GuidWindow *self = GUID_WINDOW(widget);

	GTK_WIDGET_CLASS(guid_window_parent_class)->realize(widget);
	self->painted_handler = g_signal_connect(gtk_widget_get_frame_clock(widget), "after-paint",
						 G_CALLBACK(on_painted), self);
}

static void guid_window_unrealize(GtkWidget *widget)
{
	GuidWindow *self = GUID_WINDOW(widget);

	source_clear(&self->rest_timeout);
	g_signal_handler_disconnect(gtk_widget_get_frame_clock(widget), self->painted_handler);
	GTK_WIDGET_CLASS(guid_window_parent_class)->unrealize(widget);
}

/* ---- life ---- */

GuidSurface *guid_window_get_surface(GuidWindow *self)
{
	return self->surface;
}

void guid_window_detach(GuidWindow *self)
{
	self->window = NULL;
	guid_surface_detach(self->surface);
}

static void guid_window_dispose(GObject *object)
{
	GuidWindow *self = GUID_WINDOW(object);

	source_clear(&self->notice_timeout);
	source_clear(&self->answer_timeout);
	g_clear_pointer(&self->domain_name, g_free);
	G_OBJECT_CLASS(guid_window_parent_class)->dispose(object);
}

static void guid_window_class_init(GuidWindowClass *klass)
{
	GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

	G_OBJECT_CLASS(klass)->dispose = guid_window_dispose;
	widget_class->realize = guid_window_realize;
	widget_class->unrealize = guid_window_unrealize;
	GTK_WINDOW_CLASS(klass)->close_request = guid_window_close_request;
	g_type_ensure(GUID_TYPE_BORDER);
	gtk_widget_class_set_template_from_resource(widget_class, "/mullion/guid/guid-window.ui");
	gtk_widget_class_bind_template_child(widget_class, GuidWindow, header);
	gtk_widget_class_bind_template_child(widget_class, GuidWindow, domain_label);
	gtk_widget_class_bind_template_child(widget_class, GuidWindow, title_label);
	gtk_widget_class_bind_template_child(widget_class, GuidWindow, notice);
	gtk_widget_class_bind_template_child(widget_class, GuidWindow, notice_label);
	gtk_widget_class_bind_template_child(widget_class, GuidWindow, allow_button);
	gtk_widget_class_bind_template_child(widget_class, GuidWindow, refuse_button);
	gtk_widget_class_bind_template_child(widget_class, GuidWindow, border);
	signals[SIGNAL_COPY] = g_signal_new("copy", GUID_TYPE_WINDOW, G_SIGNAL_RUN_LAST, 0, NULL,
					    NULL, NULL, G_TYPE_NONE, 0);
	signals[SIGNAL_PASTE] = g_signal_new("paste", GUID_TYPE_WINDOW, G_SIGNAL_RUN_LAST, 0, NULL,
					     NULL, NULL, G_TYPE_NONE, 0);
	signals[SIGNAL_TYPING] = g_signal_new("typing", GUID_TYPE_WINDOW, G_SIGNAL_RUN_LAST, 0,
					      NULL, NULL, NULL, G_TYPE_NONE, 0);
	signals[SIGNAL_ANSWERED] = g_signal_new("answered", GUID_TYPE_WINDOW, G_SIGNAL_RUN_LAST, 0,
						NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
}

static void guid_window_init(GuidWindow *self)
{
	GtkEventController *keys = gtk_event_controller_key_new();

	gtk_widget_init_template(GTK_WIDGET(self));
	gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
	g_signal_connect(keys, "key-pressed", G_CALLBACK(on_key_pressed), self);
	g_signal_connect(keys, "key-released", G_CALLBACK(on_key_released), self);
	gtk_widget_add_controller(GTK_WIDGET(self), keys);
	g_signal_connect(self, "notify::is-active", G_CALLBACK(on_is_active), NULL);
	g_signal_connect(self, "notify::fullscreened", G_CALLBACK(on_fullscreened), NULL);
	g_signal_connect(self->allow_button, "clicked", G_CALLBACK(on_answer), self);
	g_signal_connect(self->refuse_button, "clicked", G_CALLBACK(on_answer), self);
}

GuidWindow *guid_window_new(struct session *session, struct window *window, const char *domain_name,
			    const struct label *label)
{
	GuidWindow *self = g_object_new(GUID_TYPE_WINDOW, NULL);
	g_autofree char *class = g_strdup_printf("guid-label-%s", label->name);
	GdkRGBA colour;

	self->session = session;
	self->window = window;
	self->domain_name = g_strdup(domain_name);
	guid_border_rgba(label->rgb, &colour);
	self->surface = guid_surface_new(session, window, FALSE, &colour);
	guid_border_set_label(GUID_BORDER(self->border), label);
	guid_border_set_child(GUID_BORDER(self->border), GTK_WIDGET(self->surface));
	gtk_widget_add_css_class(GTK_WIDGET(self), class);
	title_update(self);
	hints_update(self);
	size_update(self);
	if (window->is_fullscreen) {
		fullscreen_update(self);
	}
	return self;
}
