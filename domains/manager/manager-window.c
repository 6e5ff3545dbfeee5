/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/manager/manager-window.h"

#include <string.h>

#include "domains/manager/manager-dialog.h"
#include "domains/manager/manager-row.h"

struct _ManagerWindow {
	GtkApplicationWindow parent_instance;
	GtkListBox *list;
	GtkInfoBar *error_bar;
	GtkLabel *error_label, *placeholder;
	GtkWidget *create_button;
	ManagerClient *client;
	char *selected; /* a row is made anew when its domain changes; the choice stays */
};

G_DEFINE_FINAL_TYPE(ManagerWindow, manager_window, GTK_TYPE_APPLICATION_WINDOW)

static ManagerDomain *selected_domain(ManagerWindow *self)
{
	GtkListBoxRow *row = gtk_list_box_get_selected_row(self->list);

	return row ? manager_row_get_domain(MANAGER_ROW(row)) : NULL;
}

static void allow(ManagerWindow *self, const char *action, gboolean is_allowed)
{
	GAction *a = g_action_map_lookup_action(G_ACTION_MAP(self), action);

	g_simple_action_set_enabled(G_SIMPLE_ACTION(a), is_allowed);
}

/* Only what can be done now can be pressed. */
static void update_actions(ManagerWindow *self)
{
	ManagerDomain *d = selected_domain(self);
	gboolean is_stopped = d && strcmp(manager_domain_get_state(d), "stopped") == 0;
	gboolean is_described = d && !manager_domain_is_disposable(d);

	allow(self, "start", is_stopped && is_described);
	allow(self, "stop", d && manager_domain_is_running(d));
	allow(self, "kill", d && !is_stopped);
	allow(self, "change", is_described);
	allow(self, "remove", is_stopped && is_described);
}

static void show_error(ManagerWindow *self, const char *sentence)
{
	gtk_label_set_text(self->error_label, sentence);
	gtk_info_bar_set_revealed(self->error_bar, TRUE);
}

/* --- what the client says --- */

static void handle_failed(ManagerClient *client, const char *sentence, ManagerWindow *self)
{
	show_error(self, sentence);
}

static void handle_connected(ManagerClient *client, gboolean is_there, ManagerWindow *self)
{
	gtk_label_set_text(self->placeholder, is_there ? "There are no domains yet. New… makes one."
						       : "The daemon of the domains does not run: "
							 "systemctl start mulliond");
	allow(self, "create", is_there);
}

static void handle_items_changed(GListModel *domains, guint position, guint removed, guint added,
				 ManagerWindow *self)
{
	guint i;

	for (i = 0; self->selected && i < g_list_model_get_n_items(domains); i++) {
		g_autoptr(ManagerDomain) d = g_list_model_get_item(domains, i);

		if (strcmp(manager_domain_get_name(d), self->selected) == 0) {
			gtk_list_box_select_row(self->list,
						gtk_list_box_get_row_at_index(self->list, (int)i));
		}
	}
	update_actions(self);
}

static void handle_row_selected(GtkListBox *list, GtkListBoxRow *row, ManagerWindow *self)
{
	if (row) {
		g_free(self->selected);
		self->selected =
			g_strdup(manager_domain_get_name(manager_row_get_domain(MANAGER_ROW(row))));
	}
	update_actions(self);
}

static GtkWidget *make_row(gpointer domain, gpointer data)
{
	return manager_row_new(domain);
}

/* --- actions --- */

static void call_for_selected(ManagerWindow *self, const char *method, const char *doing,
			      GVariant *(*arguments)(const char *name))
{
	ManagerDomain *d = selected_domain(self);

	if (d) {
		const char *name = manager_domain_get_name(d);
		g_autofree char *what = g_strdup_printf("%s %s", doing, name);

		gtk_info_bar_set_revealed(self->error_bar, FALSE);
		manager_client_call(self->client, method, arguments(name), what);
	}
}

static GVariant *name_only(const char *name)
{
	return g_variant_new("(s)", name);
}

static GVariant *name_politely(const char *name)
{
	return g_variant_new("(sb)", name, FALSE);
}

static GVariant *name_forced(const char *name)
{
	return g_variant_new("(sb)", name, TRUE);
}

static void handle_start(GtkWidget *widget, const char *action, GVariant *parameter)
{
	call_for_selected(MANAGER_WINDOW(widget), "Start", "Starting", name_only);
}

static void handle_stop(GtkWidget *widget, const char *action, GVariant *parameter)
{
	call_for_selected(MANAGER_WINDOW(widget), "Stop", "Stopping", name_politely);
}

static void handle_kill(GtkWidget *widget, const char *action, GVariant *parameter)
{
	call_for_selected(MANAGER_WINDOW(widget), "Stop", "Ending", name_forced);
}

static void handle_remove_answer(GtkDialog *question, int answer, ManagerWindow *self)
{
	if (answer == GTK_RESPONSE_OK) {
		call_for_selected(self, "Remove", "Removing", name_only);
	}
	gtk_window_destroy(GTK_WINDOW(question));
}

static void handle_remove(GtkWidget *widget, const char *action, GVariant *parameter)
{
	ManagerDomain *d = selected_domain(MANAGER_WINDOW(widget));
	GtkWidget *question = gtk_message_dialog_new(
		GTK_WINDOW(widget), GTK_DIALOG_MODAL | GTK_DIALOG_DESTROY_WITH_PARENT,
		GTK_MESSAGE_QUESTION, GTK_BUTTONS_NONE, "Remove %s and all its files?",
		manager_domain_get_name(d));

	gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(question),
						 "They cannot be brought back.");
	gtk_dialog_add_buttons(GTK_DIALOG(question), "Keep", GTK_RESPONSE_CANCEL, "Remove",
			       GTK_RESPONSE_OK, NULL);
	g_signal_connect_object(question, "response", G_CALLBACK(handle_remove_answer), widget, 0);
	gtk_window_present(GTK_WINDOW(question));
}

static void handle_create(GtkWidget *widget, const char *action, GVariant *parameter)
{
	ManagerWindow *self = MANAGER_WINDOW(widget);

	gtk_window_present(GTK_WINDOW(manager_dialog_new(GTK_WINDOW(self), self->client, NULL)));
}

static void handle_change(GtkWidget *widget, const char *action, GVariant *parameter)
{
	ManagerWindow *self = MANAGER_WINDOW(widget);

	gtk_window_present(GTK_WINDOW(
		manager_dialog_new(GTK_WINDOW(self), self->client, selected_domain(self))));
}

/* --- the class --- */

static void manager_window_dispose(GObject *object)
{
	ManagerWindow *self = MANAGER_WINDOW(object);

	if (self->client) {
		g_signal_handlers_disconnect_by_data(self->client, self);
		g_signal_handlers_disconnect_by_data(manager_client_get_domains(self->client),
						     self);
		g_clear_object(&self->client);
	}
	g_clear_pointer(&self->selected, g_free);
	gtk_widget_dispose_template(GTK_WIDGET(self), MANAGER_TYPE_WINDOW);
	G_OBJECT_CLASS(manager_window_parent_class)->dispose(object);
}

static void manager_window_class_init(ManagerWindowClass *class)
{
	GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

	G_OBJECT_CLASS(class)->dispose = manager_window_dispose;
	gtk_widget_class_set_template_from_resource(widget_class,
						    "/org/mullion/manager/manager-window.ui");
	gtk_widget_class_bind_template_child(widget_class, ManagerWindow, list);
	gtk_widget_class_bind_template_child(widget_class, ManagerWindow, error_bar);
	gtk_widget_class_bind_template_child(widget_class, ManagerWindow, error_label);
	gtk_widget_class_bind_template_child(widget_class, ManagerWindow, placeholder);
	gtk_widget_class_bind_template_child(widget_class, ManagerWindow, create_button);
}

static void handle_action(GSimpleAction *action, GVariant *parameter, gpointer data)
{
	static const struct {
		const char *name;
		void (*handle)(GtkWidget *widget, const char *action, GVariant *parameter);
	} handlers[] = {{"start", handle_start},   {"stop", handle_stop},
			{"kill", handle_kill},	   {"remove", handle_remove},
			{"create", handle_create}, {"change", handle_change}};
	const char *name = g_action_get_name(G_ACTION(action));
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(handlers); i++) {
		if (strcmp(handlers[i].name, name) == 0) {
			handlers[i].handle(data, name, parameter);
		}
	}
}

static void handle_error_closed(GtkInfoBar *bar, int answer, gpointer data)
{
	gtk_info_bar_set_revealed(bar, FALSE);
}

static void manager_window_init(ManagerWindow *self)
{
	static const GActionEntry actions[] = {
		{.name = "create", .activate = handle_action},
		{.name = "start", .activate = handle_action},
		{.name = "stop", .activate = handle_action},
		{.name = "kill", .activate = handle_action},
		{.name = "change", .activate = handle_action},
		{.name = "remove", .activate = handle_action},
	};

	gtk_widget_init_template(GTK_WIDGET(self));
	g_action_map_add_action_entries(G_ACTION_MAP(self), actions, G_N_ELEMENTS(actions), self);
	g_signal_connect(self->error_bar, "response", G_CALLBACK(handle_error_closed), NULL);
	g_signal_connect(self->list, "row-selected", G_CALLBACK(handle_row_selected), self);
	update_actions(self);
	allow(self, "create", FALSE);
}

GtkWidget *manager_window_new(GtkApplication *application, ManagerClient *client)
{
	ManagerWindow *self = g_object_new(MANAGER_TYPE_WINDOW, "application", application, NULL);
	GListModel *domains = manager_client_get_domains(client);

	self->client = g_object_ref(client);
	gtk_list_box_bind_model(self->list, domains, make_row, NULL, NULL);
	/* After the list box's own handler: its rows are there then. */
	g_signal_connect(domains, "items-changed", G_CALLBACK(handle_items_changed), self);
	g_signal_connect(client, "failed", G_CALLBACK(handle_failed), self);
	g_signal_connect(client, "connected", G_CALLBACK(handle_connected), self);
	return GTK_WIDGET(self);
}
