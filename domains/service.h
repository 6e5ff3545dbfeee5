/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's D-Bus face, org.mullion.Domains1 at /org/mullion/Domains1.
 *
 * Every method answers when it is done (a start: when the machine runs), or with an error whose
 * text is a sentence for the user. Who may call is the bus's policy (root and the group mullion).
 */
#pragma once

#include <gio/gio.h>

#include "domains/control.h"

#define SERVICE_NAME	  "org.mullion.Domains1"
#define SERVICE_PATH	  "/org/mullion/Domains1"
#define SERVICE_INTERFACE "org.mullion.Domains1"

struct service;

/* Everything stays the caller's and must live longer. */
struct service *service_new(GDBusConnection *bus, struct registry *registry,
			    struct volume_store *store, GError **error);
void service_free(struct service *s);
/*
 * The control is made after the service, because it reports changes to it. described() is called
 * after each change of a description.
 */
void service_set_control(struct service *s, struct control *control, void (*described)(void *data),
			 void *data);
/* For control_new(): sends the signal Changed. */
void service_changed(const struct control_status *status, void *service);

extern const char service_introspection[];
