/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens when the desktop ends while GTK waits for its answer about a new window: GDK, of
 * 4.8 at least, asks again and again a connection that is dead for good, and never comes back.
 * Its calls find this function before the library's. Elsewhere GDK notices by itself.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wayland-client.h>

typedef int dispatch_queue(struct wl_display *display, struct wl_event_queue *queue);

int wl_display_dispatch_queue(struct wl_display *display, struct wl_event_queue *queue)
{
	static dispatch_queue *real;
	int rc;

	if (!real) {
		void *found = dlsym(RTLD_NEXT, "wl_display_dispatch_queue");

		memcpy(&real, &found, sizeof(real));
	}
	rc = real(display, queue);
	if (rc < 0) {
		fputs("mullion-guid: the desktop is gone\n", stderr);
		exit(1);
	}
	return rc;
}
