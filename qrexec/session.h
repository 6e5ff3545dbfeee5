/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One call in the guest: from the agent's message to the program's exit code.
 *
 * Runs in a child process of the agent. Where the user's session has a fork server, that runs the
 * call. Otherwise, as root, it opens a PAM session for the user in one
 * process, which does nothing else, and moves the data in another that is the user: whatever the
 * caller sends is read with no more rights than the program has that it is meant for.
 */
#pragma once

#include "qrexec/proto.h"

/* type is EXEC_CMDLINE or JUST_EXEC; fork_server as for fork_server_path(), NULL: none. */
_Noreturn void session_main(enum qrexec_type type, const struct qrexec_exec *exec,
			    const char *fork_server);
