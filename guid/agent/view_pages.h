/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages that a view shows to the daemon.
 *
 * A view has one region; a new size gets a new one. The daemon may not have read the
 * message of the old one yet, so regions live until it acknowledged a later one, and at
 * most VIEW_REGIONS_MAX do at a time: while the daemon is behind, resizes are joined.
 * Those of a destroyed view live until the daemon has said that it forgot the window.
 */
#pragma once

#include "guid/agent/view.h"

/* Pages for the present size; new ones are damaged as a whole. False: not now. */
bool view_pages_prepare(struct agent_view *v);
/* Tells the daemon about the newest region. */
void view_pages_send(struct agent_view *v);
/* Gives up all but the newest `keep` regions. */
void view_pages_drop(struct agent_view *v, uint32_t keep);
/* The view goes; its pages stay while the daemon may still read a message that names them. */
void view_pages_bury(struct agent_view *v);
/* The daemon is gone: nothing is shown to anybody. */
void view_pages_disconnected(struct agent *a);
