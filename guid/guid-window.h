/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GuidWindow: an ordinary window of a domain, with the domain's name and frame.
 *
 * Title bar, notices and frame are dom0's; the guest's pixels are inside of the frame.
 * All keys go to the guest except Ctrl+Shift+C and Ctrl+Shift+V, which are emitted as
 * signals "copy" and "paste"; the answer to a question as "answered" (gboolean). "typing"
 * comes before each key and change of focus.
 */
#pragma once

#include "guid/guid-surface.h"
#include "guid/label.h"

#define GUID_TYPE_WINDOW (guid_window_get_type())
G_DECLARE_FINAL_TYPE(GuidWindow, guid_window, GUID, WINDOW, GtkWindow)

/* It opens no larger than the screen, frame included. */
GuidWindow *guid_window_new(struct session *session, struct window *window, const char *domain_name,
			    const struct label *label);
/* For all: no guest's window opens larger than this. */
void guid_window_set_screen(int width, int height);
/* Before the guest's window goes. */
void guid_window_detach(GuidWindow *self);
GuidSurface *guid_window_get_surface(GuidWindow *self);

/* what: enum window_change */
void guid_window_changed(GuidWindow *self, unsigned int what);

/* A line above the pixels that goes away by itself, or a question that stays. */
void guid_window_notice(GuidWindow *self, const char *text);
void guid_window_ask(GuidWindow *self, const char *text);
