/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-ask: in the user's session, asks what policy says to ask, and shows notices.
 *
 * Connects to the policy process and stays; when that restarts, connects again. The policy
 * process checks every answer against what it offered: this program decides nothing, it asks.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib-unix.h>
#include <gtk/gtk.h>

#include "qrexec/ask/ask-message.h"
#include "qrexec/ask/ask-window.h"

#define ASK_SOCKET	 "/run/qubes/policy-ask.sock"
#define RECONNECT_S	 2
#define MESSAGE_SIZE_MAX (128 * 1024)

static struct {
	GtkApplication *application;
	const char *path;
	int fd;
	GString *received;
	GList *windows;
} a = {.path = ASK_SOCKET, .fd = -1};

static void remove_window(AskWindow *window)
{
	a.windows = g_list_remove(a.windows, window);
	gtk_window_destroy(GTK_WINDOW(window));
}

static void handle_answered(AskWindow *window, const char *target, gpointer data)
{
	g_autofree char *line =
		g_strdup_printf("%u %s\n", ask_window_get_number(window), target ? target : "-");

	/* A policy process that is gone shows as the end of the socket. */
	if (a.fd >= 0) {
		(void)!send(a.fd, line, strlen(line), MSG_NOSIGNAL);
	}
	remove_window(window);
}

static void show_question(const struct ask_message *m)
{
	AskWindow *window = ask_window_new(a.application, m);

	a.windows = g_list_prepend(a.windows, window);
	g_signal_connect(window, "answered", G_CALLBACK(handle_answered), NULL);
	gtk_window_present(GTK_WINDOW(window));
}

static void cancel_question(unsigned int number)
{
	GList *l;

	for (l = a.windows; l; l = l->next) {
		if (ask_window_get_number(ASK_WINDOW(l->data)) == number) {
			remove_window(ASK_WINDOW(l->data));
			return;
		}
	}
}

static void show_notice(const struct ask_message *m)
{
	g_autofree char *title =
		g_strdup_printf("%s: %s", m->source, m->is_allowed ? "allowed" : "denied");
	g_autofree char *text = g_strdup_printf(
		"%s%s%s%s: %s", m->service, strlen(m->argument) > 1 ? m->argument : "",
		*m->target ? " \342\206\222 " : "", m->target, m->reason);
	g_autoptr(GNotification) notice = g_notification_new(title);

	g_notification_set_body(notice, text);
	g_application_send_notification(G_APPLICATION(a.application), NULL, notice);
	g_message("%s: %s", title, text);
}

static void handle_message(char *text)
{
	static struct ask_message m;

	if (!ask_message_parse(text, &m)) {
		g_warning("not a message of the policy process");
		return;
	}
	switch (m.kind) {
	case ASK_QUESTION:
		show_question(&m);
		break;
	case ASK_CANCEL:
		cancel_question(m.number);
		break;
	case ASK_NOTICE:
		show_notice(&m);
		break;
	}
}

static gboolean try_to_connect(gpointer data);

static void lose_connection(void)
{
	close(a.fd);
	a.fd = -1;
	g_string_truncate(a.received, 0);
	/* Nobody waits for these answers any more. */
	while (a.windows) {
		remove_window(ASK_WINDOW(a.windows->data));
	}
	g_timeout_add_seconds(RECONNECT_S, try_to_connect, NULL);
}

static gboolean handle_readable(int fd, GIOCondition condition, gpointer data)
{
	char buffer[4096], *end;
	ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return G_SOURCE_CONTINUE;
	}
	if (n <= 0 || a.received->len > MESSAGE_SIZE_MAX) {
		lose_connection();
		return G_SOURCE_REMOVE;
	}
	g_string_append_len(a.received, buffer, n);
	while ((end = strstr(a.received->str, "\n\n"))) {
		*end = 0;
		handle_message(a.received->str);
		g_string_erase(a.received, 0, end + 2 - a.received->str);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean try_to_connect(gpointer data)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	g_strlcpy(address.sun_path, a.path, sizeof(address.sun_path));
	a.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a.fd >= 0 && !connect(a.fd, (struct sockaddr *)&address, sizeof(address))) {
		g_unix_fd_add(a.fd, G_IO_IN | G_IO_HUP | G_IO_ERR, handle_readable, NULL);
		return G_SOURCE_REMOVE;
	}
	if (a.fd >= 0) {
		close(a.fd);
		a.fd = -1;
	}
	if (!data) {
		return G_SOURCE_CONTINUE;
	}
	g_timeout_add_seconds(RECONNECT_S, try_to_connect, NULL);
	return G_SOURCE_REMOVE;
}

static void handle_startup(GApplication *application, gpointer data)
{
	g_autoptr(GtkCssProvider) css = gtk_css_provider_new();

	gtk_css_provider_load_from_resource(css, "/org/mullion/ask/ask.css");
	gtk_style_context_add_provider_for_display(gdk_display_get_default(),
						   GTK_STYLE_PROVIDER(css),
						   GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
	g_application_hold(application); /* it lives without a window */
	try_to_connect(application);
}

static void handle_activate(GApplication *application, gpointer data)
{
	/* Nothing to show until a question comes. */
}

int main(int argc, char **argv)
{
	int rc;

	if (argc == 2 && g_str_has_prefix(argv[1], "--socket=")) {
		a.path = argv[1] + strlen("--socket=");
	} else if (argc != 1) {
		rc = argc == 2 && !strcmp(argv[1], "--help") ? 0 : 2;
		fputs("usage: mullion-ask [--socket=PATH]\n"
		      "  --socket=PATH  of the policy process (default " ASK_SOCKET ")\n",
		      rc ? stderr : stdout);
		return rc;
	}
	a.received = g_string_new(NULL);
	a.application = gtk_application_new("org.mullion.Ask", G_APPLICATION_NON_UNIQUE);
	g_signal_connect(a.application, "startup", G_CALLBACK(handle_startup), NULL);
	g_signal_connect(a.application, "activate", G_CALLBACK(handle_activate), NULL);
	rc = g_application_run(G_APPLICATION(a.application), 1, argv);
	g_object_unref(a.application);
	g_string_free(a.received, TRUE);
	return rc;
}
