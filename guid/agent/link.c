/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's end of the vchan: one daemon after another. */
#include "guid/agent/agent.h"
#include "guid/agent/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <wlr/types/wlr_output.h>

#define GUI_PORT	 6000
#define RING_BYTES	 65536
#define MESSAGES_AT_ONCE 64
#define RETRY_MS	 200

static void link_lost(struct agent *a, const char *why);

static void read_again(void *data)
{
	struct agent *a = data;
	int rc;

	if (!a->channel) {
		return;
	}
	rc = channel_read(a->channel, MESSAGES_AT_ONCE);
	if (rc > 0) {
		wl_event_loop_add_idle(a->loop, read_again, a);
	}
	if (rc < 0 || channel_flush(a->channel) < 0) {
		link_lost(a, channel_reason(a->channel));
	}
}

static int on_vchan(int fd, uint32_t mask, void *data)
{
	struct agent *a = data;

	if (libvchan_wait(channel_vchan(a->channel)) < 0) {
		link_lost(a, "vchan: waiting failed");
		return 0;
	}
	read_again(a);
	return 0;
}

static void on_configure(struct agent *a, struct agent_view *v, const struct gui_configure *c)
{
	struct rect rect = {c->x, c->y, (int32_t)c->width, (int32_t)c->height};

	if (rect.width != v->rect.width || rect.height != v->rect.height) {
		v->is_resizing = true;
	}
	v->kind->configure(v, rect);
}

static int on_message(void *context, const struct gui_message *m, const char **rule)
{
	struct agent *a = context;
	struct agent_view *v;

	switch (m->type) {
	case GUI_DESTROY:
		view_echoed(a, m->window);
		return 0;
	case GUI_CLIPBOARD_REQ:
		clipboard_request(a);
		return 0;
	case GUI_CLIPBOARD_DATA:
		clipboard_data(a, &m->clipboard);
		return 0;
	case GUI_KEYMAP_NOTIFY:
		seat_keymap(a, &m->keymap);
		return 0;
	case GUI_BUTTON:
		if (tray_button(a, m->window, &m->button)) {
			return 0;
		}
		break;
	default:
		break;
	}

	v = view_find(a, m->window);
	if (!v || !v->surface) {
		return 0; /* sent before the daemon read of its end */
	}
	switch (m->type) {
	case GUI_KEYPRESS:
		seat_key(a, &m->key);
		break;
	case GUI_BUTTON:
		seat_button(a, v, &m->button);
		break;
	case GUI_MOTION:
		seat_motion(a, v, m->motion.x, m->motion.y);
		break;
	case GUI_CROSSING:
		if (m->crossing.event == GUI_EVENT_ENTER) {
			seat_motion(a, v, m->crossing.x, m->crossing.y);
		} else {
			seat_leave(a, v);
		}
		break;
	case GUI_FOCUS:
		seat_focus(a, v, m->focus.event == GUI_EVENT_FOCUS_IN);
		break;
	case GUI_CONFIGURE:
		on_configure(a, v, &m->configure);
		break;
	case GUI_CLOSE:
		v->kind->close(v);
		break;
	case GUI_WINDOW_FLAGS:
		if ((m->flags.set | m->flags.unset) & GUI_FLAG_FULLSCREEN) {
			v->kind->set_fullscreen(v, m->flags.set & GUI_FLAG_FULLSCREEN);
		}
		break;
	case GUI_WINDOW_DUMP_ACK:
		view_acknowledged(v);
		break;
	default:
		break;
	}
	return 0;
}

/* Programs keep their menus on the screen that they know of: it has the real size, in units. */
static void screen_tell(struct agent *a)
{
	wlr_output_set_scale(a->output, (float)a->scale);
	wlr_output_set_custom_mode(a->output, (int32_t)(a->width * a->scale),
				   (int32_t)(a->height * a->scale), 0);
	wlr_output_commit(a->output);
}

void link_set_scale(struct agent *a, uint32_t scale)
{
	if (a->scale != scale) {
		a->scale = scale;
		screen_tell(a);
	}
}

static int on_connected(void *context, uint32_t minor, const struct gui_xconf *conf)
{
	struct agent *a = context;

	a->is_connected = true;
	a->width = conf->width;
	a->height = conf->height;
	screen_tell(a);
	fprintf(stderr, "daemon connected: protocol 1.%u, screen %u x %u\n", minor, conf->width,
		conf->height);
	views_resend(a);
	tray_resend(a);
	return 0;
}

static const struct channel_handler handler = {on_connected, on_message};

/* Offers the vchan again; while that fails, every RETRY_MS. */
static int link_offer(struct agent *a)
{
	libvchan_t *vchan;

	a->pool = share_pool_open(a->options.peer, GUI_PORT, SHARE_SHOW, NULL);
	if (!a->pool) {
		return -errno;
	}
	ext_start(a); /* first: the daemon looks for it when it has found the other */
	vchan = libvchan_server_init(a->options.peer, GUI_PORT, RING_BYTES, RING_BYTES);
	if (!vchan) {
		int rc = -errno;

		ext_stop(a);
		share_pool_close(a->pool);
		a->pool = NULL;
		return rc;
	}
	a->channel = channel_create(vchan, GUI_FROM_DAEMON, NULL, &handler, a);
	if (!a->channel) {
		libvchan_close(vchan);
		ext_stop(a);
		share_pool_close(a->pool);
		a->pool = NULL;
		return -ENOMEM;
	}
	a->channel_source = wl_event_loop_add_fd(a->loop, libvchan_fd_for_select(vchan),
						 WL_EVENT_READABLE, on_vchan, a);
	return a->channel_source ? 0 : -ENOMEM;
}

static int on_retry(void *data)
{
	struct agent *a = data;
	int rc = link_offer(a);

	if (rc) {
		fprintf(stderr, "cannot offer the display: %s\n", strerror(-rc));
		wl_event_source_timer_update(a->retry_timer, RETRY_MS * 5);
	}
	return 0;
}

static void link_close(struct agent *a)
{
	a->is_connected = false;
	views_disconnected(a);
	tray_disconnected(a);
	if (a->channel_source) {
		wl_event_source_remove(a->channel_source);
		a->channel_source = NULL;
	}
	channel_destroy(a->channel);
	a->channel = NULL;
	ext_stop(a);
	share_pool_close(a->pool);
	a->pool = NULL;
}

static void link_lost(struct agent *a, const char *why)
{
	fprintf(stderr, "daemon lost: %s\n", why);
	seat_reset(a);
	link_close(a);
	wl_event_source_timer_update(a->retry_timer, 1);
}

int link_start(struct agent *a)
{
	a->retry_timer = wl_event_loop_add_timer(a->loop, on_retry, a);
	return a->retry_timer ? link_offer(a) : -ENOMEM;
}

void link_stop(struct agent *a)
{
	link_close(a);
}

void link_send(struct agent *a, const struct gui_message *msg)
{
	if (a->is_connected) {
		channel_send(a->channel, msg);
	}
}

bool link_is_flowing(struct agent *a)
{
	if (!a->is_connected) {
		return true;
	}
	if (channel_flush(a->channel) < 0) {
		link_lost(a, channel_reason(a->channel));
		return true;
	}
	return channel_queued(a->channel) == 0;
}

uint32_t link_minor(const struct agent *a)
{
	return a->channel ? channel_minor(a->channel) : GUI_VERSION_MINOR;
}
