/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to one domain's agent: vchan, shared pages, windows, input, put
 * together on GLib's main loop. No widgets: those are behind struct windows_view.
 *
 * Waits for the agent, however long. One connection for each session: when it is over,
 * ended() is called, and the process should leave, because it is confined and cannot
 * connect again; the next one gets all windows from the agent again.
 */
#pragma once

#include "guid/input.h"
#include "guid/pages.h"
#include "guid/windows.h"

#include <glib.h>

struct session;

struct session_config {
	int domain;
	struct gui_xconf screen;
	struct windows_config windows; /* minor is filled in */
};

struct session_events {
	/*
	 * The vchan is connected, nothing was read from it. Not 0: it is not read at all,
	 * and ended() is called.
	 */
	int (*confine)(void *context);
	/*
	 * The connection is over and all windows were hidden. is_rule_broken: the agent did
	 * what it may not; reason names message and rule. Otherwise it is just gone.
	 */
	void (*ended)(void *context, gboolean is_rule_broken, const char *reason);
	/* The agent has the extension: the keymap may be sent. */
	void (*extended)(void *context);
	/* A program of the guest wants to tell the user something; any bytes but NUL. */
	void (*notified)(void *context, const char *summary, const char *text);
};

/*
 * NULL and errno: there is no vchan (wrong permissions, no hypervisor, no socket folder).
 * view->dump_map, dump_unmap and send are the session's own and must be NULL.
 */
struct session *session_create(const struct session_config *config, const struct windows_view *view,
			       const struct session_events *events, void *context);
void session_destroy(struct session *s);

struct windows *session_windows(struct session *s);
struct input *session_input(struct session *s);

/* The pages of a dump of this session's windows. */
struct pages *session_pages(const struct dump *d);

/*
 * What goes over the extension when the agent has it. Scrolling is made into wheel clicks
 * otherwise; the others are dropped.
 */
/* The desktop's finest monitor has so many pixels a unit. */
void session_scale(struct session *s, uint32_t scale);
/* kind: enum ext_touch_kind. An agent that does not know fingers has the first as a pointer. */
void session_touch(struct session *s, uint32_t window, uint32_t kind, uint32_t finger, int32_t x,
		   int32_t y, uint32_t state);
void session_scroll(struct session *s, uint32_t window, double dx, double dy, int32_t x, int32_t y,
		    uint32_t state);
/* Changes of the window were drawn; told when this frame is painted. */
void session_framed(struct session *s, uint32_t window);
void session_keymap(struct session *s, const char *text);

/* Pointer motion is sent at once or within a few milliseconds. */
void session_motion(struct session *s, uint32_t window, int32_t x, int32_t y, uint32_t state);
