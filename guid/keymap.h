/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyboard as the user's desktop has it, so that a guest's letters are those of the user. */
#pragma once

#include <glib.h>

struct keymap {
	const void *wayland; /* GDK's map, only ever compared */
	char *names;	     /* of an X11 desktop's */
};

/*
 * XKB text when the keyboard is another one than at the last call, else NULL; free(). GDK does
 * not tell when it changes.
 */
char *keymap_if_new(struct keymap *k);
/* The next call finds it new. */
void keymap_forget(struct keymap *k);
