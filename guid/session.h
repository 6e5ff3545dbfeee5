/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to one domain's agent: vchan, shared pages, windows, input, put
 * together on GLib's main loop. No widgets: those are behind struct windows_view.
 *
 * While the agent is away the session waits for it and connects again; its windows are
 * gone meanwhile and come back because the agent sends them again. An agent that broke
 * a rule is not listened to any more: ended() is called and the process should leave.
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
	/* The agent broke a rule; reason names message and rule. */
	void (*ended)(void *context, const char *reason);
	/* is_up: messages may come. Down: all windows were hidden before. */
	void (*connected)(void *context, gboolean is_up);
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

/* Pointer motion is sent at once or within a few milliseconds. */
void session_motion(struct session *s, uint32_t window, int32_t x, int32_t y, uint32_t state);
