/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One call's data: between local descriptors and a data vchan.
 *
 * One process serves one call, with a poll loop and two buffers of one message each: what the
 * other side does not take is not read, so back-pressure goes from end to end. Both ends of a
 * call run this, as caller or as service.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "vchan/libvchan.h"

#define QREXEC_EXIT_PROBLEM   125
#define QREXEC_EXIT_REFUSED   126
#define QREXEC_EXIT_NOT_FOUND 127

struct call_io {
	libvchan_t *vchan;
	bool is_service;    /* we run the program; otherwise we asked for it */
	int source_fd;	    /* what we send: the program's output, or the caller's input */
	int sink_fd;	    /* where what comes goes; may equal source_fd (a socket) */
	int error_fd;	    /* service: the program's errors (-1 none); caller: where errors go */
	pid_t pid;	    /* service: the program, a child of this process; 0 for a socket */
	bool is_sink_own;   /* the sink is this process's own output: when broken, the call ends */
	bool filter_output; /* caller: control characters in output or errors become '_' */
	bool filter_errors;
	bool exit_on_service_eof; /* service: end the call with the program's output */
	bool exit_on_client_eof;  /* service: end the call with the caller's input */
};

/*
 * Wait for the peer, at most call_timeout_s() seconds; NULL with errno ETIMEDOUT, ECONNABORTED when
 * abort_fd (-1: none) became readable first, or what libvchan said. Data vchans are served by the
 * side that was told SERVICE_CONNECT or that called from dom0.
 */
libvchan_t *call_listen(int domain, int port, int buffer_size, int abort_fd);
libvchan_t *call_connect(int domain, int port, int abort_fd);

/* 60, or $QREXEC_CONNECT_TIMEOUT, or what call_set_timeout_s() said: 0 is a day. */
int call_timeout_s(void);
void call_set_timeout_s(int seconds);

/*
 * HELLO both ways. The version agreed on, or -1 (a line on stderr). Both sides send first: nothing
 * is waited for before sending, so any order of the peer works.
 */
int call_handshake(libvchan_t *vchan);

/*
 * Moves data until the call is over; closes the descriptors (not the vchan). Returns the exit code:
 * a caller that of the service, a service that of its program; 125 when the vchan ended too early
 * or the peer broke the protocol, 128 + signal for a killed program, 141 for a broken own output.
 */
int call_run(const struct call_io *io);

/*
 * First thing in a client's main(): a descriptor 0, 1 or 2 that is closed becomes /dev/null, or a
 * socket of ours would take its number and its role.
 */
void call_claim_standard_descriptors(void);

/* A service that cannot be started: says why on the caller's stderr and ends with this code. */
void call_fail(libvchan_t *vchan, int exit_code, const char *why);
