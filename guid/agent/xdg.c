/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Windows and popups of Wayland programs: xdg-shell. */
#include "guid/agent/view.h"

#include <errno.h>
#include <stdlib.h>
#include <wlr/types/wlr_server_decoration.h>
#include <wlr/types/wlr_xdg_decoration_v1.h>
#include <wlr/types/wlr_xdg_shell.h>

struct agent_xdg {
	struct agent *agent;
	struct wlr_xdg_shell *shell;
	struct wl_listener new_surface, new_decoration;
};

struct xdg_window {
	struct agent *agent;
	struct agent_view *view;
	struct wlr_xdg_surface *xdg;
	struct wl_listener map, unmap, destroy, new_popup;
	/* windows only, not popups */
	struct wl_listener set_title, set_app_id, set_parent, request_fullscreen, request_maximize,
		request_minimize, commit;
	bool is_toplevel;
};

struct xdg_decoration {
	struct wlr_xdg_toplevel_decoration_v1 *decoration;
	struct wl_listener request_mode, destroy;
};

static struct xdg_window *window_of(struct agent_view *v)
{
	return v->owner;
}

static void window_close(struct agent_view *v)
{
	struct xdg_window *w = window_of(v);

	if (w->is_toplevel) {
		wlr_xdg_toplevel_send_close(w->xdg);
	} else {
		wlr_xdg_popup_destroy(w->xdg);
	}
}

static void window_configure(struct agent_view *v, struct rect rect)
{
	struct xdg_window *w = window_of(v);

	v->rect.x = rect.x;
	v->rect.y = rect.y;
	if (w->is_toplevel) {
		wlr_xdg_toplevel_set_size(w->xdg, (uint32_t)rect.width, (uint32_t)rect.height);
	}
}

static void window_activate(struct agent_view *v, bool is_active)
{
	struct xdg_window *w = window_of(v);

	if (w->is_toplevel) {
		wlr_xdg_toplevel_set_activated(w->xdg, is_active);
	}
}

static void window_set_fullscreen(struct agent_view *v, bool is_fullscreen)
{
	struct xdg_window *w = window_of(v);

	if (w->is_toplevel) {
		wlr_xdg_toplevel_set_fullscreen(w->xdg, is_fullscreen);
	}
}

static void window_dismiss(struct agent_view *v)
{
	struct xdg_window *w = window_of(v);

	if (!w->is_toplevel) {
		wlr_xdg_popup_destroy(w->xdg);
	}
}

static void window_geometry(struct agent_view *v, int32_t *x, int32_t *y, int32_t *width,
			    int32_t *height)
{
	struct wlr_box box;

	wlr_xdg_surface_get_geometry(window_of(v)->xdg, &box);
	*x = box.x;
	*y = box.y;
	*width = box.width;
	*height = box.height;
}

static const struct agent_view_kind kind = {
	window_close,	       window_configure, window_activate,
	window_set_fullscreen, window_dismiss,	 window_geometry,
};

/* A new window goes to the middle of the screen: the desktop decides the real place. */
static void place_in_middle(struct agent_view *v)
{
	struct wlr_box box;

	wlr_xdg_surface_get_geometry(window_of(v)->xdg, &box);
	v->rect.width = box.width;
	v->rect.height = box.height;
	v->rect.x = ((int32_t)v->agent->width - box.width) / 2;
	v->rect.y = ((int32_t)v->agent->height - box.height) / 2;
	v->rect.x = v->rect.x < 0 ? 0 : v->rect.x;
	v->rect.y = v->rect.y < 0 ? 0 : v->rect.y;
}

static void place_popup(struct agent_view *v)
{
	struct wlr_xdg_popup *popup = window_of(v)->xdg->popup;

	v->parent = view_of_surface(v->agent, popup->parent);
	v->rect = (struct rect){popup->geometry.x, popup->geometry.y, popup->geometry.width,
				popup->geometry.height};
	if (v->parent) {
		v->rect.x += v->parent->rect.x;
		v->rect.y += v->parent->rect.y;
	}
}

static void hints_update(struct xdg_window *w)
{
	const struct wlr_xdg_toplevel_state *s = &w->xdg->toplevel->current;
	struct gui_hints h = {.flags = 0};

	if (s->min_width && s->min_height && s->min_width <= GUI_WIDTH_MAX &&
	    s->min_height <= GUI_HEIGHT_MAX) {
		h.flags |= GUI_HINT_MIN_SIZE;
		h.min_width = s->min_width;
		h.min_height = s->min_height;
	}
	if (s->max_width && s->max_height) {
		h.flags |= GUI_HINT_MAX_SIZE;
		h.max_width = s->max_width;
		h.max_height = s->max_height;
	}
	view_set_hints(w->view, &h);
}

static void on_map(struct wl_listener *listener, void *data)
{
	struct xdg_window *w = wl_container_of(listener, w, map);
	struct agent_view *v = w->view;

	if (w->is_toplevel) {
		struct wlr_xdg_surface *parent = w->xdg->toplevel->parent;

		v->parent = parent ? view_of_surface(w->agent, parent->surface) : NULL;
		place_in_middle(v);
		view_set_title(v, w->xdg->toplevel->title);
		view_set_class(v, w->xdg->toplevel->app_id);
		hints_update(w);
	} else {
		v->is_override_redirect = true;
		place_popup(v);
	}
	view_map(v, w->xdg->surface);
	if (w->is_toplevel && w->xdg->toplevel->requested.fullscreen) {
		view_set_flags(v, GUI_FLAG_FULLSCREEN, 0);
	}
}

static void on_unmap(struct wl_listener *listener, void *data)
{
	struct xdg_window *w = wl_container_of(listener, w, unmap);

	view_unmap(w->view);
}

static void on_destroy(struct wl_listener *listener, void *data)
{
	struct xdg_window *w = wl_container_of(listener, w, destroy);

	wl_list_remove(&w->map.link);
	wl_list_remove(&w->unmap.link);
	wl_list_remove(&w->destroy.link);
	if (w->is_toplevel) {
		wl_list_remove(&w->set_title.link);
		wl_list_remove(&w->set_app_id.link);
		wl_list_remove(&w->set_parent.link);
		wl_list_remove(&w->request_fullscreen.link);
		wl_list_remove(&w->request_maximize.link);
		wl_list_remove(&w->request_minimize.link);
		wl_list_remove(&w->commit.link);
	}
	view_destroy(w->view);
	free(w);
}

static void on_set_title(struct wl_listener *listener, void *data)
{
	struct xdg_window *w = wl_container_of(listener, w, set_title);

	view_set_title(w->view, w->xdg->toplevel->title);
}

static void on_set_app_id(struct wl_listener *listener, void *data)
{
	struct xdg_window *w = wl_container_of(listener, w, set_app_id);

	view_set_class(w->view, w->xdg->toplevel->app_id);
}

static void on_set_parent(struct wl_listener *listener, void *data)
{
	struct xdg_window *w = wl_container_of(listener, w, set_parent);
	struct wlr_xdg_surface *parent = w->xdg->toplevel->parent;

	w->view->parent = parent ? view_of_surface(w->agent, parent->surface) : NULL;
}

static void on_request_fullscreen(struct wl_listener *listener, void *data)
{
	struct xdg_window *w = wl_container_of(listener, w, request_fullscreen);
	bool is_wanted = w->xdg->toplevel->requested.fullscreen;

	if (w->xdg->mapped) {
		view_set_flags(w->view, is_wanted ? GUI_FLAG_FULLSCREEN : 0,
			       is_wanted ? 0 : GUI_FLAG_FULLSCREEN);
		if (!is_wanted) {
			wlr_xdg_toplevel_set_fullscreen(w->xdg, false);
		}
	}
	wlr_xdg_surface_schedule_configure(w->xdg); /* every request is answered */
}

/* The protocol has no such thing; the user maximises through the frame. */
static void on_request_maximize(struct wl_listener *listener, void *data)
{
	struct xdg_window *w = wl_container_of(listener, w, request_maximize);

	wlr_xdg_surface_schedule_configure(w->xdg);
}

static void on_request_minimize(struct wl_listener *listener, void *data)
{
	struct xdg_window *w = wl_container_of(listener, w, request_minimize);

	view_set_flags(w->view, GUI_FLAG_MINIMIZE, 0);
}

static void on_commit(struct wl_listener *listener, void *data)
{
	struct xdg_window *w = wl_container_of(listener, w, commit);

	if (w->xdg->mapped) {
		hints_update(w);
	}
}

static void toplevel_listen(struct xdg_window *w)
{
	struct wlr_xdg_toplevel *t = w->xdg->toplevel;

	w->set_title.notify = on_set_title;
	wl_signal_add(&t->events.set_title, &w->set_title);
	w->set_app_id.notify = on_set_app_id;
	wl_signal_add(&t->events.set_app_id, &w->set_app_id);
	w->set_parent.notify = on_set_parent;
	wl_signal_add(&t->events.set_parent, &w->set_parent);
	w->request_fullscreen.notify = on_request_fullscreen;
	wl_signal_add(&t->events.request_fullscreen, &w->request_fullscreen);
	w->request_maximize.notify = on_request_maximize;
	wl_signal_add(&t->events.request_maximize, &w->request_maximize);
	w->request_minimize.notify = on_request_minimize;
	wl_signal_add(&t->events.request_minimize, &w->request_minimize);
	w->commit.notify = on_commit;
	wl_signal_add(&w->xdg->surface->events.commit, &w->commit);
}

static void on_new_surface(struct wl_listener *listener, void *data)
{
	struct agent_xdg *xdg = wl_container_of(listener, xdg, new_surface);
	struct wlr_xdg_surface *surface = data;
	struct xdg_window *w;

	if (surface->role == WLR_XDG_SURFACE_ROLE_NONE) {
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w) {
		wl_resource_post_no_memory(surface->resource);
		return;
	}
	w->agent = xdg->agent;
	w->xdg = surface;
	w->is_toplevel = surface->role == WLR_XDG_SURFACE_ROLE_TOPLEVEL;
	w->view = view_create(xdg->agent, &kind, w);
	if (!w->view) {
		free(w);
		wl_resource_post_no_memory(surface->resource);
		return;
	}
	w->map.notify = on_map;
	wl_signal_add(&surface->events.map, &w->map);
	w->unmap.notify = on_unmap;
	wl_signal_add(&surface->events.unmap, &w->unmap);
	w->destroy.notify = on_destroy;
	wl_signal_add(&surface->events.destroy, &w->destroy);
	if (w->is_toplevel) {
		toplevel_listen(w);
	}
}

static void on_decoration_mode(struct wl_listener *listener, void *data)
{
	struct xdg_decoration *d = wl_container_of(listener, d, request_mode);

	wlr_xdg_toplevel_decoration_v1_set_mode(d->decoration,
						WLR_XDG_TOPLEVEL_DECORATION_V1_MODE_SERVER_SIDE);
}

static void on_decoration_destroy(struct wl_listener *listener, void *data)
{
	struct xdg_decoration *d = wl_container_of(listener, d, destroy);

	wl_list_remove(&d->request_mode.link);
	wl_list_remove(&d->destroy.link);
	free(d);
}

/* Whoever can leave its decoration away, does: the daemon draws the frame. */
static void on_new_decoration(struct wl_listener *listener, void *data)
{
	struct wlr_xdg_toplevel_decoration_v1 *decoration = data;
	struct xdg_decoration *d = calloc(1, sizeof(*d));

	if (!d) {
		return;
	}
	d->decoration = decoration;
	d->request_mode.notify = on_decoration_mode;
	wl_signal_add(&decoration->events.request_mode, &d->request_mode);
	d->destroy.notify = on_decoration_destroy;
	wl_signal_add(&decoration->events.destroy, &d->destroy);
	on_decoration_mode(&d->request_mode, NULL);
}

int xdg_start(struct agent *a)
{
	struct agent_xdg *xdg = calloc(1, sizeof(*xdg));
	struct wlr_xdg_decoration_manager_v1 *decorations;
	struct wlr_server_decoration_manager *old_decorations;

	if (!xdg) {
		return -ENOMEM;
	}
	xdg->agent = a;
	a->xdg = xdg;
	xdg->shell = wlr_xdg_shell_create(a->display);
	decorations = wlr_xdg_decoration_manager_v1_create(a->display);
	old_decorations = wlr_server_decoration_manager_create(a->display);
	if (!xdg->shell || !decorations || !old_decorations) {
		return -ENOMEM;
	}
	wlr_server_decoration_manager_set_default_mode(old_decorations,
						       WLR_SERVER_DECORATION_MANAGER_MODE_SERVER);
	xdg->new_surface.notify = on_new_surface;
	wl_signal_add(&xdg->shell->events.new_surface, &xdg->new_surface);
	xdg->new_decoration.notify = on_new_decoration;
	wl_signal_add(&decorations->events.new_toplevel_decoration, &xdg->new_decoration);
	return 0;
}
