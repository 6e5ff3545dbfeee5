/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start-domain TARGET: start a domain, or a new disposable for @dispvm:BASE, and print its name.
 *
 * qrexec-daemon runs it when the target of an allowed call does not run. Ends when the domain's own
 * qrexec daemon listens; calls then wait there for the agent. Asks mulliond, see gate.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define GATE_PATH     "/run/mullion/start.sock"
#define SOCKET_FOLDER "/run/qubes"
#define LINE_SIZE     1024
#define WAIT_MS	      60000
#define STEP_MS	      5

static int fail(const char *what)
{
	fprintf(stderr, "start-domain: %s: %s\n", what, strerror(errno));
	return 1;
}

static int connect_gate(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The answer's line without its end; empty when there is none. */
static void read_line(int fd, char line[LINE_SIZE])
{
	size_t have = 0;
	ssize_t n;

	while (have < LINE_SIZE - 1 && (n = read(fd, line + have, LINE_SIZE - 1 - have)) > 0) {
		have += (size_t)n;
		if (memchr(line, '\n', have)) {
			break;
		}
	}
	line[have] = 0;
	line[strcspn(line, "\n")] = 0;
}

static int wait_for_daemon(const char *folder, const char *name)
{
	char path[LINE_SIZE + 64];
	struct stat st;
	int waited_ms;

	snprintf(path, sizeof(path), "%s/qrexec.%s", folder, name);
	for (waited_ms = 0; stat(path, &st); waited_ms += STEP_MS) {
		if (waited_ms >= WAIT_MS) {
			return fail(path);
		}
		usleep(STEP_MS * 1000);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *gate = getenv("MULLION_START_SOCKET"), *folder = getenv("QREXEC_SOCKET_DIR");
	char line[LINE_SIZE];
	int fd;

	if (argc != 2 || strlen(argv[1]) > 100 || strchr(argv[1], '\n')) {
		fputs("usage: start-domain NAME|@dispvm:NAME\n", stderr);
		return 2;
	}
	fd = connect_gate(gate ? gate : GATE_PATH);
	if (fd < 0) {
		return fail("mulliond does not answer");
	}
	snprintf(line, sizeof(line), "%s\n", argv[1]);
	if (write(fd, line, strlen(line)) != (ssize_t)strlen(line)) {
		return fail("mulliond");
	}
	read_line(fd, line);
	close(fd);
	if (strncmp(line, "ok ", 3) != 0) {
		fprintf(stderr, "start-domain: %s\n",
			strncmp(line, "error ", 6) ? "mulliond ended" : line + 6);
		return 1;
	}
	if (wait_for_daemon(folder ? folder : SOCKET_FOLDER, line + 3)) {
		return 1;
	}
	puts(line + 3);
	return 0;
}
