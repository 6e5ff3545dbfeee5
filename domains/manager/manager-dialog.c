/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/manager/manager-dialog.h"

#include <string.h>

struct _ManagerDialog {
	GtkWindow parent_instance;
	GtkEditable *name;
	GtkDropDown *label, *template;
	GtkSpinButton *memory;
	GtkButton *apply_button;
	ManagerClient *client;
	gboolean is_new;
};

G_DEFINE_FINAL_TYPE(ManagerDialog, manager_dialog, GTK_TYPE_WINDOW)

static const char *const labels[] = {"red",  "orange", "yellow", "green", "gray",
				     "blue", "purple", "black",	 NULL};

static const char *selected_text(GtkDropDown *choice)
{
	GtkStringObject *item = gtk_drop_down_get_selected_item(choice);

	return item ? gtk_string_object_get_string(item) : "";
}

static void handle_name_changed(ManagerDialog *self)
{
	gtk_widget_set_sensitive(GTK_WIDGET(self->apply_button),
				 gtk_editable_get_text(self->name)[0] != 0);
}

static void add(GVariantBuilder *settings, const char *key, const char *value)
{
	g_variant_builder_add(settings, "(ss)", key, value);
}

static void handle_apply(ManagerDialog *self)
{
	const char *name = gtk_editable_get_text(self->name);
	const char *template = selected_text(self->template);
	g_autofree char *doing =
		g_strdup_printf("%s %s", self->is_new ? "Making" : "Changing", name);
	g_autofree char *memory =
		g_strdup_printf("%d", gtk_spin_button_get_value_as_int(self->memory));
	GVariantBuilder settings;

	g_variant_builder_init(&settings, G_VARIANT_TYPE("a(ss)"));
	if (template[0]) {
		add(&settings, "template", template);
	}
	add(&settings, "label", selected_text(self->label));
	/* The limit first when it grows, last when it shrinks: each step must fit by itself. */
	add(&settings, "memory_max_mib", "1048576");
	add(&settings, "memory_mib", memory);
	add(&settings, "memory_max_mib", memory);
	if (self->is_new) {
		manager_client_call(self->client, "Create",
				    g_variant_new("(sa(ss)s)", name, &settings, ""), doing);
	} else {
		manager_client_call(self->client, "Set", g_variant_new("(sa(ss))", name, &settings),
				    doing);
	}
	gtk_window_close(GTK_WINDOW(self));
}

static void manager_dialog_dispose(GObject *object)
{
	ManagerDialog *self = MANAGER_DIALOG(object);

	g_clear_object(&self->client);
	gtk_widget_dispose_template(GTK_WIDGET(self), MANAGER_TYPE_DIALOG);
	G_OBJECT_CLASS(manager_dialog_parent_class)->dispose(object);
}

static void manager_dialog_class_init(ManagerDialogClass *class)
{
	GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

	G_OBJECT_CLASS(class)->dispose = manager_dialog_dispose;
	gtk_widget_class_set_template_from_resource(widget_class,
						    "/org/mullion/manager/manager-dialog.ui");
	gtk_widget_class_bind_template_child(widget_class, ManagerDialog, name);
	gtk_widget_class_bind_template_child(widget_class, ManagerDialog, label);
	gtk_widget_class_bind_template_child(widget_class, ManagerDialog, template);
	gtk_widget_class_bind_template_child(widget_class, ManagerDialog, memory);
	gtk_widget_class_bind_template_child(widget_class, ManagerDialog, apply_button);
	gtk_widget_class_bind_template_callback(widget_class, handle_apply);
	gtk_widget_class_bind_template_callback(widget_class, handle_name_changed);
}

static void manager_dialog_init(ManagerDialog *self)
{
	gtk_widget_init_template(GTK_WIDGET(self));
}

static void fill_templates(ManagerDialog *self, const char *current)
{
	GListModel *domains = manager_client_get_domains(self->client);
	g_autoptr(GtkStringList) names = gtk_string_list_new(NULL);
	guint i, count = 0, chosen = 0;

	for (i = 0; i < g_list_model_get_n_items(domains); i++) {
		g_autoptr(ManagerDomain) d = g_list_model_get_item(domains, i);

		if (strcmp(manager_domain_get_kind(d), "template") == 0) {
			chosen = strcmp(manager_domain_get_name(d), current) == 0 ? count : chosen;
			gtk_string_list_append(names, manager_domain_get_name(d));
			count++;
		}
	}
	gtk_drop_down_set_model(self->template, G_LIST_MODEL(names));
	gtk_drop_down_set_selected(self->template, chosen);
}

static void fill_labels(ManagerDialog *self, const char *current)
{
	g_autoptr(GtkStringList) names = gtk_string_list_new(labels);
	guint i;

	gtk_drop_down_set_model(self->label, G_LIST_MODEL(names));
	for (i = 0; labels[i]; i++) {
		if (strcmp(labels[i], current) == 0) {
			gtk_drop_down_set_selected(self->label, i);
		}
	}
}

/* A template has none, and keeps that. */
static void show_template_choice(ManagerDialog *self, ManagerDomain *domain)
{
	if (domain && strcmp(manager_domain_get_kind(domain), "template") == 0) {
		gtk_drop_down_set_model(self->template, NULL);
		gtk_widget_set_sensitive(GTK_WIDGET(self->template), FALSE);
	} else {
		fill_templates(self, domain ? manager_domain_get_template(domain) : "");
	}
}

GtkWidget *manager_dialog_new(GtkWindow *parent, ManagerClient *client, ManagerDomain *domain)
{
	ManagerDialog *self = g_object_new(MANAGER_TYPE_DIALOG, "transient-for", parent, NULL);

	self->client = g_object_ref(client);
	self->is_new = domain == NULL;
	gtk_window_set_title(GTK_WINDOW(self), domain ? "Change a domain" : "A new domain");
	gtk_button_set_label(self->apply_button, domain ? "Change" : "Make");
	show_template_choice(self, domain);
	fill_labels(self, domain ? manager_domain_get_label(domain) : "red");
	if (domain) {
		gtk_editable_set_text(self->name, manager_domain_get_name(domain));
		gtk_widget_set_sensitive(GTK_WIDGET(self->name), FALSE);
		gtk_spin_button_set_value(self->memory,
					  (double)manager_domain_get_memory_mib(domain));
	}
	handle_name_changed(self);
	return GTK_WIDGET(self);
}
