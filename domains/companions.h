/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes with a domain in dom0 while it runs: the announcement to policy, its qrexec daemon, and
 * for a disposable the lease that ends it; and the gate where qrexec asks for domains.
 *
 * One object beside the control, fed with its changes. Main thread only.
 */
#pragma once

#include "domains/announce.h"

struct companions;

/* run_folder: /run/mullion; socket_folder: where qrexec daemons listen; system_bus NULL: no units.
 */
struct companions *companions_new(const char *run_folder, const char *socket_folder,
				  GDBusConnection *system_bus, GError **error);
/* Announces what runs already, and opens the gate. The control stays the caller's. */
bool companions_attach(struct companions *c, struct control *control, GError **error);
/* The gate closes; nothing is changed any more. Before control_free(). */
void companions_detach(struct companions *c);
void companions_free(struct companions *c);

/* A change of a domain; NULL: of a description. */
void companions_changed(struct companions *c, const struct control_status *status);
