/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a view's surfaces into its pages: the one copy of each changed pixel in the guest,
 * and when the program may draw the next frame.
 *
 * That is when the daemon says that the last one is on its screen (view_framed()), or by a
 * clock of our own when it does not: then only while the daemon reads what it gets.
 */
#pragma once

#include "guid/agent/view.h"

/* Once, before the first view. 0 or -ENOMEM. */
int view_frames_start(struct agent *a);
/* Copies what is damaged into the pages and tells the daemon. */
void view_paint(struct agent_view *v);
/* The program waits to draw. */
void view_frame_want(struct agent_view *v);
