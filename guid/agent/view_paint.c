/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/agent/view_paint.h"

#include "guid/agent/pixels.h"
#include "guid/agent/view_pages.h"
#include "guid/agent/view_tree.h"

#include <errno.h>
#include <time.h>

#define FRAME_MS     16
#define FRAME_MS_MAX 100 /* of a window that the desktop does not draw: behind others */

struct paint_walk {
	struct agent_view *view;
	int32_t origin_x, origin_y;
	pixman_image_t *to;
	bool is_base;
};

static uint32_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static void paint_surface(struct wlr_surface *surface, int x, int y, void *data)
{
	struct paint_walk *walk = data;
	struct agent_view *v = walk->view;

	v->agent->copied_pixels += pixels_copy(surface, x - walk->origin_x, y - walk->origin_y,
					       walk->is_base, &v->damage, v->scale, walk->to);
	walk->is_base = false;
}

/* A parent whose pixels have another size: seldom, while a screen changes. */
static void parent_scale(pixman_image_t *from, const struct agent_view *v,
			 const struct agent_view *p)
{
	double times = (double)p->dump_width / p->rect.width / v->scale;
	struct pixman_transform t;

	if (times != 1) {
		pixman_transform_init_scale(&t, pixman_double_to_fixed(times),
					    pixman_double_to_fixed(times));
		pixman_image_set_transform(from, &t);
	}
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
	pixman_region32_t clip;
	const int32_t scale = (int32_t)v->scale;

	if (!v->is_override_redirect || !p || !p->region_count) {
		return false;
	}
	pixman_region32_init(&clip);
	pixman_region32_copy(&clip, &v->damage);
	pixels_region_scale(&clip, v->scale);
	pixman_image_set_clip_region32(to, &clip);
	pixman_region32_fini(&clip);
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
		parent_scale(from, v, p);
		pixman_image_composite32(PIXMAN_OP_SRC, from, NULL, to, 0, 0, 0, 0,
					 (p->rect.x - v->rect.x) * scale,
					 (p->rect.y - v->rect.y) * scale, p->rect.width * scale,
					 p->rect.height * scale);
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

void view_paint(struct agent_view *v)
{
	struct paint_walk walk = {.view = v, .is_base = true};
	bool is_new;
	int count, i;
	const pixman_box32_t *boxes;

	if (!v->surface || !v->is_created || !v->agent->is_connected) {
		return;
	}
	is_new = v->dump_width != (uint32_t)v->rect.width * v->scale ||
		 v->dump_height != (uint32_t)v->rect.height * v->scale || !v->region_count;
	if (!view_pages_prepare(v)) {
		return;
	}
	pixman_region32_intersect_rect(&v->damage, &v->damage, 0, 0, (unsigned int)v->rect.width,
				       (unsigned int)v->rect.height);
	walk.to = pixman_image_create_bits_no_clear(
		PIXMAN_x8r8g8b8, (int)v->dump_width, (int)v->dump_height,
		v->regions[v->region_count - 1]->pages, (int)v->dump_width * 4);
	if (!walk.to) {
		return;
	}
	view_origin(v, &walk.origin_x, &walk.origin_y);
	if (!is_opaque(v) && underlay(v, walk.to)) {
		walk.is_base = false;
	}
	wlr_surface_for_each_surface(v->surface, paint_surface, &walk);
	pixman_image_unref(walk.to);

	if (is_new) {
		view_pages_send(v);
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

int view_frames_start(struct agent *a)
{
	a->frame_timer = wl_event_loop_add_timer(a->loop, on_frame, a);
	return a->frame_timer ? 0 : -ENOMEM;
}

void view_frame_want(struct agent_view *v)
{
	struct agent *a = v->agent;

	v->is_frame_wanted = true;
	if (!a->is_frame_timer_on) {
		a->is_frame_timer_on = true;
		wl_event_source_timer_update(a->frame_timer, FRAME_MS);
	}
}
