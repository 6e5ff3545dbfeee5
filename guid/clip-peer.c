/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/clip-peer.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_MAX (4 * (CLIP_TEXT_MAX + CLIP_HEADER_SIZE))

struct clip_peer {
	int fd;
	struct clip_peer_events events;
	void *context;
	guint read_watch, write_watch;
	enum clip_type type;
	uint32_t body_size, in_size;
	gboolean has_header;
	uint8_t in[CLIP_HEADER_SIZE + CLIP_TEXT_MAX];
	GByteArray *out;
};

char *clip_socket_path(void)
{
	const char *folder = g_getenv("XDG_RUNTIME_DIR");

	return folder ? g_build_filename(folder, "mullion", "clipboard.sock", NULL) : NULL;
}

void clip_peer_free(struct clip_peer *p)
{
	if (!p) {
		return;
	}
	if (p->read_watch) {
		g_source_remove(p->read_watch);
	}
	if (p->write_watch) {
		g_source_remove(p->write_watch);
	}
	close(p->fd);
	/* Copied text does not stay in freed memory. */
	explicit_bzero(p->in, sizeof(p->in));
	explicit_bzero(p->out->data, p->out->len);
	g_byte_array_unref(p->out);
	g_free(p);
}

static gboolean message_received(struct clip_peer *p)
{
	struct wire in = wire_of(p->in + CLIP_HEADER_SIZE, p->body_size);
	struct clip_message m;

	if (clip_body_decode(p->type, &in, p->body_size, &m)) {
		return FALSE;
	}
	p->has_header = FALSE;
	p->in_size = 0;
	return p->events.message(p->context, p, &m);
}

/* FALSE: the connection is over. */
static gboolean receive(struct clip_peer *p)
{
	uint32_t wanted = CLIP_HEADER_SIZE + (p->has_header ? p->body_size : 0);
	ssize_t got = recv(p->fd, p->in + p->in_size, wanted - p->in_size, MSG_DONTWAIT);

	if (got < 0) {
		return errno == EAGAIN || errno == EINTR;
	}
	if (got == 0) {
		return FALSE;
	}
	p->in_size += (uint32_t)got;
	if (p->in_size < wanted) {
		return TRUE;
	}
	if (!p->has_header) {
		struct wire in = wire_of(p->in, CLIP_HEADER_SIZE);

		if (clip_header_decode(&in, &p->type, &p->body_size)) {
			return FALSE;
		}
		p->has_header = TRUE;
		return p->body_size ? TRUE : message_received(p);
	}
	return message_received(p);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	struct clip_peer *p = data;

	if (receive(p)) {
		return G_SOURCE_CONTINUE;
	}
	p->read_watch = 0;
	p->events.closed(p->context, p);
	clip_peer_free(p);
	return G_SOURCE_REMOVE;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
	struct clip_peer *p = data;
	ssize_t put = send(p->fd, p->out->data, p->out->len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (put > 0) {
		explicit_bzero(p->out->data, (size_t)put);
		g_byte_array_remove_range(p->out, 0, (guint)put);
	}
	/* An error shows to the reader as the end of the connection. */
	if ((put < 0 && errno != EAGAIN && errno != EINTR) || p->out->len == 0) {
		p->write_watch = 0;
		return G_SOURCE_REMOVE;
	}
	return G_SOURCE_CONTINUE;
}

void clip_peer_send(struct clip_peer *p, enum clip_type type, const void *bytes,
		    uint32_t size_bytes)
{
	const struct clip_message m = {type, bytes, size_bytes};
	guint start = p->out->len;
	struct wire_out out;

	if (start + CLIP_HEADER_SIZE + size_bytes > QUEUE_MAX) {
		shutdown(p->fd, SHUT_RDWR);
		return;
	}
	g_byte_array_set_size(p->out, start + CLIP_HEADER_SIZE + size_bytes);
	out = wire_out_of(p->out->data + start, CLIP_HEADER_SIZE + size_bytes);
	clip_encode(&m, &out);
	if (!p->write_watch) {
		p->write_watch = g_unix_fd_add(p->fd, G_IO_OUT, on_writable, p);
	}
}

struct clip_peer *clip_peer_new(int fd, const struct clip_peer_events *events, void *context)
{
	struct clip_peer *p = g_new0(struct clip_peer, 1);

	p->fd = fd;
	p->events = *events;
	p->context = context;
	p->out = g_byte_array_new();
	p->read_watch = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP, on_readable, p);
	return p;
}
