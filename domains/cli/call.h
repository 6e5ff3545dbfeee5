/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs and files in domains: mullion run and mullion open, over qrexec-client(1).
 *
 * A domain that does not run is started. Each prints its errors and returns an exit status: that of
 * the program, or 125 when it could not be reached.
 */
#pragma once

#include "domains/cli/client.h"

#define EXIT_NOT_REACHED 125

/* target: a domain, or with is_disposable the domain that a new disposable is made from (NULL: the
 * only one that allows it). command: the words of a shell command. */
int call_run(struct client *client, const char *target, bool is_disposable, char **command);

/* A program of the domain's menu, by the name of its desktop file. */
int call_app(struct client *client, const char *target, bool is_disposable, const char *app);

/* The file is copied; what is changed there does not come back to dom0. */
int call_open(struct client *client, const char *target, bool is_disposable, const char *path);

/*
 * Starts a template, lets it update its packages, and stops it: with that the new system counts.
 * When anything of it fails, the template is ended at once and stays as it was.
 */
int call_update(struct client *client, const char *name);
