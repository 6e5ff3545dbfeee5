/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call's service, in a process that already is the user that the service runs as: what a PAM
 * session (session.c) and a fork server (fork_server.c) have in common.
 */
#pragma once

#include "qrexec/proto.h"
#include "qrexec/service.h"

/* The data vchan to the caller; NULL, and a line on stderr, when it is gone. */
libvchan_t *serve_connect(const struct qrexec_exec *exec);

/* Starts the service and moves its data. type is EXEC_CMDLINE or JUST_EXEC. The exit code. */
int serve_call(enum qrexec_type type, libvchan_t *vchan, const struct command *command,
	       const struct service_config *config, enum service_shell shell);

/* Tells the caller why there is no call, and ends this process. */
_Noreturn void serve_refuse(libvchan_t *vchan, const char *why);
