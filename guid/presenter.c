/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/presenter.h"

#include <string.h>

void presenter_init(struct presenter *p, const struct presenter_limits *limits,
		    const struct presenter_view *view, void *context)
{
	memset(p, 0, sizeof(*p));
	p->limits = *limits;
	if (!p->limits.window_count_max) {
		p->limits.window_count_max = 256;
	}
	if (!p->limits.popup_count_max) {
		p->limits.popup_count_max = 16;
	}
	if (!p->limits.pixel_count_max) {
		p->limits.pixel_count_max = 67108864;
	}
	p->view = view;
	p->context = context;
}

static uint64_t area(const struct window *w)
{
	return (uint64_t)w->rect.width * (uint64_t)w->rect.height;
}

void presenter_shown(struct presenter *p, struct window *w)
{
	w->is_show_wanted = true;
	w->map_serial = ++p->serial;
	p->view->want_tick(p->context);
}

static void present(struct presenter *p, struct window *w)
{
	w->is_show_wanted = false;
	w->is_presented = true;
	w->is_presented_as_popup = w->is_override_redirect;
	w->presented_pixels = area(w);
	w->pending_changes = 0;
	p->pixel_count += w->presented_pixels;
	*(w->is_presented_as_popup ? &p->popup_count : &p->window_count) += 1;
	p->view->show(p->context, w);
}

void presenter_hidden(struct presenter *p, struct window *w)
{
	w->is_show_wanted = false;
	w->pending_changes = 0;
	if (!w->is_presented) {
		return;
	}
	w->is_presented = false;
	p->pixel_count -= w->presented_pixels;
	*(w->is_presented_as_popup ? &p->popup_count : &p->window_count) -= 1;
	p->view->hide(p->context, w);
	p->view->want_tick(p->context); /* there may be room for another */
}

void presenter_changed(struct presenter *p, struct window *w, unsigned int what)
{
	if (!w->is_presented) {
		return;
	}
	if (what & WINDOW_DAMAGE) {
		p->view->change(p->context, w, WINDOW_DAMAGE);
	}
	what &= ~(unsigned int)WINDOW_DAMAGE;
	if (what) {
		w->pending_changes |= what;
		p->view->want_tick(p->context);
	}
}

static bool has_room(const struct presenter *p, const struct window *w)
{
	return p->pixel_count + area(w) <= p->limits.pixel_count_max &&
	       (w->is_override_redirect ? p->popup_count < p->limits.popup_count_max
					: p->window_count < p->limits.window_count_max);
}

/* The window that waits longest and has room; parents are mapped before their popups. */
static struct window *next_to_show(struct presenter *p, struct windows *ws)
{
	struct window *w, *best = NULL;

	for (w = windows_first(ws); w; w = w->next) {
		if (!w->is_show_wanted || (best && w->map_serial > best->map_serial)) {
			continue;
		}
		if (has_room(p, w)) {
			best = w;
		} else if (!p->is_limit_told) {
			p->is_limit_told = true;
			p->view->limited(p->context);
		}
	}
	return best;
}

/* A window that grew counts with its new size, and is taken away when that is too much. */
static void resized(struct presenter *p, struct window *w)
{
	p->pixel_count -= w->presented_pixels;
	w->presented_pixels = area(w);
	p->pixel_count += w->presented_pixels;
}

void presenter_tick(struct presenter *p, struct windows *ws)
{
	uint32_t shows;
	struct window *w;

	for (w = windows_first(ws); w; w = w->next) {
		unsigned int what = w->pending_changes;

		if (!w->is_presented || !what) {
			continue;
		}
		w->pending_changes = 0;
		if (what & WINDOW_GEOMETRY) {
			resized(p, w);
		}
		if (p->pixel_count > p->limits.pixel_count_max) {
			presenter_hidden(p, w);
			presenter_shown(p, w); /* waits for room like any other */
			continue;
		}
		p->view->change(p->context, w, what);
	}
	for (shows = 0; shows < PRESENTER_SHOWS_AT_ONCE; shows++) {
		w = next_to_show(p, ws);
		if (!w) {
			return;
		}
		present(p, w);
	}
	p->view->want_tick(p->context);
}
