/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/fork_client.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool fork_server_path(const char *pattern, const char *user, char *path, size_t capacity)
{
	const char *name = strstr(pattern, "%s");
	int length = name ? snprintf(path, capacity, "%.*s%s%s", (int)(name - pattern), pattern,
				     user, name + 2)
			  : snprintf(path, capacity, "%s", pattern);

	return length >= 0 && (size_t)length < capacity;
}

bool fork_server_may_serve(const struct command *command, const struct service_config *config)
{
	return *command->user && !command->is_nogui && !config->skip_descriptor &&
	       !config->exit_on_service_eof && !config->exit_on_client_eof;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		if (errno != ENOENT && errno != ECONNREFUSED) {
			perror(path);
		}
		close(fd);
		return -1;
	}
	return fd;
}

/* The folder is open to all users of the domain: what the name says need not be who listens. */
static bool is_served_by(int fd, const char *user)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);
	const struct passwd *pw = getpwnam(user);

	return pw && !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) &&
	       peer.uid == pw->pw_uid;
}

static bool send_all(int fd, const uint8_t *bytes, size_t size)
{
	ssize_t n;

	while (size) {
		n = send(fd, bytes, size, MSG_NOSIGNAL);
		if (n <= 0) {
			return false;
		}
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

int fork_server_pass(const char *pattern, const char *user, const struct qrexec_fork *call)
{
	size_t size = QREXEC_FORK_HEAD_SIZE + call->exec.command_size;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct wire_out out;
	uint8_t *bytes;
	bool is_sent;
	int fd;

	if (!fork_server_path(pattern, user, path, sizeof(path))) {
		fprintf(stderr, "qrexec-agent: %s: path too long for %s\n", pattern, user);
		return -1;
	}
	fd = connect_to(path);
	if (fd < 0) {
		return -1;
	}
	if (!is_served_by(fd, user)) {
		fprintf(stderr, "qrexec-agent: %s: not served by %s\n", path, user);
		close(fd);
		return -1;
	}
	bytes = malloc(size);
	out = wire_out_of(bytes, bytes ? size : 0);
	qrexec_fork_encode(&out, call);
	is_sent = bytes && send_all(fd, bytes, out.size);
	free(bytes);
	if (!is_sent) {
		close(fd);
		return -1;
	}
	return fd;
}
