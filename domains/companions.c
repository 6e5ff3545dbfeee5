/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/companions.h"

#include "domains/gate.h"
#include "domains/lease.h"

struct companions {
	char *gate_path, *socket_folder;
	struct announce *announce;
	struct gate *gate;
	struct control *control;
	GHashTable *leases; /* name of a running disposable to struct lease */
	guint list_source;  /* the list of domains is written when all changes are made */
};

static void free_lease(gpointer lease)
{
	lease_free(lease);
}

struct companions *companions_new(const char *run_folder, const char *socket_folder,
				  GDBusConnection *system_bus, GError **error)
{
	struct announce *announce = announce_new(run_folder, system_bus, error);
	struct companions *c;

	if (!announce) {
		return NULL;
	}
	c = g_new0(struct companions, 1);
	c->announce = announce;
	c->gate_path = g_build_filename(run_folder, "start.sock", NULL);
	c->socket_folder = g_strdup(socket_folder);
	c->leases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_lease);
	return c;
}

void companions_free(struct companions *c)
{
	if (c) {
		companions_detach(c);
		g_hash_table_unref(c->leases);
		announce_free(c->announce);
		g_free(c->gate_path);
		g_free(c->socket_folder);
		g_free(c);
	}
}

static void end_disposable(const char *name, void *data)
{
	struct companions *c = data;
	g_autofree char *copy = g_strdup(name); /* the lease goes while this runs */

	if (c->control) {
		control_stop(c->control, copy, true, NULL, NULL);
	}
}

static gboolean write_list(gpointer data)
{
	struct companions *c = data;

	c->list_source = 0;
	announce_list(c->announce, c->control);
	return G_SOURCE_REMOVE;
}

void companions_changed(struct companions *c, const struct control_status *status)
{
	if (status && status->state == CONTROL_RUNNING) {
		announce_started(c->announce, status);
		if (status->is_disposable) {
			g_hash_table_replace(
				c->leases, g_strdup(status->name),
				lease_new(c->socket_folder, status->name, end_disposable, c));
		}
	} else if (status && status->state == CONTROL_STOPPED) {
		g_hash_table_remove(c->leases, status->name);
		announce_ended(c->announce, status);
	}
	/* A disposable that has just ended is still in the list now. */
	if (c->control && !c->list_source) {
		c->list_source = g_idle_add_full(G_PRIORITY_HIGH_IDLE, write_list, c, NULL);
	}
}

bool companions_attach(struct companions *c, struct control *control, GError **error)
{
	size_t count, i;
	g_autofree struct control_status *all = control_list(control, &count);

	c->control = control;
	for (i = 0; i < count; i++) {
		if (all[i].state == CONTROL_RUNNING) {
			companions_changed(c, &all[i]);
		}
	}
	announce_list(c->announce, control);
	c->gate = gate_new(c->gate_path, control, error);
	return c->gate != NULL;
}

void companions_detach(struct companions *c)
{
	if (c) {
		g_clear_pointer(&c->gate, gate_free);
		g_clear_handle_id(&c->list_source, g_source_remove);
		c->control = NULL;
	}
}
