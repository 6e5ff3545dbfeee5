/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qrexec-client-vm: in a domain, call a service of another one, if dom0's policy allows.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qrexec/io.h"
#include "qrexec/proto.h"

#define AGENT_SOCKET	   "/run/qubes/qrexec-agent"
#define RING_BYTES_DEFAULT 65536

static _Noreturn void usage(int code)
{
	fputs("usage: qrexec-client-vm [options] TARGET SERVICE[+ARGUMENT] [PROGRAM [ARGS...]]\n"
	      "  TARGET                  a domain, @default, @dispvm, @dispvm:NAME or @adminvm\n"
	      "  --agent-socket=PATH     the agent's socket (default " AGENT_SOCKET ")\n"
	      "  --source-qube=NAME      call on behalf of another domain (relays)\n"
	      "  --buffer-size=BYTES     smallest ring each way (default 65536)\n"
	      "  --use-stdin-socket      use the socket on standard input for both directions\n"
	      "  -t, --filter-escape-chars-stdout, --no-filter-escape-chars-stdout\n"
	      "  -T, --filter-escape-chars-stderr, --no-filter-escape-chars-stderr\n"
	      "                          replace control characters (default: on a terminal)\n"
	      "Exit code: that of the service (of PROGRAM when given); 125 problem, 126 refused,\n"
	      "127 no such service.\n",
	      code ? stderr : stdout);
	exit(code);
}

struct options {
	const char *socket, *source, *target, *service;
	int buffer_size;
	bool use_stdin_socket;
	int filter_output, filter_errors; /* -1: by terminal */
	char **program;
};

static int connect_agent(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		fprintf(stderr, "qrexec-client-vm: %s: path too long\n", path);
		return -1;
	}
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		fprintf(stderr, "qrexec-client-vm: no agent at %s: %s\n", path, strerror(errno));
		return -1;
	}
	return fd;
}

static bool send_trigger(int fd, const struct options *o)
{
	static uint8_t bytes[QREXEC_HEADER_SIZE + 160 + QREXEC_SERVICE_SIZE_MAX];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	struct qrexec_trigger t = {.ident = "SOCKET", .service = o->service};
	char *p;

	t.service_size = (uint32_t)strnlen(o->service, QREXEC_SERVICE_SIZE_MAX) + 1;
	if (t.service_size > QREXEC_SERVICE_SIZE_MAX || strlen(o->target) >= sizeof(t.target) ||
	    (o->source && strlen(o->source) >= sizeof(t.source))) {
		fprintf(stderr, "qrexec-client-vm: a name is too long\n");
		return false;
	}
	strcpy(t.target, o->target);
	strcpy(t.source, o->source ? o->source : "");
	/* Keywords began with '$' once. */
	for (p = t.target; *p; p++) {
		*p = *p == '$' ? '@' : *p;
	}
	qrexec_trigger_encode(&out, o->source ? MSG_TRIGGER_V4 : MSG_TRIGGER_V3, &t);
	return send(fd, bytes, out.size, MSG_NOSIGNAL) == (ssize_t)out.size;
}

/* 0 with the place, or an exit code. */
static int ask_for_place(int fd, struct qrexec_place *place)
{
	uint8_t bytes[8];
	struct wire in = wire_of(bytes, sizeof(bytes));

	if (recv(fd, bytes, sizeof(bytes), MSG_WAITALL) != sizeof(bytes)) {
		fprintf(stderr, "Request refused\n");
		return QREXEC_EXIT_REFUSED;
	}
	return qrexec_place_decode(&in, place) ? QREXEC_EXIT_PROBLEM : 0;
}

/* PROGRAM with its input and output connected to the call. */
static pid_t start_program(char **argv, struct call_io *io)
{
	int in[2], out[2], i;
	char name[16], number[16];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out)) {
		perror("qrexec-client-vm: socketpair");
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		/* The program may want to talk to whoever started us. */
		for (i = 0; i < (getenv("PASS_LOCAL_STDERR") ? 3 : 2); i++) {
			snprintf(name, sizeof(name), "SAVED_FD_%d", i);
			snprintf(number, sizeof(number), "%d", dup(i));
			setenv(name, number, 1);
		}
		dup2(in[1], 0);
		dup2(out[1], 1);
		execvp(argv[0], argv);
		fprintf(stderr, "qrexec-client-vm: %s: %s\n", argv[0], strerror(errno));
		_exit(QREXEC_EXIT_NOT_FOUND);
	}
	close(in[1]);
	close(out[1]);
	io->sink_fd = in[0];
	io->source_fd = out[0];
	return pid;
}

static int run(const struct options *o)
{
	struct call_io io = {.source_fd = 0, .sink_fd = 1, .error_fd = 2, .is_sink_own = true};
	struct qrexec_place place;
	int fd, rc, status;
	pid_t pid = 0;

	fd = connect_agent(o->socket);
	if (fd < 0 || !send_trigger(fd, o)) {
		return QREXEC_EXIT_PROBLEM;
	}
	rc = ask_for_place(fd, &place);
	if (rc) {
		return rc;
	}
	io.vchan = call_listen((int)place.domain, (int)place.port, o->buffer_size, fd);
	if (!io.vchan) {
		fprintf(stderr, "qrexec-client-vm: the service did not connect: %s\n",
			strerror(errno));
		return QREXEC_EXIT_PROBLEM;
	}
	if (o->program) {
		pid = start_program(o->program, &io);
		if (pid < 0) {
			return QREXEC_EXIT_PROBLEM;
		}
		io.is_sink_own = false;
	} else if (o->use_stdin_socket) {
		io.sink_fd = 0;
	}
	io.filter_output = o->filter_output >= 0 ? o->filter_output : !pid && isatty(1);
	io.filter_errors = o->filter_errors >= 0 ? o->filter_errors : isatty(2);
	rc = call_run(&io);
	libvchan_close(io.vchan);
	/* Both have to be content: a program that sent all does not know what came of it. */
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status) {
		rc = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	close(fd);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"agent-socket", required_argument, NULL, 'a'},
		{"source-qube", required_argument, NULL, 'S'},
		{"buffer-size", required_argument, NULL, 'b'},
		{"use-stdin-socket", no_argument, NULL, 'u'},
		{"filter-escape-chars-stdout", no_argument, NULL, 't'},
		{"filter-escape-chars-stderr", no_argument, NULL, 'T'},
		{"no-filter-escape-chars-stdout", no_argument, NULL, 'n'},
		{"no-filter-escape-chars-stderr", no_argument, NULL, 'N'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options o = {.socket = AGENT_SOCKET,
			    .buffer_size = RING_BYTES_DEFAULT,
			    .filter_output = -1,
			    .filter_errors = -1};
	int opt;

	call_claim_standard_descriptors();
	while ((opt = getopt_long(argc, argv, "+tTa:h", options, NULL)) != -1) {
		switch (opt) {
		case 'a':
			o.socket = optarg;
			break;
		case 'S':
			o.source = optarg;
			break;
		case 'b':
			o.buffer_size = atoi(optarg);
			break;
		case 'u':
			o.use_stdin_socket = true;
			break;
		case 't':
		case 'n':
			o.filter_output = opt == 't';
			break;
		case 'T':
		case 'N':
			o.filter_errors = opt == 'T';
			break;
		default:
			usage(opt == 'h' ? 0 : 2);
		}
	}
	if (argc - optind < 2 || o.buffer_size < 1 || o.buffer_size > 64 * 1024 * 1024) {
		usage(2);
	}
	o.target = argv[optind];
	o.service = argv[optind + 1];
	o.program = argc - optind > 2 ? argv + optind + 2 : NULL;
	return run(&o);
}
