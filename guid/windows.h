/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The windows of one domain as plain state, and every rule about them.
 *
 * Above this lies a view (GTK in the daemon, a recorder in the tests), which gets
 * told what to show through struct windows_view and calls the windows_user_*()
 * functions for what the person at the screen does. Below lies the protocol:
 * messages of the agent come in through windows_handle(), messages to it leave
 * through view->send(). Whatever an agent sends, this keeps:
 *
 *  - at most window_count_max windows and page_count_max pages mapped;
 *  - a message for a window that does not exist ends the connection (from minor
 *    6 on; before, it is ignored), window 0 aside, which is the whole screen;
 *  - a window without a dump of its own is cut out of the dump of window 0;
 *  - an override-redirect window that covers more than 90 % of the work area is
 *    an ordinary window; others are pulled back into the work area;
 *  - titles and classes are sanitised, sizes are at least 1 x 1;
 *  - clipboard data counts only as the answer to one request of the user;
 *  - fullscreen happens after the user said yes once for this domain;
 *  - damage is accumulated, never queued: the view takes it once a frame.
 *
 * Not thread-safe; no I/O. Times are in microseconds of one monotonic clock.
 */
#pragma once

#include "guid/damage.h"
#include "guid/proto.h"

#include <stdbool.h>
#include <stdint.h>

#define WINDOWS_SCREEN		  0u /* the id of the whole screen */
#define WINDOWS_TITLE_SIZE	  256
#define WINDOWS_RESIZE_TIMEOUT_US 500000

struct windows_limits {
	uint32_t window_count_max; /* 0: 1024 */
	uint32_t page_count_max;   /* sum of all dumps; 0: 262144 (1 GiB) */
};

struct windows_config {
	struct windows_limits limits;
	uint32_t minor;	       /* of the protocol, as negotiated */
	struct rect work_area; /* of the screen, in the guest's pixels */
	bool is_utf8_allowed;  /* titles */
	/*
	 * The desktop places popups and keeps them on the screen (Wayland): positions are
	 * only meaningful relative to the parent, so here they may leave the work area by
	 * its own size.
	 */
	bool is_placed_by_desktop;
};

/* Which parts of a window are new, for view->changed(). */
enum window_change {
	WINDOW_GEOMETRY = 1 << 0, /* position, or a size that the guest chose */
	WINDOW_TITLE = 1 << 1,
	WINDOW_CLASS = 1 << 2,
	WINDOW_HINTS = 1 << 3,
	WINDOW_CURSOR = 1 << 4,
	WINDOW_FULLSCREEN = 1 << 5,
	WINDOW_ATTENTION = 1 << 6,
	WINDOW_MINIMIZE = 1 << 7,
	WINDOW_CONTENT = 1 << 8, /* another dump: all of it is new */
	WINDOW_DAMAGE = 1 << 9,	 /* the damage is no longer empty */
};

enum windows_notice {
	NOTICE_CLIPBOARD_TOO_LARGE,
	NOTICE_MEMORY_LIMIT, /* a dump was refused; told once for a connection */
};

/* Pixels that the guest shares. Mapped by the view, counted here. */
struct dump {
	uint32_t width, height;
	uint32_t page_count;
	uint32_t scale; /* pixels for each unit of the window, each way; 0 is 1 */
	void *pages;	/* whatever view->dump_map() gave */
};

struct window {
	uint32_t id;
	struct rect rect; /* in the guest's coordinates */
	uint32_t parent, transient_for;
	bool is_override_redirect; /* after the rules, not as the guest wants it */
	bool wants_override_redirect;
	bool is_mapped;
	bool is_docked;
	bool is_fullscreen;
	bool wants_fullscreen;
	bool wants_attention;
	bool is_minimized;
	bool is_alive; /* created and not destroyed; false for the implicit window 0 */
	char title[WINDOWS_TITLE_SIZE];
	char class_name[64];
	struct gui_hints hints;
	uint32_t cursor;
	bool is_cursor_hidden;
	struct dump dump;    /* own pixels; page_count 0: none */
	uint32_t next_scale; /* of the next dump; 0: as it is */
	struct damage damage;

	/* resizing by the user: one request on the wire at a time */
	uint32_t wanted_width, wanted_height;
	bool is_resize_sent, is_resize_waiting;
	int64_t resize_sent_us;

	/* the presenter's, see presenter.h */
	bool is_show_wanted, is_presented, is_presented_as_popup;
	unsigned int pending_changes;
	uint32_t map_serial;
	uint64_t presented_pixels;

	void *view; /* the view's own */
	struct window *next;
};

struct windows_view {
	/*
	 * Maps the pages of a dump, read-only. 0 and *out, or -errno: the agent gave
	 * references that are not its own, and the connection ends. -EPIPE: it is gone.
	 */
	int (*dump_map)(void *context, const struct gui_dump *dump, void **out);
	/* Never called with the view still told to show these pages. */
	void (*dump_unmap)(void *context, void *pages);
	/* The window became visible: all its fields are valid. */
	void (*shown)(void *context, struct window *w);
	void (*hidden)(void *context, struct window *w);
	/* Only for windows that are shown. `what`: enum window_change. */
	void (*changed)(void *context, struct window *w, unsigned int what);
	/* A window is a tray icon now; its pixels are the icon. */
	void (*docked)(void *context, struct window *w);
	void (*ask_fullscreen)(void *context, struct window *w);
	void (*clipboard)(void *context, const uint8_t *bytes, uint32_t size_bytes);
	void (*notice)(void *context, enum windows_notice notice);
	void (*send)(void *context, const struct gui_message *msg);
};

struct windows;

/* The view and its context live longer than the result. NULL when memory is out. */
struct windows *windows_create(const struct windows_config *config, const struct windows_view *view,
			       void *context);

/* Hides everything that is shown, unmaps, frees. NULL is allowed. */
void windows_destroy(struct windows *ws);

/*
 * A message of the agent. 0, or the connection must end: -EPROTO for a broken rule,
 * -ENOSPC for too many windows, what dump_map() returned; *rule says it in words.
 */
int windows_handle(struct windows *ws, const struct gui_message *msg, const char **rule);

/* Lost agent: everything is hidden and forgotten, as if all windows were destroyed. */
void windows_reset(struct windows *ws, uint32_t minor);

/* What came beside the protocol: the guest hides the pointer over this window. */
void windows_hide_cursor(struct windows *ws, struct window *w, bool is_hidden);

/*
 * The same: so many pixels a unit, each way, from the next dump on; at once where the present
 * one has that size already, for it may be the one that was meant.
 */
void windows_set_scale(struct windows *ws, struct window *w, uint32_t scale);

struct window *windows_find(struct windows *ws, uint32_t id);
uint32_t windows_count(const struct windows *ws);
uint32_t windows_page_count(const struct windows *ws);
/* First of all windows; follow ->next. */
struct window *windows_first(struct windows *ws);

/*
 * Where a window's pixels are: a dump, and the part of it, in pixels. False: nowhere yet. The
 * part always lies inside of the dump; it may be smaller than the window. dump_out->scale is
 * how many of the pixels are one unit of the window: 1 or more.
 */
bool windows_content(struct windows *ws, struct window *w, struct dump *dump_out,
		     struct rect *part_out);

/* What a popup is placed against: its parent on the screen, or NULL. */
struct window *windows_anchor(struct windows *ws, const struct window *w);

/* Moves the damage out, for a frame; coordinates are the window's. */
void windows_take_damage(struct window *w, struct damage *out);

void windows_set_work_area(struct windows *ws, struct rect work_area);

/* The user gave the window this size; repeated calls are joined until the guest answered. */
void windows_user_resize(struct windows *ws, struct window *w, uint32_t width, uint32_t height,
			 int64_t now_us);
/* Gives up waiting for guests that do not answer a resize. Call it now and then. */
void windows_tick(struct windows *ws, int64_t now_us);
void windows_user_close(struct windows *ws, struct window *w);
/* The window of ask_fullscreen(), until it is answered or hidden; NULL: no question is open. */
struct window *windows_asked(struct windows *ws);
/* The answer to ask_fullscreen(), for all windows of this domain from now on. */
void windows_answer_fullscreen(struct windows *ws, bool is_allowed);
void windows_user_left_fullscreen(struct windows *ws, struct window *w);
void windows_user_minimize(struct windows *ws, struct window *w, bool is_minimized);
/* Asks the guest for its clipboard; the next CLIPBOARD_DATA is then accepted. */
void windows_user_copy(struct windows *ws, struct window *w);
void windows_user_paste(struct windows *ws, const uint8_t *bytes, uint32_t size_bytes);
