/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/daemon_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qrexec/daemon_starter.h"
#include "qrexec/query.h"

#define CALLS_MAX	4096
#define ANSWER_SIZE_MAX 2048

/* A call that the guest asked for and that is not decided or not connected yet. */
struct call {
	struct source
		source; /* policy socket, or the policy program's output; fd -1 when answered */
	char ident[QREXEC_IDENT_SIZE];
	char *service;
	pid_t pid; /* policy program, then connector; 0 none */
	bool is_decided;
	char answer[ANSWER_SIZE_MAX];
	size_t answer_size;
	struct call *next;
};

static struct {
	struct call *calls;
	unsigned int call_count;
} own;

static void end_call(struct call *call)
{
	struct call **link;

	for (link = &own.calls; *link != call; link = &(*link)->next) {
	}
	*link = call->next;
	if (call->source.fd >= 0) {
		daemon_unwatch(&call->source);
	}
	free(call->service);
	free(call);
	own.call_count--;
}

static void refuse_call(struct call *call)
{
	daemon_send_refused(call->ident);
	end_call(call);
}

static void decide_call(struct call *call)
{
	struct answer a;

	daemon_unwatch(&call->source);
	if (answer_parse(call->answer, call->answer_size, &a) || !a.is_allowed) {
		refuse_call(call);
		return;
	}
	call->pid = starter_start(START_CONNECTOR,
				  &(struct start_call){.ident = call->ident,
						       .target = "",
						       .service = call->service,
						       .answer = call->answer,
						       .answer_size = call->answer_size},
				  -1);
	if (call->pid < 0) {
		call->pid = 0;
		refuse_call(call);
	}
}

void calls_answer(struct source *s)
{
	struct call *call = (struct call *)s;
	ssize_t n;

	if (call->answer_size == sizeof(call->answer)) {
		refuse_call(call); /* no answer is that long */
		return;
	}
	n = read(call->source.fd, call->answer + call->answer_size,
		 sizeof(call->answer) - call->answer_size);
	if (n > 0) {
		call->answer_size += (size_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		decide_call(call);
	}
}

/* The policy process answers and closes. A descriptor to read from, or -1. */
static int ask_policy_socket(const struct qrexec_trigger *t)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char *question = NULL;
	int fd, size;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", the_daemon.policy_socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		goto fail;
	}
	size = asprintf(&question, "source=%s\nintended_target=%s\nservice_and_arg=%s%s\n%s%s%s\n",
			the_daemon.name, *t->target ? t->target : "@default", t->service,
			strchr(t->service, '+') ? "" : "+", *t->source ? "requested_source=" : "",
			t->source, *t->source ? "\n" : "");
	if (size < 0) {
		question = NULL;
		goto fail;
	}
	/* Not more than one service name: it fits a fresh socket's buffer. */
	if (send(fd, question, (size_t)size, MSG_NOSIGNAL) != size) {
		goto fail;
	}
	free(question);
	return fd;

fail:
	fprintf(stderr, "qrexec-daemon: %s: no policy at %s: %s\n", the_daemon.name,
		the_daemon.policy_socket, strerror(errno));
	free(question);
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

static int run_policy_program(const struct qrexec_trigger *t, pid_t *pid)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC)) {
		return -1;
	}
	*pid = starter_start(
		START_POLICY_PROGRAM,
		&(struct start_call){.ident = t->ident, .target = t->target, .service = t->service},
		fds[1]);
	close(fds[1]);
	if (*pid < 0) {
		*pid = 0;
		close(fds[0]);
		return -1;
	}
	return fds[0];
}

void calls_start(const struct qrexec_trigger *t)
{
	struct call *call;

	if (!t->are_names_valid) {
		fprintf(stderr, "qrexec-daemon: %s: TRIGGER: a name with impossible characters\n",
			the_daemon.name);
		daemon_send_refused(t->ident);
		return;
	}
	call = own.call_count < CALLS_MAX ? calloc(1, sizeof(*call)) : NULL;
	if (call) {
		call->service = strdup(t->service);
	}
	if (!call || !call->service) {
		free(call);
		daemon_send_refused(t->ident);
		return;
	}
	strcpy(call->ident, t->ident);
	call->source.kind = SOURCE_CALL;
	call->next = own.calls;
	own.calls = call;
	own.call_count++;
	call->source.fd = the_daemon.policy_program ? run_policy_program(t, &call->pid)
						    : ask_policy_socket(t);
	if (call->source.fd < 0) {
		refuse_call(call);
		return;
	}
	daemon_watch(&call->source, EPOLLIN, EPOLL_CTL_ADD);
}

void calls_connected(const char *ident)
{
	struct call *call;

	for (call = own.calls; call; call = call->next) {
		if (!strcmp(call->ident, ident)) {
			call->is_decided = true;
			if (!call->pid) {
				end_call(call); /* the connector was faster than its message */
			}
			return;
		}
	}
}

void calls_child_ended(pid_t pid, int status)
{
	struct call *call;

	for (call = own.calls; call && call->pid != pid; call = call->next) {
	}
	if (!call) {
		return;
	}
	call->pid = 0;
	if (call->source.fd >= 0) {
		return; /* the policy program: its answer is still to be read */
	}
	if (!call->is_decided && WIFEXITED(status) && !WEXITSTATUS(status)) {
		return; /* its message is still in a socket: calls_connected() */
	}
	if (!call->is_decided) {
		daemon_send_refused(call->ident);
	}
	end_call(call);
}

unsigned int calls_count(void)
{
	return own.call_count;
}

void calls_end_all(void)
{
	while (own.calls) {
		end_call(own.calls);
	}
}
