/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/daemon_clients.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qrexec/daemon_calls.h"

#define CLIENTS_MAX	 4096
#define MESSAGE_SIZE_MAX (QREXEC_HEADER_SIZE + QREXEC_EXEC_SIZE + QREXEC_COMMAND_SIZE_MAX)

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

static struct {
	struct client *clients;
	unsigned int client_count;
} own;

void clients_end(struct client *c)
{
	struct client **link;

	for (link = &own.clients; *link != c; link = &(*link)->next) {
	}
	*link = c->next;
	ports_forget_owner(&the_daemon.ports, c);
	daemon_unwatch(&c->source);
	free(c->message);
	free(c);
	own.client_count--;
}

static bool send_to_client(struct client *c, const struct wire_out *message)
{
	/* A few bytes into an empty socket buffer: it takes all or is gone. */
	return send(c->source.fd, message->bytes, message->size, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)message->size;
}

void clients_accept(void)
{
	uint8_t bytes[QREXEC_HEADER_SIZE + 4];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	int fd = accept4(the_daemon.listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c;

	if (fd < 0) {
		return;
	}
	c = own.client_count < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (c) {
		c->message = malloc(QREXEC_HEADER_SIZE + 4);
	}
	if (!c || !c->message) {
		fprintf(stderr, "qrexec-daemon: %s: too many clients\n", the_daemon.name);
		free(c);
		close(fd);
		return;
	}
	c->source = (struct source){.kind = SOURCE_CLIENT, .fd = fd};
	c->next = own.clients;
	own.clients = c;
	own.client_count++;
	daemon_watch(&c->source, EPOLLIN, EPOLL_CTL_ADD);
	qrexec_hello_encode(&out, QREXEC_VERSION_LOCAL);
	if (!send_to_client(c, &out)) {
		clients_end(c);
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
		length = snprintf(command, sizeof(command), "%s:%s", the_daemon.user,
				  exec.command + 8);
		if (length < 0 || (size_t)length >= sizeof(command)) {
			return -EMSGSIZE;
		}
		exec.command = command;
		exec.command_size = (uint32_t)length + 1;
	}
	exec.port = ports_take(&the_daemon.ports, exec.domain, c);
	if (!exec.port) {
		return 1;
	}
	the_daemon.had_call = true;
	qrexec_place_encode(
		&told, type,
		&(struct qrexec_place){.domain = (uint32_t)the_daemon.domain, .port = exec.port});
	qrexec_exec_encode(&out, type, &exec);
	/* Even when the client has just left: its port is then freed by the agent's answer. */
	(void)send_to_client(c, &told);
	return daemon_send_to_agent(&out) ? 0 : -ENOMEM;
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
		connect.place.port = ports_take(&the_daemon.ports, connect.place.domain, c);
		if (!connect.place.port) {
			return 1;
		}
		qrexec_place_encode(&told, MSG_SERVICE_CONNECT,
				    &(struct qrexec_place){.domain = (uint32_t)the_daemon.domain,
							   .port = connect.place.port});
		(void)send_to_client(c, &told);
	}
	calls_connected(connect.ident);
	qrexec_connect_encode(&out, &connect);
	return daemon_send_to_agent(&out) ? 0 : -ENOMEM;
}

/* A whole message is there. Same results as forward_exec(). */
static int handle_command(struct client *c)
{
	struct wire in = wire_of(c->message, QREXEC_HEADER_SIZE);
	struct qrexec_header header;

	if (qrexec_header_decode(&in, QREXEC_CLIENT_TO_DAEMON, QREXEC_VERSION_LOCAL, &header)) {
		return -EPROTO;
	}
	if (!the_daemon.is_ready) {
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
		fprintf(stderr, "qrexec-daemon: %s: bad message of a client: %s\n", the_daemon.name,
			strerror(-rc));
		clients_end(c);
		return;
	}
	c->state = rc ? CLIENT_WAITING : CLIENT_RUNNING;
	if (!rc) {
		free(c->message);
		c->message = NULL;
	}
}

/* Oldest client first; new ones are put in front. */
void clients_run_waiting(void)
{
	struct client *c, *oldest;

	for (;;) {
		oldest = NULL;
		for (c = own.clients; c; c = c->next) {
			if (c->state == CLIENT_WAITING) {
				oldest = c;
			}
		}
		if (!oldest) {
			return;
		}
		run_command(oldest);
		/* Still waiting: so will all the others (ended ones are gone from the list). */
		for (c = own.clients; c && c != oldest; c = c->next) {
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

void clients_read(struct source *s)
{
	struct client *c = (struct client *)s;
	struct wire in;
	unsigned int version;
	char unexpected;
	int rc;

	if (c->state == CLIENT_RUNNING || c->state == CLIENT_WAITING) {
		if (recv(c->source.fd, &unexpected, 1, 0) > 0) {
			fprintf(stderr, "qrexec-daemon: %s: a client talks too much\n",
				the_daemon.name);
		}
		clients_end(c);
		return;
	}
	rc = receive_message(c);
	if (rc == 0) {
		return;
	}
	if (rc < 0) {
		clients_end(c);
		return;
	}
	if (c->state == CLIENT_HELLO) {
		in = wire_of(c->message + QREXEC_HEADER_SIZE, 4);
		if (qrexec_hello_decode(&in, 99, &version) || version != QREXEC_VERSION_LOCAL) {
			clients_end(c);
			return;
		}
		c->state = CLIENT_COMMAND;
		c->size = 0;
		clients_read(s); /* what is there already; one level, as the state has changed */
		return;
	}
	run_command(c);
}

void clients_end_all(void)
{
	while (own.clients) {
		clients_end(own.clients);
	}
}
