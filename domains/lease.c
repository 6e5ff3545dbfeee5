/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/lease.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_MS    100
#define RETRIES_MAX 600

struct lease {
	char *name;
	struct sockaddr_un address;
	lease_ended_t ended;
	void *data;
	int fd;
	guint source; /* the next attempt, or the connection */
	int attempts;
};

static gboolean end(struct lease *lease)
{
	lease->source = 0;
	lease->ended(lease->name, lease->data); /* may free the lease */
	return G_SOURCE_REMOVE;
}

/* Its greeting, which nobody answers, or its end. */
static gboolean handle_input(gint fd, GIOCondition condition, gpointer data)
{
	char ignored[64];
	ssize_t n = recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) {
		return G_SOURCE_CONTINUE;
	}
	return end(data);
}

static bool try_connect(struct lease *lease)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&lease->address, sizeof(lease->address)) == 0) {
		lease->fd = fd;
		lease->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP, handle_input, lease);
		return true;
	}
	if (fd >= 0) {
		close(fd);
	}
	return false;
}

static gboolean try_again(gpointer data)
{
	struct lease *lease = data;

	if (try_connect(lease)) {
		return G_SOURCE_REMOVE;
	}
	if (++lease->attempts < RETRIES_MAX) {
		return G_SOURCE_CONTINUE;
	}
	g_warning("the qrexec daemon of %s does not come up", lease->name);
	return end(lease);
}

struct lease *lease_new(const char *socket_folder, const char *name, lease_ended_t ended,
			void *data)
{
	struct lease *lease = g_new0(struct lease, 1);

	lease->name = g_strdup(name);
	lease->address.sun_family = AF_UNIX;
	g_snprintf(lease->address.sun_path, sizeof(lease->address.sun_path), "%s/qrexec.%s",
		   socket_folder, name);
	lease->ended = ended;
	lease->data = data;
	lease->fd = -1;
	lease->source = g_timeout_add(RETRY_MS, try_again, lease);
	return lease;
}

void lease_free(struct lease *lease)
{
	if (!lease) {
		return;
	}
	if (lease->source) {
		g_source_remove(lease->source);
	}
	if (lease->fd >= 0) {
		close(lease->fd);
	}
	g_free(lease->name);
	g_free(lease);
}
