/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of the manager: a domain's colour, name, state, kind, template, network and memory.
 */
#pragma once

#include <gtk/gtk.h>

#include "domains/manager/manager-domain.h"

#define MANAGER_TYPE_ROW (manager_row_get_type())
G_DECLARE_FINAL_TYPE(ManagerRow, manager_row, MANAGER, ROW, GtkListBoxRow)

GtkWidget *manager_row_new(ManagerDomain *domain);
ManagerDomain *manager_row_get_domain(ManagerRow *self);
