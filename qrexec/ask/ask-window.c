/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/ask/ask-window.h"

#include <string.h>

#define LOCKED_MS 500

struct _AskWindow {
	GtkApplicationWindow parent_instance;

	GtkWidget *content;
	GtkLabel *source_name;
	GtkLabel *service_name;
	GtkLabel *argument;
	GtkWidget *source_colour;
	GtkListBox *targets;
	GtkWidget *allow_button;
	GtkWidget *deny_button;

	unsigned int number;
	unsigned int unlock_timer;
	gboolean is_answered;
};

G_DEFINE_FINAL_TYPE(AskWindow, ask_window, GTK_TYPE_APPLICATION_WINDOW)

enum { SIGNAL_ANSWERED, SIGNAL_COUNT };
static unsigned int signals[SIGNAL_COUNT];

static void answer(AskWindow *self, const char *target)
{
	if (!self->is_answered) {
		self->is_answered = TRUE;
		g_signal_emit(self, signals[SIGNAL_ANSWERED], 0, target);
	}
}

static const char *selected_target(AskWindow *self)
{
	GtkListBoxRow *row = gtk_list_box_get_selected_row(self->targets);

	return row ? g_object_get_data(G_OBJECT(row), "target") : NULL;
}

static gboolean is_locked(AskWindow *self)
{
	return self->unlock_timer != 0;
}

static void update_buttons(AskWindow *self)
{
	gtk_widget_set_sensitive(self->content, !is_locked(self));
	gtk_widget_set_sensitive(self->allow_button, !is_locked(self) && selected_target(self));
	gtk_widget_set_sensitive(self->deny_button, !is_locked(self));
}

static gboolean handle_unlock(gpointer data)
{
	AskWindow *self = ASK_WINDOW(data);
	GtkListBoxRow *row = gtk_list_box_get_selected_row(self->targets);

	self->unlock_timer = 0;
	update_buttons(self);
	gtk_widget_grab_focus(row ? GTK_WIDGET(row) : GTK_WIDGET(self->targets));
	return G_SOURCE_REMOVE;
}

static void lock(AskWindow *self)
{
	g_clear_handle_id(&self->unlock_timer, g_source_remove);
	/* Below all events: what was typed before is seen before, and dropped. */
	self->unlock_timer =
		g_timeout_add_full(G_PRIORITY_LOW, LOCKED_MS, handle_unlock, self, NULL);
	update_buttons(self);
}

static void handle_active(AskWindow *self)
{
	if (gtk_window_is_active(GTK_WINDOW(self))) {
		lock(self);
	}
}

static gboolean is_focus_in_targets(AskWindow *self)
{
	GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(self));

	return focus && gtk_widget_is_ancestor(focus, GTK_WIDGET(self->targets));
}

static gboolean handle_key(GtkEventControllerKey *controller, unsigned int keyval,
			   unsigned int keycode, GdkModifierType state, gpointer data)
{
	AskWindow *self = ASK_WINDOW(data);

	if (is_locked(self)) {
		return GDK_EVENT_STOP;
	}
	if (keyval == GDK_KEY_Escape) {
		answer(self, NULL);
		return GDK_EVENT_STOP;
	}
	if (keyval == GDK_KEY_Tab && is_focus_in_targets(self)) {
		/* Past the list, which would show every target in turn, to the buttons. */
		gtk_widget_grab_focus(selected_target(self) ? self->allow_button
							    : self->deny_button);
		return GDK_EVENT_STOP;
	}
	return GDK_EVENT_PROPAGATE;
}

static void handle_allow(GtkButton *button, AskWindow *self)
{
	const char *target = selected_target(self);

	if (!is_locked(self) && target) {
		answer(self, target);
	}
}

static void handle_deny(GtkButton *button, AskWindow *self)
{
	if (!is_locked(self)) {
		answer(self, NULL);
	}
}

static gboolean handle_close(GtkWindow *window)
{
	answer(ASK_WINDOW(window), NULL);
	return TRUE; /* the owner destroys it */
}

static void handle_selected(GtkListBox *list, GtkListBoxRow *row, AskWindow *self)
{
	update_buttons(self);
}

/* Only the colours that labels have: the name becomes a style class. */
static const char *colour_class(const char *label)
{
	static const char *const colours[] = {"red",  "orange", "yellow", "green",
					      "gray", "blue",	"purple", "black"};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(colours); i++) {
		if (!strcmp(label, colours[i])) {
			return colours[i];
		}
	}
	return "black";
}

static GtkWidget *make_colour(const char *label)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);

	gtk_widget_add_css_class(box, "domain-colour");
	gtk_widget_add_css_class(box, colour_class(label));
	gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
	return box;
}

static void add_target(AskWindow *self, const struct ask_candidate *c, gboolean is_default)
{
	GtkWidget *row = gtk_list_box_row_new();
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
	gboolean is_disposable = g_str_has_prefix(c->name, "@dispvm:");
	g_autofree char *text = is_disposable ? g_strdup_printf("New disposable (%s)", c->name + 8)
					      : g_strdup(c->name);

	gtk_box_append(GTK_BOX(box), make_colour(c->label));
	gtk_box_append(GTK_BOX(box), gtk_label_new(text));
	gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
	g_object_set_data_full(G_OBJECT(row), "target", g_strdup(c->name), g_free);
	gtk_list_box_append(self->targets, row);
	if (is_default) {
		gtk_list_box_select_row(self->targets, GTK_LIST_BOX_ROW(row));
	}
}

static void ask_window_dispose(GObject *object)
{
	AskWindow *self = ASK_WINDOW(object);

	g_clear_handle_id(&self->unlock_timer, g_source_remove);
	G_OBJECT_CLASS(ask_window_parent_class)->dispose(object);
}

static void ask_window_class_init(AskWindowClass *class)
{
	GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

	G_OBJECT_CLASS(class)->dispose = ask_window_dispose;
	GTK_WINDOW_CLASS(class)->close_request = handle_close;
	signals[SIGNAL_ANSWERED] = g_signal_new("answered", ASK_TYPE_WINDOW, G_SIGNAL_RUN_LAST, 0,
						NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
	gtk_widget_class_set_template_from_resource(widget, "/org/mullion/ask/ask-window.ui");
	gtk_widget_class_bind_template_child(widget, AskWindow, content);
	gtk_widget_class_bind_template_child(widget, AskWindow, source_name);
	gtk_widget_class_bind_template_child(widget, AskWindow, service_name);
	gtk_widget_class_bind_template_child(widget, AskWindow, argument);
	gtk_widget_class_bind_template_child(widget, AskWindow, source_colour);
	gtk_widget_class_bind_template_child(widget, AskWindow, targets);
	gtk_widget_class_bind_template_child(widget, AskWindow, allow_button);
	gtk_widget_class_bind_template_child(widget, AskWindow, deny_button);
	gtk_widget_class_bind_template_callback(widget, handle_allow);
	gtk_widget_class_bind_template_callback(widget, handle_deny);
	gtk_widget_class_bind_template_callback(widget, handle_selected);
}

static void ask_window_init(AskWindow *self)
{
	GtkEventController *keys = gtk_event_controller_key_new();

	gtk_widget_init_template(GTK_WIDGET(self));
	/* Before any widget sees the key. */
	gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
	g_signal_connect(keys, "key-pressed", G_CALLBACK(handle_key), self);
	gtk_widget_add_controller(GTK_WIDGET(self), keys);
	g_signal_connect(self, "notify::is-active", G_CALLBACK(handle_active), NULL);
	lock(self);
}

AskWindow *ask_window_new(GtkApplication *application, const struct ask_message *question)
{
	AskWindow *self = g_object_new(ASK_TYPE_WINDOW, "application", application, NULL);
	size_t i;

	self->number = question->number;
	gtk_label_set_text(self->source_name, question->source);
	gtk_label_set_text(self->service_name, question->service);
	/* "+" alone is no argument. */
	gtk_label_set_text(self->argument, question->argument[0] ? question->argument + 1 : "");
	gtk_widget_set_visible(GTK_WIDGET(self->argument), strlen(question->argument) > 1);
	gtk_widget_add_css_class(self->source_colour, colour_class(question->source_label));
	for (i = 0; i < question->candidate_count; i++) {
		add_target(self, &question->candidates[i], (int)i == question->default_candidate);
	}
	update_buttons(self);
	return self;
}

unsigned int ask_window_get_number(AskWindow *self)
{
	return self->number;
}
