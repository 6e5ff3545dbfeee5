/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting, stopping and watching domains: the daemon without its D-Bus face.
 *
 * One object, used from one thread with a GLib main context. What takes long (volumes, libxl)
 * runs in worker threads; results come back to that context. A domain is stopped, starting,
 * running or stopping; the networks that it needs are started before it, in order; several
 * domains start side by side. A domain that fails or dies leaves no run image and no machine.
 */
#pragma once

#include "domains/machine.h"
#include "domains/registry.h"
#include "domains/volume.h"

enum control_state { CONTROL_STOPPED, CONTROL_STARTING, CONTROL_RUNNING, CONTROL_STOPPING };

#define CONTROL_ERROR (control_error_quark())
enum control_error {
	CONTROL_ERROR_UNKNOWN, /* no such domain */
	CONTROL_ERROR_STATE,   /* not in this state */
	CONTROL_ERROR_LIMIT,   /* as many disposables as allowed */
};
GQuark control_error_quark(void);

struct control_settings {
	const char *kernel, *initrd; /* for all domains */
	const char *command_line;
	const char *disposable_options; /* added to a disposable's command line */
	uint64_t volatile_bytes;
	unsigned int stop_timeout_seconds; /* then it is destroyed */
	/* Files NAME with the name of the domain that disposable NAME was made from; NULL: a
	 * restarted daemon destroys all disposables. */
	const char *disposables_folder;
};

struct control_status {
	const char *name; /* valid until the next call */
	enum control_state state;
	uint32_t id; /* while running or stopping */
	bool is_disposable;
	const struct config *config; /* a disposable's: of the domain that it was made from */
	const char *last_error;	     /* NULL, or why it is not running */
};

struct control;
/* Any change of a domain's state. */
typedef void (*control_changed_t)(const struct control_status *status, void *data);
/* error NULL: done. */
typedef void (*control_done_t)(const char *name, const GError *error, void *data);

/*
 * Takes over what already runs (a restarted daemon) and sweeps up what a crash left. registry and
 * store stay the caller's and must live longer. NULL on error.
 */
struct control *control_new(struct registry *registry, struct volume_store *store,
			    const struct machine_ops *ops, const struct control_settings *settings,
			    control_changed_t changed, void *data, GError **error);
/* Waits for workers; domains keep running. */
void control_free(struct control *c);

/* Already running: done at once. Already starting: done with the others. */
void control_start(struct control *c, const char *name, control_done_t done, void *data);
/* is_forced: without asking the guest; also while it starts, which then fails. */
void control_stop(struct control *c, const char *name, bool is_forced, control_done_t done,
		  void *data);
/* A new disposable made from a domain that allows it; done() gets its name. */
void control_start_disposable(struct control *c, const char *base, control_done_t done, void *data);
/* What machine_watch reports. */
void control_machine_died(struct control *c, uint32_t id, bool is_crash);

/* All described domains and disposables, sorted; free with g_free(). */
struct control_status *control_list(const struct control *c, size_t *count);
bool control_status(const struct control *c, const char *name, struct control_status *out);
