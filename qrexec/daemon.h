/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of qrexec-daemon share: one domain, one thread, one epoll.
 *
 *   daemon.c	       start, the agent behind its parser, signals
 *   daemon_clients.c  programs of dom0 on our socket
 *   daemon_calls.c    what the guest asks for: policy, then a connector
 *   daemon_starter.c  the processes: a parser, connectors
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "qrexec/ports.h"
#include "qrexec/proto.h"

/* What an epoll event belongs to. */
enum source_kind {
	SOURCE_SIGNAL,
	SOURCE_LISTENER,
	SOURCE_STARTER,
	SOURCE_PARSER,
	SOURCE_CLIENT,
	SOURCE_CALL
};

struct source {
	enum source_kind kind;
	int fd;
};

struct daemon {
	int domain;
	const char *name, *user, *socket_dir, *policy_program, *policy_socket;
	bool is_quiet;
	int epoll_fd;
	struct source signal, listener, starter, parser;
	pid_t parser_pid;
	time_t parser_start;
	bool is_ready;		/* the agent has said HELLO */
	int first_call_seconds; /* 0: stay; else end with the last call, or when none came so long
				 */
	bool had_call;
	bool must_end;
	struct ports ports;
};

extern struct daemon the_daemon;

/* Ends the program when it fails: nothing works without. */
void daemon_watch(struct source *s, uint32_t events, int op);
/* No longer watched and closed. */
void daemon_unwatch(struct source *s);
/* False: no memory. What the agent does not take yet waits. */
bool daemon_send_to_agent(const struct wire_out *message);
void daemon_send_refused(const char *ident);
