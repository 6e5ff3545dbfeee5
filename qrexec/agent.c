/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qrexec-agent: runs in every domain but dom0, starts what dom0's daemon asks for, and passes on
 * what programs in this domain ask of others.
 *
 * One loop; each call runs in a process of its own (session.c, client_vm.c), so nothing here ever
 * waits for a program. Programs of this domain connect to the agent's socket and send one
 * TRIGGER; they get {domain, port} back when the call was allowed, or the end of the connection.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qrexec/control.h"
#include "qrexec/fork_client.h"
#include "qrexec/session.h"

#define AGENT_SOCKET	   "/run/qubes/qrexec-agent"
#define CONTROL_RING_BYTES 65536
#define REQUESTS_MAX	   4096

/* A program of this domain that asked for a call. */
struct request {
	int fd;
	unsigned int number; /* what its ident carries; never used twice */
	uint8_t *message;    /* while it is being received; then NULL */
	size_t size;
	bool has_place; /* it was allowed, and has been told where */
	struct qrexec_place place;
	struct request *next;
};

/* A process of ours that serves a call. */
struct session {
	pid_t pid;
	struct qrexec_place place;
	struct session *next;
};

static struct {
	libvchan_t *vchan;
	struct control control;
	bool is_connected;
	int epoll_fd, signal_fd, listener_fd;
	unsigned int next_number;
	unsigned int request_count;
	struct request *requests;
	struct session *sessions;
	const char *fork_server; /* NULL: none */
} agent = {.fork_server = FORK_SERVER_SOCKET};

/* Markers for epoll besides requests. */
static int vchan_mark, signal_mark, listener_mark;

static void watch(int fd, void *mark)
{
	struct epoll_event ev = {.events = EPOLLIN, .data = {.ptr = mark}};

	if (epoll_ctl(agent.epoll_fd, EPOLL_CTL_ADD, fd, &ev)) {
		perror("qrexec-agent: epoll");
		exit(1);
	}
}

static void send_place_end(const struct qrexec_place *place)
{
	uint8_t bytes[16];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));

	qrexec_place_encode(&out, MSG_CONNECTION_TERMINATED, place);
	if (agent.is_connected) {
		/* A failure shows as the end of the vchan in the loop. */
		(void)control_send(&agent.control, bytes, out.size);
	}
}

static void end_request(struct request *r)
{
	struct request **link;

	for (link = &agent.requests; *link != r; link = &(*link)->next) {
	}
	*link = r->next;
	if (r->has_place) {
		send_place_end(&r->place);
	}
	/* By hand: a child that was just forked has a copy, which would keep it in epoll. */
	(void)epoll_ctl(agent.epoll_fd, EPOLL_CTL_DEL, r->fd, NULL);
	close(r->fd);
	free(r->message);
	free(r);
	agent.request_count--;
}

static struct request *find_request(const char *ident)
{
	struct request *r;
	unsigned int number;
	char end;

	if (sscanf(ident, "SOCKET%u%c", &number, &end) != 1) {
		return NULL;
	}
	for (r = agent.requests; r && r->number != number; r = r->next) {
	}
	return r && !r->message ? r : NULL;
}

/* ---- from the daemon ---- */

static void handle_exec(enum qrexec_type type, const struct qrexec_exec *exec)
{
	struct session *s = calloc(1, sizeof(*s));
	struct qrexec_place place = {.domain = exec->domain, .port = exec->port};
	sigset_t none;

	if (s) {
		s->pid = fork();
	}
	if (!s || s->pid < 0) {
		fprintf(stderr, "qrexec-agent: cannot start a call: %s\n", strerror(errno));
		free(s);
		send_place_end(&place);
		return;
	}
	if (s->pid == 0) {
		/*
		 * The control vchan is the agent's: closing its descriptors leaves the connection
		 * alone, libvchan_close() would end it for both.
		 */
		close_range(3, ~0u, 0);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		session_main(type, exec, agent.fork_server);
	}
	s->place = place;
	s->next = agent.sessions;
	agent.sessions = s;
}

static void handle_connect(const struct qrexec_connect *connect)
{
	struct request *r = find_request(connect->ident);
	uint32_t answer[2] = {connect->place.domain, connect->place.port};

	if (!r || r->has_place) {
		send_place_end(&connect->place); /* whoever asked has left */
		return;
	}
	r->has_place = true;
	r->place = connect->place;
	if (send(r->fd, answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer)) {
		end_request(r);
	}
}

static int handle_message(const struct qrexec_header *header, struct wire *body)
{
	struct qrexec_connect connect;
	struct qrexec_exec exec;
	char ident[QREXEC_IDENT_SIZE];
	struct request *r;
	int rc;

	switch (header->type) {
	case MSG_EXEC_CMDLINE:
	case MSG_JUST_EXEC:
		rc = qrexec_exec_decode(body, &exec);
		if (!rc) {
			handle_exec(header->type, &exec);
		}
		return rc;
	case MSG_SERVICE_CONNECT:
		rc = qrexec_connect_decode(body, &connect);
		if (!rc) {
			handle_connect(&connect);
		}
		return rc;
	default: /* SERVICE_REFUSED: the direction allows no other */
		rc = qrexec_ident_decode(body, ident);
		r = rc ? NULL : find_request(ident);
		if (r) {
			end_request(r);
		}
		return rc;
	}
}

/* ---- from programs of this domain ---- */

static void accept_request(void)
{
	int fd = accept4(agent.listener_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct request *r;

	if (fd < 0) {
		return;
	}
	r = agent.request_count < REQUESTS_MAX ? calloc(1, sizeof(*r)) : NULL;
	if (r) {
		r->message = malloc(QREXEC_HEADER_SIZE);
	}
	if (!r || !r->message) {
		free(r);
		close(fd);
		return;
	}
	r->fd = fd;
	r->number = agent.next_number++;
	r->next = agent.requests;
	agent.requests = r;
	agent.request_count++;
	watch(fd, r);
}

/* The header is there: the whole message's size, or -1. */
static ssize_t whole_size(const struct request *r)
{
	struct wire in = wire_of(r->message, QREXEC_HEADER_SIZE);
	struct qrexec_header header;

	if (qrexec_header_decode(&in, QREXEC_CLIENT_TO_AGENT, QREXEC_VERSION_MAX, &header)) {
		return -1;
	}
	return QREXEC_HEADER_SIZE + (ssize_t)header.size;
}

/* Passes a complete TRIGGER on in the version that the daemon speaks. */
static bool forward(struct request *r)
{
	struct wire in = wire_of(r->message, QREXEC_HEADER_SIZE);
	static uint8_t bytes[QREXEC_HEADER_SIZE + 160 + QREXEC_SERVICE_SIZE_MAX];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	enum qrexec_type type = MSG_TRIGGER_V3;
	struct qrexec_header header;
	struct qrexec_trigger t;

	if (!agent.is_connected ||
	    qrexec_header_decode(&in, QREXEC_CLIENT_TO_AGENT, QREXEC_VERSION_MAX, &header)) {
		return false;
	}
	in = wire_of(r->message + QREXEC_HEADER_SIZE, header.size);
	if (qrexec_trigger_decode(&in, header.type, &t)) {
		return false;
	}
	snprintf(t.ident, sizeof(t.ident), "SOCKET%u", r->number);
	if (*t.source) {
		type = MSG_TRIGGER_V4;
	} else if (agent.control.version < 3) {
		type = MSG_TRIGGER_V2;
	}
	/* What an older daemon cannot be told is refused here. */
	if ((type == MSG_TRIGGER_V4 && agent.control.version < 4) ||
	    (type == MSG_TRIGGER_V2 && (t.service_size > 64 || strlen(t.target) > 31))) {
		fprintf(stderr,
			"qrexec-agent: dom0 speaks version %u, which cannot express a call\n",
			agent.control.version);
		return false;
	}
	qrexec_trigger_encode(&out, type, &t);
	return !control_send(&agent.control, bytes, out.size);
}

/* Reads up to `wanted` bytes of the message. 1 there, 0 not yet, -1 gone. */
static int receive(struct request *r, size_t wanted)
{
	ssize_t n;

	while (r->size < wanted) {
		n = recv(r->fd, r->message + r->size, wanted - r->size, 0);
		if (n <= 0) {
			return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
		}
		r->size += (size_t)n;
	}
	return 1;
}

static void handle_request(struct request *r)
{
	ssize_t whole;
	uint8_t *bigger;
	int rc;

	if (!r->message) {
		/* It says nothing more; this is its end, and the end of the call. */
		end_request(r);
		return;
	}
	rc = receive(r, QREXEC_HEADER_SIZE);
	if (rc > 0) {
		whole = whole_size(r);
		bigger = whole < 0 ? NULL : realloc(r->message, (size_t)whole);
		if (!bigger) {
			rc = -1;
		} else {
			r->message = bigger;
			rc = receive(r, (size_t)whole);
		}
	}
	if (rc == 0) {
		return;
	}
	if (rc < 0 || !forward(r)) {
		end_request(r);
		return;
	}
	free(r->message);
	r->message = NULL;
}

/* ---- processes ---- */

static void reap_sessions(void)
{
	struct signalfd_siginfo info;
	struct session **link, *s;
	pid_t pid;

	while (read(agent.signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
			exit(0);
		}
	}
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (link = &agent.sessions; *link && (*link)->pid != pid; link = &(*link)->next) {
		}
		s = *link;
		if (s) {
			*link = s->next;
			send_place_end(&s->place);
			free(s);
		}
	}
}

/* ---- the daemon's connection ---- */

static void open_control(void)
{
	agent.vchan = libvchan_server_init(0, QREXEC_CONTROL_PORT, CONTROL_RING_BYTES,
					   CONTROL_RING_BYTES);
	if (!agent.vchan || control_init(&agent.control, agent.vchan, QREXEC_DAEMON_TO_AGENT)) {
		perror("qrexec-agent: control vchan");
		exit(1);
	}
	watch(libvchan_fd_for_select(agent.vchan), &vchan_mark);
}

/* The daemon left: calls that run go on, those that wait for an answer get none. */
static void reopen_control(const char *why)
{
	struct request *r, *next;

	fprintf(stderr, "qrexec-agent: connection to dom0 ended: %s\n", why);
	agent.is_connected = false;
	(void)epoll_ctl(agent.epoll_fd, EPOLL_CTL_DEL, libvchan_fd_for_select(agent.vchan), NULL);
	control_fini(&agent.control);
	libvchan_close(agent.vchan);
	for (r = agent.requests; r; r = next) {
		next = r->next;
		if (!r->message && !r->has_place) {
			end_request(r);
		}
	}
	open_control();
}

static void handle_control(void)
{
	struct qrexec_header header;
	struct wire body;
	int rc;

	if (libvchan_wait(agent.vchan)) {
		reopen_control("vchan error");
		return;
	}
	if (!agent.is_connected) {
		if (libvchan_is_open(agent.vchan) == VCHAN_WAITING) {
			return;
		}
		rc = control_hello(&agent.control, true);
		if (rc) {
			reopen_control("no HELLO");
			return;
		}
		agent.is_connected = true;
	}
	while ((rc = control_next(&agent.control, &header, &body)) > 0) {
		if (handle_message(&header, &body)) {
			reopen_control("bad message");
			return;
		}
	}
	if (rc < 0 || control_flush(&agent.control)) {
		reopen_control(rc == -EPIPE || !rc ? "daemon left" : "bad message");
	}
}

/* ---- start ---- */

static void open_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path)) {
		fprintf(stderr, "qrexec-agent: %s: path too long\n", path);
		exit(2);
	}
	strcpy(address.sun_path, path);
	unlink(path);
	agent.listener_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (agent.listener_fd < 0 ||
	    bind(agent.listener_fd, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(path, 0666) || listen(agent.listener_fd, 1024)) {
		perror(path);
		exit(1);
	}
	watch(agent.listener_fd, &listener_mark);
}

static void open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	agent.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	watch(agent.signal_fd, &signal_mark);
}

static _Noreturn void usage(int code)
{
	fputs("usage: qrexec-agent [options]\n"
	      "  --agent-socket=PATH        where programs ask for calls\n"
	      "                             (default " AGENT_SOCKET ")\n"
	      "  --fork-server-socket=PATH  where a user's session listens, %s is its user\n"
	      "                             (default " FORK_SERVER_SOCKET ")\n"
	      "  --no-fork-server           every call has a PAM session of its own\n",
	      code ? stderr : stdout);
	exit(code);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"agent-socket", required_argument, NULL, 'a'},
		{"fork-server-socket", required_argument, NULL, 's'},
		{"no-fork-server", no_argument, NULL, 'S'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *path = AGENT_SOCKET;
	struct epoll_event ev[64];
	int opt, i, count;

	while ((opt = getopt_long(argc, argv, "a:s:Sh", options, NULL)) != -1) {
		switch (opt) {
		case 'a':
			path = optarg;
			break;
		case 's':
			agent.fork_server = *optarg ? optarg : NULL;
			break;
		case 'S':
			agent.fork_server = NULL;
			break;
		default:
			usage(opt == 'h' ? 0 : 2);
		}
	}
	signal(SIGPIPE, SIG_IGN);
	agent.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	open_signals();
	open_socket(path);
	open_control();
	for (;;) {
		count = epoll_wait(agent.epoll_fd, ev, 64, -1);
		for (i = 0; i < count; i++) {
			if (ev[i].data.ptr == &vchan_mark) {
				/* May end requests of this very list: start over. */
				handle_control();
				break;
			} else if (ev[i].data.ptr == &signal_mark) {
				reap_sessions();
			} else if (ev[i].data.ptr == &listener_mark) {
				accept_request();
			} else {
				handle_request(ev[i].data.ptr);
			}
		}
	}
}
