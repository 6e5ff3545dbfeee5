/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/daemon_starter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qrexec/connect.h"
#include "qrexec/parser.h"
#include "qrexec/query.h"

#define START_PROGRAM	"/usr/lib/mullion/start-domain"
#define ANSWER_SIZE_MAX 2048

/* One message to the starter; the answer and the service follow, the latter with its NUL. */
struct request {
	uint32_t kind; /* enum start_kind, or 0: end the process */
	pid_t pid;     /* which one */
	char ident[QREXEC_IDENT_SIZE];
	char target[QREXEC_NAME_SIZE];
	uint32_t answer_size, service_size;
};

/* How a process ended, as the pipe carries it. */
struct ended {
	pid_t pid;
	int status;
};

/* ---- in the processes that are started ---- */

/* In a child: nothing of the starter is left open, signals are as usual. */
static void become_child(void)
{
	sigset_t none;

	close_range(3, ~0u, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

/* Asks whoever starts domains; *name becomes the domain that serves (a new one for @dispvm). */
static bool start_domain(char name[QUERY_NAME_SIZE])
{
	const char *program = getenv("MULLION_START_PROGRAM");
	char line[QUERY_NAME_SIZE] = "";
	int fds[2], status;
	FILE *output;
	pid_t pid;

	program = program ? program : START_PROGRAM;
	if (access(program, X_OK) || pipe(fds)) {
		return false;
	}
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		close_range(3, ~0u, 0);
		execl(program, program, name, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	output = fdopen(fds[0], "r");
	if (!output || !fgets(line, sizeof(line), output)) {
		line[0] = 0;
	}
	line[strcspn(line, "\n")] = 0;
	if (output) {
		fclose(output);
	}
	if (waitpid(pid, &status, 0) != pid || status || !qrexec_is_name(line, "")) {
		return false;
	}
	strcpy(name, line);
	return true;
}

static bool is_running(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/qrexec.%s", the_daemon.socket_dir, name);
	return name[0] != '@' && !access(path, F_OK);
}

/* In the connector. Returns its exit code. */
static int connect_call(const struct start_call *call, struct answer *a)
{
	struct connect_caller caller = {.ident = call->ident,
					.name = the_daemon.name,
					.domain = (unsigned int)the_daemon.domain};
	const char *wanted = a->requested_target;
	char *command = NULL;
	int rc;

	if (!strcmp(a->target, "dom0") || !strcmp(a->target, "@adminvm")) {
		rc = asprintf(&command, "QUBESRPC %s %s %s %s", call->service, the_daemon.name,
			      *wanted == '@' || !*wanted ? "keyword" : "name",
			      *wanted == '@' ? wanted + 1 : wanted);
		return rc < 0 ? 1 : connect_serve_here(the_daemon.socket_dir, &caller, command);
	}
	if (!is_running(a->target) && (!a->is_autostart || !start_domain(a->target))) {
		fprintf(stderr, "qrexec-daemon: %s: %s is not running and cannot be started\n",
			the_daemon.name, a->target);
		return 1;
	}
	rc = asprintf(&command, "%s:QUBESRPC %s %s", *a->user ? a->user : "DEFAULT", call->service,
		      the_daemon.name);
	return rc < 0 ? 1
		      : connect_domains(the_daemon.socket_dir, &caller, a->target, command, false);
}

static _Noreturn void run_policy_program(const struct start_call *call, int output)
{
	dup2(output, 1);
	become_child();
	execl(the_daemon.policy_program, "qrexec-policy-exec", "--", the_daemon.name,
	      *call->target ? call->target : "@default", call->service, (char *)NULL);
	_exit(126);
}

static _Noreturn void run(enum start_kind kind, const struct start_call *call, int fd)
{
	struct answer a;

	switch (kind) {
	case START_PARSER:
		dup2(fd, 3);
		close_range(4, ~0u, 0);
		parser_main(the_daemon.domain, the_daemon.name, 3);
	case START_POLICY_PROGRAM:
		run_policy_program(call, fd);
	case START_CONNECTOR:
		become_child();
		exit(answer_parse(call->answer, call->answer_size, &a) || !a.is_allowed
			     ? 1
			     : connect_call(call, &a));
	}
	_exit(1);
}

/* ---- the starter ---- */

/* Of a daemon that may have been captured: it can ask for nothing but what it may. */
static bool is_request_valid(struct request *r, const char *rest, size_t size, int fd,
			     struct start_call *call)
{
	if (r->kind > START_CONNECTOR || r->answer_size > ANSWER_SIZE_MAX ||
	    r->service_size > QREXEC_SERVICE_SIZE_MAX ||
	    size != (size_t)r->answer_size + r->service_size ||
	    (fd >= 0) != (r->kind == START_PARSER || r->kind == START_POLICY_PROGRAM)) {
		return false;
	}
	r->ident[sizeof(r->ident) - 1] = r->target[sizeof(r->target) - 1] = 0;
	*call = (struct start_call){.ident = r->ident,
				    .target = r->target,
				    .answer = rest,
				    .answer_size = r->answer_size,
				    .service = rest + r->answer_size};
	if (!r->kind || r->kind == START_PARSER) {
		return !size;
	}
	return r->service_size && call->service[r->service_size - 1] == 0 &&
	       qrexec_is_name(call->service, "+") &&
	       (!*call->target || qrexec_is_name(call->target, "@:"));
}

/* A whole request with the descriptor that came with it, or -1. Its size; 0: the daemon is gone. */
static ssize_t receive(int request_fd, struct request *r, char *rest, size_t capacity, int *fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec parts[2] = {{.iov_base = r, .iov_len = sizeof(*r)},
				 {.iov_base = rest, .iov_len = capacity}};
	struct msghdr message = {.msg_iov = parts,
				 .msg_iovlen = 2,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	do {
		n = recvmsg(request_fd, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	}
	return n;
}

/* One of ours, that may have ended already but has not been reaped: its number is still its own. */
static bool is_child(pid_t pid)
{
	siginfo_t info;

	return pid > 0 && !waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
}

/* False: the daemon is gone. */
static bool handle_request(int request_fd)
{
	static char rest[ANSWER_SIZE_MAX + QREXEC_SERVICE_SIZE_MAX];
	struct start_call call;
	struct request r;
	pid_t pid = -1;
	int fd;
	ssize_t n = receive(request_fd, &r, rest, sizeof(rest), &fd);

	if (n <= 0) {
		return false;
	}
	if (n < (ssize_t)sizeof(r) ||
	    !is_request_valid(&r, rest, (size_t)n - sizeof(r), fd, &call)) {
		fprintf(stderr, "qrexec-daemon: %s: impossible request to its starter\n",
			the_daemon.name);
	} else if (r.kind) {
		pid = fork();
		if (pid == 0) {
			run(r.kind, &call, fd);
		}
	} else if (is_child(r.pid)) {
		pid = kill(r.pid, SIGKILL);
	}
	if (fd >= 0) {
		close(fd);
	}
	return send(request_fd, &pid, sizeof(pid), MSG_NOSIGNAL) == sizeof(pid);
}

/* What the pipe has no room for stays with the kernel. True: there may be more. */
static bool report_ended(int ended_fd)
{
	struct pollfd p = {.fd = ended_fd, .events = POLLOUT};
	struct ended e;

	while (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT)) {
		e.pid = waitpid(-1, &e.status, WNOHANG);
		if (e.pid <= 0) {
			return false;
		}
		if (write(ended_fd, &e, sizeof(e)) != sizeof(e)) {
			_exit(1); /* the daemon is gone */
		}
	}
	return true;
}

static _Noreturn void starter_main(int request_fd, int ended_fd)
{
	struct signalfd_siginfo info;
	struct pollfd p[3];
	bool has_more = false;
	sigset_t set;
	int signal_fd;

	/* At once, before a new daemon of the domain meets a parser of this one. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The daemon decides about the end of both, also where a terminal sends this to all. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	for (;;) {
		p[0] = (struct pollfd){.fd = request_fd, .events = POLLIN};
		p[1] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
		p[2] = (struct pollfd){.fd = ended_fd, .events = has_more ? POLLOUT : 0};
		(void)poll(p, 3, -1);
		while (read(signal_fd, &info, sizeof(info)) > 0) {
		}
		has_more = report_ended(ended_fd);
		if (p[0].revents && !handle_request(request_fd)) {
			_exit(0);
		}
	}
}

/* ---- in the daemon ---- */

static int starter_fd = -1;

void starter_begin(void)
{
	int pair[2], ends[2], size = 1024 * 1024;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) || pipe2(ends, O_CLOEXEC)) {
		perror("qrexec-daemon: starter");
		exit(1);
	}
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	pid = fork();
	if (pid < 0) {
		perror("qrexec-daemon: fork");
		exit(1);
	}
	if (pid == 0) {
		close(pair[0]);
		close(ends[0]);
		starter_main(pair[1], ends[1]);
	}
	close(pair[1]);
	close(ends[1]);
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	starter_fd = pair[0];
	the_daemon.starter = (struct source){.kind = SOURCE_STARTER, .fd = ends[0]};
}

static _Noreturn void end_without_starter(void)
{
	fprintf(stderr, "qrexec-daemon: %s: its starter is gone\n", the_daemon.name);
	exit(1);
}

/* Sends the request and waits for the answer: the starter does nothing that takes time. */
static pid_t ask_starter(struct request *r, const struct start_call *call, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec parts[3] = {{.iov_base = r, .iov_len = sizeof(*r)}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 1};
	pid_t pid;

	if (call) {
		parts[1] = (struct iovec){(void *)call->answer, r->answer_size};
		parts[2] = (struct iovec){(void *)call->service, r->service_size};
		message.msg_iovlen = 3;
	}
	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	if (sendmsg(starter_fd, &message, MSG_NOSIGNAL) < 0 ||
	    recv(starter_fd, &pid, sizeof(pid), 0) != sizeof(pid)) {
		end_without_starter();
	}
	return pid;
}

pid_t starter_start(enum start_kind kind, const struct start_call *call, int fd)
{
	struct request r = {.kind = kind};

	if (call) {
		snprintf(r.ident, sizeof(r.ident), "%s", call->ident);
		snprintf(r.target, sizeof(r.target), "%s", call->target);
		r.answer_size = (uint32_t)call->answer_size;
		r.service_size = (uint32_t)strlen(call->service) + 1;
	}
	return ask_starter(&r, call, fd);
}

void starter_kill(pid_t pid)
{
	struct request r = {.pid = pid};

	(void)ask_starter(&r, NULL, -1);
}

bool starter_ended(pid_t *pid, int *status)
{
	struct ended e;
	ssize_t n = read(the_daemon.starter.fd, &e, sizeof(e));

	if (n == 0) {
		end_without_starter();
	}
	if (n != sizeof(e)) {
		return false;
	}
	*pid = e.pid;
	*status = e.status;
	return true;
}
