/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's side of a fork server: the program of a user's session that runs that user's calls
 * inside of the session (fork_server.c, or that of Qubes).
 */
#pragma once

#include "qrexec/command.h"
#include "qrexec/proto.h"

/* "%s" is the user's name. */
#define FORK_SERVER_SOCKET "/run/qubes/qrexec-server.%s.sock"

/* False when the path is too long. */
bool fork_server_path(const char *pattern, const char *user, char *path, size_t capacity);

/*
 * Whether a call may go there: it has a user, does not have "nogui:", which is asked for to be
 * outside of a session, and no settings that a fork server of Qubes does not read.
 */
bool fork_server_may_serve(const struct command *command, const struct service_config *config);

/*
 * Passes a call on to the fork server of a user. A descriptor that ends with the call, or -1 when
 * there is no server; one that another account listens on is none (a line on stderr).
 */
int fork_server_pass(const char *pattern, const char *user, const struct qrexec_fork *call);
