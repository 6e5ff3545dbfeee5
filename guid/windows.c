/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/windows.h"

#include "guid/title.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_COUNT_DEFAULT 1024u
#define PAGE_COUNT_DEFAULT   262144u

enum fullscreen_permission {
	FULLSCREEN_UNKNOWN,
	FULLSCREEN_ASKED,
	FULLSCREEN_ALLOWED,
	FULLSCREEN_DENIED,
};

struct windows {
	struct windows_config config;
	const struct windows_view *view;
	void *context;
	struct window *first;
	struct window *screen; /* window 0, created on demand */
	uint32_t count, page_count;
	enum fullscreen_permission fullscreen;
	struct window *asked; /* the window on which the question is, while FULLSCREEN_ASKED */
	bool is_copy_wanted;
	bool is_memory_noticed;
};

struct windows *windows_create(const struct windows_config *config, const struct windows_view *view,
			       void *context)
{
	struct windows *ws = calloc(1, sizeof(*ws));

	if (!ws) {
		return NULL;
	}
	ws->config = *config;
	if (!ws->config.limits.window_count_max) {
		ws->config.limits.window_count_max = WINDOW_COUNT_DEFAULT;
	}
	if (!ws->config.limits.page_count_max) {
		ws->config.limits.page_count_max = PAGE_COUNT_DEFAULT;
	}
	ws->view = view;
	ws->context = context;
	return ws;
}

struct window *windows_first(struct windows *ws)
{
	return ws->first;
}

uint32_t windows_count(const struct windows *ws)
{
	return ws->count;
}

uint32_t windows_page_count(const struct windows *ws)
{
	return ws->page_count;
}

struct window *windows_find(struct windows *ws, uint32_t id)
{
	struct window *w;

	/* At most window_count_max long, and the last used one is in front. */
	for (w = ws->first; w; w = w->next) {
		if (w->id == id) {
			return w;
		}
	}
	return NULL;
}

static void move_to_front(struct windows *ws, struct window *w)
{
	struct window **p;

	if (ws->first == w) {
		return;
	}
	for (p = &ws->first; *p != w; p = &(*p)->next) {
	}
	*p = w->next;
	w->next = ws->first;
	ws->first = w;
}

static void send(struct windows *ws, const struct gui_message *msg)
{
	ws->view->send(ws->context, msg);
}

static void send_bare(struct windows *ws, enum gui_type type, uint32_t id)
{
	const struct gui_message m = {.type = type, .window = id};

	send(ws, &m);
}

static void send_configure(struct windows *ws, const struct window *w, uint32_t width,
			   uint32_t height)
{
	struct gui_message m = {.type = GUI_CONFIGURE, .window = w->id};

	m.configure.x = w->rect.x;
	m.configure.y = w->rect.y;
	m.configure.width = width;
	m.configure.height = height;
	m.configure.is_override_redirect = w->is_override_redirect;
	send(ws, &m);
}

static void send_flags(struct windows *ws, const struct window *w, uint32_t set, uint32_t unset)
{
	struct gui_message m = {.type = GUI_WINDOW_FLAGS, .window = w->id};

	m.flags.set = set;
	m.flags.unset = unset;
	send(ws, &m);
}

static void tell(struct windows *ws, struct window *w, unsigned int what)
{
	if (w->is_mapped && what) {
		ws->view->changed(ws->context, w, what);
	}
}

static struct window *window_add(struct windows *ws, uint32_t id)
{
	struct window *w = calloc(1, sizeof(*w));

	if (!w) {
		return NULL;
	}
	w->id = id;
	w->rect.width = 1;
	w->rect.height = 1;
	w->next = ws->first;
	ws->first = w;
	ws->count++;
	return w;
}

static void dump_drop(struct windows *ws, struct window *w)
{
	if (w->dump.page_count) {
		ws->view->dump_unmap(ws->context, w->dump.pages);
		ws->page_count -= w->dump.page_count;
		memset(&w->dump, 0, sizeof(w->dump));
	}
}

static void window_hide(struct windows *ws, struct window *w)
{
	if (w->is_mapped) {
		w->is_mapped = false;
		ws->view->hidden(ws->context, w);
	}
	if (ws->asked == w) { /* the question went with its window: the next one asks again */
		ws->asked = NULL;
		ws->fullscreen = FULLSCREEN_UNKNOWN;
	}
	w->is_resize_sent = false;
	w->is_resize_waiting = false;
	damage_clear(&w->damage);
}

/* Windows without pixels of their own show those of window 0: tell them about new ones. */
static void screen_changed(struct windows *ws, struct rect r, unsigned int what)
{
	struct window *w;

	for (w = ws->first; w; w = w->next) {
		struct rect bounds = {0, 0, w->rect.width, w->rect.height};
		struct rect part = r;
		bool was_empty = damage_is_empty(&w->damage);

		if (!w->is_mapped || w->dump.page_count || w->id == WINDOWS_SCREEN) {
			continue;
		}
		part.x -= w->rect.x; /* both within 16384 of zero */
		part.y -= w->rect.y;
		damage_add(&w->damage, part, bounds);
		if (was_empty && !damage_is_empty(&w->damage)) {
			what |= WINDOW_DAMAGE;
		}
		tell(ws, w, what);
		what &= ~(unsigned int)WINDOW_DAMAGE;
	}
}

static void window_remove(struct windows *ws, struct window *w)
{
	struct window **p;
	bool was_screen = w->dump.page_count && w->id == WINDOWS_SCREEN;
	struct window *other;

	window_hide(ws, w);
	for (p = &ws->first; *p != w; p = &(*p)->next) {
	}
	*p = w->next;
	ws->count--;
	for (other = ws->first; other; other = other->next) {
		if (w->id && other->transient_for == w->id) {
			other->transient_for = 0;
		}
		if (w->id && other->parent == w->id) {
			other->parent = 0;
		}
	}
	if (was_screen) {
		struct dump gone = w->dump;

		/* First nobody shows it, then it is unmapped. */
		ws->screen = NULL;
		screen_changed(ws, (struct rect){0, 0, (int)gone.width, (int)gone.height},
			       WINDOW_CONTENT);
	}
	if (ws->screen == w) {
		ws->screen = NULL;
	}
	dump_drop(ws, w);
	free(w);
}

void windows_reset(struct windows *ws, uint32_t minor)
{
	while (ws->first) {
		window_remove(ws, ws->first);
	}
	ws->config.minor = minor;
	ws->is_copy_wanted = false;
	ws->is_memory_noticed = false;
}

void windows_destroy(struct windows *ws)
{
	if (!ws) {
		return;
	}
	windows_reset(ws, ws->config.minor);
	free(ws);
}

/* ---- placement ---- */

static int32_t clamp(int64_t x, int64_t lo, int64_t hi)
{
	return (int32_t)(x < lo ? lo : x > hi ? (hi > lo ? hi : lo) : x);
}

static bool is_too_big_for_popup(const struct windows *ws, uint32_t width, uint32_t height)
{
	struct rect work = ws->config.work_area;
	uint64_t covered = (uint64_t)clamp(width, 0, work.width) * clamp(height, 0, work.height);

	return covered * 10 > (uint64_t)work.width * work.height * 9;
}

/* The place that a window gets when the guest asks for this one. */
static struct rect place(const struct windows *ws, bool is_override_redirect, int32_t x, int32_t y,
			 uint32_t width, uint32_t height)
{
	struct rect work = ws->config.work_area;
	struct rect r;

	if (is_override_redirect && ws->config.is_placed_by_desktop) {
		work = (struct rect){work.x - work.width, work.y - work.height, work.width * 3,
				     work.height * 3};
	}
	r.width = clamp(width, 1, GUI_WIDTH_MAX);
	r.height = clamp(height, 1, GUI_HEIGHT_MAX);
	if (is_override_redirect) {
		r.x = clamp(x, work.x, (int64_t)work.x + work.width - r.width);
		r.y = clamp(y, work.y, (int64_t)work.y + work.height - r.height);
		return r;
	}
	/* Of an ordinary window a corner stays reachable; the desktop decides the rest. */
	r.x = clamp(x, (int64_t)work.x - r.width + 1, (int64_t)work.x + work.width - 1);
	r.y = clamp(y, work.y, (int64_t)work.y + work.height - 1);
	return r;
}

static bool rect_same(struct rect a, struct rect b)
{
	return a.x == b.x && a.y == b.y && a.width == b.width && a.height == b.height;
}

/* Applies the rules; returns whether the window is somewhere else now. */
static bool window_place(struct windows *ws, struct window *w, int32_t x, int32_t y, uint32_t width,
			 uint32_t height)
{
	struct rect before = w->rect;

	w->is_override_redirect = w->wants_override_redirect && w->id != WINDOWS_SCREEN &&
				  !is_too_big_for_popup(ws, width, height);
	w->rect = place(ws, w->is_override_redirect, x, y, width, height);
	return !rect_same(before, w->rect);
}

void windows_set_work_area(struct windows *ws, struct rect work_area)
{
	ws->config.work_area = work_area;
}

struct window *windows_anchor(struct windows *ws, const struct window *w)
{
	struct window *anchor = w->transient_for ? windows_find(ws, w->transient_for) : NULL;
	struct window *other;

	if (!anchor && w->parent) {
		anchor = windows_find(ws, w->parent);
	}
	if (anchor && anchor != w && anchor->is_mapped) {
		return anchor;
	}
	/* X11 menus often name nobody: take the window that they lie on. */
	for (other = ws->first; other; other = other->next) {
		struct rect common = rect_intersect(other->rect, w->rect);

		if (other != w && other->is_mapped && !other->is_override_redirect &&
		    !rect_is_empty(&common)) {
			return other;
		}
	}
	for (other = ws->first; other; other = other->next) {
		if (other != w && other->is_mapped && !other->is_override_redirect) {
			return other;
		}
	}
	return NULL;
}

bool windows_content(struct windows *ws, struct window *w, struct dump *dump_out,
		     struct rect *part_out)
{
	struct rect part = {0, 0, w->rect.width, w->rect.height};
	const struct dump *d = &w->dump;
	int32_t scale;

	if (!d->page_count) {
		if (!ws->screen || ws->screen == w || !ws->screen->dump.page_count) {
			return false;
		}
		d = &ws->screen->dump;
		part.x = w->rect.x; /* window 0 has no scale */
		part.y = w->rect.y;
	}
	scale = d->scale ? (int32_t)d->scale : 1;
	part.width *= scale; /* at most 16384 times EXT_SCALE_MAX */
	part.height *= scale;
	part = rect_intersect(part, (struct rect){0, 0, (int32_t)d->width, (int32_t)d->height});
	if (rect_is_empty(&part)) {
		return false;
	}
	*dump_out = *d;
	dump_out->scale = (uint32_t)scale;
	*part_out = part;
	return true;
}

void windows_take_damage(struct window *w, struct damage *out)
{
	*out = w->damage;
	damage_clear(&w->damage);
}

/* ---- resizing by the user ---- */

static void resize_send(struct windows *ws, struct window *w, int64_t now_us)
{
	w->is_resize_sent = true;
	w->is_resize_waiting = false;
	w->resize_sent_us = now_us;
	send_configure(ws, w, w->wanted_width, w->wanted_height);
}

/* The guest has answered, or never will: the next size may go out. */
static void resize_done(struct windows *ws, struct window *w)
{
	if (!w->is_resize_sent) {
		return;
	}
	w->is_resize_sent = false;
	if (w->is_resize_waiting) {
		resize_send(ws, w, w->resize_sent_us);
	}
}

void windows_user_resize(struct windows *ws, struct window *w, uint32_t width, uint32_t height,
			 int64_t now_us)
{
	width = (uint32_t)clamp(width, 1, GUI_WIDTH_MAX);
	height = (uint32_t)clamp(height, 1, GUI_HEIGHT_MAX);
	if (w->is_resize_sent) {
		w->is_resize_waiting = width != w->wanted_width || height != w->wanted_height ||
				       w->is_resize_waiting;
		w->wanted_width = width;
		w->wanted_height = height;
		return;
	}
	if ((int32_t)width == w->rect.width && (int32_t)height == w->rect.height) {
		return;
	}
	w->wanted_width = width;
	w->wanted_height = height;
	resize_send(ws, w, now_us);
}

void windows_tick(struct windows *ws, int64_t now_us)
{
	struct window *w;

	for (w = ws->first; w; w = w->next) {
		if (w->is_resize_sent && now_us - w->resize_sent_us > WINDOWS_RESIZE_TIMEOUT_US) {
			w->resize_sent_us = now_us;
			resize_done(ws, w);
		}
	}
}

/* ---- messages of the agent ---- */

static int handle_create(struct windows *ws, const struct gui_message *m, const char **rule)
{
	struct window *w = windows_find(ws, m->window);

	if (w && w->is_alive) {
		*rule = "a window is created once";
		return -EPROTO;
	}
	if (!w && ws->count >= ws->config.limits.window_count_max) {
		*rule = "the domain has too many windows";
		return -ENOSPC;
	}
	if (!w) {
		w = window_add(ws, m->window);
	}
	if (!w) {
		*rule = "no memory for another window";
		return -ENOMEM;
	}
	if (m->window == WINDOWS_SCREEN) {
		ws->screen = w;
	}
	w->is_alive = true;
	w->parent = m->create.parent;
	w->wants_override_redirect = m->create.is_override_redirect;
	window_place(ws, w, m->create.x, m->create.y, m->create.width, m->create.height);
	return 0;
}

static void handle_destroy(struct windows *ws, struct window *w)
{
	uint32_t id = w->id;

	window_remove(ws, w);
	if (ws->config.minor >= 5) {
		send_bare(ws, GUI_DESTROY, id);
	}
}

/* A chain of transient windows may not bite its own tail: views walk along it. */
static bool is_ancestor(struct windows *ws, uint32_t id, uint32_t of)
{
	uint32_t steps;

	for (steps = 0; of && steps < ws->count; steps++) {
		struct window *w = windows_find(ws, of);

		if (of == id) {
			return true;
		}
		of = w ? w->transient_for : 0;
	}
	return of != 0;
}

static void handle_map(struct windows *ws, struct window *w, const struct gui_map *map)
{
	struct rect r = w->rect;

	w->transient_for = is_ancestor(ws, w->id, map->transient_for) ? 0 : map->transient_for;
	w->wants_override_redirect = map->is_override_redirect;
	window_place(ws, w, r.x, r.y, (uint32_t)r.width, (uint32_t)r.height);
	if (w->is_mapped) {
		return;
	}
	w->is_mapped = true;
	move_to_front(ws, w);
	damage_add(&w->damage, (struct rect){0, 0, w->rect.width, w->rect.height},
		   (struct rect){0, 0, w->rect.width, w->rect.height});
	ws->view->shown(ws->context, w);
	if (w->wants_override_redirect && !w->is_override_redirect) {
		send_configure(ws, w, (uint32_t)w->rect.width, (uint32_t)w->rect.height);
	}
}

static void handle_configure(struct windows *ws, struct window *w, const struct gui_configure *c)
{
	bool is_new;
	int32_t width = w->rect.width, height = w->rect.height;

	w->wants_override_redirect = c->is_override_redirect;
	is_new = window_place(ws, w, c->x, c->y, c->width, c->height);
	if (width != w->rect.width || height != w->rect.height) {
		damage_add(&w->damage, (struct rect){0, 0, w->rect.width, w->rect.height},
			   (struct rect){0, 0, w->rect.width, w->rect.height});
	}
	/* An answer that differs from the question, and every question, is answered. */
	if (!w->is_resize_sent || w->rect.x != c->x || w->rect.y != c->y) {
		send_configure(ws, w, (uint32_t)w->rect.width, (uint32_t)w->rect.height);
	}
	if (is_new) {
		tell(ws, w, WINDOW_GEOMETRY);
	}
	resize_done(ws, w);
}

static void handle_damage(struct windows *ws, struct window *w, const struct gui_damage *d)
{
	struct rect r = {d->x, d->y, (int32_t)d->width, (int32_t)d->height};
	struct rect bounds = {0, 0, w->rect.width, w->rect.height};
	bool was_empty = damage_is_empty(&w->damage);

	if (w->id == WINDOWS_SCREEN) {
		const struct rect screen = {0, 0, (int32_t)w->dump.width, (int32_t)w->dump.height};

		screen_changed(ws, rect_intersect(r, screen), 0);
	}
	if (!w->is_mapped) {
		return;
	}
	damage_add(&w->damage, r, bounds);
	if (was_empty && !damage_is_empty(&w->damage)) {
		tell(ws, w, WINDOW_DAMAGE);
	}
}

static int handle_dump(struct windows *ws, struct window *w, const struct gui_dump *d,
		       const char **rule)
{
	struct dump before = w->dump;
	struct dump next = {
		.width = d->width,
		.height = d->height,
		.page_count = d->ref_count,
		.scale = w->next_scale ? w->next_scale : before.scale,
	};
	int rc;

	if (ws->page_count - before.page_count + next.page_count >
	    ws->config.limits.page_count_max) {
		if (!ws->is_memory_noticed) {
			ws->is_memory_noticed = true;
			ws->view->notice(ws->context, NOTICE_MEMORY_LIMIT);
		}
		return 0;
	}
	rc = ws->view->dump_map(ws->context, d, &next.pages);
	if (rc) {
		*rule = "a dump refers to pages that the domain shares";
		return rc;
	}

	w->dump = next;
	w->next_scale = 0;
	ws->page_count += next.page_count;
	if (w->is_mapped) {
		damage_add(&w->damage, (struct rect){0, 0, w->rect.width, w->rect.height},
			   (struct rect){0, 0, w->rect.width, w->rect.height});
		tell(ws, w, WINDOW_CONTENT);
	}
	if (w->id == WINDOWS_SCREEN) {
		screen_changed(ws, (struct rect){0, 0, (int)next.width, (int)next.height},
			       WINDOW_CONTENT);
	}
	if (before.page_count) {
		ws->view->dump_unmap(ws->context, before.pages);
		ws->page_count -= before.page_count;
	}
	if (ws->config.minor >= 7) {
		send_bare(ws, GUI_WINDOW_DUMP_ACK, w->id);
	}
	return 0;
}

static void fullscreen_request(struct windows *ws, struct window *w)
{
	w->wants_fullscreen = true;
	switch (ws->fullscreen) {
	case FULLSCREEN_ALLOWED:
		if (!w->is_fullscreen) {
			w->is_fullscreen = true;
			tell(ws, w, WINDOW_FULLSCREEN);
			send_flags(ws, w, GUI_FLAG_FULLSCREEN, 0);
		}
		break;
	case FULLSCREEN_DENIED:
		w->wants_fullscreen = false;
		send_flags(ws, w, 0, GUI_FLAG_FULLSCREEN);
		break;
	case FULLSCREEN_UNKNOWN:
		if (w->is_mapped) {
			ws->fullscreen = FULLSCREEN_ASKED;
			ws->asked = w;
			ws->view->ask_fullscreen(ws->context, w);
		}
		break;
	case FULLSCREEN_ASKED:
		break;
	}
}

static void handle_flags(struct windows *ws, struct window *w, const struct gui_flags *f)
{
	unsigned int what = 0;
	uint32_t unset = f->unset & ~f->set;

	if ((f->set & GUI_FLAG_ATTENTION) && !w->wants_attention) {
		w->wants_attention = true;
		what |= WINDOW_ATTENTION;
	}
	if ((unset & GUI_FLAG_ATTENTION) && w->wants_attention) {
		w->wants_attention = false;
		what |= WINDOW_ATTENTION;
	}
	if ((f->set & GUI_FLAG_MINIMIZE) && !w->is_minimized) {
		w->is_minimized = true;
		what |= WINDOW_MINIMIZE;
	}
	if ((unset & GUI_FLAG_MINIMIZE) && w->is_minimized) {
		w->is_minimized = false;
		what |= WINDOW_MINIMIZE;
	}
	if (unset & GUI_FLAG_FULLSCREEN) {
		w->wants_fullscreen = false;
		if (w->is_fullscreen) {
			w->is_fullscreen = false;
			what |= WINDOW_FULLSCREEN;
		}
	}
	tell(ws, w, what);
	if (f->set & GUI_FLAG_FULLSCREEN) {
		fullscreen_request(ws, w);
	}
}

static void handle_clipboard(struct windows *ws, const struct gui_clipboard *c)
{
	if (!ws->is_copy_wanted) {
		return; /* nobody asked: dropped */
	}
	ws->is_copy_wanted = false;
	if (c->is_too_large) {
		ws->view->notice(ws->context, NOTICE_CLIPBOARD_TOO_LARGE);
		return;
	}
	ws->view->clipboard(ws->context, c->bytes, c->size_bytes);
}

static void handle_title(struct windows *ws, struct window *w, const struct gui_title *t)
{
	char title[WINDOWS_TITLE_SIZE];

	title_sanitise(t->text, ws->config.is_utf8_allowed, title, sizeof(title));
	if (strcmp(title, w->title) != 0) {
		memcpy(w->title, title, sizeof(title));
		tell(ws, w, WINDOW_TITLE);
	}
}

static void handle_class(struct windows *ws, struct window *w, const struct gui_class *c)
{
	title_sanitise(c->class_name, false, w->class_name, sizeof(w->class_name));
	tell(ws, w, WINDOW_CLASS);
}

static void handle_hints(struct windows *ws, struct window *w, const struct gui_hints *h)
{
	w->hints = *h;
	tell(ws, w, WINDOW_HINTS);
}

static void handle_cursor(struct windows *ws, struct window *w, uint32_t cursor)
{
	if (w->cursor != cursor) {
		w->cursor = cursor;
		tell(ws, w, WINDOW_CURSOR);
	}
}

void windows_hide_cursor(struct windows *ws, struct window *w, bool is_hidden)
{
	if (w->is_cursor_hidden != is_hidden) {
		w->is_cursor_hidden = is_hidden;
		tell(ws, w, WINDOW_CURSOR);
	}
}

void windows_set_scale(struct windows *ws, struct window *w, uint32_t scale)
{
	if (w->id == WINDOWS_SCREEN) {
		return;
	}
	if (w->dump.page_count && w->dump.width == (uint32_t)w->rect.width * scale &&
	    w->dump.height == (uint32_t)w->rect.height * scale) {
		w->dump.scale = scale;
		w->next_scale = 0;
		tell(ws, w, WINDOW_CONTENT);
	} else {
		w->next_scale = scale;
	}
}

static void handle_dock(struct windows *ws, struct window *w)
{
	if (!w->is_docked) {
		w->is_docked = true;
		ws->view->docked(ws->context, w);
	}
}

/* Window 0 may get pixels without ever being created: its agent shows parts of it only. */
static struct window *screen_of(struct windows *ws)
{
	if (!ws->screen && ws->count < ws->config.limits.window_count_max) {
		ws->screen = window_add(ws, WINDOWS_SCREEN);
	}
	return ws->screen;
}

int windows_handle(struct windows *ws, const struct gui_message *msg, const char **rule)
{
	struct window *w;

	switch (msg->type) {
	case GUI_CREATE:
		return handle_create(ws, msg, rule);
	case GUI_CLIPBOARD_DATA:
		handle_clipboard(ws, &msg->clipboard);
		return 0;
	default:
		break;
	}

	w = windows_find(ws, msg->window);
	if (msg->window == WINDOWS_SCREEN && !w &&
	    (msg->type == GUI_WINDOW_DUMP || msg->type == GUI_SHMIMAGE)) {
		w = screen_of(ws);
	}
	if (!w || (!w->is_alive && msg->type != GUI_WINDOW_DUMP && msg->type != GUI_SHMIMAGE)) {
		if (ws->config.minor < 6 || msg->window == WINDOWS_SCREEN) {
			return 0;
		}
		*rule = "the window was created before";
		return -EPROTO;
	}

	switch (msg->type) {
	case GUI_DESTROY:
		handle_destroy(ws, w);
		return 0;
	case GUI_MAP:
		handle_map(ws, w, &msg->map);
		return 0;
	case GUI_UNMAP:
		window_hide(ws, w);
		return 0;
	case GUI_CONFIGURE:
		handle_configure(ws, w, &msg->configure);
		return 0;
	case GUI_SHMIMAGE:
		handle_damage(ws, w, &msg->damage);
		return 0;
	case GUI_WMNAME:
		handle_title(ws, w, &msg->title);
		return 0;
	case GUI_DOCK:
		handle_dock(ws, w);
		return 0;
	case GUI_WINDOW_HINTS:
		handle_hints(ws, w, &msg->hints);
		return 0;
	case GUI_WINDOW_FLAGS:
		handle_flags(ws, w, &msg->flags);
		return 0;
	case GUI_WMCLASS:
		handle_class(ws, w, &msg->class_hint);
		return 0;
	case GUI_WINDOW_DUMP:
		return handle_dump(ws, w, &msg->dump, rule);
	case GUI_CURSOR:
		handle_cursor(ws, w, msg->cursor);
		return 0;
	default:
		*rule = "an agent does not send this";
		return -EPROTO;
	}
}

/* ---- what the user does ---- */

void windows_user_close(struct windows *ws, struct window *w)
{
	send_bare(ws, GUI_CLOSE, w->id);
}

struct window *windows_asked(struct windows *ws)
{
	return ws->asked;
}

void windows_answer_fullscreen(struct windows *ws, bool is_allowed)
{
	struct window *w;

	ws->asked = NULL;
	ws->fullscreen = is_allowed ? FULLSCREEN_ALLOWED : FULLSCREEN_DENIED;
	for (w = ws->first; w; w = w->next) {
		if (w->is_mapped && w->wants_fullscreen && !w->is_fullscreen) {
			fullscreen_request(ws, w);
		}
	}
}

void windows_user_left_fullscreen(struct windows *ws, struct window *w)
{
	if (w->is_fullscreen) {
		w->is_fullscreen = false;
		w->wants_fullscreen = false;
		send_flags(ws, w, 0, GUI_FLAG_FULLSCREEN);
	}
}

void windows_user_minimize(struct windows *ws, struct window *w, bool is_minimized)
{
	if (w->is_minimized != is_minimized) {
		w->is_minimized = is_minimized;
		send_flags(ws, w, is_minimized ? GUI_FLAG_MINIMIZE : 0,
			   is_minimized ? 0 : GUI_FLAG_MINIMIZE);
	}
}

void windows_user_copy(struct windows *ws, struct window *w)
{
	ws->is_copy_wanted = true;
	send_bare(ws, GUI_CLIPBOARD_REQ, w->id);
}

void windows_user_paste(struct windows *ws, const uint8_t *bytes, uint32_t size_bytes)
{
	struct gui_message m = {.type = GUI_CLIPBOARD_DATA, .window = WINDOWS_SCREEN};

	if (size_bytes > proto_clipboard_limit(ws->config.minor)) {
		ws->view->notice(ws->context, NOTICE_CLIPBOARD_TOO_LARGE);
		return;
	}
	m.clipboard.bytes = bytes;
	m.clipboard.size_bytes = size_bytes;
	send(ws, &m);
}
