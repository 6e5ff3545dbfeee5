/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start what a call asks for: a service's program or socket, or a command in a shell.
 *
 * Runs in the process that will move the call's data, already as the right user. Services are
 * looked for in $QREXEC_SERVICE_PATH (default /usr/local/etc/qubes-rpc:/etc/qubes-rpc), in each
 * folder first "name+argument", then "name"; settings in $QUBES_RPC_CONFIG_PATH (default
 * /etc/qubes/rpc-config) under the same names.
 */
#pragma once

#include "qrexec/command.h"
#include "qrexec/io.h"

/* Settings of the service; a missing file means defaults. -EINVAL (said on stderr) for a bad one.
 */
int service_config_load(const struct command *command, struct service_config *out);

/* What runs a command that is no service. */
enum service_shell {
	SHELL_SYSTEM, /* /bin/sh */
	SHELL_USER,   /* that of the account */
	SHELL_LOGIN,  /* the same, and it reads what a login reads */
};

/*
 * Fills source_fd, sink_fd, error_fd, pid and the flags of *io. 0, or an exit code: 127 not found,
 * 125 any other failure.
 */
int service_start(const struct command *command, const struct service_config *config,
		  enum service_shell shell, struct call_io *io);

/* Starts it without descriptors (JUST_EXEC). 0 or an exit code. */
int service_start_alone(const struct command *command, enum service_shell shell);
