/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qrexec-daemon: one for each domain, in dom0.
 *
 * Three kinds of process, so that nothing that a guest sends is read with dom0's rights:
 *   this one	  ports, clients of dom0, policy questions; reads only checked structs of the next
 *   parser	  holds the control vchan, sandboxed (parser.c)
 *   connector	  one for each allowed call, brings the two ends together (connect.c); when
 *		  dom0 itself is the target it starts the service and then is sandboxed, too
 * When the agent goes, the parser ends, and a new one waits for the next agent.
 */
#include <errno.h>
#include <fcntl.h>
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
#include <time.h>
#include <unistd.h>

#include "qrexec/connect.h"
#include "qrexec/parser.h"
#include "qrexec/ports.h"
#include "qrexec/query.h"

#define POLICY_SOCKET	 "/run/qubes/policy.sock"
#define START_PROGRAM	 "/usr/lib/mullion/start-domain"
#define CLIENTS_MAX	 4096
#define CALLS_MAX	 4096
#define ANSWER_SIZE_MAX	 2048
#define MESSAGE_SIZE_MAX (QREXEC_HEADER_SIZE + QREXEC_EXEC_SIZE + QREXEC_COMMAND_SIZE_MAX)

/* What an epoll event belongs to. */
enum source_kind { SOURCE_SIGNAL, SOURCE_LISTENER, SOURCE_PARSER, SOURCE_CLIENT, SOURCE_CALL };

struct source {
	enum source_kind kind;
	int fd;
};

enum client_state {
	CLIENT_HELLO,
	CLIENT_COMMAND,
	CLIENT_WAITING, /* for a free port */
	CLIENT_RUNNING,
};

/* A program of dom0 on our socket. */
struct client {
	struct source source;
	enum client_state state;
	uint8_t *message; /* header first; NULL once it was handled */
	size_t size;
	struct client *next;
};

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

/* A message that the parser has no room for yet. */
struct queued {
	struct queued *next;
	size_t size;
	uint8_t bytes[];
};

static struct {
	int domain;
	const char *name, *user, *socket_dir, *policy_program, *policy_socket;
	bool is_quiet;
	int epoll_fd;
	struct source signal, listener, parser;
	pid_t parser_pid;
	time_t parser_start;
	bool is_ready; /* the agent has said HELLO */
	int first_call_seconds; /* 0: stay; else end with the last call, or when none came so long */
	bool had_call;
	bool must_end;
	struct ports ports;
	struct client *clients;
	unsigned int client_count;
	struct call *calls;
	unsigned int call_count;
	struct queued *queue, **queue_end;
} d = {.socket_dir = QREXEC_SOCKET_DIR, .policy_socket = POLICY_SOCKET, .user = "user"};

static void watch(struct source *s, uint32_t events, int op)
{
	struct epoll_event ev = {.events = events, .data = {.ptr = s}};

	if (epoll_ctl(d.epoll_fd, op, s->fd, &ev)) {
		perror("qrexec-daemon: epoll");
		exit(1);
	}
}

/*
 * Removed by hand: a child that was just forked still has a copy of the descriptor, and as long as
 * it has, epoll would go on reporting it to us.
 */
static void unwatch(struct source *s)
{
	(void)epoll_ctl(d.epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	close(s->fd);
	s->fd = -1;
}

/* ---- to the agent, through the parser ---- */

static void flush_queue(void)
{
	struct queued *q;

	while ((q = d.queue)) {
		if (send(d.parser.fd, q->bytes, q->size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
			if (errno == EAGAIN) {
				watch(&d.parser, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
			}
			return; /* a dead parser shows as the end of its socket */
		}
		d.queue = q->next;
		free(q);
	}
	d.queue_end = &d.queue;
	watch(&d.parser, EPOLLIN, EPOLL_CTL_MOD);
}

/* Bounded by the number of clients and calls, which are bounded themselves. */
static bool send_to_agent(const struct wire_out *message)
{
	struct queued *q = malloc(sizeof(*q) + message->size);

	if (!q) {
		return false;
	}
	q->next = NULL;
	q->size = message->size;
	memcpy(q->bytes, message->bytes, message->size);
	*d.queue_end = q;
	d.queue_end = &q->next;
	flush_queue();
	return true;
}

static void send_refused(const char *ident)
{
	uint8_t bytes[QREXEC_HEADER_SIZE + QREXEC_IDENT_SIZE];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));

	qrexec_refused_encode(&out, ident);
	(void)send_to_agent(&out);
}

/* ---- clients ---- */

static void end_client(struct client *c)
{
	struct client **link;

	for (link = &d.clients; *link != c; link = &(*link)->next) {
	}
	*link = c->next;
	ports_forget_owner(&d.ports, c);
	unwatch(&c->source);
	free(c->message);
	free(c);
	d.client_count--;
}

static bool send_to_client(struct client *c, const struct wire_out *message)
{
	/* A few bytes into an empty socket buffer: it takes all or is gone. */
	return send(c->source.fd, message->bytes, message->size, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)message->size;
}

static void accept_client(void)
{
	uint8_t bytes[QREXEC_HEADER_SIZE + 4];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	int fd = accept4(d.listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c;

	if (fd < 0) {
		return;
	}
	c = d.client_count < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (c) {
		c->message = malloc(QREXEC_HEADER_SIZE + 4);
	}
	if (!c || !c->message) {
		fprintf(stderr, "qrexec-daemon: %s: too many clients\n", d.name);
		free(c);
		close(fd);
		return;
	}
	c->source = (struct source){.kind = SOURCE_CLIENT, .fd = fd};
	c->next = d.clients;
	d.clients = c;
	d.client_count++;
	watch(&c->source, EPOLLIN, EPOLL_CTL_ADD);
	qrexec_hello_encode(&out, QREXEC_VERSION_LOCAL);
	if (!send_to_client(c, &out)) {
		end_client(c);
	}
}

static void end_call(struct call *call);

/* A call is no longer undecided when its connector gets this far. */
static void mark_connected(const char *ident)
{
	struct call *call;

	for (call = d.calls; call; call = call->next) {
		if (!strcmp(call->ident, ident)) {
			call->is_decided = true;
			if (!call->pid) {
				end_call(call); /* the connector was faster than its message */
			}
			return;
		}
	}
}

/* 0 passed on, 1 no free port yet, negative to end the client. */
static int forward_exec(struct client *c, enum qrexec_type type, struct wire *body)
{
	static uint8_t bytes[MESSAGE_SIZE_MAX];
	static char command[QREXEC_COMMAND_SIZE_MAX];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	uint8_t answer[16];
	struct wire_out told = wire_out_of(answer, sizeof(answer));
	struct qrexec_exec exec;
	int length;

	if (qrexec_exec_decode(body, &exec) || exec.port) {
		return -EPROTO;
	}
	if (!strncmp(exec.command, "DEFAULT:", 8)) {
		length = snprintf(command, sizeof(command), "%s:%s", d.user, exec.command + 8);
		if (length < 0 || (size_t)length >= sizeof(command)) {
			return -EMSGSIZE;
		}
		exec.command = command;
		exec.command_size = (uint32_t)length + 1;
	}
	exec.port = ports_take(&d.ports, exec.domain, c);
	if (!exec.port) {
		return 1;
	}
	d.had_call = true;
	qrexec_place_encode(
		&told, type,
		&(struct qrexec_place){.domain = (uint32_t)d.domain, .port = exec.port});
	qrexec_exec_encode(&out, type, &exec);
	/* Even when the client has just left: its port is then freed by the agent's answer. */
	(void)send_to_client(c, &told);
	return send_to_agent(&out) ? 0 : -ENOMEM;
}

static int forward_connect(struct client *c, struct wire *body)
{
	uint8_t bytes[QREXEC_HEADER_SIZE + 8 + QREXEC_IDENT_SIZE], answer[16];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	struct wire_out told = wire_out_of(answer, sizeof(answer));
	struct qrexec_connect connect;

	if (qrexec_connect_decode(body, &connect)) {
		return -EPROTO;
	}
	if (!connect.place.port) {
		connect.place.port = ports_take(&d.ports, connect.place.domain, c);
		if (!connect.place.port) {
			return 1;
		}
		qrexec_place_encode(&told, MSG_SERVICE_CONNECT,
				    &(struct qrexec_place){.domain = (uint32_t)d.domain,
							   .port = connect.place.port});
		(void)send_to_client(c, &told);
	}
	mark_connected(connect.ident);
	qrexec_connect_encode(&out, &connect);
	return send_to_agent(&out) ? 0 : -ENOMEM;
}

/* A whole message is there. Same results as forward_exec(). */
static int handle_command(struct client *c)
{
	struct wire in = wire_of(c->message, QREXEC_HEADER_SIZE);
	struct qrexec_header header;

	if (qrexec_header_decode(&in, QREXEC_CLIENT_TO_DAEMON, QREXEC_VERSION_LOCAL, &header)) {
		return -EPROTO;
	}
	if (!d.is_ready) {
		return 1;
	}
	in = wire_of(c->message + QREXEC_HEADER_SIZE, header.size);
	return header.type == MSG_SERVICE_CONNECT ? forward_connect(c, &in)
						  : forward_exec(c, header.type, &in);
}

static void run_command(struct client *c)
{
	int rc = handle_command(c);

	if (rc < 0) {
		fprintf(stderr, "qrexec-daemon: %s: bad message of a client: %s\n", d.name,
			strerror(-rc));
		end_client(c);
		return;
	}
	c->state = rc ? CLIENT_WAITING : CLIENT_RUNNING;
	if (!rc) {
		free(c->message);
		c->message = NULL;
	}
}

/* A port was freed, or the agent came: oldest client first (new ones are put in front). */
static void run_waiting(void)
{
	struct client *c, *oldest;

	for (;;) {
		oldest = NULL;
		for (c = d.clients; c; c = c->next) {
			if (c->state == CLIENT_WAITING) {
				oldest = c;
			}
		}
		if (!oldest) {
			return;
		}
		run_command(oldest);
		/* Still waiting: so will all the others (ended ones are gone from the list). */
		for (c = d.clients; c && c != oldest; c = c->next) {
		}
		if (c && c->state == CLIENT_WAITING) {
			return;
		}
	}
}

/* Reads up to `wanted` bytes. 1 there, 0 not yet, -1 gone. */
static int receive(struct client *c, size_t wanted)
{
	ssize_t n;

	while (c->size < wanted) {
		n = recv(c->source.fd, c->message + c->size, wanted - c->size, 0);
		if (n <= 0) {
			return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
		}
		c->size += (size_t)n;
	}
	return 1;
}

/* The whole message of the state that the client is in. 1, 0, -1 as receive(). */
static int receive_message(struct client *c)
{
	struct wire in;
	struct qrexec_header header;
	uint8_t *bigger;
	int rc = receive(c, QREXEC_HEADER_SIZE);

	if (rc <= 0) {
		return rc;
	}
	in = wire_of(c->message, QREXEC_HEADER_SIZE);
	if (qrexec_header_decode(&in, QREXEC_CLIENT_TO_DAEMON, QREXEC_VERSION_LOCAL, &header) ||
	    (header.type == MSG_HELLO) != (c->state == CLIENT_HELLO)) {
		return -1;
	}
	bigger = realloc(c->message, QREXEC_HEADER_SIZE + header.size);
	if (!bigger) {
		return -1;
	}
	c->message = bigger;
	return receive(c, QREXEC_HEADER_SIZE + header.size);
}

static void handle_client(struct client *c)
{
	struct wire in;
	unsigned int version;
	char unexpected;
	int rc;

	if (c->state == CLIENT_RUNNING || c->state == CLIENT_WAITING) {
		if (recv(c->source.fd, &unexpected, 1, 0) > 0) {
			fprintf(stderr, "qrexec-daemon: %s: a client talks too much\n", d.name);
		}
		end_client(c);
		return;
	}
	rc = receive_message(c);
	if (rc == 0) {
		return;
	}
	if (rc < 0) {
		end_client(c);
		return;
	}
	if (c->state == CLIENT_HELLO) {
		in = wire_of(c->message + QREXEC_HEADER_SIZE, 4);
		if (qrexec_hello_decode(&in, 99, &version) || version != QREXEC_VERSION_LOCAL) {
			end_client(c);
			return;
		}
		c->state = CLIENT_COMMAND;
		c->size = 0;
		handle_client(c); /* what is there already; one level, as the state has changed */
		return;
	}
	run_command(c);
}

/* ---- calls of the guest ---- */

static void end_call(struct call *call)
{
	struct call **link;

	for (link = &d.calls; *link != call; link = &(*link)->next) {
	}
	*link = call->next;
	if (call->source.fd >= 0) {
		unwatch(&call->source);
	}
	free(call->service);
	free(call);
	d.call_count--;
}

static void refuse_call(struct call *call)
{
	send_refused(call->ident);
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

	snprintf(path, sizeof(path), "%s/qrexec.%s", d.socket_dir, name);
	return name[0] != '@' && !access(path, F_OK);
}

/* In the connector. Returns its exit code. */
static int connect_call(const struct call *call, struct answer *a)
{
	struct connect_caller caller = {
		.ident = call->ident, .name = d.name, .domain = (unsigned int)d.domain};
	const char *wanted = a->requested_target;
	char *command = NULL;
	int rc;

	if (!strcmp(a->target, "dom0") || !strcmp(a->target, "@adminvm")) {
		rc = asprintf(&command, "QUBESRPC %s %s %s %s", call->service, d.name,
			      *wanted == '@' || !*wanted ? "keyword" : "name",
			      *wanted == '@' ? wanted + 1 : wanted);
		return rc < 0 ? 1 : connect_serve_here(d.socket_dir, &caller, command);
	}
	if (!is_running(a->target) && (!a->is_autostart || !start_domain(a->target))) {
		fprintf(stderr, "qrexec-daemon: %s: %s is not running and cannot be started\n",
			d.name, a->target);
		return 1;
	}
	rc = asprintf(&command, "%s:QUBESRPC %s %s", *a->user ? a->user : "DEFAULT", call->service,
		      d.name);
	return rc < 0 ? 1 : connect_domains(d.socket_dir, &caller, a->target, command);
}

static void decide_call(struct call *call)
{
	struct answer a;

	unwatch(&call->source);
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

static void handle_answer(struct call *call)
{
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

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", d.policy_socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		goto fail;
	}
	size = asprintf(&question, "source=%s\nintended_target=%s\nservice_and_arg=%s%s\n%s%s%s\n",
			d.name, *t->target ? t->target : "@default", t->service,
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
	fprintf(stderr, "qrexec-daemon: %s: no policy at %s: %s\n", d.name, d.policy_socket,
		strerror(errno));
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
		execl(d.policy_program, "qrexec-policy-exec", "--", d.name,
		      *t->target ? t->target : "@default", t->service, (char *)NULL);
		_exit(126);
	}
	close(fds[1]);
	return fds[0];
}

static void handle_trigger(const struct qrexec_trigger *t)
{
	struct call *call;

	if (!t->are_names_valid) {
		fprintf(stderr, "qrexec-daemon: %s: TRIGGER: a name with impossible characters\n",
			d.name);
		send_refused(t->ident);
		return;
	}
	call = d.call_count < CALLS_MAX ? calloc(1, sizeof(*call)) : NULL;
	if (call) {
		call->service = strdup(t->service);
	}
	if (!call || !call->service) {
		free(call);
		send_refused(t->ident);
		return;
	}
	strcpy(call->ident, t->ident);
	call->source.kind = SOURCE_CALL;
	call->next = d.calls;
	d.calls = call;
	d.call_count++;
	call->source.fd =
		d.policy_program ? run_policy_program(t, &call->pid) : ask_policy_socket(t);
	if (call->source.fd < 0) {
		refuse_call(call);
		return;
	}
	watch(&call->source, EPOLLIN, EPOLL_CTL_ADD);
}

/* ---- the agent ---- */

static void start_parser(void)
{
	int pair[2], size = 1024 * 1024;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		perror("qrexec-daemon: socketpair");
		exit(1);
	}
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	d.parser_start = time(NULL);
	d.parser_pid = fork();
	if (d.parser_pid < 0) {
		perror("qrexec-daemon: fork");
		exit(1);
	}
	if (d.parser_pid == 0) {
		dup2(pair[1], 3);
		close_range(4, ~0u, 0);
		parser_main(d.domain, d.name, 3);
	}
	close(pair[1]);
	d.parser = (struct source){.kind = SOURCE_PARSER, .fd = pair[0]};
	d.queue_end = &d.queue;
	watch(&d.parser, EPOLLIN, EPOLL_CTL_ADD);
}

/*
 * The agent is gone: whoever waits for it would wait for ever. Established calls go on; their
 * ports are free again, and used in turn, so that they are not hit soon.
 */
static void forget_agent(void)
{
	struct queued *q;

	d.is_ready = false;
	unwatch(&d.parser);
	while ((q = d.queue)) {
		d.queue = q->next;
		free(q);
	}
	while (d.clients) {
		end_client(d.clients);
	}
	while (d.calls) {
		end_call(d.calls);
	}
	ports_clear(&d.ports);
}

static void handle_report(const uint8_t *bytes, size_t size)
{
	struct parser_report r;
	void *owner;

	if (!parser_report_is_valid(&r, bytes, size)) {
		fprintf(stderr, "qrexec-daemon: %s: impossible report of its parser\n", d.name);
		kill(d.parser_pid, SIGKILL);
		return;
	}
	switch (r.kind) {
	case PARSER_READY:
		if (!d.is_quiet) {
			fprintf(stderr, "qrexec-daemon: %s: agent connected, version %u\n", d.name,
				r.version);
		}
		d.is_ready = true;
		run_waiting();
		break;
	case PARSER_TRIGGER:
		if (d.is_ready) {
			handle_trigger(&r.trigger);
		}
		break;
	case PARSER_TERMINATED:
		if (ports_release(&d.ports, &r.place, &owner)) {
			if (owner) {
				end_client(owner); /* tells it that the call is over */
			}
			run_waiting();
		}
		break;
	}
}

static void handle_parser(uint32_t events)
{
	static uint8_t bytes[sizeof(struct parser_report) + QREXEC_SERVICE_SIZE_MAX];
	ssize_t n;
	int i;

	if (events & EPOLLOUT) {
		flush_queue();
	}
	/* Some at a time: clients have their turn between. */
	for (i = 0; i < 16; i++) {
		n = recv(d.parser.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n <= 0) {
			break;
		}
		handle_report(bytes, (size_t)n);
	}
	if (i < 16 && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
		forget_agent();
		start_parser();
	}
}

/* ---- processes ---- */

static void handle_child(pid_t pid, int status)
{
	struct call *call;

	if (pid == d.parser_pid && WIFEXITED(status) && WEXITSTATUS(status) == 3) {
		fprintf(stderr, "qrexec-daemon: %s: the domain is gone\n", d.name);
		d.must_end = true;
		return;
	}
	for (call = d.calls; call && call->pid != pid; call = call->next) {
	}
	if (!call) {
		return;
	}
	call->pid = 0;
	if (call->source.fd >= 0) {
		return; /* the policy program: its answer is still to be read */
	}
	if (!call->is_decided && WIFEXITED(status) && !WEXITSTATUS(status)) {
		return; /* its message is still in a socket: mark_connected() */
	}
	if (!call->is_decided) {
		send_refused(call->ident);
	}
	end_call(call);
}

static void handle_signals(void)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(d.signal.fd, &info, sizeof(info)) == sizeof(info)) {
		d.must_end |= info.ssi_signo != SIGCHLD;
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		handle_child(pid, status);
	}
}

/* ---- start ---- */

static char socket_path[108], socket_link[108];

static void open_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64];

	if (snprintf(socket_path, sizeof(socket_path), "%s/qrexec.%s", d.socket_dir, d.name) >=
		    (int)sizeof(socket_path) ||
	    snprintf(socket_link, sizeof(socket_link), "%s/qrexec.%d", d.socket_dir, d.domain) >=
		    (int)sizeof(socket_link)) {
		fprintf(stderr, "qrexec-daemon: %s: path too long\n", d.socket_dir);
		exit(2);
	}
	strcpy(address.sun_path, socket_path);
	snprintf(name, sizeof(name), "qrexec.%s", d.name);
	unlink(socket_path);
	unlink(socket_link);
	d.listener = (struct source){
		.kind = SOURCE_LISTENER,
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	umask(0007); /* dom0's user is in the group */
	if (d.listener.fd < 0 ||
	    bind(d.listener.fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(d.listener.fd, 1024) || symlink(name, socket_link)) {
		perror(socket_path);
		exit(1);
	}
	watch(&d.listener, EPOLLIN, EPOLL_CTL_ADD);
}

static void open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	d.signal = (struct source){.kind = SOURCE_SIGNAL,
				   .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
	watch(&d.signal, EPOLLIN, EPOLL_CTL_ADD);
}

static _Noreturn void usage(int code)
{
	fputs("usage: qrexec-daemon [options] DOMAIN-ID DOMAIN-NAME [DEFAULT-USER]\n"
	      "  -D, --direct           stay in the foreground, log to stderr\n"
	      "  -q, --quiet            only errors\n"
	      "  --socket-dir=DIR       where to listen (default " QREXEC_SOCKET_DIR ")\n"
	      "  --policy-socket=PATH   the policy process (default " POLICY_SOCKET ")\n"
	      "  --policy-program=PATH  a program instead of the policy process\n"
	      "  --uuid=UUID            also listen as qrexec.uuid:UUID\n"
	      "  --until-idle=SECONDS   end with the last call, or when none came within SECONDS\n",
	      code ? stderr : stdout);
	exit(code);
}

static bool is_direct;
static const char *uuid;

static void parse_arguments(int argc, char **argv)
{
	static const struct option options[] = {
		{"direct", no_argument, NULL, 'D'},
		{"quiet", no_argument, NULL, 'q'},
		{"socket-dir", required_argument, NULL, 's'},
		{"policy-socket", required_argument, NULL, 'P'},
		{"policy-program", required_argument, NULL, 'p'},
		{"uuid", required_argument, NULL, 'u'},
		{"until-idle", required_argument, NULL, 'i'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	char *end;
	long id;
	int opt;

	while ((opt = getopt_long(argc, argv, "hqp:Du:", options, NULL)) != -1) {
		switch (opt) {
		case 'D':
			is_direct = true;
			break;
		case 'q':
			d.is_quiet = true;
			break;
		case 's':
			d.socket_dir = optarg;
			break;
		case 'P':
			d.policy_socket = optarg;
			break;
		case 'p':
			d.policy_program = optarg;
			break;
		case 'u':
			uuid = optarg;
			break;
		case 'i':
			d.first_call_seconds = atoi(optarg);
			if (d.first_call_seconds < 1) {
				usage(2);
			}
			break;
		default:
			usage(opt == 'h' ? 0 : 2);
		}
	}
	if (argc - optind < 2 || argc - optind > 3) {
		usage(2);
	}
	id = strtol(argv[optind], &end, 10);
	if (*end || id < 1 || id >= 0x7ff0 || !qrexec_is_name(argv[optind + 1], "") ||
	    strlen(argv[optind + 1]) > 31) {
		fprintf(stderr, "qrexec-daemon: not a domain: %s %s\n", argv[optind],
			argv[optind + 1]);
		exit(2);
	}
	d.domain = (int)id;
	d.name = argv[optind + 1];
	d.user = argc - optind == 3 ? argv[optind + 2] : d.user;
	d.ports.remote = (unsigned int)id;
}

/* A second name for those who know the domain by its UUID. */
static void link_uuid(char path[108], bool is_there)
{
	char name[64];

	if (!uuid || snprintf(path, 108, "%s/qrexec.uuid:%s", d.socket_dir, uuid) >= 108) {
		return;
	}
	unlink(path);
	snprintf(name, sizeof(name), "qrexec.%s", d.name);
	if (is_there && symlink(name, path)) {
		perror(path);
	}
}

/* For a domain that exists for its calls only. */
static bool is_over(void)
{
	static time_t start;

	start = start ? start : time(NULL);
	if (!d.first_call_seconds) {
		return false;
	}
	return d.had_call ? !d.call_count && ports_are_idle(&d.ports)
			  : time(NULL) - start >= d.first_call_seconds;
}

static void dispatch(struct source *s, uint32_t events)
{
	switch (s->kind) {
	case SOURCE_SIGNAL:
		handle_signals();
		break;
	case SOURCE_LISTENER:
		accept_client();
		break;
	case SOURCE_PARSER:
		handle_parser(events);
		break;
	case SOURCE_CLIENT:
		handle_client((struct client *)s);
		break;
	case SOURCE_CALL:
		handle_answer((struct call *)s);
		break;
	}
}

int main(int argc, char **argv)
{
	struct epoll_event ev;
	char uuid_path[108];

	parse_arguments(argc, argv);
	if (!is_direct && daemon(0, 1)) {
		perror("qrexec-daemon: daemon");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	d.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	open_signals();
	start_parser();
	open_socket();
	link_uuid(uuid_path, true);
	while (!d.must_end && !is_over()) {
		/* One at a time: an event may free what another one in a batch points to. */
		if (epoll_wait(d.epoll_fd, &ev, 1, d.first_call_seconds ? 1000 : -1) == 1) {
			dispatch(ev.data.ptr, ev.events);
		}
	}
	link_uuid(uuid_path, false);
	unlink(socket_path);
	unlink(socket_link);
	return 0;
}
