/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clipboard inside of the domain, and the daemon's two messages about it.
 *
 * A request of the daemon reads the selection's text and sends it; text of the daemon
 * becomes the selection (and the primary one), until a program copies something else.
 * Nothing moves between the domain and the daemon otherwise.
 */
#include "guid/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wlr/types/wlr_data_device.h>
#include <wlr/types/wlr_primary_selection.h>
#include <wlr/types/wlr_primary_selection_v1.h>
#include <wlr/types/wlr_seat.h>

static const char *const text_types[] = {"text/plain;charset=utf-8", "UTF8_STRING", "text/plain",
					 "STRING", "TEXT"};

#define TEXT_TYPE_COUNT (sizeof(text_types) / sizeof(text_types[0]))

/* Text on its way out of a program, into a message. */
struct reader {
	struct agent *agent;
	struct wl_event_source *source;
	int fd;
	uint32_t size, limit;
	uint8_t bytes[GUI_CLIPBOARD_MAX + 1];
};

/* Text on its way into a program's pipe. */
struct writer {
	struct wl_event_source *source;
	int fd;
	uint32_t position, size;
	uint8_t bytes[];
};

struct agent_clipboard {
	struct agent *agent;
	struct reader *reader;
	struct wl_listener set_selection, set_primary;
};

/* The text that the daemon gave, as a source of either kind of selection. */
struct text {
	uint32_t size;
	uint8_t bytes[];
};

struct text_source {
	struct wlr_data_source base;
	struct agent *agent;
	struct text *text;
};

struct primary_source {
	struct wlr_primary_selection_source base;
	struct agent *agent;
	struct text *text;
};

static struct text *text_create(const uint8_t *bytes, uint32_t size)
{
	struct text *t = malloc(sizeof(*t) + size);

	if (t) {
		t->size = size;
		memcpy(t->bytes, bytes, size);
	}
	return t;
}

/* ---- out of the domain ---- */

static void reader_finish(struct reader *r)
{
	struct agent *a = r->agent;
	struct gui_message m = {.type = GUI_CLIPBOARD_DATA, .window = 0};

	m.clipboard.bytes = r->bytes;
	m.clipboard.size_bytes = r->size;
	link_send(a, &m);
	wl_event_source_remove(r->source);
	close(r->fd);
	a->clipboard->reader = NULL;
	free(r);
}

static int on_readable(int fd, uint32_t mask, void *data)
{
	struct reader *r = data;
	ssize_t got = read(fd, r->bytes + r->size, r->limit + 1 - r->size);

	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return 0;
	}
	if (got > 0) {
		r->size += (uint32_t)got;
	}
	if (got <= 0 || r->size > r->limit) {
		reader_finish(r); /* one byte over the limit says that there was more */
	}
	return 0;
}

static const char *best_type(const struct wl_array *types)
{
	size_t i;
	char **type;

	for (i = 0; i < TEXT_TYPE_COUNT; i++) {
		wl_array_for_each(type, types) {
			if (strcmp(*type, text_types[i]) == 0) {
				return text_types[i];
			}
		}
	}
	return NULL;
}

static void answer_empty(struct agent *a)
{
	const struct gui_message m = {.type = GUI_CLIPBOARD_DATA, .window = 0};

	link_send(a, &m);
}

void clipboard_request(struct agent *a)
{
	struct wlr_data_source *source = a->seat->selection_source;
	const char *type = source ? best_type(&source->mime_types) : NULL;
	struct reader *r;
	int fds[2];

	if (a->clipboard->reader) {
		return; /* the answer to the last one is still coming */
	}
	r = type ? calloc(1, sizeof(*r)) : NULL;
	if (!r || pipe2(fds, O_CLOEXEC | O_NONBLOCK)) {
		free(r);
		answer_empty(a);
		return;
	}
	r->agent = a;
	r->fd = fds[0];
	r->limit = proto_clipboard_limit(link_minor(a));
	r->source = wl_event_loop_add_fd(a->loop, fds[0], WL_EVENT_READABLE, on_readable, r);
	if (!r->source) {
		close(fds[0]);
		close(fds[1]);
		free(r);
		answer_empty(a);
		return;
	}
	a->clipboard->reader = r;
	/* Programs expect a pipe that blocks; ours does not have to. */
	fcntl(fds[1], F_SETFL, 0);
	wlr_data_source_send(source, type, fds[1]);
}

/* ---- into the domain ---- */

static void writer_finish(struct writer *w)
{
	wl_event_source_remove(w->source);
	close(w->fd);
	free(w);
}

static int on_writable(int fd, uint32_t mask, void *data)
{
	struct writer *w = data;
	ssize_t put = write(fd, w->bytes + w->position, w->size - w->position);

	if (put < 0 && (errno == EAGAIN || errno == EINTR)) {
		return 0;
	}
	if (put > 0) {
		w->position += (uint32_t)put;
	}
	if (put <= 0 || w->position == w->size) {
		writer_finish(w);
	}
	return 0;
}

static void text_write(struct agent *a, const struct text *text, int fd)
{
	struct writer *w = malloc(sizeof(*w) + text->size);

	if (!w || !text->size) {
		free(w);
		close(fd);
		return;
	}
	w->fd = fd;
	w->position = 0;
	w->size = text->size;
	memcpy(w->bytes, text->bytes, text->size);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	w->source = wl_event_loop_add_fd(a->loop, fd, WL_EVENT_WRITABLE, on_writable, w);
	if (!w->source) {
		close(fd);
		free(w);
	}
}

static void source_send(struct wlr_data_source *source, const char *type, int32_t fd)
{
	struct text_source *s = wl_container_of(source, s, base);

	text_write(s->agent, s->text, fd);
}

static void source_destroy(struct wlr_data_source *source)
{
	struct text_source *s = wl_container_of(source, s, base);

	free(s->text);
	free(s);
}

static void primary_send(struct wlr_primary_selection_source *source, const char *type, int fd)
{
	struct primary_source *s = wl_container_of(source, s, base);

	text_write(s->agent, s->text, fd);
}

static void primary_destroy(struct wlr_primary_selection_source *source)
{
	struct primary_source *s = wl_container_of(source, s, base);

	free(s->text);
	free(s);
}

static const struct wlr_data_source_impl source_impl = {
	.send = source_send,
	.destroy = source_destroy,
};

static const struct wlr_primary_selection_source_impl primary_impl = {
	.send = primary_send,
	.destroy = primary_destroy,
};

static void types_add(struct wl_array *types)
{
	size_t i;

	for (i = 0; i < TEXT_TYPE_COUNT; i++) {
		char *name = strdup(text_types[i]);
		char **slot = name ? wl_array_add(types, sizeof(*slot)) : NULL;

		if (slot) {
			*slot = name;
		} else {
			free(name);
		}
	}
}

void clipboard_data(struct agent *a, const struct gui_clipboard *c)
{
	struct text_source *s = calloc(1, sizeof(*s));
	struct primary_source *p = calloc(1, sizeof(*p));

	if (s) {
		s->text = text_create(c->bytes, c->size_bytes);
	}
	if (p) {
		p->text = text_create(c->bytes, c->size_bytes);
	}
	if (!s || !p || !s->text || !p->text || c->is_too_large) {
		if (s) {
			free(s->text);
		}
		if (p) {
			free(p->text);
		}
		free(s);
		free(p);
		return;
	}
	s->agent = a;
	wlr_data_source_init(&s->base, &source_impl);
	types_add(&s->base.mime_types);
	wlr_seat_set_selection(a->seat, &s->base, wl_display_next_serial(a->display));
	p->agent = a;
	wlr_primary_selection_source_init(&p->base, &primary_impl);
	types_add(&p->base.mime_types);
	wlr_seat_set_primary_selection(a->seat, &p->base, wl_display_next_serial(a->display));
}

/* ---- between the programs of the domain ---- */

static void on_request_set_selection(struct wl_listener *listener, void *data)
{
	struct agent_clipboard *c = wl_container_of(listener, c, set_selection);
	struct wlr_seat_request_set_selection_event *event = data;

	wlr_seat_set_selection(c->agent->seat, event->source, event->serial);
}

static void on_request_set_primary(struct wl_listener *listener, void *data)
{
	struct agent_clipboard *c = wl_container_of(listener, c, set_primary);
	struct wlr_seat_request_set_primary_selection_event *event = data;

	wlr_seat_set_primary_selection(c->agent->seat, event->source, event->serial);
}

int clipboard_start(struct agent *a)
{
	struct agent_clipboard *c = calloc(1, sizeof(*c));

	if (!c || !wlr_data_device_manager_create(a->display) ||
	    !wlr_primary_selection_v1_device_manager_create(a->display)) {
		free(c);
		return -ENOMEM;
	}
	c->agent = a;
	a->clipboard = c;
	c->set_selection.notify = on_request_set_selection;
	wl_signal_add(&a->seat->events.request_set_selection, &c->set_selection);
	c->set_primary.notify = on_request_set_primary;
	wl_signal_add(&a->seat->events.request_set_primary_selection, &c->set_primary);
	return 0;
}
