/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/agent/view_tree.h"

#include <stdlib.h>
#include <string.h>

struct agent_surface {
	struct wl_list link;
	struct agent_view *view;
	struct wlr_surface *surface;
	struct rect place; /* in the window, as painted last */
	bool is_seen;	   /* scratch of tree_update() */
	bool is_damaged;   /* all of it, by commit damaged_seq, which has yet to be announced */
	uint32_t damaged_seq;
	struct wl_listener commit, destroy, new_subsurface;
};

void view_origin(struct agent_view *v, int32_t *x, int32_t *y)
{
	int32_t width, height;

	v->kind->geometry(v, x, y, &width, &height);
}

void view_damage(struct agent_view *v, struct rect r)
{
	pixman_region32_union_rect(&v->damage, &v->damage, r.x, r.y, (unsigned int)r.width,
				   (unsigned int)r.height);
}

static void node_remove(struct agent_surface *s)
{
	wl_list_remove(&s->commit.link);
	wl_list_remove(&s->destroy.link);
	wl_list_remove(&s->new_subsurface.link);
	wl_list_remove(&s->link);
	free(s);
}

static void on_surface_commit(struct wl_listener *listener, void *data)
{
	struct agent_surface *s = wl_container_of(listener, s, commit);

	view_committed(s->view, s);
}

static void on_surface_destroy(struct wl_listener *listener, void *data)
{
	struct agent_surface *s = wl_container_of(listener, s, destroy);
	struct agent_view *v = s->view;

	view_damage(v, s->place);
	node_remove(s);
}

static void node_add(struct agent_view *v, struct wlr_surface *surface);

static void on_new_subsurface(struct wl_listener *listener, void *data)
{
	struct agent_surface *s = wl_container_of(listener, s, new_subsurface);
	struct wlr_subsurface *sub = data;

	node_add(s->view, sub->surface);
}

static struct agent_surface *node_find(struct agent_view *v, struct wlr_surface *surface)
{
	struct agent_surface *s;

	wl_list_for_each(s, &v->surfaces, link) {
		if (s->surface == surface) {
			return s;
		}
	}
	return NULL;
}

static void node_add(struct agent_view *v, struct wlr_surface *surface)
{
	struct agent_surface *s;

	if (node_find(v, surface)) {
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		return;
	}
	s->view = v;
	s->surface = surface;
	s->commit.notify = on_surface_commit;
	wl_signal_add(&surface->events.commit, &s->commit);
	s->destroy.notify = on_surface_destroy;
	wl_signal_add(&surface->events.destroy, &s->destroy);
	s->new_subsurface.notify = on_new_subsurface;
	wl_signal_add(&surface->events.new_subsurface, &s->new_subsurface);
	wl_list_insert(v->surfaces.prev, &s->link);
	wlr_surface_send_enter(surface, v->agent->output);
}

struct tree_walk {
	struct agent_view *view;
	int32_t origin_x, origin_y, scale;
};

/* Notes where a surface is now; one that moved damages where it was and where it is. */
static void node_place(struct wlr_surface *surface, int x, int y, void *data)
{
	struct tree_walk *walk = data;
	struct agent_view *v = walk->view;
	struct rect place = {x - walk->origin_x, y - walk->origin_y, surface->current.width,
			     surface->current.height};
	struct agent_surface *s = node_find(v, surface);

	walk->scale = surface->current.scale > walk->scale ? surface->current.scale : walk->scale;
	if (!s) {
		node_add(v, surface);
		s = node_find(v, surface);
		view_damage(v, place);
		if (s) {
			s->is_damaged = true;
			s->damaged_seq = surface->current.seq;
		}
	}
	if (!s) {
		return;
	}
	s->is_seen = true;
	if (memcmp(&place, &s->place, sizeof(place)) != 0) {
		view_damage(v, s->place);
		view_damage(v, place);
		s->place = place;
	}
}

/* What the finest surface has, as far as the daemon's screen shows it and a dump may have it. */
static uint32_t scale_of(const struct agent_view *v, uint32_t finest)
{
	uint32_t scale = finest < v->agent->scale ? finest : v->agent->scale;

	while (scale > 1 && ((uint32_t)v->rect.width * scale > GUI_WIDTH_MAX ||
			     (uint32_t)v->rect.height * scale > GUI_HEIGHT_MAX)) {
		scale--;
	}
	return scale;
}

static void tree_update(struct agent_view *v)
{
	struct tree_walk walk = {.view = v, .scale = 1};
	struct agent_surface *s;

	view_origin(v, &walk.origin_x, &walk.origin_y);
	wl_list_for_each(s, &v->surfaces, link) {
		s->is_seen = false;
	}
	wlr_surface_for_each_surface(v->surface, node_place, &walk);
	wl_list_for_each(s, &v->surfaces, link) {
		if (!s->is_seen && !rect_is_empty(&s->place)) {
			view_damage(v, s->place);
			s->place = (struct rect){0, 0, 0, 0};
		}
	}
	v->scale = scale_of(v, (uint32_t)walk.scale);
}

void view_tree_start(struct agent_view *v)
{
	tree_update(v);
	view_damage(v, (struct rect){0, 0, v->rect.width, v->rect.height});
}

void view_tree_committed(struct agent_view *v, struct agent_surface *from)
{
	pixman_region32_t damage;

	tree_update(v);
	/* The commit that maps a window comes here after view_map() has painted all of it. */
	if (!from->is_damaged || from->damaged_seq != from->surface->current.seq) {
		pixman_region32_init(&damage);
		wlr_surface_get_effective_damage(from->surface, &damage);
		pixman_region32_translate(&damage, from->place.x, from->place.y);
		pixman_region32_union(&v->damage, &v->damage, &damage);
		pixman_region32_fini(&damage);
	}
	from->is_damaged = false;
}

void view_tree_end(struct agent_view *v)
{
	struct agent_surface *s, *next;

	wl_list_for_each_safe(s, next, &v->surfaces, link) {
		node_remove(s);
	}
}
