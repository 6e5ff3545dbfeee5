/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manager's line to mulliond: the list of domains as it is now, and calls that change it.
 */
#pragma once

#include <gio/gio.h>

#define MANAGER_TYPE_CLIENT (manager_client_get_type())
G_DECLARE_FINAL_TYPE(ManagerClient, manager_client, MANAGER, CLIENT, GObject)

/* Signals: "failed" (sentence) when a call fails; "connected" (is it there) when mulliond comes or
 * goes. */
ManagerClient *manager_client_new(gboolean is_session);

/* Of ManagerDomain, sorted by name, kept up to date. Borrowed. */
GListModel *manager_client_get_domains(ManagerClient *self);

/* Takes over floating arguments. doing: for the sentence, such as "Starting work". */
void manager_client_call(ManagerClient *self, const char *method, GVariant *arguments,
			 const char *doing);
