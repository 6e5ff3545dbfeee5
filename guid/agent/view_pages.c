/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/agent/view_pages.h"

#include "guid/agent/view_paint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pages of a destroyed view, until the daemon has said that it forgot the window. */
struct agent_grave {
	struct wl_list link;
	uint32_t id;
	const struct share_region *regions[VIEW_REGIONS_MAX];
	uint32_t region_count;
};

void view_pages_drop(struct agent_view *v, uint32_t keep)
{
	uint32_t drop = v->region_count > keep ? v->region_count - keep : 0;
	uint32_t i;

	for (i = 0; i < drop; i++) {
		share_destroy(v->agent->pool, v->regions[i]);
	}
	memmove(v->regions, v->regions + drop, (v->region_count - drop) * sizeof(v->regions[0]));
	v->region_count -= drop;
}

void view_pages_bury(struct agent_view *v)
{
	struct agent_grave *g = v->region_count ? calloc(1, sizeof(*g)) : NULL;

	if (!g || link_minor(v->agent) < 5 || !v->is_created) {
		free(g);
		view_pages_drop(v, 0);
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
void view_pages_send(struct agent_view *v)
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
	if (v->scale != v->scale_told) {
		v->scale_told = v->scale;
		ext_scale(v->agent, v->id, v->scale);
	}
	m.dump.width = v->dump_width;
	m.dump.height = v->dump_height;
	m.dump.ref_count = r->page_count;
	m.dump.refs = refs;
	v->unacknowledged++;
	link_send(v->agent, &m);
	free(refs);
}

bool view_pages_prepare(struct agent_view *v)
{
	uint32_t width = (uint32_t)v->rect.width * v->scale;
	uint32_t height = (uint32_t)v->rect.height * v->scale;
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
	pixman_region32_union_rect(&v->damage, &v->damage, 0, 0, (unsigned int)v->rect.width,
				   (unsigned int)v->rect.height);
	if (link_minor(v->agent) < 7) {
		view_pages_drop(v, VIEW_REGIONS_MAX - 1);
	}
	return true;
}

void view_acknowledged(struct agent_view *v)
{
	if (!v->unacknowledged) {
		return;
	}
	v->unacknowledged--;
	/* The dumps after the acknowledged one, and that one itself, are still in use. */
	view_pages_drop(v, v->unacknowledged + 1);
	if (v->is_dump_wanted) {
		view_paint(v);
	}
}

void view_pages_disconnected(struct agent *a)
{
	struct agent_view *v;
	struct agent_grave *g, *next;

	wl_list_for_each(v, &a->views, link) {
		v->unacknowledged = 0;
		v->is_dump_wanted = false;
		v->dump_width = 0;
		v->dump_height = 0;
		view_pages_drop(v, 0);
	}
	wl_list_for_each_safe(g, next, &a->buried, link) {
		grave_empty(a, g);
	}
}
