/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes of qrexec-daemon. Who starts others cannot be confined: they inherit it, and a service
 * of dom0 would be confined with them. So one process, the starter, does nothing but start what the
 * daemon asks for, and tell when it ended; the daemon itself can start nothing and open nothing.
 *
 * The starter is forked before the daemon hears anything from anybody, and ends with it.
 */
#pragma once

#include <sys/types.h>

#include "qrexec/daemon.h"

enum start_kind {
	START_PARSER = 1,     /* fd: its end of the socket to the daemon */
	START_POLICY_PROGRAM, /* fd: where its output goes */
	START_CONNECTOR,      /* no fd */
};

/* What a policy program or a connector has to know of a call. */
struct start_call {
	const char *ident;
	const char *target; /* policy program: what was asked for */
	const char *service;
	const char *answer; /* connector: the policy's answer, as it came */
	size_t answer_size;
};

/* Forks the starter; the_daemon is set up by then. Ends the program when it fails. */
void starter_begin(void);

/* fd is passed on, not closed; -1: none. call is NULL for a parser. The process, or -1. */
pid_t starter_start(enum start_kind kind, const struct start_call *call, int fd);

/* Ends a process that was started. */
void starter_kill(pid_t pid);

/*
 * the_daemon.starter is readable: how one process ended. False: nothing more now. Ends the program
 * when the starter is gone.
 */
bool starter_ended(pid_t *pid, int *status);
