/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/gate.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES	 128
#define DISPOSABLE_START "@dispvm:"

struct gate {
	GSocketService *service;
	struct control *control;
	char *path;
};

/* One who asks; lives until its answer, which may come after the gate has gone. */
struct request {
	struct control *control;
	GSocketConnection *connection;
	GDataInputStream *input;
};

static void request_free(struct request *r)
{
	g_object_unref(r->input);
	g_object_unref(r->connection);
	g_free(r);
}

static void answer(const char *name, const GError *error, void *data)
{
	struct request *r = data;
	g_autofree char *line = error ? g_strdup_printf("error %s\n", error->message)
				      : g_strdup_printf("ok %s\n", name);

	/* A short line into an empty socket: it takes all, or nobody waits for it. */
	(void)g_socket_send(g_socket_connection_get_socket(r->connection), line, strlen(line), NULL,
			    NULL);
	request_free(r);
}

static void handle_line(GObject *source, GAsyncResult *result, gpointer data)
{
	struct request *r = data;
	g_autofree char *line = g_data_input_stream_read_line_finish(G_DATA_INPUT_STREAM(source),
								     result, NULL, NULL);

	if (!line || strlen(line) > LINE_MAX_BYTES) {
		request_free(r);
	} else if (g_str_has_prefix(line, DISPOSABLE_START)) {
		control_start_disposable(r->control, line + strlen(DISPOSABLE_START), answer, r);
	} else {
		control_start(r->control, line, answer, r);
	}
}

static gboolean handle_connection(GSocketService *service, GSocketConnection *connection,
				  GObject *source, gpointer data)
{
	struct gate *gate = data;
	struct request *r = g_new0(struct request, 1);

	r->control = gate->control;
	r->connection = g_object_ref(connection);
	r->input = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
	g_data_input_stream_read_line_async(r->input, G_PRIORITY_DEFAULT, NULL, handle_line, r);
	return TRUE;
}

struct gate *gate_new(const char *path, struct control *control, GError **error)
{
	g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
	struct gate *gate = g_new0(struct gate, 1);
	bool is_open;
	mode_t before;

	gate->control = control;
	gate->path = g_strdup(path);
	gate->service = g_socket_service_new();
	g_unlink(path);
	before = umask(0077);
	is_open = g_socket_listener_add_address(G_SOCKET_LISTENER(gate->service), address,
						G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
						NULL, NULL, error);
	umask(before);
	if (!is_open) {
		g_prefix_error(error, "%s: ", path);
		gate_free(gate);
		return NULL;
	}
	g_signal_connect(gate->service, "incoming", G_CALLBACK(handle_connection), gate);
	return gate;
}

void gate_free(struct gate *gate)
{
	if (gate) {
		g_socket_service_stop(gate->service);
		g_socket_listener_close(G_SOCKET_LISTENER(gate->service));
		g_object_unref(gate->service);
		g_unlink(gate->path);
		g_free(gate->path);
		g_free(gate);
	}
}
