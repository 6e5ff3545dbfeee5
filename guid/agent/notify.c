/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notifications of this domain's programs: mullion-notifyd, which they know as the desktop's
 * service for that, sends each as one datagram, summary, NUL, text.
 *
 * The socket is $XDG_RUNTIME_DIR/mullion-notify, so only the user's own programs reach it.
 */
#include "guid/agent/agent.h"

#include "guid/ext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct agent_notify {
	struct sockaddr_un address;
	int fd;
	struct wl_event_source *source;
};

static int on_datagram(int fd, uint32_t mask, void *data)
{
	struct agent *a = data;
	uint8_t bytes[EXT_NOTIFY_MAX];
	ssize_t size = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	const uint8_t *end = size > 0 ? memchr(bytes, 0, (size_t)size) : NULL;

	if (end) {
		ext_notify(a, bytes, (uint32_t)(end - bytes), end + 1,
			   (uint32_t)(bytes + size - end - 1));
	}
	return 0;
}

void notify_start(struct agent *a)
{
	struct agent_notify *n = calloc(1, sizeof(*n));

	if (!n) {
		return;
	}
	a->notify = n;
	n->address.sun_family = AF_UNIX;
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0 ||
	    snprintf(n->address.sun_path, sizeof(n->address.sun_path), "%s/mullion-notify",
		     getenv("XDG_RUNTIME_DIR")) >= (int)sizeof(n->address.sun_path)) {
		notify_stop(a);
		return;
	}
	unlink(n->address.sun_path);
	if (bind(n->fd, (struct sockaddr *)&n->address, sizeof(n->address))) {
		perror("no notifications");
		notify_stop(a);
		return;
	}
	n->source = wl_event_loop_add_fd(a->loop, n->fd, WL_EVENT_READABLE, on_datagram, a);
}

void notify_stop(struct agent *a)
{
	struct agent_notify *n = a->notify;

	if (!n) {
		return;
	}
	a->notify = NULL;
	if (n->source) {
		wl_event_source_remove(n->source);
		unlink(n->address.sun_path);
	}
	if (n->fd >= 0) {
		close(n->fd);
	}
	free(n);
}
