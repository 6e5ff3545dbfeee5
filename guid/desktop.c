/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-desktop: one mullion-guid for each running domain, for a desktop session.
 *
 * Learns from mulliond which domains run and with which label, starts their daemons and
 * ends them, and tells the user when a display was closed because its domain broke a
 * rule. Reads nothing from any guest.
 */
#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define SERVICE_NAME  "org.mullion.Domains1"
#define SERVICE_PATH  "/org/mullion/Domains1"
#define EXIT_PROTOCOL 3 /* of mullion-guid; its standard output then is the reason */

struct desktop {
	GMainLoop *loop;
	GDBusConnection *system_bus;
	GDBusConnection *session_bus; /* NULL: no notifications */
	GHashTable *shown;	      /* name to struct shown */
	const char *guid_program;
};

/* A running domain and its daemon. */
struct shown {
	struct desktop *desktop;
	char *name;
	guint32 id;
	GSubprocess *daemon; /* NULL: ended, and not started again before the domain is */
};

static void daemon_end(struct shown *s)
{
	/* Not g_subprocess_send_signal(): that one is still on its way when we exit. */
	const char *pid = s->daemon ? g_subprocess_get_identifier(s->daemon) : NULL;

	if (pid) {
		kill((pid_t)g_ascii_strtoll(pid, NULL, 10), SIGTERM);
	}
	if (s->daemon) {
		g_clear_object(&s->daemon);
	}
}

static void shown_free(gpointer data)
{
	struct shown *s = data;

	daemon_end(s);
	g_free(s->name);
	g_free(s);
}

static void notify(struct desktop *d, const char *title, const char *text)
{
	GVariantBuilder actions, hints;

	fprintf(stderr, "mullion-desktop: %s %s\n", title, text);
	if (!d->session_bus) {
		return;
	}
	g_variant_builder_init(&actions, G_VARIANT_TYPE("as"));
	g_variant_builder_init(&hints, G_VARIANT_TYPE("a{sv}"));
	g_dbus_connection_call(d->session_bus, "org.freedesktop.Notifications",
			       "/org/freedesktop/Notifications", "org.freedesktop.Notifications",
			       "Notify",
			       g_variant_new("(susssasa{sv}i)", "Mullion", 0, "dialog-warning",
					     title, text, &actions, &hints, -1),
			       NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}

static void on_daemon_ended(GObject *source, GAsyncResult *result, gpointer data)
{
	struct desktop *d = data;
	GSubprocess *daemon = G_SUBPROCESS(source);
	g_autofree char *output = NULL;
	g_autofree char *title = NULL;
	GHashTableIter all;
	struct shown *s;

	g_subprocess_communicate_utf8_finish(daemon, result, &output, NULL, NULL);
	g_hash_table_iter_init(&all, d->shown);
	while (g_hash_table_iter_next(&all, NULL, (gpointer *)&s)) {
		if (s->daemon != daemon) {
			continue; /* it was told to end, or another one has its place */
		}
		g_clear_object(&s->daemon);
		if (g_subprocess_get_if_exited(daemon) &&
		    g_subprocess_get_exit_status(daemon) == EXIT_PROTOCOL) {
			g_autofree char *text = g_strdup_printf(
				"because of %s", output ? g_strstrip(output) : "a broken rule");

			title = g_strdup_printf("The display of %s was closed", s->name);
			notify(d, title, text);
		} else {
			title = g_strdup_printf("The display of %s ended", s->name);
			notify(d, title, "The journal says why.");
		}
		return;
	}
}

static void daemon_start(struct shown *s, const char *label)
{
	g_autofree char *id = g_strdup_printf("--domain=%u", s->id);
	g_autofree char *name = g_strdup_printf("--name=%s", s->name);
	g_autofree char *label_option = g_strdup_printf("--label=%s", label);
	g_autoptr(GError) error = NULL;

	s->daemon = g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
				     s->desktop->guid_program, id, name, label_option, NULL);
	if (!s->daemon) {
		notify(s->desktop, s->name, error->message);
		return;
	}
	g_subprocess_communicate_utf8_async(s->daemon, NULL, NULL, on_daemon_ended, s->desktop);
}

/* What mulliond says about a domain, at the start or because it changed. */
static void domain_update(struct desktop *d, GVariant *domain)
{
	const char *name = NULL, *label = NULL, *state = NULL;
	guint32 id = 0;
	struct shown *s;

	if (!g_variant_lookup(domain, "name", "&s", &name) ||
	    !g_variant_lookup(domain, "label", "&s", &label) ||
	    !g_variant_lookup(domain, "state", "&s", &state) ||
	    !g_variant_lookup(domain, "id", "u", &id)) {
		return;
	}
	s = g_hash_table_lookup(d->shown, name);
	if (strcmp(state, "running") != 0 || id == 0) {
		g_hash_table_remove(d->shown, name);
		return;
	}
	if (s && s->id == id) {
		return;
	}
	s = g_new0(struct shown, 1);
	s->desktop = d;
	s->name = g_strdup(name);
	s->id = id;
	g_hash_table_replace(d->shown, s->name, s);
	daemon_start(s, label);
}

/* ---- mulliond ---- */

static void on_list(GObject *source, GAsyncResult *result, gpointer data)
{
	struct desktop *d = data;
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
	g_autoptr(GVariant) domains = NULL;
	GVariantIter all;
	GVariant *domain;

	if (!answer) {
		return; /* it will be back, see on_service_appeared() */
	}
	domains = g_variant_get_child_value(answer, 0);
	g_variant_iter_init(&all, domains);
	while ((domain = g_variant_iter_next_value(&all))) {
		domain_update(d, domain);
		g_variant_unref(domain);
	}
}

static void on_changed(GDBusConnection *bus, const char *sender, const char *path,
		       const char *interface, const char *signal_name, GVariant *arguments,
		       gpointer data)
{
	g_autoptr(GVariant) domain = g_variant_get_child_value(arguments, 0);

	domain_update(data, domain);
}

static void on_service_appeared(GDBusConnection *bus, const char *name, const char *owner,
				gpointer data)
{
	g_dbus_connection_call(bus, SERVICE_NAME, SERVICE_PATH, SERVICE_NAME, "List", NULL,
			       G_VARIANT_TYPE("(aa{sv}a(ss))"), G_DBUS_CALL_FLAGS_NONE, -1, NULL,
			       on_list, data);
}

static gboolean on_terminate(gpointer data)
{
	struct desktop *d = data;

	g_main_loop_quit(d->loop);
	return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
	struct desktop d = {.guid_program = "mullion-guid"};
	g_autoptr(GError) error = NULL;

	if (argc == 2 && g_str_has_prefix(argv[1], "--guid=")) {
		d.guid_program = argv[1] + strlen("--guid=");
	} else if (argc != 1) {
		fputs("Usage: mullion-desktop [--guid=PROGRAM]\n"
		      "Shows the windows of all running domains in this session.\n",
		      stderr);
		return 2;
	}
	d.system_bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);
	if (!d.system_bus) {
		fprintf(stderr, "mullion-desktop: no system bus: %s\n", error->message);
		return 1;
	}
	d.session_bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL);
	d.loop = g_main_loop_new(NULL, FALSE);
	d.shown = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, shown_free);
	g_dbus_connection_signal_subscribe(d.system_bus, SERVICE_NAME, SERVICE_NAME, "Changed",
					   SERVICE_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_changed,
					   &d, NULL);
	g_bus_watch_name_on_connection(d.system_bus, SERVICE_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
				       on_service_appeared, NULL, &d, NULL);
	g_unix_signal_add(SIGTERM, on_terminate, &d);
	g_unix_signal_add(SIGINT, on_terminate, &d);
	g_main_loop_run(d.loop);
	g_hash_table_destroy(d.shown);
	return 0;
}
