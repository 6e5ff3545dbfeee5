/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/session.h"

#include "guid/channel.h"
#include "guid/ext_channel.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>

#define GUI_PORT	 6000
#define MESSAGES_AT_ONCE 128
#define RETRY_MS	 300
#define TICK_MS		 200
#define MOTION_MS	 8
#define EXT_WAIT_MS	 300 /* for the extension of an agent that is there */
#define FRAMED_MAX	 64
#define EXT_AT_ONCE	 32

struct session {
	struct session_config config;
	struct windows_view view;
	struct windows_view outer;
	struct session_events events;
	void *context;

	struct pages_pool *pool;
	libvchan_t *vchan; /* while connecting; then the channel's */
	struct channel *channel;
	struct windows *windows;
	struct input input;
	libvchan_t *ext_vchan; /* while connecting; then ext's */
	struct ext_channel *ext;
	gboolean is_ext_up;
	uint32_t ext_version; /* of the agent */
	guint ext_watch, ext_again, framed;
	uint32_t framed_windows[FRAMED_MAX];
	uint32_t framed_count;
	guint watch, retry, again, tick, motion;
	gint64 motion_sent_us;
};

static gboolean on_retry(gpointer data);

struct pages *session_pages(const struct dump *d)
{
	return d->pages;
}

struct windows *session_windows(struct session *s)
{
	return s->windows;
}

struct input *session_input(struct session *s)
{
	return &s->input;
}

/* ---- what the windows need ---- */

static int view_dump_map(void *context, const struct gui_dump *dump, void **out)
{
	struct session *s = context;
	g_autofree uint32_t *refs = g_try_new(uint32_t, dump->ref_count);
	struct pages *pages;
	uint32_t i;
	int rc;

	if (!refs) {
		return -ENOMEM;
	}
	for (i = 0; i < dump->ref_count; i++) {
		refs[i] = proto_dump_ref(dump, i);
	}
	rc = pages_map(s->pool, refs, dump->ref_count, &pages);
	if (rc && (pages_is_peer_gone(s->pool) ||
		   libvchan_is_open(channel_vchan(s->channel)) == VCHAN_DISCONNECTED)) {
		return -EPIPE; /* an agent that died took its pages with it: no rule was broken */
	}
	if (rc) {
		return rc;
	}
	*out = pages;
	return 0;
}

static void view_dump_unmap(void *context, void *pages)
{
	pages_unref(pages);
}

static void view_send(void *context, const struct gui_message *msg)
{
	struct session *s = context;

	if (s->channel) {
		channel_send(s->channel, msg);
	}
}

static void view_shown(void *context, struct window *w)
{
	struct session *s = context;

	s->outer.shown(s->context, w);
}

static void view_hidden(void *context, struct window *w)
{
	struct session *s = context;

	input_forget(&s->input, w->id);
	s->outer.hidden(s->context, w);
}

static void view_changed(void *context, struct window *w, unsigned int what)
{
	struct session *s = context;

	s->outer.changed(s->context, w, what);
}

static void view_docked(void *context, struct window *w)
{
	struct session *s = context;

	s->outer.docked(s->context, w);
}

static void view_ask_fullscreen(void *context, struct window *w)
{
	struct session *s = context;

	s->outer.ask_fullscreen(s->context, w);
}

static void view_clipboard(void *context, const uint8_t *bytes, uint32_t size_bytes)
{
	struct session *s = context;

	s->outer.clipboard(s->context, bytes, size_bytes);
}

static void view_notice(void *context, enum windows_notice notice)
{
	struct session *s = context;

	s->outer.notice(s->context, notice);
}

static const struct windows_view session_view = {
	.dump_map = view_dump_map,
	.dump_unmap = view_dump_unmap,
	.shown = view_shown,
	.hidden = view_hidden,
	.changed = view_changed,
	.docked = view_docked,
	.ask_fullscreen = view_ask_fullscreen,
	.clipboard = view_clipboard,
	.notice = view_notice,
	.send = view_send,
};

/* ---- connecting ---- */

static void source_clear(guint *id)
{
	if (*id) {
		g_source_remove(*id);
		*id = 0;
	}
}

static void ext_end(struct session *s)
{
	source_clear(&s->ext_watch);
	source_clear(&s->ext_again);
	source_clear(&s->framed);
	s->framed_count = 0;
	s->is_ext_up = FALSE;
	ext_channel_destroy(s->ext);
	s->ext = NULL;
	libvchan_close(s->ext_vchan);
	s->ext_vchan = NULL;
}

static void disconnect(struct session *s)
{
	ext_end(s);
	source_clear(&s->watch);
	source_clear(&s->again);
	windows_reset(s->windows, GUI_VERSION_MINOR);
	channel_destroy(s->channel);
	s->channel = NULL;
	libvchan_close(s->vchan);
	s->vchan = NULL;
	pages_pool_close(s->pool);
	s->pool = NULL;
}

static void lost(struct session *s, int error, const char *reason)
{
	g_autofree char *words = g_strdup(reason);
	gboolean was_connected = s->channel != NULL;

	disconnect(s);
	if (!was_connected && error == -EPIPE) {
		s->retry = g_timeout_add(RETRY_MS, on_retry, s);
		return;
	}
	s->events.ended(s->context, error != -EPIPE, words);
}

static gboolean on_again(gpointer data);

static void read_some(struct session *s)
{
	int rc = channel_read(s->channel, MESSAGES_AT_ONCE);
	int flushed = channel_flush(s->channel);

	if (rc < 0 || flushed < 0) {
		lost(s, rc < 0 ? rc : flushed, channel_reason(s->channel));
		return;
	}
	/* Below drawing: a guest that floods us does not keep its own windows from the screen. */
	if (rc > 0 && !s->again) {
		s->again = g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, on_again, s, NULL);
	}
}

static gboolean on_again(gpointer data)
{
	struct session *s = data;

	s->again = 0;
	read_some(s);
	return G_SOURCE_REMOVE;
}

static gboolean on_vchan(gint fd, GIOCondition condition, gpointer data)
{
	struct session *s = data;

	if (libvchan_wait(channel_vchan(s->channel)) < 0) {
		s->watch = 0;
		lost(s, -EPIPE, "vchan");
		return G_SOURCE_REMOVE;
	}
	if (!s->again) {
		read_some(s);
	}
	return s->watch ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static int on_connected(void *context, uint32_t minor, const struct gui_xconf *conf)
{
	struct session *s = context;

	windows_reset(s->windows, minor);
	return 0;
}

static int on_message(void *context, const struct gui_message *msg, const char **rule)
{
	struct session *s = context;

	return windows_handle(s->windows, msg, rule);
}

static const struct channel_handler handler = {on_connected, on_message};

static void ext_notify(struct session *s, const struct ext_notify *n)
{
	/* Up to a NUL that should not be there. */
	g_autofree char *summary = g_strndup((const char *)n->summary, n->summary_size);
	g_autofree char *text = g_strndup((const char *)n->text, n->text_size);

	s->events.notified(s->context, summary, text);
}

/* False: an agent does not say this, or not now. */
static bool ext_handle(struct session *s, const struct ext_message *m)
{
	struct window *w;

	if ((m->type == EXT_HELLO) == s->is_ext_up) {
		return false; /* once, and first */
	}
	switch (m->type) {
	case EXT_HELLO:
		s->is_ext_up = TRUE;
		s->ext_version = m->version;
		s->events.extended(s->context);
		return true;
	case EXT_CURSOR:
		w = windows_find(s->windows, m->window);
		if (w) { /* the other vchan may be ahead: the window may be gone */
			windows_hide_cursor(s->windows, w, m->is_cursor_hidden);
		}
		return true;
	case EXT_SCALE:
		w = windows_find(s->windows, m->window);
		if (w) {
			windows_set_scale(s->windows, w, m->scale);
		}
		return true;
	case EXT_NOTIFY:
		ext_notify(s, &m->notify);
		return true;
	default:
		return false;
	}
}

static gboolean on_ext_again(gpointer data);

/* False: the extension is over, and the display goes on without. */
static bool ext_read_some(struct session *s)
{
	struct ext_message m;
	int i, rc = 1;

	for (i = 0; i < EXT_AT_ONCE && rc > 0; i++) {
		rc = ext_channel_read(s->ext, &m);
		if (rc > 0 && !ext_handle(s, &m)) {
			rc = -EPROTO;
		}
		if (!s->ext) {
			return false; /* an answer could not be sent */
		}
	}
	if (rc > 0 && !s->ext_again) {
		/* Below drawing, as for the display's own messages. */
		s->ext_again = g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, on_ext_again, s, NULL);
	}
	if (rc < 0 || ext_channel_flush(s->ext)) {
		ext_end(s);
		return false;
	}
	return true;
}

static gboolean on_ext_again(gpointer data)
{
	struct session *s = data;

	s->ext_again = 0;
	ext_read_some(s);
	return G_SOURCE_REMOVE;
}

static gboolean on_ext(gint fd, GIOCondition condition, gpointer data)
{
	struct session *s = data;

	if (libvchan_wait(ext_channel_vchan(s->ext)) < 0) {
		ext_end(s);
		return G_SOURCE_CONTINUE; /* it is no source any more */
	}
	if (!s->ext_again) {
		ext_read_some(s);
	}
	return G_SOURCE_CONTINUE;
}

/*
 * The agent offers the extension before the display, so it is there now or never. This is
 * the last moment to connect.
 */
static void ext_connect(struct session *s)
{
	const struct ext_message hello = {.type = EXT_HELLO, .version = EXT_VERSION};
	gint64 end = g_get_monotonic_time() + EXT_WAIT_MS * 1000;
	EVTCHN fd = -1;
	int rc = 1;

	s->ext_vchan = libvchan_client_init_async(s->config.domain, EXT_PORT, &fd);
	while (s->ext_vchan && rc > 0) {
		GPollFD poll = {fd, G_IO_IN, 0};
		gint64 left = (end - g_get_monotonic_time()) / 1000;

		if (left <= 0 || g_poll(&poll, 1, (gint)left) <= 0) {
			break;
		}
		rc = libvchan_client_init_async_finish(s->ext_vchan, false);
	}
	if (rc != 0) {
		libvchan_close(s->ext_vchan);
		s->ext_vchan = NULL;
		return;
	}
	s->ext = ext_channel_create(s->ext_vchan);
	s->ext_vchan = NULL;
	if (!s->ext || ext_channel_send(s->ext, &hello)) {
		ext_end(s);
		return;
	}
	s->ext_watch = g_unix_fd_add(libvchan_fd_for_select(ext_channel_vchan(s->ext)), G_IO_IN,
				     on_ext, s);
}

static void connected(struct session *s)
{
	ext_connect(s);
	s->channel = channel_create(s->vchan, GUI_FROM_AGENT, &s->config.screen, &handler, s);
	if (!s->channel) {
		lost(s, -EPIPE, "memory");
		return;
	}
	s->vchan = NULL; /* the channel's now */
	if (s->events.confine(s->context)) {
		lost(s, -EPERM, "confinement: this process can give up its rights");
		return;
	}
	input_init(&s->input, view_send, s);
	s->watch = g_unix_fd_add_full(G_PRIORITY_DEFAULT,
				      libvchan_fd_for_select(channel_vchan(s->channel)), G_IO_IN,
				      on_vchan, s, NULL);
	read_some(s);
}

static gboolean on_connecting(gint fd, GIOCondition condition, gpointer data)
{
	struct session *s = data;
	int rc = libvchan_client_init_async_finish(s->vchan, false);

	if (rc > 0) {
		return G_SOURCE_CONTINUE;
	}
	s->watch = 0;
	if (rc < 0) {
		lost(s, -EPIPE, "vchan");
	} else {
		connected(s);
	}
	return G_SOURCE_REMOVE;
}

/* The side that maps pages is there before the vchan connects: the rule of share.h. */
static int connect_start(struct session *s)
{
	EVTCHN fd = -1;

	s->pool = pages_pool_open(s->config.domain, GUI_PORT,
				  s->config.windows.limits.page_count_max);
	if (!s->pool) {
		return -errno;
	}
	s->vchan = libvchan_client_init_async(s->config.domain, GUI_PORT, &fd);
	if (!s->vchan) {
		int rc = -errno;

		pages_pool_close(s->pool);
		s->pool = NULL;
		return rc;
	}
	s->watch = g_unix_fd_add(fd, G_IO_IN, on_connecting, s);
	return 0;
}

static gboolean on_retry(gpointer data)
{
	struct session *s = data;

	s->retry = 0;
	if (connect_start(s)) {
		s->retry = g_timeout_add(RETRY_MS, on_retry, s);
	}
	return G_SOURCE_REMOVE;
}

static gboolean on_tick(gpointer data)
{
	struct session *s = data;

	windows_tick(s->windows, g_get_monotonic_time());
	return G_SOURCE_CONTINUE;
}

struct session *session_create(const struct session_config *config, const struct windows_view *view,
			       const struct session_events *events, void *context)
{
	struct session *s = g_new0(struct session, 1);
	int rc;

	s->config = *config;
	if (!s->config.windows.limits.page_count_max) {
		s->config.windows.limits.page_count_max = 262144;
	}
	s->config.windows.minor = GUI_VERSION_MINOR;
	s->view = session_view;
	s->outer = *view;
	s->events = *events;
	s->context = context;
	input_init(&s->input, view_send, s);
	s->windows = windows_create(&s->config.windows, &s->view, s);
	rc = s->windows ? connect_start(s) : -ENOMEM;
	if (rc) {
		windows_destroy(s->windows);
		g_free(s);
		errno = -rc;
		return NULL;
	}
	s->tick = g_timeout_add(TICK_MS, on_tick, s);
	return s;
}

void session_destroy(struct session *s)
{
	if (!s) {
		return;
	}
	source_clear(&s->retry);
	source_clear(&s->tick);
	source_clear(&s->motion);
	disconnect(s);
	windows_destroy(s->windows);
	g_free(s);
}

static gboolean on_motion(gpointer data)
{
	struct session *s = data;

	s->motion = 0;
	s->motion_sent_us = g_get_monotonic_time();
	input_flush(&s->input);
	return G_SOURCE_REMOVE;
}

void session_motion(struct session *s, uint32_t window, int32_t x, int32_t y, uint32_t state)
{
	input_motion(&s->input, window, x, y, state);
	if (s->motion) {
		return;
	}
	if (g_get_monotonic_time() - s->motion_sent_us >= MOTION_MS * 1000) {
		on_motion(s);
	} else {
		s->motion = g_timeout_add(MOTION_MS, on_motion, s);
	}
}

static void ext_send(struct session *s, const struct ext_message *m)
{
	if (s->is_ext_up && ext_channel_send(s->ext, m)) {
		ext_end(s);
	}
}

void session_scroll(struct session *s, uint32_t window, double dx, double dy, int32_t x, int32_t y,
		    uint32_t state)
{
	struct ext_message m = {.type = EXT_SCROLL, .window = window};

	if (!s->is_ext_up) {
		input_scroll(&s->input, window, dx, dy, x, y, state);
		return;
	}
	if (!(dx > -1000 && dx < 1000 && dy > -1000 && dy < 1000)) {
		return; /* not a number, or not a person */
	}
	input_motion(&s->input, window, x, y, state);
	input_flush(&s->input);
	m.scroll.x = x;
	m.scroll.y = y;
	m.scroll.dx = (int32_t)(dx * EXT_SCROLL_ONE);
	m.scroll.dy = (int32_t)(dy * EXT_SCROLL_ONE);
	ext_send(s, &m);
}

static void touch_as_pointer(struct session *s, uint32_t window, const struct ext_touch *t,
			     uint32_t state)
{
	if (t->finger) {
		return;
	}
	if (t->kind == EXT_TOUCH_MOTION) {
		session_motion(s, window, t->x, t->y, state);
	} else {
		input_button(&s->input, window, 1, t->kind == EXT_TOUCH_DOWN, t->x, t->y, state);
	}
}

void session_touch(struct session *s, uint32_t window, uint32_t kind, uint32_t finger, int32_t x,
		   int32_t y, uint32_t state)
{
	const struct ext_message m = {
		.type = EXT_TOUCH, .window = window, .touch = {kind, finger, x, y}};

	if (s->is_ext_up && s->ext_version >= 3) {
		ext_send(s, &m);
	} else {
		touch_as_pointer(s, window, &m.touch, state);
	}
}

void session_scale(struct session *s, uint32_t scale)
{
	const struct ext_message m = {.type = EXT_SCALE, .scale = CLAMP(scale, 1, EXT_SCALE_MAX)};

	if (s->ext_version >= 3) {
		ext_send(s, &m);
	}
}

static gboolean on_framed(gpointer data)
{
	struct session *s = data;
	uint32_t i;

	s->framed = 0;
	for (i = 0; i < s->framed_count && s->is_ext_up; i++) {
		const struct ext_message m = {.type = EXT_FRAME, .window = s->framed_windows[i]};

		ext_send(s, &m);
	}
	s->framed_count = 0;
	return G_SOURCE_REMOVE;
}

void session_framed(struct session *s, uint32_t window)
{
	if (!s->is_ext_up || s->framed_count == FRAMED_MAX) {
		return; /* a guest that is not told goes on by its own clock */
	}
	s->framed_windows[s->framed_count++] = window;
	if (!s->framed) {
		/* Comes after the painting of this frame, before anything of lower priority. */
		s->framed = g_idle_add_full(G_PRIORITY_HIGH, on_framed, s, NULL);
	}
}

void session_keymap(struct session *s, const char *text)
{
	struct ext_message m = {.type = EXT_KEYMAP};

	m.keymap.bytes = (const uint8_t *)text;
	m.keymap.size_bytes = (uint32_t)strlen(text);
	if (m.keymap.size_bytes >= 1 && m.keymap.size_bytes <= EXT_KEYMAP_MAX) {
		ext_send(s, &m);
	}
}
