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

#include "qrexec/connect.h"
#include "qrexec/query.h"

#define START_PROGRAM	"/usr/lib/mullion/start-domain"
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

/* In a child: nothing of the daemon is left open, signals are as usual. */
static void become_child(void)
{
	sigset_t none;

	close_range(3, ~0u, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
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
static int connect_call(const struct call *call, struct answer *a)
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

static void decide_call(struct call *call)
{
	struct answer a;

	daemon_unwatch(&call->source);
	if (answer_parse(call->answer, call->answer_size, &a) || !a.is_allowed) {
		refuse_call(call);
		return;
	}
	call->pid = fork();
	if (call->pid == 0) {
		become_child();
		exit(connect_call(call, &a));
	}
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
	*pid = fork();
	if (*pid == 0) {
		dup2(fds[1], 1);
		become_child();
		execl(the_daemon.policy_program, "qrexec-policy-exec", "--", the_daemon.name,
		      *t->target ? t->target : "@default", t->service, (char *)NULL);
		_exit(126);
	}
	close(fds[1]);
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
