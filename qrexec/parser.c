/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/parser.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "qrexec/control.h"

/* With more than this waiting for the agent, the daemon's messages wait in its socket. */
#define QUEUED_MAX (1024 * 1024)

#define MESSAGE_SIZE_MAX (QREXEC_HEADER_SIZE + QREXEC_EXEC_SIZE + QREXEC_COMMAND_SIZE_MAX)

static const char *name;

static _Noreturn void leave(const char *message, const char *rule)
{
	fprintf(stderr, "qrexec-daemon: %s: %s: %s\n", name, message, rule);
	exit(1);
}

static void report(int daemon_fd, const struct parser_report *r, const void *service, size_t size)
{
	struct iovec parts[2] = {{.iov_base = (void *)r, .iov_len = sizeof(*r)},
				 {.iov_base = (void *)service, .iov_len = size}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	while (sendmsg(daemon_fd, &message, MSG_NOSIGNAL) < 0) {
		if (errno != EINTR) {
			exit(1); /* the daemon is gone */
		}
	}
}

bool parser_report_is_valid(struct parser_report *report, const uint8_t *bytes, size_t size)
{
	struct qrexec_trigger *t = &report->trigger;

	if (size < sizeof(*report)) {
		return false;
	}
	memcpy(report, bytes, sizeof(*report));
	bytes += sizeof(*report);
	size -= sizeof(*report);
	switch (report->kind) {
	case PARSER_READY:
		return !size && report->version >= QREXEC_VERSION_MIN &&
		       report->version <= QREXEC_VERSION_MAX;
	case PARSER_TERMINATED:
		return !size && report->place.port >= QREXEC_DATA_PORT_FIRST &&
		       report->place.port < QREXEC_DATA_PORT_FIRST + QREXEC_DATA_PORT_COUNT;
	case PARSER_TRIGGER:
		break;
	default:
		return false;
	}
	t->service = (const char *)bytes;
	t->service_size = (uint32_t)size;
	if (!size || size > QREXEC_SERVICE_SIZE_MAX || memchr(bytes, 0, size) != bytes + size - 1 ||
	    !memchr(t->source, 0, sizeof(t->source)) || !memchr(t->target, 0, sizeof(t->target)) ||
	    !memchr(t->ident, 0, sizeof(t->ident))) {
		return false;
	}
	t->are_names_valid = qrexec_is_name(t->service, "+") && t->service[0] != '+' &&
			     (!*t->target || qrexec_is_name(t->target, "@:")) &&
			     (!*t->source || qrexec_is_name(t->source, "")) &&
			     qrexec_is_name(t->ident, " ");
	return true;
}

static void handle_message(int daemon_fd, const struct qrexec_header *header, struct wire *body)
{
	struct parser_report r = {0};

	if (header->type == MSG_CONNECTION_TERMINATED) {
		if (qrexec_place_decode(body, &r.place)) {
			leave("CONNECTION_TERMINATED", "no such port");
		}
		r.kind = PARSER_TERMINATED;
		report(daemon_fd, &r, NULL, 0);
		return;
	}
	/* One of the TRIGGERs: the direction allows no other. */
	if (qrexec_trigger_decode(body, header->type, &r.trigger)) {
		leave("TRIGGER", "a string does not end where it has to");
	}
	r.kind = PARSER_TRIGGER;
	report(daemon_fd, &r, r.trigger.service, r.trigger.service_size);
}

static void read_agent(struct control *control, int daemon_fd)
{
	struct qrexec_header header;
	struct wire body;
	int rc;

	while ((rc = control_next(control, &header, &body)) > 0) {
		handle_message(daemon_fd, &header, &body);
	}
	if (rc == -EPIPE) {
		leave("agent", "disconnected");
	}
	if (rc) {
		leave("message header",
		      rc == -EMSGSIZE ? "size impossible for its type" : "type not allowed here");
	}
}

static void read_daemon(struct control *control, int daemon_fd)
{
	static uint8_t message[MESSAGE_SIZE_MAX];
	ssize_t n;

	while (control_queued(control) < QUEUED_MAX) {
		n = recv(daemon_fd, message, sizeof(message), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		}
		if (n <= 0) {
			exit(0);
		}
		if (control_send(control, message, (size_t)n)) {
			leave("agent", "does not read");
		}
	}
}

_Noreturn void parser_main(int domain, const char *domain_name, int daemon_fd)
{
	static const char *const no_calls[] = {NULL};
	struct parser_report ready = {.kind = PARSER_READY};
	struct control control;
	libvchan_t *vchan;
	struct pollfd p[2];
	int rc;

	name = domain_name;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	vchan = libvchan_client_init(domain, QREXEC_CONTROL_PORT);
	if (!vchan || control_init(&control, vchan, QREXEC_AGENT_TO_DAEMON)) {
		fprintf(stderr, "qrexec-daemon: %s: no agent: %s\n", name, strerror(errno));
		exit(3); /* its domain is gone */
	}
	/* The two descriptors are all that is needed from here on. */
	rc = sandbox_enter(no_calls, NULL);
	if (rc) {
		leave("sandbox", strerror(-rc));
	}
	rc = control_hello(&control, false);
	if (rc) {
		leave("HELLO",
		      rc == -EPIPE ? "agent left" : "not the first message, or version < 2");
	}
	ready.version = control.version;
	report(daemon_fd, &ready, NULL, 0);
	for (;;) {
		read_agent(&control, daemon_fd);
		read_daemon(&control, daemon_fd);
		if (control_flush(&control)) {
			leave("agent", "disconnected");
		}
		p[0] = (struct pollfd){.fd = libvchan_fd_for_select(vchan), .events = POLLIN};
		p[1] = (struct pollfd){.fd = control_queued(&control) < QUEUED_MAX ? daemon_fd : -1,
				       .events = POLLIN};
		(void)poll(p, 2, -1);
		if (p[0].revents && libvchan_wait(vchan)) {
			leave("agent", "disconnected");
		}
	}
}
