/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/manager/manager-row.h"

struct _ManagerRow {
	GtkListBoxRow parent_instance;
	GtkWidget *colour;
	GtkLabel *name, *details, *state, *memory;
	GtkSpinner *spinner;
	ManagerDomain *domain;
};

G_DEFINE_FINAL_TYPE(ManagerRow, manager_row, GTK_TYPE_LIST_BOX_ROW)

static void manager_row_dispose(GObject *object)
{
	ManagerRow *self = MANAGER_ROW(object);

	g_clear_object(&self->domain);
	gtk_widget_dispose_template(GTK_WIDGET(self), MANAGER_TYPE_ROW);
	G_OBJECT_CLASS(manager_row_parent_class)->dispose(object);
}

static void manager_row_class_init(ManagerRowClass *class)
{
	GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);

	G_OBJECT_CLASS(class)->dispose = manager_row_dispose;
	gtk_widget_class_set_template_from_resource(widget_class,
						    "/org/mullion/manager/manager-row.ui");
	gtk_widget_class_bind_template_child(widget_class, ManagerRow, colour);
	gtk_widget_class_bind_template_child(widget_class, ManagerRow, name);
	gtk_widget_class_bind_template_child(widget_class, ManagerRow, details);
	gtk_widget_class_bind_template_child(widget_class, ManagerRow, state);
	gtk_widget_class_bind_template_child(widget_class, ManagerRow, memory);
	gtk_widget_class_bind_template_child(widget_class, ManagerRow, spinner);
}

static void manager_row_init(ManagerRow *self)
{
	gtk_widget_init_template(GTK_WIDGET(self));
}

/* "app, from debian, network by firewall", or why it did not start. */
static char *describe(ManagerDomain *d)
{
	const char *template = manager_domain_get_template(d);
	const char *network = manager_domain_get_network(d);

	if (manager_domain_get_error(d)[0]) {
		return g_strdup(manager_domain_get_error(d));
	}
	return g_strdup_printf("%s%s%s%s%s", manager_domain_get_kind(d),
			       template[0] ? ", from " : "", template,
			       network[0] ? ", network by " : ", no network", network);
}

GtkWidget *manager_row_new(ManagerDomain *domain)
{
	ManagerRow *self = g_object_new(MANAGER_TYPE_ROW, NULL);
	g_autofree char *details = describe(domain);
	g_autofree char *class = g_strconcat("domain-", manager_domain_get_label(domain), NULL);
	g_autofree char *memory =
		g_strdup_printf("%" G_GUINT64_FORMAT " MiB", manager_domain_get_memory_mib(domain));

	self->domain = g_object_ref(domain);
	gtk_widget_add_css_class(self->colour, class);
	gtk_label_set_text(self->name, manager_domain_get_name(domain));
	gtk_label_set_text(self->details, details);
	gtk_widget_set_tooltip_text(GTK_WIDGET(self->details), details);
	gtk_label_set_text(self->state, manager_domain_get_state(domain));
	gtk_label_set_text(self->memory, memory);
	gtk_spinner_set_spinning(self->spinner, manager_domain_is_busy(domain));
	if (manager_domain_get_error(domain)[0]) {
		gtk_widget_add_css_class(GTK_WIDGET(self->details), "error");
	}
	return GTK_WIDGET(self);
}

ManagerDomain *manager_row_get_domain(ManagerRow *self)
{
	return self->domain;
}
