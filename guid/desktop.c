/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-desktop: one mullion-guid for each running domain, for a desktop session, and one run of
 * mullion-menu for each that stays.
 *
 * Learns from mulliond which domains run and with which label, starts their daemons and
 * ends them, and tells the user when a display was closed because its domain broke a
 * rule. Reads nothing from any guest; what daemons write is taken for a guest's, though:
 * lines "closed TAB reason", "notify TAB summary TAB text", and those of tray.h.
 */
#include "guid/desktop-tray.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define SERVICE_NAME  "org.mullion.Domains1"
#define SERVICE_PATH  "/org/mullion/Domains1"
#define EXIT_PROTOCOL 3	   /* of mullion-guid; it has said why */
#define LINE_MAX_SIZE 8192 /* an icon: 32 x 32 pixels, base64 */
#define TEXT_MAX      255
#define MENU_SECONDS  15
#define NOTIFY_BURST  5
#define NOTIFY_US     (2 * G_USEC_PER_SEC) /* then one in this time */

struct desktop {
	GMainLoop *loop;
	GDBusConnection *system_bus;
	GDBusConnection *session_bus; /* NULL: no notifications */
	GHashTable *shown;	      /* name to struct shown */
	const char *guid_program;
	const char *menu_program;
};

/* A running domain and its daemon. */
struct shown {
	struct desktop *desktop;
	char *name;
	guint32 id;
	guint menu_timer;
	GSubprocess *daemon; /* NULL: ended, and not started again before the domain is */
};

/* What a daemon says, until it ends; lives longer than its struct shown when that is told to. */
struct speech {
	struct desktop *desktop;
	GSubprocess *daemon;
	struct desktop_tray *tray;
	char *name;
	char *reason;	/* why the display was closed; NULL: it was not */
	gint64 free_us; /* time up to which notifications are used up */
	gsize size;
	gboolean is_skipping; /* the rest of a line that is too long */
	char line[LINE_MAX_SIZE];
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
	g_clear_handle_id(&s->menu_timer, g_source_remove);
	g_free(s->name);
	g_free(s);
}

/* text is shown as it is: without this, parts of it could be taken for markup. */
static void notify(struct desktop *d, const char *title, const char *text)
{
	g_autofree char *plain = g_markup_escape_text(text, -1);
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
					     title, plain, &actions, &hints, -1),
			       NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}

static void speech_free(struct speech *speech)
{
	desktop_tray_destroy(speech->tray);
	g_object_unref(speech->daemon);
	g_free(speech->name);
	g_free(speech->reason);
	g_free(speech);
}

/* One line of a daemon's, made harmless: as long as a title, without control characters. */
static char *text_of(const char *from)
{
	g_autofree char *valid = g_utf8_make_valid(from, -1);
	char *text = g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), TEXT_MAX));
	char *p;

	for (p = text; *p; p++) {
		if (g_ascii_iscntrl(*p)) {
			*p = ' ';
		}
	}
	return g_strstrip(text);
}

/* No more than a burst, then one in a while: notifications cannot cover what else is told. */
static gboolean may_notify(struct speech *speech)
{
	gint64 now = g_get_monotonic_time();

	if (speech->free_us < now) {
		speech->free_us = now;
	}
	if (speech->free_us - now > (NOTIFY_BURST - 1) * NOTIFY_US) {
		return FALSE;
	}
	speech->free_us += NOTIFY_US;
	return TRUE;
}

/* The user clicked on an icon. Few bytes, into a pipe that is read: this does not wait. */
static void on_click(void *context, guint32 id, guint32 button)
{
	struct speech *speech = context;
	g_autofree char *line = g_strdup_printf("click %u %u\n", id, button);

	g_output_stream_write(g_subprocess_get_stdin_pipe(speech->daemon), line, strlen(line), NULL,
			      NULL);
}

/* "tray" alone, or with what it shows; anything else is not for the tray. */
static void tray_line_handle(struct desktop_tray *tray, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, "\t", 6);
	guint count = g_strv_length(words);
	guint64 numbers[3] = {0, 0, 0};
	g_autofree char *title = NULL;
	guint i;

	for (i = 0; i < 3 && i + 1 < count; i++) {
		if (!g_ascii_string_to_unsigned(words[i + 1], 10, 0, G_MAXUINT32, &numbers[i],
						NULL)) {
			return;
		}
	}
	if (count == 1) {
		desktop_tray_clear(tray);
	} else if (count == 2) {
		desktop_tray_hide(tray, (guint32)numbers[0]);
	} else if (count == 6) {
		title = text_of(words[5]);
		desktop_tray_show(tray, (guint32)numbers[0], (guint32)numbers[1],
				  (guint32)numbers[2], words[4], title);
	}
}

static void line_handle(struct speech *speech, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, "\t", 3);
	g_autofree char *title = NULL, *summary = NULL, *text = NULL;

	if (g_strcmp0(words[0], "tray") == 0) {
		tray_line_handle(speech->tray, line);
	} else if (g_strcmp0(words[0], "closed") == 0 && words[1]) {
		g_free(speech->reason);
		speech->reason = text_of(words[1]);
	} else if (g_strcmp0(words[0], "notify") == 0 && words[1] && words[2] &&
		   may_notify(speech)) {
		summary = text_of(words[1]);
		text = text_of(words[2]);
		title = g_strdup_printf("[%s] %s", speech->name, summary);
		notify(speech->desktop, title, text);
	}
}

static void bytes_handle(struct speech *speech, const char *bytes, gsize count)
{
	gsize i;

	for (i = 0; i < count; i++) {
		if (bytes[i] == '\n') {
			speech->line[speech->size] = '\0';
			if (!speech->is_skipping) {
				line_handle(speech, speech->line);
			}
			speech->size = 0;
			speech->is_skipping = FALSE;
		} else if (speech->size + 1 < sizeof(speech->line)) {
			speech->line[speech->size++] = bytes[i];
		} else {
			speech->is_skipping = TRUE;
		}
	}
}

static void on_daemon_ended(GObject *source, GAsyncResult *result, gpointer data)
{
	struct speech *speech = data;
	struct desktop *d = speech->desktop;
	GSubprocess *daemon = G_SUBPROCESS(source);
	struct shown *s = g_hash_table_lookup(d->shown, speech->name);
	g_autofree char *title = NULL, *text = NULL;

	g_subprocess_wait_finish(daemon, result, NULL);
	if (s && s->daemon == daemon) { /* it was not told to end, and no other has its place */
		g_clear_object(&s->daemon);
		if (g_subprocess_get_if_exited(daemon) &&
		    g_subprocess_get_exit_status(daemon) == EXIT_PROTOCOL) {
			title = g_strdup_printf("The display of %s was closed", speech->name);
			text = g_strdup_printf("because of %s",
					       speech->reason ? speech->reason : "a broken rule");
			notify(d, title, text);
		} else {
			title = g_strdup_printf("The display of %s ended", speech->name);
			notify(d, title, "The journal says why.");
		}
	}
	speech_free(speech);
}

static void on_said(GObject *source, GAsyncResult *result, gpointer data)
{
	struct speech *speech = data;
	GInputStream *stream = G_INPUT_STREAM(source);
	g_autoptr(GBytes) bytes = g_input_stream_read_bytes_finish(stream, result, NULL);

	if (bytes && g_bytes_get_size(bytes)) {
		bytes_handle(speech, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
		g_input_stream_read_bytes_async(stream, 4096, G_PRIORITY_DEFAULT_IDLE, NULL,
						on_said, speech);
		return;
	}
	/* All that it said is read; how did it end? */
	g_subprocess_wait_async(speech->daemon, NULL, on_daemon_ended, speech);
}

static void daemon_start(struct shown *s, const char *label)
{
	g_autofree char *id = g_strdup_printf("--domain=%u", s->id);
	g_autofree char *name = g_strdup_printf("--name=%s", s->name);
	g_autofree char *label_option = g_strdup_printf("--label=%s", label);
	g_autoptr(GError) error = NULL;
	struct speech *speech;

	s->daemon =
		g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDIN_PIPE,
				 &error, s->desktop->guid_program, id, name, label_option, NULL);
	if (!s->daemon) {
		notify(s->desktop, s->name, error->message);
		return;
	}
	speech = g_new0(struct speech, 1);
	speech->desktop = s->desktop;
	speech->daemon = g_object_ref(s->daemon);
	speech->name = g_strdup(s->name);
	speech->tray =
		desktop_tray_create(s->desktop->session_bus, s->name, label, on_click, speech);
	g_input_stream_read_bytes_async(g_subprocess_get_stdout_pipe(s->daemon), 4096,
					G_PRIORITY_DEFAULT_IDLE, NULL, on_said, speech);
}

/* Its programs into dom0's menu, when it has had time for what it was started for. */
static gboolean menu_update(gpointer data)
{
	struct shown *s = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocess) menu = g_subprocess_new(G_SUBPROCESS_FLAGS_NONE, &error,
						       s->desktop->menu_program, s->name, NULL);

	if (!menu) {
		fprintf(stderr, "mullion-desktop: %s\n", error->message);
	}
	s->menu_timer = 0;
	return G_SOURCE_REMOVE;
}

/* What mulliond says about a domain, at the start or because it changed. */
static void domain_update(struct desktop *d, GVariant *domain)
{
	const char *name = NULL, *label = NULL, *state = NULL;
	gboolean is_disposable = FALSE;
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
	g_variant_lookup(domain, "disposable", "b", &is_disposable);
	if (!is_disposable) {
		s->menu_timer = g_timeout_add_seconds(MENU_SECONDS, menu_update, s);
	}
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
	struct desktop d = {.guid_program = "mullion-guid", .menu_program = "mullion-menu"};
	g_autoptr(GError) error = NULL;

	if (argc == 2 && g_str_has_prefix(argv[1], "--guid=")) {
		d.guid_program = argv[1] + strlen("--guid=");
	} else if (argc != 1) {
		fputs("Usage: mullion-desktop [--guid=PROGRAM]\n"
		      "Shows the windows of all running domains in this session, and their programs "
		      "in its menu.\n",
		      stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN); /* a daemon may end while an icon of it is clicked */
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
