/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command of an EXEC message: "user:[nogui:]command", where the command may be
 * "QUBESRPC service+argument source [name|keyword target]".
 *
 * Also the settings of one service (rpc-config). Both pure: no I/O; any context.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define COMMAND_NAME_MAX 64

struct command {
	char user[COMMAND_NAME_MAX]; /* empty for a command without user (dom0) */
	bool is_nogui;
	const char *text; /* points into the given string: what a shell runs */
	bool is_service;
	/* Services only. */
	char *service;	      /* "name+argument"; heap */
	char *name;	      /* the part before '+'; heap */
	const char *argument; /* behind '+', or NULL when there is none; points into service */
	char source[COMMAND_NAME_MAX];
	char target_type[8]; /* "name", "keyword" or empty */
	char target[COMMAND_NAME_MAX];
};

/*
 * needs_user: a guest's command has a user before the first ':'. 0; -EINVAL: no user, or not the
 * grammar above; -ENOMEM. After success command_fini() frees.
 */
int command_parse(const char *line, bool needs_user, struct command *out);
void command_fini(struct command *command);

struct service_config {
	bool is_waiting_for_session;
	char force_user[COMMAND_NAME_MAX]; /* empty: none */
	bool skip_descriptor;
	bool exit_on_service_eof;
	bool exit_on_client_eof;
};

/*
 * Lines "key = value" (true, false, 1, 0, 'text', "text"), comments from '#'. Unknown keys are
 * left alone, as a newer version may know them. 0; -EINVAL and *line set to the bad line.
 */
int service_config_parse(const char *text, struct service_config *out, int *line);
