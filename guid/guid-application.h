/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon of one domain: its session below, its windows on the desktop above.
 */
#pragma once

#include "guid/label.h"

#include <gtk/gtk.h>

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

/* Runs until the domain's agent broke a rule or the process is told to end. Exit code. */
int guid_application_run(struct guid_application *app);
