/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The surfaces of a view, where they are in the window, and what of it changed.
 *
 * Every surface of the tree is followed by its commits, which end in view_committed().
 * The sum is agent_view.damage, in the window's pixels, until it is painted.
 */
#pragma once

#include "guid/agent/view.h"

/* One surface of a view's tree: the root, or a subsurface. */
struct agent_surface;

/* Where the window begins in its surface: shadows lie outside. */
void view_origin(struct agent_view *v, int32_t *x, int32_t *y);
void view_damage(struct agent_view *v, struct rect r);
/* view->surface is new: all of it is damaged. */
void view_tree_start(struct agent_view *v);
/* Adds what a commit of one of its surfaces changed. */
void view_tree_committed(struct agent_view *v, struct agent_surface *from);
void view_tree_end(struct agent_view *v);
