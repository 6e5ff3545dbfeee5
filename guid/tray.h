/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Docked windows of a guest: told to mullion-desktop, which shows them in dom0's tray.
 *
 * This process has no bus. Lines on its standard output, for the parent that started it:
 *   tray                                             all icons of this domain are gone
 *   tray TAB id TAB width TAB height TAB rgb TAB title
 *                                                    rgb: base64, three bytes a pixel
 *   tray TAB id                                      this one is gone
 * and on its standard input, where that is a pipe: "click id button".
 * An icon is told anew five times a second at most; more than TRAY_MAX icons are not shown.
 */
#pragma once

#include "guid/session.h"

#define TRAY_MAX 8

struct tray;

/* The session outlives the result. */
struct tray *tray_create(struct session *session);
void tray_destroy(struct tray *t);
/* The window is docked, and new or changed. */
void tray_show(struct tray *t, struct window *w);
/* Nothing happens for a window that is not there. */
void tray_hide(struct tray *t, const struct window *w);
