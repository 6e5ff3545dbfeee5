/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The question window: may this domain call that service, and where?
 *
 * For the first half second, and again whenever it comes to the front, it takes no key and no
 * click: whoever types into another window must not answer by accident. Emits "answered" once,
 * with the chosen target or NULL for no; the owner then destroys it.
 */
#pragma once

#include <gtk/gtk.h>

#include "qrexec/ask/ask-message.h"

#define ASK_TYPE_WINDOW (ask_window_get_type())
G_DECLARE_FINAL_TYPE(AskWindow, ask_window, ASK, WINDOW, GtkApplicationWindow)

AskWindow *ask_window_new(GtkApplication *application, const struct ask_message *question);
unsigned int ask_window_get_number(AskWindow *self);
