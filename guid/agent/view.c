/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/agent/view.h"

#include "guid/agent/view_pages.h"
#include "guid/agent/view_paint.h"
#include "guid/agent/view_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	v->scale = 1;
	v->rect = (struct rect){0, 0, 1, 1};
	pixman_region32_init(&v->damage);
	wl_list_init(&v->surfaces);
	wl_list_insert(a->views.prev, &v->link);
	return v;
}

int views_start(struct agent *a)
{
	wl_list_init(&a->views);
	wl_list_init(&a->buried);
	a->next_id = 1;
	return view_frames_start(a);
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

void view_committed(struct agent_view *v, struct agent_surface *from)
{
	if (v->surface) {
		size_follow(v);
		view_tree_committed(v, from);
		view_frame_want(v);
		view_paint(v);
	}
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
	v->scale_told = 1;
	v->flags = 0;
	v->cursor = 0;
	v->is_cursor_hidden = false;
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
	view_tree_start(v);
	view_announce(v);
	view_frame_want(v);
}

/* A hidden window is destroyed for the daemon: showing it again makes another one. */
void view_unmap(struct agent_view *v)
{
	struct agent_view *other;

	if (!v->surface) {
		return;
	}
	seat_forget(v->agent, v);
	view_tree_end(v);
	wl_list_for_each(other, &v->agent->views, link) {
		if (other->parent == v) {
			other->parent = v->parent;
		}
	}
	if (v->is_created) {
		send_bare(v, GUI_DESTROY);
	}
	view_pages_bury(v);
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
	view_pages_drop(v, 0);
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

void view_hide_cursor(struct agent_view *v, bool is_hidden)
{
	if (v->is_created && v->is_cursor_hidden != is_hidden) {
		v->is_cursor_hidden = is_hidden;
		ext_hide_cursor(v->agent, v->id, is_hidden);
	}
}

void views_disconnected(struct agent *a)
{
	struct agent_view *v;

	wl_list_for_each(v, &a->views, link) {
		v->is_created = false;
	}
	view_pages_disconnected(a);
}

void views_resend(struct agent *a)
{
	struct agent_view *v;

	wl_list_for_each(v, &a->views, link) {
		if (v->surface) {
			view_damage(v, (struct rect){0, 0, v->rect.width, v->rect.height});
			view_announce(v);
		}
	}
}
