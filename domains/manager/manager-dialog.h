/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A form for a new domain, or for changing one. The daemon checks what is entered; what it says
 * appears in the manager's window.
 */
#pragma once

#include <gtk/gtk.h>

#include "domains/manager/manager-client.h"
#include "domains/manager/manager-domain.h"

#define MANAGER_TYPE_DIALOG (manager_dialog_get_type())
G_DECLARE_FINAL_TYPE(ManagerDialog, manager_dialog, MANAGER, DIALOG, GtkWindow)

/* domain NULL: a new one. */
GtkWidget *manager_dialog_new(GtkWindow *parent, ManagerClient *client, ManagerDomain *domain);
