/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines that exist in a table only, for tests of what drives them; called from worker threads.
 */
#pragma once

#include <string.h>

#include "domains/control.h"

static GMutex script_mutex;
static GString *script_log;    /* "start net;" ... */
static GHashTable *machines;   /* id to name */
static char last_options[64];  /* the command line of the last one that started */
static const char *fail_start; /* the machine of this name does not start */
static uint32_t next_id;

static bool scripted_start(const struct machine_spec *spec, uint32_t *id, GError **error)
{
	bool is_ok = !fail_start || strcmp(spec->name, fail_start) != 0;

	g_mutex_lock(&script_mutex);
	g_string_append_printf(script_log, "start %s;", spec->name);
	g_strlcpy(last_options, spec->command_line, sizeof(last_options));
	if (is_ok) {
		*id = ++next_id;
		g_hash_table_insert(machines, GUINT_TO_POINTER(*id), g_strdup(spec->name));
	} else {
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FAILED, "no luck with %s",
			    spec->name);
	}
	g_mutex_unlock(&script_mutex);
	return is_ok;
}

static bool scripted_shutdown(uint32_t id, GError **error)
{
	g_mutex_lock(&script_mutex);
	g_string_append_printf(script_log, "shutdown %s;",
			       (char *)g_hash_table_lookup(machines, GUINT_TO_POINTER(id)));
	g_mutex_unlock(&script_mutex);
	return true;
}

static bool scripted_destroy(uint32_t id, GError **error)
{
	g_mutex_lock(&script_mutex);
	g_hash_table_remove(machines, GUINT_TO_POINTER(id));
	g_mutex_unlock(&script_mutex);
	return true;
}

static bool scripted_list(struct machine_name **out, size_t *count, GError **error)
{
	GHashTableIter all;
	gpointer id, name;

	*out = g_new0(struct machine_name, g_hash_table_size(machines));
	*count = 0;
	g_hash_table_iter_init(&all, machines);
	while (g_hash_table_iter_next(&all, &id, &name)) {
		(*out)[*count].name = g_strdup(name);
		(*out)[(*count)++].id = GPOINTER_TO_UINT(id);
	}
	return true;
}

static const struct machine_ops scripted = {scripted_start, scripted_shutdown, scripted_destroy,
					    scripted_list};
static struct control_settings settings = {
	.kernel = "vmlinuz",
	.command_line = "quiet",
	.disposable_options = "init=once",
	.volatile_bytes = 4096,
	.stop_timeout_seconds = 1,
};

void machine_list_free(struct machine_name *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		g_free(list[i].name);
	}
	g_free(list);
}

GQuark machine_error_quark(void)
{
	return g_quark_from_static_string("mullion-machine");
}
