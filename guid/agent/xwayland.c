/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Windows of X11 programs: Xwayland, started when the first of them connects. */
#include "guid/agent/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <wlr/xwayland.h>

struct agent_xwayland {
	struct agent *agent;
	struct wlr_xwayland *server;
	struct wl_listener ready, new_surface;
};

struct x11_window {
	struct agent *agent;
	struct agent_view *view;
	struct wlr_xwayland_surface *x11;
	struct wl_listener map, unmap, destroy, request_configure, set_title, set_class,
		set_geometry, set_override_redirect, request_fullscreen, request_minimize,
		set_hints;
};

static struct x11_window *window_of(struct agent_view *v)
{
	return v->owner;
}

static void window_close(struct agent_view *v)
{
	wlr_xwayland_surface_close(window_of(v)->x11);
}

static void window_configure(struct agent_view *v, struct rect rect)
{
	struct wlr_xwayland_surface *x11 = window_of(v)->x11;

	if (rect.width < 1 || rect.width > UINT16_MAX || rect.height < 1 ||
	    rect.height > UINT16_MAX || rect.x < INT16_MIN || rect.x > INT16_MAX ||
	    rect.y < INT16_MIN || rect.y > INT16_MAX) {
		return;
	}
	v->rect.x = rect.x;
	v->rect.y = rect.y;
	if (x11->override_redirect && rect.x == x11->x && rect.y == x11->y &&
	    rect.width == x11->width && rect.height == x11->height) {
		return;
	}
	wlr_xwayland_surface_configure(x11, (int16_t)rect.x, (int16_t)rect.y, (uint16_t)rect.width,
				       (uint16_t)rect.height);
}

static void window_activate(struct agent_view *v, bool is_active)
{
	struct wlr_xwayland_surface *x11 = window_of(v)->x11;

	if (x11->override_redirect) {
		return;
	}
	wlr_xwayland_surface_activate(x11, is_active);
	if (is_active) {
		wlr_xwayland_surface_restack(x11, NULL, XCB_STACK_MODE_ABOVE);
	}
}

static void window_set_fullscreen(struct agent_view *v, bool is_fullscreen)
{
	wlr_xwayland_surface_set_fullscreen(window_of(v)->x11, is_fullscreen);
}

/* X11 menus hold a grab of their own; losing the focus makes their program close them. */
static void window_dismiss(struct agent_view *v)
{
}

static void window_geometry(struct agent_view *v, int32_t *x, int32_t *y, int32_t *width,
			    int32_t *height)
{
	*x = 0;
	*y = 0;
	*width = v->surface ? v->surface->current.width : window_of(v)->x11->width;
	*height = v->surface ? v->surface->current.height : window_of(v)->x11->height;
}

static const struct agent_view_kind kind = {
	window_close,	       window_configure, window_activate,
	window_set_fullscreen, window_dismiss,	 window_geometry,
};

static struct agent_view *parent_of(struct x11_window *w)
{
	struct wlr_xwayland_surface *parent = w->x11->parent;
	struct agent_view *focused;

	if (parent && parent->surface) {
		return view_of_surface(w->agent, parent->surface);
	}
	if (!w->x11->override_redirect) {
		return NULL;
	}
	/* Menus seldom say whose they are: the window that has the keyboard. */
	focused = view_of_surface(w->agent, w->agent->seat->keyboard_state.focused_surface);
	return focused && !focused->is_override_redirect ? focused : NULL;
}

static bool is_hint_size_ok(int32_t width, int32_t height)
{
	return width > 0 && height > 0 && width <= (int)GUI_WIDTH_MAX &&
	       height <= (int)GUI_HEIGHT_MAX;
}

static void hints_update(struct x11_window *w)
{
	const struct wlr_xwayland_surface_size_hints *s = w->x11->size_hints;
	struct gui_hints h = {.flags = 0};

	if (!s) {
		return;
	}
	if ((s->flags & GUI_HINT_MIN_SIZE) && is_hint_size_ok(s->min_width, s->min_height)) {
		h.flags |= GUI_HINT_MIN_SIZE;
		h.min_width = (uint32_t)s->min_width;
		h.min_height = (uint32_t)s->min_height;
	}
	if ((s->flags & GUI_HINT_MAX_SIZE) && s->max_width > 0 && s->max_height > 0) {
		h.flags |= GUI_HINT_MAX_SIZE;
		h.max_width = (uint32_t)s->max_width;
		h.max_height = (uint32_t)s->max_height;
	}
	if ((s->flags & GUI_HINT_INCREMENT) && is_hint_size_ok(s->width_inc, s->height_inc)) {
		h.flags |= GUI_HINT_INCREMENT;
		h.width_increment = (uint32_t)s->width_inc;
		h.height_increment = (uint32_t)s->height_inc;
	}
	if ((s->flags & GUI_HINT_BASE_SIZE) && is_hint_size_ok(s->base_width, s->base_height)) {
		h.flags |= GUI_HINT_BASE_SIZE;
		h.base_width = (uint32_t)s->base_width;
		h.base_height = (uint32_t)s->base_height;
	}
	view_set_hints(w->view, &h);
}

static void on_map(struct wl_listener *listener, void *data)
{
	struct x11_window *w = wl_container_of(listener, w, map);
	struct agent_view *v = w->view;

	v->is_override_redirect = w->x11->override_redirect;
	v->rect = (struct rect){w->x11->x, w->x11->y, w->x11->width, w->x11->height};
	v->parent = parent_of(w);
	view_set_title(v, w->x11->title);
	view_set_class(v, w->x11->class);
	hints_update(w);
	if (w->x11->surface) {
		view_map(v, w->x11->surface);
	}
}

static void on_unmap(struct wl_listener *listener, void *data)
{
	struct x11_window *w = wl_container_of(listener, w, unmap);

	view_unmap(w->view);
}

static void on_destroy(struct wl_listener *listener, void *data)
{
	struct x11_window *w = wl_container_of(listener, w, destroy);

	wl_list_remove(&w->map.link);
	wl_list_remove(&w->unmap.link);
	wl_list_remove(&w->destroy.link);
	wl_list_remove(&w->request_configure.link);
	wl_list_remove(&w->set_title.link);
	wl_list_remove(&w->set_class.link);
	wl_list_remove(&w->set_geometry.link);
	wl_list_remove(&w->set_override_redirect.link);
	wl_list_remove(&w->request_fullscreen.link);
	wl_list_remove(&w->request_minimize.link);
	wl_list_remove(&w->set_hints.link);
	view_destroy(w->view);
	free(w);
}

/* Ordinary windows are put into the middle at first, so that menus have room on all sides. */
static void on_request_configure(struct wl_listener *listener, void *data)
{
	struct x11_window *w = wl_container_of(listener, w, request_configure);
	struct wlr_xwayland_surface_configure_event *event = data;
	int16_t x = event->x, y = event->y;

	if (!w->x11->mapped && !w->x11->override_redirect && x == 0 && y == 0) {
		x = (int16_t)((int)w->agent->width > event->width
				      ? ((int)w->agent->width - event->width) / 2
				      : 0);
		y = (int16_t)((int)w->agent->height > event->height
				      ? ((int)w->agent->height - event->height) / 2
				      : 0);
	}
	wlr_xwayland_surface_configure(w->x11, x, y, event->width, event->height);
}

static void on_set_geometry(struct wl_listener *listener, void *data)
{
	struct x11_window *w = wl_container_of(listener, w, set_geometry);
	struct rect rect = w->view->rect;

	rect.x = w->x11->x;
	rect.y = w->x11->y;
	if (w->view->surface) {
		view_moved(w->view, rect); /* the size follows what is drawn */
	}
}

static void on_set_override_redirect(struct wl_listener *listener, void *data)
{
	struct x11_window *w = wl_container_of(listener, w, set_override_redirect);

	w->view->is_override_redirect = w->x11->override_redirect;
}

static void on_set_title(struct wl_listener *listener, void *data)
{
	struct x11_window *w = wl_container_of(listener, w, set_title);

	view_set_title(w->view, w->x11->title);
}

static void on_set_class(struct wl_listener *listener, void *data)
{
	struct x11_window *w = wl_container_of(listener, w, set_class);

	view_set_class(w->view, w->x11->class);
}

static void on_set_hints(struct wl_listener *listener, void *data)
{
	struct x11_window *w = wl_container_of(listener, w, set_hints);
	bool is_urgent = w->x11->hints_urgency;

	hints_update(w);
	if (is_urgent != !!(w->view->flags & GUI_FLAG_ATTENTION)) {
		view_set_flags(w->view, is_urgent ? GUI_FLAG_ATTENTION : 0,
			       is_urgent ? 0 : GUI_FLAG_ATTENTION);
	}
}

static void on_request_fullscreen(struct wl_listener *listener, void *data)
{
	struct x11_window *w = wl_container_of(listener, w, request_fullscreen);
	bool is_wanted = w->x11->fullscreen;

	wlr_xwayland_surface_set_fullscreen(w->x11, is_wanted);
	view_set_flags(w->view, is_wanted ? GUI_FLAG_FULLSCREEN : 0,
		       is_wanted ? 0 : GUI_FLAG_FULLSCREEN);
}

static void on_request_minimize(struct wl_listener *listener, void *data)
{
	struct x11_window *w = wl_container_of(listener, w, request_minimize);
	struct wlr_xwayland_minimize_event *event = data;

	view_set_flags(w->view, event->minimize ? GUI_FLAG_MINIMIZE : 0,
		       event->minimize ? 0 : GUI_FLAG_MINIMIZE);
}

static void listen_to(struct wl_signal *signal, struct wl_listener *listener,
		      wl_notify_func_t notify)
{
	listener->notify = notify;
	wl_signal_add(signal, listener);
}

static void on_new_surface(struct wl_listener *listener, void *data)
{
	struct agent_xwayland *x = wl_container_of(listener, x, new_surface);
	struct wlr_xwayland_surface *x11 = data;
	struct x11_window *w = calloc(1, sizeof(*w));

	if (!w) {
		return;
	}
	w->agent = x->agent;
	w->x11 = x11;
	w->view = view_create(x->agent, &kind, w);
	if (!w->view) {
		free(w);
		return;
	}
	listen_to(&x11->events.map, &w->map, on_map);
	listen_to(&x11->events.unmap, &w->unmap, on_unmap);
	listen_to(&x11->events.destroy, &w->destroy, on_destroy);
	listen_to(&x11->events.request_configure, &w->request_configure, on_request_configure);
	listen_to(&x11->events.set_title, &w->set_title, on_set_title);
	listen_to(&x11->events.set_class, &w->set_class, on_set_class);
	listen_to(&x11->events.set_geometry, &w->set_geometry, on_set_geometry);
	listen_to(&x11->events.set_override_redirect, &w->set_override_redirect,
		  on_set_override_redirect);
	listen_to(&x11->events.request_fullscreen, &w->request_fullscreen, on_request_fullscreen);
	listen_to(&x11->events.request_minimize, &w->request_minimize, on_request_minimize);
	listen_to(&x11->events.set_hints, &w->set_hints, on_set_hints);
}

static void on_ready(struct wl_listener *listener, void *data)
{
	struct agent_xwayland *x = wl_container_of(listener, x, ready);

	wlr_xwayland_set_seat(x->server, x->agent->seat);
}

int xwayland_start(struct agent *a)
{
	struct agent_xwayland *x = calloc(1, sizeof(*x));

	if (!x) {
		return -ENOMEM;
	}
	x->agent = a;
	x->server = wlr_xwayland_create(a->display, a->compositor, true);
	if (!x->server) {
		free(x);
		return -ENOENT;
	}
	a->xwayland = x;
	x->ready.notify = on_ready;
	wl_signal_add(&x->server->events.ready, &x->ready);
	x->new_surface.notify = on_new_surface;
	wl_signal_add(&x->server->events.new_surface, &x->new_surface);
	return 0;
}

const char *xwayland_display(const struct agent *a)
{
	return a->xwayland ? a->xwayland->server->display_name : NULL;
}

void xwayland_stop(struct agent *a)
{
	if (a->xwayland) {
		wlr_xwayland_destroy(a->xwayland->server);
		free(a->xwayland);
		a->xwayland = NULL;
	}
}
