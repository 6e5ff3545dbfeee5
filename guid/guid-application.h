/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon of one domain: its session below, its windows on the desktop above.
 */
#pragma once

#include "guid/label.h"

#include <gtk/gtk.h>

/* Exit codes beside 0 (told to end), 1 (no display, no vchan) and 2 (usage). */
enum guid_exit {
	GUID_EXIT_PROTOCOL = 3,	  /* the agent broke a rule: not started again */
	GUID_EXIT_AGENT_GONE = 4, /* to be started again */
	GUID_EXIT_CRASHES = 5,	  /* too many crashes in a short time */
};

struct guid_options {
	int domain;
	const char *name; /* of the domain, checked */
	const struct label *label;
	gboolean is_utf8_allowed;
	gboolean is_gpu_used;
	uint32_t window_count_max, page_count_max; /* 0: defaults */
};

struct guid_application;

/* GTK is initialised. NULL and errno: see session_create(). */
struct guid_application *guid_application_create(const struct guid_options *options);
void guid_application_destroy(struct guid_application *app);

/* Runs until the agent is gone or broke a rule or the process is told to end. Exit code. */
int guid_application_run(struct guid_application *app);
