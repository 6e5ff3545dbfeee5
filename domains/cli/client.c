/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/cli/client.h"

#include "domains/service.h"

#define PATIENCE_MS 2000 /* nobody waits longer than this without being told what for */

bool client_open(struct client *c, bool is_session, GError **error)
{
	c->bus = g_bus_get_sync(is_session ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM, NULL, error);
	if (!c->bus) {
		g_prefix_error(error, "the message bus cannot be reached: ");
	}
	return c->bus != NULL;
}

void client_close(struct client *c)
{
	g_clear_object(&c->bus);
}

struct wait {
	GMainLoop *loop;
	GVariant *reply;
	GError *error;
	const char *what;
	gint64 since;
	guint ticks;
};

static void arrived(GObject *bus, GAsyncResult *result, gpointer data)
{
	struct wait *w = data;

	w->reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &w->error);
	g_main_loop_quit(w->loop);
}

static gboolean still_waiting(gpointer data)
{
	struct wait *w = data;

	w->ticks++;
	g_printerr("mullion: %s ... %" G_GINT64_FORMAT " s\n", w->what,
		   (g_get_monotonic_time() - w->since) / G_USEC_PER_SEC);
	return G_SOURCE_CONTINUE;
}

/* The bus says it in its own words; ours say what to do. */
static void explain(GError **error)
{
	if (g_error_matches(*error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
	    g_error_matches(*error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER)) {
		g_clear_error(error);
		g_set_error(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN,
			    "the daemon does not run: systemctl start mulliond");
	} else if (g_error_matches(*error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED)) {
		g_clear_error(error);
		g_set_error(error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED,
			    "you may not do this: be root, or in the group mullion");
	} else {
		g_dbus_error_strip_remote_error(*error);
	}
}

GVariant *client_call(struct client *c, const char *method, GVariant *arguments,
		      const char *waiting_for, GError **error)
{
	struct wait w = {.loop = g_main_loop_new(NULL, FALSE),
			 .what = waiting_for,
			 .since = g_get_monotonic_time()};
	guint timer = g_timeout_add(PATIENCE_MS, still_waiting, &w);

	g_dbus_connection_call(c->bus, SERVICE_NAME, SERVICE_PATH, SERVICE_INTERFACE, method,
			       arguments, NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, arrived,
			       &w);
	g_main_loop_run(w.loop);
	g_source_remove(timer);
	g_main_loop_unref(w.loop);
	if (!w.reply) {
		explain(&w.error);
		g_propagate_error(error, w.error);
	}
	return w.reply;
}
