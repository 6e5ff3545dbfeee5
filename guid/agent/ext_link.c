/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's end of the extension: frames, scrolling, fingers, the user's keyboard, hidden
 * pointers, notifications. */
#include "guid/agent/view.h"
#include "guid/ext_channel.h"

#include <stdio.h>
#include <stdlib.h>

#define RING_BYTES 65536

struct agent_ext {
	struct agent *agent;
	struct ext_channel *channel;
	struct wl_event_source *source;
	bool is_hello_sent, is_up;
	uint32_t version; /* of the daemon */
};

static void handle(struct agent *a, const struct ext_message *m)
{
	struct agent_view *v = m->window ? view_find(a, m->window) : NULL;

	switch (m->type) {
	case EXT_HELLO:
		a->ext->is_up = true;
		a->ext->version = m->version;
		fputs("daemon has the extension: frames, scrolling, keyboard\n", stderr);
		break;
	case EXT_FRAME:
		if (v) {
			view_framed(v);
		}
		break;
	case EXT_SCROLL:
		if (v && v->surface) {
			seat_scroll(a, v, m->scroll.x, m->scroll.y,
				    (double)m->scroll.dx / EXT_SCROLL_ONE,
				    (double)m->scroll.dy / EXT_SCROLL_ONE);
		}
		break;
	case EXT_SCALE:
		link_set_scale(a, m->scale);
		break;
	case EXT_TOUCH:
		if (v && v->surface) {
			seat_touch(a, v, m->touch.kind, m->touch.finger, m->touch.x, m->touch.y);
		}
		break;
	case EXT_KEYMAP:
		seat_set_keymap(a, m->keymap.bytes, m->keymap.size_bytes);
		break;
	case EXT_CURSOR:
	case EXT_NOTIFY:
		break; /* ours; the daemon is trusted and does not say it */
	}
}

static int on_vchan(int fd, uint32_t mask, void *data)
{
	struct agent *a = data;
	struct agent_ext *e = a->ext;
	const struct ext_message hello = {.type = EXT_HELLO, .version = EXT_VERSION};
	struct ext_message m;
	int rc = libvchan_wait(ext_channel_vchan(e->channel)) < 0 ? -1 : 1;

	if (rc > 0 && !e->is_hello_sent &&
	    libvchan_is_open(ext_channel_vchan(e->channel)) == VCHAN_CONNECTED) {
		e->is_hello_sent = true;
		rc = ext_channel_send(e->channel, &hello) ? -1 : 1;
	}
	while (rc > 0) {
		rc = ext_channel_read(e->channel, &m);
		if (rc > 0) {
			handle(a, &m);
		}
	}
	if (rc < 0) {
		ext_stop(a);
	}
	return 0;
}

bool ext_is_up(const struct agent *a)
{
	return a->ext && a->ext->is_up;
}

static void send(struct agent *a, const struct ext_message *m)
{
	if (ext_is_up(a) && a->ext->version >= 2 && ext_channel_send(a->ext->channel, m)) {
		ext_stop(a);
	}
}

void ext_hide_cursor(struct agent *a, uint32_t window, bool is_hidden)
{
	const struct ext_message m = {
		.type = EXT_CURSOR, .window = window, .is_cursor_hidden = is_hidden};

	send(a, &m);
}

void ext_scale(struct agent *a, uint32_t window, uint32_t scale)
{
	const struct ext_message m = {.type = EXT_SCALE, .window = window, .scale = scale};

	if (ext_is_up(a) && a->ext->version >= 3) {
		send(a, &m);
	}
}

void ext_notify(struct agent *a, const uint8_t *summary, uint32_t summary_size, const uint8_t *text,
		uint32_t text_size)
{
	const struct ext_message m = {.type = EXT_NOTIFY,
				      .notify = {summary, text, summary_size, text_size}};

	if (summary_size <= EXT_NOTIFY_MAX && text_size <= EXT_NOTIFY_MAX - summary_size) {
		send(a, &m);
	}
}

void ext_start(struct agent *a)
{
	libvchan_t *vchan = libvchan_server_init(a->options.peer, EXT_PORT, RING_BYTES, RING_BYTES);
	struct agent_ext *e;

	if (!vchan) {
		return; /* the display works without */
	}
	e = calloc(1, sizeof(*e));
	if (!e) {
		libvchan_close(vchan);
		return;
	}
	e->agent = a;
	e->channel = ext_channel_create(vchan);
	if (!e->channel) {
		free(e);
		return;
	}
	a->ext = e;
	e->source = wl_event_loop_add_fd(a->loop, libvchan_fd_for_select(vchan), WL_EVENT_READABLE,
					 on_vchan, a);
	if (!e->source) {
		ext_stop(a);
	}
}

void ext_stop(struct agent *a)
{
	struct agent_ext *e = a->ext;

	if (e) {
		a->ext = NULL;
		if (e->source) {
			wl_event_source_remove(e->source);
		}
		ext_channel_destroy(e->channel);
		free(e);
	}
}
