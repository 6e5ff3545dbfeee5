/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mullion-manager: see and change the domains of this machine. See mullion-manager(1). */
#include "domains/manager/manager-window.h"

static gboolean is_session;

static void handle_activate(GtkApplication *application, gpointer data)
{
	g_autoptr(GtkCssProvider) style = gtk_css_provider_new();
	GtkWindow *window = gtk_application_get_active_window(application);
	g_autoptr(ManagerClient) client = NULL;

	if (!window) {
		gtk_css_provider_load_from_resource(style, "/org/mullion/manager/manager.css");
		gtk_style_context_add_provider_for_display(gdk_display_get_default(),
							   GTK_STYLE_PROVIDER(style),
							   GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
		client = manager_client_new(is_session);
		window = GTK_WINDOW(manager_window_new(application, client));
	}
	gtk_window_present(window);
}

int main(int argc, char **argv)
{
	const GOptionEntry options[] = {{"session", 0, 0, G_OPTION_ARG_NONE, &is_session,
					 "use the session bus instead of the system's", NULL},
					{NULL, 0, 0, 0, NULL, NULL, NULL}};
	g_autoptr(GtkApplication) application =
		gtk_application_new("org.mullion.Manager", G_APPLICATION_DEFAULT_FLAGS);

	g_application_add_main_option_entries(G_APPLICATION(application), options);
	g_signal_connect(application, "activate", G_CALLBACK(handle_activate), NULL);
	return g_application_run(G_APPLICATION(application), argc, argv);
}
