/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/agent/view.h"

#include "guid/agent/pixels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAME_MS     16
#define FRAME_MS_MAX 100 /* of a window that the desktop does not draw: behind others */

/* One surface of a view's tree: the root, or a subsurface. */
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

/* Pages of a destroyed view, until the daemon has said that it forgot the window. */
struct agent_grave {
	struct wl_list link;
	uint32_t id;
	const struct share_region *regions[VIEW_REGIONS_MAX];
	uint32_t region_count;
};

static uint32_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static void send_bare(struct agent_view *v, enum gui_type type)
{
	const struct gui_message m = {.type = type, .window = v->id};

	link_send(v->agent, &m);
}

struct agent_view *view_find(struct agent *a, uint32_t id)
{
	struct agent_view *v;

	wl_list_for_each(v, &a->views, link) {
		if (v->id == id) {
			return v;
		}
	}
	return NULL;
}

struct agent_view *view_of_surface(struct agent *a, struct wlr_surface *surface)
{
	struct wlr_surface *root = surface ? wlr_surface_get_root_surface(surface) : NULL;
	struct agent_view *v;

	wl_list_for_each(v, &a->views, link) {
		if (root && v->surface == root) {
			return v;
		}
	}
	return NULL;
}

struct agent_view *view_create(struct agent *a, const struct agent_view_kind *kind, void *owner)
{
	struct agent_view *v = calloc(1, sizeof(*v));

	if (!v) {
		return NULL;
	}
	v->agent = a;
	v->kind = kind;
	v->owner = owner;
	v->id = a->next_id++;
	v->rect = (struct rect){0, 0, 1, 1};
	pixman_region32_init(&v->damage);
	wl_list_init(&v->surfaces);
	wl_list_insert(a->views.prev, &v->link);
	return v;
}

/* ---- pages ---- */

static void regions_drop(struct agent_view *v, uint32_t keep)
{
	uint32_t drop = v->region_count > keep ? v->region_count - keep : 0;
	uint32_t i;

	for (i = 0; i < drop; i++) {
		share_destroy(v->agent->pool, v->regions[i]);
	}
	memmove(v->regions, v->regions + drop, (v->region_count - drop) * sizeof(v->regions[0]));
	v->region_count -= drop;
}

/* The pages stay while the daemon may still read a message that names them. */
static void regions_bury(struct agent_view *v)
{
	struct agent_grave *g = v->region_count ? calloc(1, sizeof(*g)) : NULL;

	if (!g || link_minor(v->agent) < 5 || !v->is_created) {
		free(g);
		regions_drop(v, 0);
		return;
	}
	g->id = v->id;
	memcpy(g->regions, v->regions, sizeof(g->regions));
	g->region_count = v->region_count;
	v->region_count = 0;
	wl_list_insert(&v->agent->buried, &g->link);
}

static void grave_empty(struct agent *a, struct agent_grave *g)
{
	uint32_t i;

	for (i = 0; i < g->region_count; i++) {
		share_destroy(a->pool, g->regions[i]);
	}
	wl_list_remove(&g->link);
	free(g);
}

void view_echoed(struct agent *a, uint32_t id)
{
	struct agent_grave *g, *next;

	wl_list_for_each_safe(g, next, &a->buried, link) {
		if (g->id == id) {
			grave_empty(a, g);
		}
	}
}

/* Ids of pages as the wire has them; the region's own array is in host order. */
static void dump_send(struct agent_view *v)
{
	const struct share_region *r = v->regions[v->region_count - 1];
	struct gui_message m = {.type = GUI_WINDOW_DUMP, .window = v->id};
	uint8_t *refs = malloc((size_t)r->page_count * 4);
	struct wire_out out = wire_out_of(refs, (size_t)r->page_count * 4);
	uint32_t i;

	if (!refs) {
		return;
	}
	for (i = 0; i < r->page_count; i++) {
		wire_put_u32le(&out, r->refs[i]);
	}
	m.dump.width = v->dump_width;
	m.dump.height = v->dump_height;
	m.dump.ref_count = r->page_count;
	m.dump.refs = refs;
	v->unacknowledged++;
	link_send(v->agent, &m);
	free(refs);
}

/* Pages for the present size. False: not now, is_dump_wanted remembers it. */
static bool pages_prepare(struct agent_view *v)
{
	uint32_t width = (uint32_t)v->rect.width, height = (uint32_t)v->rect.height;
	const struct share_region *region;
	int rc;

	if (v->region_count && v->dump_width == width && v->dump_height == height) {
		return true;
	}
	if (v->region_count == VIEW_REGIONS_MAX) {
		v->is_dump_wanted = true;
		return false;
	}
	rc = share_create(v->agent->pool, proto_dump_pages(width, height), false, &region);
	if (rc) {
		fprintf(stderr, "window %u: no shared pages for %u x %u: %s\n", v->id, width,
			height, strerror(-rc));
		return false;
	}
	v->regions[v->region_count++] = region;
	v->dump_width = width;
	v->dump_height = height;
	v->is_dump_wanted = false;
	pixman_region32_clear(&v->damage);
	pixman_region32_union_rect(&v->damage, &v->damage, 0, 0, width, height);
	if (link_minor(v->agent) < 7) {
		regions_drop(v, VIEW_REGIONS_MAX - 1);
	}
	return true;
}

/* ---- the tree of surfaces ---- */

static void origin(struct agent_view *v, int32_t *x, int32_t *y)
{
	int32_t width, height;

	v->kind->geometry(v, x, y, &width, &height);
}

static void damage_rect(struct agent_view *v, struct rect r)
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

static void view_committed(struct agent_view *v, struct agent_surface *from);

static void on_surface_commit(struct wl_listener *listener, void *data)
{
	struct agent_surface *s = wl_container_of(listener, s, commit);

	view_committed(s->view, s);
}

static void on_surface_destroy(struct wl_listener *listener, void *data)
{
	struct agent_surface *s = wl_container_of(listener, s, destroy);
	struct agent_view *v = s->view;

	damage_rect(v, s->place);
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
	int32_t origin_x, origin_y;
	pixman_image_t *to;
	bool is_base;
};

/* Notes where a surface is now; one that moved damages where it was and where it is. */
static void node_place(struct wlr_surface *surface, int x, int y, void *data)
{
	struct tree_walk *walk = data;
	struct agent_view *v = walk->view;
	struct rect place = {x - walk->origin_x, y - walk->origin_y, surface->current.width,
			     surface->current.height};
	struct agent_surface *s = node_find(v, surface);

	if (!s) {
		node_add(v, surface);
		s = node_find(v, surface);
		damage_rect(v, place);
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
		damage_rect(v, s->place);
		damage_rect(v, place);
		s->place = place;
	}
}

static void tree_update(struct agent_view *v)
{
	struct tree_walk walk = {.view = v};
	struct agent_surface *s;

	origin(v, &walk.origin_x, &walk.origin_y);
	wl_list_for_each(s, &v->surfaces, link) {
		s->is_seen = false;
	}
	wlr_surface_for_each_surface(v->surface, node_place, &walk);
	wl_list_for_each(s, &v->surfaces, link) {
		if (!s->is_seen && !rect_is_empty(&s->place)) {
			damage_rect(v, s->place);
			s->place = (struct rect){0, 0, 0, 0};
		}
	}
}

static void paint_surface(struct wlr_surface *surface, int x, int y, void *data)
{
	struct tree_walk *walk = data;
	struct agent_view *v = walk->view;

	v->agent->copied_pixels += pixels_copy(surface, x - walk->origin_x, y - walk->origin_y,
					       walk->is_base, &v->damage, walk->to);
	walk->is_base = false;
}

/*
 * Pages have no transparency. Where a menu has some (round corners, its shadow), what lies
 * below it in its parent is put there first, or grey where that ends.
 */
static bool underlay(struct agent_view *v, pixman_image_t *to)
{
	static const pixman_color_t grey = {0x9000, 0x9000, 0x9000, 0xffff};
	struct agent_view *p = v->parent;
	pixman_image_t *from;

	if (!v->is_override_redirect || !p || !p->region_count) {
		return false;
	}
	pixman_image_set_clip_region32(to, &v->damage);
	from = pixman_image_create_solid_fill(&grey);
	if (from) {
		pixman_image_composite32(PIXMAN_OP_SRC, from, NULL, to, 0, 0, 0, 0, 0, 0,
					 (int)v->dump_width, (int)v->dump_height);
		pixman_image_unref(from);
	}
	from = pixman_image_create_bits_no_clear(
		PIXMAN_x8r8g8b8, (int)p->dump_width, (int)p->dump_height,
		p->regions[p->region_count - 1]->pages, (int)p->dump_width * 4);
	if (from) {
		pixman_image_composite32(PIXMAN_OP_SRC, from, NULL, to, 0, 0, 0, 0,
					 p->rect.x - v->rect.x, p->rect.y - v->rect.y,
					 (int)p->dump_width, (int)p->dump_height);
		pixman_image_unref(from);
	}
	pixman_image_set_clip_region32(to, NULL);
	return true;
}

static bool is_opaque(struct agent_view *v)
{
	pixman_box32_t box = {0, 0, v->surface->current.width, v->surface->current.height};

	return pixman_region32_contains_rectangle(&v->surface->opaque_region, &box) ==
	       PIXMAN_REGION_IN;
}

/* Copies what is damaged into the pages and tells the daemon. */
static void view_paint(struct agent_view *v)
{
	struct tree_walk walk = {.view = v, .is_base = true};
	bool is_new;
	int count, i;
	const pixman_box32_t *boxes;

	if (!v->surface || !v->is_created || !v->agent->is_connected) {
		return;
	}
	is_new = v->dump_width != (uint32_t)v->rect.width ||
		 v->dump_height != (uint32_t)v->rect.height || !v->region_count;
	if (!pages_prepare(v)) {
		return;
	}
	pixman_region32_intersect_rect(&v->damage, &v->damage, 0, 0, v->dump_width, v->dump_height);
	walk.to = pixman_image_create_bits_no_clear(
		PIXMAN_x8r8g8b8, (int)v->dump_width, (int)v->dump_height,
		v->regions[v->region_count - 1]->pages, (int)v->dump_width * 4);
	if (!walk.to) {
		return;
	}
	origin(v, &walk.origin_x, &walk.origin_y);
	if (!is_opaque(v) && underlay(v, walk.to)) {
		walk.is_base = false;
	}
	wlr_surface_for_each_surface(v->surface, paint_surface, &walk);
	pixman_image_unref(walk.to);

	if (is_new) {
		dump_send(v);
	}
	boxes = pixman_region32_rectangles(&v->damage, &count);
	if (count > 8) {
		boxes = pixman_region32_extents(&v->damage);
		count = 1;
	}
	for (i = 0; i < count; i++) {
		struct gui_message m = {.type = GUI_SHMIMAGE, .window = v->id};

		m.damage.x = boxes[i].x1;
		m.damage.y = boxes[i].y1;
		m.damage.width = (uint32_t)(boxes[i].x2 - boxes[i].x1);
		m.damage.height = (uint32_t)(boxes[i].y2 - boxes[i].y1);
		link_send(v->agent, &m);
	}
	if (count) {
		v->is_frame_pending = true;
		v->frame_sent_ms = now_ms();
	}
	pixman_region32_clear(&v->damage);
}

static void frame_done(struct wlr_surface *surface, int x, int y, void *data)
{
	wlr_surface_send_frame_done(surface, data);
}

/*
 * Programs may draw again: those of windows that changed, and only while the daemon
 * reads what it gets.
 */
static int on_frame(void *data)
{
	struct agent *a = data;
	struct agent_view *v;
	struct timespec now;

	a->is_frame_timer_on = false;
	if (!link_is_flowing(a)) {
		a->is_frame_timer_on = true;
		wl_event_source_timer_update(a->frame_timer, FRAME_MS);
		return 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	wl_list_for_each(v, &a->views, link) {
		if (!v->is_frame_wanted || !v->surface) {
			continue;
		}
		if (ext_is_up(a) && v->is_frame_pending &&
		    now_ms() - v->frame_sent_ms < FRAME_MS_MAX) {
			a->is_frame_timer_on = true;
			continue;
		}
		v->is_frame_wanted = false;
		v->is_frame_pending = false;
		wlr_surface_for_each_surface(v->surface, frame_done, &now);
	}
	if (a->is_frame_timer_on) {
		wl_event_source_timer_update(a->frame_timer, FRAME_MS);
	}
	return 0;
}

void view_framed(struct agent_view *v)
{
	struct timespec now;

	v->is_frame_pending = false;
	if (v->is_frame_wanted && v->surface) {
		v->is_frame_wanted = false;
		clock_gettime(CLOCK_MONOTONIC, &now);
		wlr_surface_for_each_surface(v->surface, frame_done, &now);
	}
}

int views_start(struct agent *a)
{
	wl_list_init(&a->views);
	wl_list_init(&a->buried);
	a->next_id = 1;
	a->frame_timer = wl_event_loop_add_timer(a->loop, on_frame, a);
	return a->frame_timer ? 0 : -ENOMEM;
}

static void frame_want(struct agent_view *v)
{
	struct agent *a = v->agent;

	v->is_frame_wanted = true;
	if (!a->is_frame_timer_on) {
		a->is_frame_timer_on = true;
		wl_event_source_timer_update(a->frame_timer, FRAME_MS);
	}
}

static void configure_send(struct agent_view *v)
{
	struct gui_message m = {.type = GUI_CONFIGURE, .window = v->id};

	if (!v->is_created) {
		return;
	}
	m.configure.x = v->rect.x;
	m.configure.y = v->rect.y;
	m.configure.width = (uint32_t)v->rect.width;
	m.configure.height = (uint32_t)v->rect.height;
	m.configure.is_override_redirect = v->is_override_redirect;
	link_send(v->agent, &m);
}

static bool rect_same(struct rect a, struct rect b)
{
	return a.x == b.x && a.y == b.y && a.width == b.width && a.height == b.height;
}

/* The window's size is that of what the program drew. */
static void size_follow(struct agent_view *v)
{
	struct rect rect = v->rect;
	int32_t x, y;

	v->kind->geometry(v, &x, &y, &rect.width, &rect.height);
	rect.width = rect.width < 1 ? 1 : rect.width;
	rect.height = rect.height < 1 ? 1 : rect.height;
	rect.width = rect.width > (int)GUI_WIDTH_MAX ? (int)GUI_WIDTH_MAX : rect.width;
	rect.height = rect.height > (int)GUI_HEIGHT_MAX ? (int)GUI_HEIGHT_MAX : rect.height;
	if (!rect_same(rect, v->rect) || v->is_resizing) {
		v->is_resizing = false;
		v->rect = rect;
		configure_send(v);
	}
}

static void view_committed(struct agent_view *v, struct agent_surface *from)
{
	pixman_region32_t damage;

	if (!v->surface) {
		return;
	}
	size_follow(v);
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
	frame_want(v);
	view_paint(v);
}

/* ---- life ---- */

static void text_copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static void title_send(struct agent_view *v)
{
	struct gui_message m = {.type = GUI_WMNAME, .window = v->id};

	text_copy(m.title.text, sizeof(m.title.text), v->title);
	link_send(v->agent, &m);
}

static void class_send(struct agent_view *v)
{
	struct gui_message m = {.type = GUI_WMCLASS, .window = v->id};

	text_copy(m.class_hint.class_name, sizeof(m.class_hint.class_name), v->class_name);
	text_copy(m.class_hint.instance, sizeof(m.class_hint.instance), v->class_name);
	link_send(v->agent, &m);
}

static void hints_send(struct agent_view *v)
{
	struct gui_message m = {.type = GUI_WINDOW_HINTS, .window = v->id};

	m.hints = v->hints;
	link_send(v->agent, &m);
}

/* Everything that the daemon has to know to show the window. */
static void view_announce(struct agent_view *v)
{
	struct gui_message m = {.type = GUI_CREATE, .window = v->id};

	if (!v->agent->is_connected || v->is_created || !v->surface) {
		return;
	}
	m.create.x = v->rect.x;
	m.create.y = v->rect.y;
	m.create.width = (uint32_t)v->rect.width;
	m.create.height = (uint32_t)v->rect.height;
	m.create.parent = 0;
	m.create.is_override_redirect = v->is_override_redirect;
	link_send(v->agent, &m);
	v->is_created = true;
	v->flags = 0;
	v->cursor = 0;
	title_send(v);
	class_send(v);
	hints_send(v);

	view_paint(v);
	m = (struct gui_message){.type = GUI_MAP, .window = v->id};
	m.map.transient_for = v->parent && v->parent->is_created ? v->parent->id : 0;
	m.map.is_override_redirect = v->is_override_redirect;
	link_send(v->agent, &m);
}

void view_map(struct agent_view *v, struct wlr_surface *surface)
{
	v->surface = surface;
	v->is_resizing = false;
	size_follow(v);
	tree_update(v);
	damage_rect(v, (struct rect){0, 0, v->rect.width, v->rect.height});
	view_announce(v);
	frame_want(v);
}

/* A hidden window is destroyed for the daemon: showing it again makes another one. */
void view_unmap(struct agent_view *v)
{
	struct agent_surface *s, *next;
	struct agent_view *other;

	if (!v->surface) {
		return;
	}
	seat_forget(v->agent, v);
	wl_list_for_each_safe(s, next, &v->surfaces, link) {
		node_remove(s);
	}
	wl_list_for_each(other, &v->agent->views, link) {
		if (other->parent == v) {
			other->parent = v->parent;
		}
	}
	if (v->is_created) {
		send_bare(v, GUI_DESTROY);
	}
	regions_bury(v);
	v->surface = NULL;
	v->is_created = false;
	v->unacknowledged = 0;
	v->is_dump_wanted = false;
	v->dump_width = 0;
	v->dump_height = 0;
	v->is_frame_wanted = false;
	v->id = v->agent->next_id++;
}

void view_destroy(struct agent_view *v)
{
	struct agent_view *other;

	if (!v) {
		return;
	}
	view_unmap(v);
	wl_list_for_each(other, &v->agent->views, link) {
		if (other->parent == v) {
			other->parent = NULL;
		}
	}
	regions_drop(v, 0);
	pixman_region32_fini(&v->damage);
	wl_list_remove(&v->link);
	free(v->title);
	free(v->class_name);
	free(v);
}

void view_moved(struct agent_view *v, struct rect rect)
{
	if (rect_same(rect, v->rect)) {
		return;
	}
	v->rect = rect;
	configure_send(v);
	if (v->surface) {
		view_paint(v);
	}
}

static void text_replace(char **to, const char *from)
{
	free(*to);
	*to = from ? strdup(from) : NULL;
}

void view_set_title(struct agent_view *v, const char *title)
{
	text_replace(&v->title, title);
	if (v->is_created) {
		title_send(v);
	}
}

void view_set_class(struct agent_view *v, const char *class_name)
{
	text_replace(&v->class_name, class_name);
	if (v->is_created) {
		class_send(v);
	}
}

void view_set_hints(struct agent_view *v, const struct gui_hints *hints)
{
	if (memcmp(&v->hints, hints, sizeof(*hints)) == 0) {
		return;
	}
	v->hints = *hints;
	if (v->is_created) {
		hints_send(v);
	}
}

void view_set_flags(struct agent_view *v, uint32_t set, uint32_t unset)
{
	struct gui_message m = {.type = GUI_WINDOW_FLAGS, .window = v->id};

	v->flags = (v->flags | set) & ~unset;
	if (v->is_created) {
		m.flags.set = set;
		m.flags.unset = unset;
		link_send(v->agent, &m);
	}
}

void view_set_cursor(struct agent_view *v, uint32_t cursor)
{
	struct gui_message m = {.type = GUI_CURSOR, .window = v->id, .cursor = cursor};

	if (v->is_created && v->cursor != cursor) {
		v->cursor = cursor;
		link_send(v->agent, &m);
	}
}

void view_acknowledged(struct agent_view *v)
{
	if (!v->unacknowledged) {
		return;
	}
	v->unacknowledged--;
	/* The dumps after the acknowledged one, and that one itself, are still in use. */
	regions_drop(v, v->unacknowledged + 1);
	if (v->is_dump_wanted) {
		view_paint(v);
	}
}

void views_disconnected(struct agent *a)
{
	struct agent_view *v;
	struct agent_grave *g, *next;

	wl_list_for_each(v, &a->views, link) {
		v->is_created = false;
		v->unacknowledged = 0;
		v->is_dump_wanted = false;
		v->dump_width = 0;
		v->dump_height = 0;
		regions_drop(v, 0);
	}
	wl_list_for_each_safe(g, next, &a->buried, link) {
		grave_empty(a, g);
	}
}

void views_resend(struct agent *a)
{
	struct agent_view *v;

	wl_list_for_each(v, &a->views, link) {
		if (v->surface) {
			damage_rect(v, (struct rect){0, 0, v->rect.width, v->rect.height});
			view_announce(v);
		}
	}
}
