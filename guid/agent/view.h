/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view: one window of a program, and the pages that show it to the daemon.
 *
 * A kind of window (xdg.c, xwayland.c) owns the view and tells when it is mapped,
 * moved, renamed; this keeps the daemon's picture in step, also when the daemon
 * comes back after it was away.
 * Its parts: view_tree (surfaces and damage), view_pages, view_paint (copying, frames).
 */
#pragma once

#include "guid/agent/agent.h"

#include <wlr/types/wlr_surface.h>

#define VIEW_REGIONS_MAX 3

struct agent_view;

struct agent_view_kind {
	void (*close)(struct agent_view *v);
	/* The daemon gives the window this place; answered by a commit of that size. */
	void (*configure)(struct agent_view *v, struct rect rect);
	void (*activate)(struct agent_view *v, bool is_active);
	void (*set_fullscreen)(struct agent_view *v, bool is_fullscreen);
	/* Focus left the domain: menus close. */
	void (*dismiss)(struct agent_view *v);
	/* What of the surface is the window: without shadows. Logical pixels. */
	void (*geometry)(struct agent_view *v, int32_t *x, int32_t *y, int32_t *width,
			 int32_t *height);
};

struct agent_view {
	struct wl_list link; /* agent.views */
	struct agent *agent;
	const struct agent_view_kind *kind;
	void *owner;
	uint32_t id;
	struct wlr_surface *surface; /* NULL while not mapped */
	struct agent_view *parent;
	struct rect rect;
	bool is_override_redirect;
	bool is_created; /* the daemon knows it */
	bool is_resizing;
	char *title;
	char *class_name;
	struct gui_hints hints;
	uint32_t flags;	 /* gui_window_flag, as told last */
	uint32_t cursor; /* as told last */
	bool is_cursor_hidden;

	const struct share_region *regions[VIEW_REGIONS_MAX]; /* newest last */
	uint32_t region_count, unacknowledged;
	uint32_t dump_width, dump_height; /* in pixels */
	uint32_t scale;	     /* pixels a unit that its surfaces have: at most agent.scale */
	uint32_t scale_told; /* of the last dump, as the daemon knows it */
	bool is_dump_wanted; /* a new size waits for an acknowledgement */
	pixman_region32_t damage;
	struct wl_list surfaces; /* agent_surface.link: the tree, root included */
	bool is_frame_wanted;	 /* the program waits to draw */
	bool is_frame_pending;	 /* changes were sent that are not on the screen yet */
	uint32_t frame_sent_ms;
};

/* 0 or -ENOMEM. Before anything else of this file. */
int views_start(struct agent *a);

struct agent_view *view_create(struct agent *a, const struct agent_view_kind *kind, void *owner);
void view_destroy(struct agent_view *v);
struct agent_view *view_find(struct agent *a, uint32_t id);
struct agent_view *view_of_surface(struct agent *a, struct wlr_surface *surface);

/* rect, parent and is_override_redirect are set before. */
void view_map(struct agent_view *v, struct wlr_surface *surface);
void view_unmap(struct agent_view *v);
/* One of its surfaces was committed: view_tree.c. */
void view_committed(struct agent_view *v, struct agent_surface *from);
/* The program moved or resized its window, or changed its flag. */
void view_moved(struct agent_view *v, struct rect rect);
void view_set_title(struct agent_view *v, const char *title);
void view_set_class(struct agent_view *v, const char *class_name);
void view_set_hints(struct agent_view *v, const struct gui_hints *hints);
void view_set_flags(struct agent_view *v, uint32_t set, uint32_t unset);
void view_set_cursor(struct agent_view *v, uint32_t cursor);
void view_hide_cursor(struct agent_view *v, bool is_hidden);

/* Messages of the daemon. */
void view_acknowledged(struct agent_view *v);
/* Its changes are on the screen. */
void view_framed(struct agent_view *v);
void view_echoed(struct agent *a, uint32_t id);

/* A new daemon: tell it everything. A lost one: forget what it knew. */
void views_resend(struct agent *a);
void views_disconnected(struct agent *a);
