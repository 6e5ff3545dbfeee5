/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls to mulliond for the commands of mullion(1): synchronous, with an error that is already
 * a sentence for the user.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

struct client {
	GDBusConnection *bus;
};

/* is_session: the session bus, for tests. */
bool client_open(struct client *c, bool is_session, GError **error);
void client_close(struct client *c);

/*
 * Calls a method of org.mullion.Domains1. Takes over a floating arguments. NULL on error.
 * Says on standard error what it waits for when that takes longer than two seconds.
 */
GVariant *client_call(struct client *c, const char *method, GVariant *arguments,
		      const char *waiting_for, GError **error);
