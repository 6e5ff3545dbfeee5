/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dom0's local side: talk to the daemons' sockets, and connect the two ends of an allowed call.
 *
 * Blocking; for processes that do one call. Messages on stderr.
 */
#pragma once

#include <stdbool.h>

#include "qrexec/proto.h"

#define QREXEC_SOCKET_DIR "/run/qubes"

/* Connects to the daemon of a domain and says HELLO. A descriptor, or -1. */
int daemon_connect(const char *socket_dir, const char *domain_name);

/*
 * EXEC_CMDLINE or JUST_EXEC; waits for the place. other_domain is who will serve the data vchan:
 * 0 for us. 0, or -1.
 */
int daemon_request(int fd, enum qrexec_type type, unsigned int other_domain, const char *command,
		   struct qrexec_place *place);

/*
 * SERVICE_CONNECT for a waiting caller. With port 0 in *place the daemon chooses and tells where.
 */
int daemon_service_connect(int fd, const char *ident, struct qrexec_place *place);

/* Who asked, as the daemon knows it. */
struct connect_caller {
	const char *ident;
	const char *name;
	unsigned int domain;
};

/* dom0 serves the call: command is "QUBESRPC ..." or any command. Returns the exit code. */
int connect_serve_here(const char *socket_dir, const struct connect_caller *caller,
		       const char *command);

/*
 * Another domain serves it. 0 when both ends know about each other, is_waiting: when the call is
 * over; else an exit code.
 */
int connect_domains(const char *socket_dir, const struct connect_caller *caller,
		    const char *target_name, const char *command, bool is_waiting);
