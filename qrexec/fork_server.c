/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qrexec-fork-server: runs in a user's session and, asked by the agent, calls of that user inside
 * of it: with its environment, its session bus, its place among the processes.
 *
 * One connection is one call, and is served by a process of its own, which reads the request, too:
 * nobody can make the others wait. The connection ends with the call; that is all the agent hears.
 */
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "qrexec/fork_client.h"
#include "qrexec/io.h"
#include "qrexec/serve.h"

#define REQUEST_SECONDS 10

static void setup_timeout(int fd)
{
	struct timeval limit = {.tv_sec = REQUEST_SECONDS};

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* The agent, or, without a hypervisor, one of ours. */
static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) &&
	       (peer.uid == 0 || peer.uid == getuid());
}

/* The request's command is heap that this process keeps. False: a line on stderr says why. */
static bool read_request(int fd, struct qrexec_fork *request)
{
	uint8_t head[QREXEC_FORK_HEAD_SIZE], *text;
	struct wire in = wire_of(head, sizeof(head));

	if (recv(fd, head, sizeof(head), MSG_WAITALL) != sizeof(head)) {
		fputs("qrexec-fork-server: half a request\n", stderr);
		return false;
	}
	if (qrexec_fork_head_decode(&in, request)) {
		fputs("qrexec-fork-server: request with an impossible head\n", stderr);
		return false;
	}
	text = malloc(request->exec.command_size);
	if (!text || recv(fd, text, request->exec.command_size, MSG_WAITALL) !=
			     (ssize_t)request->exec.command_size) {
		fputs("qrexec-fork-server: half a request\n", stderr);
		return false;
	}
	in = wire_of(text, request->exec.command_size);
	if (qrexec_fork_command_decode(&in, request)) {
		fputs("qrexec-fork-server: command without an end, or with two\n", stderr);
		return false;
	}
	return true;
}

static _Noreturn void serve(int fd, const struct passwd *user)
{
	struct command command = {0};
	struct service_config config = {0};
	struct qrexec_fork request;
	libvchan_t *vchan;
	int rc;

	signal(SIGCHLD, SIG_DFL); /* this process waits for its service */
	setup_timeout(fd);
	if (!may_ask(fd)) {
		fputs("qrexec-fork-server: refused a program of another user\n", stderr);
		_exit(QREXEC_EXIT_REFUSED);
	}
	if (!read_request(fd, &request)) {
		_exit(QREXEC_EXIT_PROBLEM);
	}
	vchan = serve_connect(&request.exec);
	if (!vchan) {
		_exit(QREXEC_EXIT_PROBLEM);
	}
	if (command_parse(request.exec.command, false, &command) ||
	    service_config_load(&command, &config)) {
		serve_refuse(vchan, "qrexec: not a command\n");
	}
	snprintf(command.user, sizeof(command.user), "%s", user->pw_name);
	rc = serve_call(request.type, vchan, &command, &config, SHELL_USER);
	libvchan_close(vchan);
	_exit(rc);
}

static int open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t before = umask(0177);

	strcpy(address.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 256)) {
		perror(path);
		exit(1);
	}
	umask(before);
	return fd;
}

static _Noreturn void usage(int code)
{
	fputs("usage: qrexec-fork-server [-D|--direct] [SOCKET]\n"
	      "  -D, --direct  stay in the foreground\n"
	      "  SOCKET        where to listen (default " FORK_SERVER_SOCKET ",\n"
	      "                with the user's name for %s)\n",
	      code ? stderr : stdout);
	exit(code);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"direct", no_argument, NULL, 'D'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const struct passwd *user = getpwuid(getuid());
	bool is_direct = false;
	int opt, listener, fd;

	while ((opt = getopt_long(argc, argv, "Dh", options, NULL)) != -1) {
		if (opt != 'D') {
			usage(opt == 'h' ? 0 : 2);
		}
		is_direct = true;
	}
	if (argc - optind > 1) {
		usage(2);
	}
	if (!user) {
		fprintf(stderr, "qrexec-fork-server: user %u has no name\n", getuid());
		return 1;
	}
	if (!fork_server_path(optind < argc ? argv[optind] : FORK_SERVER_SOCKET, user->pw_name,
			      path, sizeof(path))) {
		fputs("qrexec-fork-server: path too long\n", stderr);
		return 2;
	}
	listener = open_socket(path);
	if (!is_direct && daemon(1, 1)) {
		perror("qrexec-fork-server: daemon");
		return 1;
	}
	signal(SIGCHLD, SIG_IGN); /* nobody waits for the calls */
	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) {
			continue;
		}
		if (fork() == 0) {
			close(listener);
			serve(fd, user);
		}
		close(fd);
	}
}
