/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent: a small Wayland compositor inside of a domain, whose screen is the
 * desktop of the trusted domain.
 *
 * It draws nothing. Each window of a program (a "view") has pages shared with the
 * daemon; what a program changed is copied into them once, and told. Input comes
 * back as messages and goes into one seat. One agent for each user session; it
 * trusts its programs as a user's own and the daemon as its desktop.
 *
 * Files: main (start), link (vchan and messages), view* (windows and
 * what is in them), pixels (copying), xdg and xwayland (two kinds of windows), seat (input,
 * cursor), clipboard, notify, tray. All in one thread, on libwayland's event loop.
 */
#pragma once

#include "guid/channel.h"
#include "guid/damage.h"
#include "vchan/share.h"

#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>
#include <wayland-server-core.h>
#include <wlr/types/wlr_seat.h>

struct agent_view;
struct agent_surface;

struct agent_options {
	int peer; /* domain id of the daemon */
	bool is_xwayland_on, is_key_repeat_on;
	const char *keyboard_layout; /* XKB names, NULL for the defaults */
	uint32_t width, height;	     /* screen until the daemon tells its own */
};

struct agent {
	struct agent_options options;
	struct wl_display *display;
	struct wl_event_loop *loop;
	struct wlr_backend *backend;
	struct wlr_renderer *renderer;
	struct wlr_allocator *allocator;
	struct wlr_compositor *compositor;
	struct wlr_output *output;
	struct wlr_output_layout *layout;
	struct wlr_seat *seat;
	const char *socket_name;

	/* link */
	struct share_pool *pool;
	struct channel *channel;
	struct wl_event_source *channel_source;
	struct wl_event_source *retry_timer;
	bool is_connected;
	uint32_t width, height; /* of the daemon's screen */
	uint32_t scale;		/* pixels a unit, each way, of the daemon's finest monitor */

	/* views, in order of creation */
	struct wl_list views;
	struct wl_list buried; /* agent_grave.link: pages of views that the daemon still knows */
	uint32_t next_id;
	struct wl_event_source *frame_timer;
	bool is_frame_timer_on;
	uint64_t copied_pixels; /* for the tests: each changed pixel is copied once */

	struct agent_xdg *xdg;
	struct agent_xwayland *xwayland;
	struct agent_input *input;
	struct agent_clipboard *clipboard;
	struct agent_notify *notify;
	struct agent_tray *tray;
	struct agent_ext *ext; /* NULL: none offered */
};

/* link.c */
int link_start(struct agent *a);
void link_stop(struct agent *a);
/* What programs know of the screen is told anew. */
void link_set_scale(struct agent *a, uint32_t scale);
/* Queues a message for the daemon; dropped while there is none. */
void link_send(struct agent *a, const struct gui_message *msg);
/* False while the daemon is behind: programs had better not draw more. */
bool link_is_flowing(struct agent *a);
uint32_t link_minor(const struct agent *a);

/* ext_link.c: offers the extension, for one connection of the daemon. */
void ext_start(struct agent *a);
void ext_stop(struct agent *a);
/* The daemon tells when frames are on the screen. */
bool ext_is_up(const struct agent *a);
/* Nothing happens where the daemon does not know them. */
void ext_hide_cursor(struct agent *a, uint32_t window, bool is_hidden);
void ext_scale(struct agent *a, uint32_t window, uint32_t scale);
void ext_notify(struct agent *a, const uint8_t *summary, uint32_t summary_size, const uint8_t *text,
		uint32_t text_size);

/* notify.c: takes notifications from mullion-notifyd; without the socket there are none. */
void notify_start(struct agent *a);
void notify_stop(struct agent *a);

/* tray.c: takes tray icons from mullion-trayd; without the socket there are none. */
void tray_start(struct agent *a);
void tray_stop(struct agent *a);
/* A new daemon; a lost one. */
void tray_resend(struct agent *a);
void tray_disconnected(struct agent *a);
/* True: the window is an icon, and the click is told. */
bool tray_button(struct agent *a, uint32_t window, const struct gui_button *b);

/* xdg.c, xwayland.c, seat.c, clipboard.c: 0 or -errno. */
int xdg_start(struct agent *a);
int xwayland_start(struct agent *a);
const char *xwayland_display(const struct agent *a); /* NULL without one */
void xwayland_stop(struct agent *a);
int seat_start(struct agent *a);
int clipboard_start(struct agent *a);

/* seat.c: messages of the daemon. */
void seat_key(struct agent *a, const struct gui_key *key);
void seat_keymap(struct agent *a, const struct gui_keymap *map);
void seat_button(struct agent *a, struct agent_view *v, const struct gui_button *b);
/* In wheel clicks and parts of them. */
void seat_scroll(struct agent *a, struct agent_view *v, int32_t x, int32_t y, double dx, double dy);
/* kind: enum ext_touch_kind. */
void seat_touch(struct agent *a, struct agent_view *v, uint32_t kind, uint32_t finger, int32_t x,
		int32_t y);
/* XKB text; what does not compile changes nothing. */
void seat_set_keymap(struct agent *a, const uint8_t *bytes, uint32_t size_bytes);
void seat_motion(struct agent *a, struct agent_view *v, int32_t x, int32_t y);
void seat_leave(struct agent *a, struct agent_view *v);
void seat_focus(struct agent *a, struct agent_view *v, bool has_focus);
/* The view's surface goes away. */
void seat_forget(struct agent *a, struct agent_view *v);
/* The daemon is gone: nothing is pressed or focused any more. */
void seat_reset(struct agent *a);

/* clipboard.c: messages of the daemon. */
void clipboard_request(struct agent *a);
void clipboard_data(struct agent *a, const struct gui_clipboard *c);
