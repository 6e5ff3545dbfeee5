/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the windows of a domain and what draws them: how often, and how much at most.
 *
 * A guest may map, rename and resize as fast as it likes; the desktop is bothered once
 * a frame, with the last state, and never with more windows or pixels at a time than
 * the limits. A window over the limits waits until others go. Plain state, no clock:
 * want_tick() asks for presenter_tick() at the next frame. Not thread-safe.
 */
#pragma once

#include "guid/windows.h"

#define PRESENTER_SHOWS_AT_ONCE 8u

struct presenter_limits {
	uint32_t window_count_max; /* shown at a time, popups not counted; 0: 256 */
	uint32_t popup_count_max;  /* 0: 16 */
	uint64_t pixel_count_max;  /* of all shown windows; 0: 67108864, eight 4K screens */
};

struct presenter_view {
	void (*show)(void *context, struct window *w);
	void (*hide)(void *context, struct window *w);
	/* what: enum window_change. WINDOW_DAMAGE comes at once, the rest once a frame. */
	void (*change)(void *context, struct window *w, unsigned int what);
	void (*want_tick)(void *context);
	/* Something is not shown because of the limits; told once. */
	void (*limited)(void *context);
};

struct presenter {
	struct presenter_limits limits;
	const struct presenter_view *view;
	void *context;
	uint32_t serial, window_count, popup_count;
	uint64_t pixel_count;
	bool is_limit_told;
};

void presenter_init(struct presenter *p, const struct presenter_limits *limits,
		    const struct presenter_view *view, void *context);

/* What windows_view tells. */
void presenter_shown(struct presenter *p, struct window *w);
void presenter_hidden(struct presenter *p, struct window *w);
void presenter_changed(struct presenter *p, struct window *w, unsigned int what);

/* Does what has come together since the last one. */
void presenter_tick(struct presenter *p, struct windows *ws);
