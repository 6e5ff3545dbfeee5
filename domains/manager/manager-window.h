/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manager's window: the domains, and what can be done with the selected one.
 */
#pragma once

#include <gtk/gtk.h>

#include "domains/manager/manager-client.h"

#define MANAGER_TYPE_WINDOW (manager_window_get_type())
G_DECLARE_FINAL_TYPE(ManagerWindow, manager_window, MANAGER, WINDOW, GtkApplicationWindow)

GtkWidget *manager_window_new(GtkApplication *application, ManagerClient *client);
