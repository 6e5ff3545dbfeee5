/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mulliond: the daemon of the domains. See mulliond(8). */
#include <glib-unix.h>
#include <locale.h>
#include <stdlib.h>

#include "domains/announce.h"
#include "domains/gate.h"
#include "domains/lease.h"
#include "domains/service.h"

struct options {
	char *domains, *volumes, *kernel, *initrd, *command_line, *run_folder;
	gboolean is_session, is_offline;
};

struct daemon {
	GMainLoop *loop;
	struct registry *registry;
	struct volume_store store;
	struct service *service;
	struct control *control;
	struct machine_watch *watch;
	struct announce *announce;
	struct gate *gate;
	GHashTable *leases; /* name of a running disposable to struct lease */
	int status;
};

/* --- without a hypervisor: descriptions and volumes only --- */

static bool offline_start(const struct machine_spec *spec, uint32_t *id, GError **error)
{
	g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_NO_HYPERVISOR,
		    "%s cannot start: the daemon was started with --offline", spec->name);
	return false;
}

static bool offline_nothing(uint32_t id, GError **error)
{
	return true;
}

static bool offline_list(struct machine_name **out, size_t *count, GError **error)
{
	*out = NULL;
	*count = 0;
	return true;
}

static const struct machine_ops offline_ops = {offline_start, offline_nothing, offline_nothing,
					       offline_list};

/* --- */

static void machine_died(uint32_t id, bool is_crash, void *data)
{
	struct daemon *d = data;

	if (d->control) {
		control_machine_died(d->control, id, is_crash);
	}
}

static void end_disposable(const char *name, void *data)
{
	struct daemon *d = data;
	g_autofree char *copy = g_strdup(name); /* the lease goes while this runs */

	control_stop(d->control, copy, true, NULL, NULL);
}

static void runs(struct daemon *d, const struct control_status *status)
{
	machine_watch_add(d->watch, status->id);
	announce_started(d->announce, status);
	if (status->is_disposable) {
		g_hash_table_replace(
			d->leases, g_strdup(status->name),
			lease_new(LEASE_SOCKET_FOLDER, status->name, end_disposable, d));
	}
}

static gboolean announce_all(gpointer data)
{
	struct daemon *d = data;

	if (d->control) {
		announce_list(d->announce, d->control);
	}
	return G_SOURCE_REMOVE;
}

static void changed(const struct control_status *status, void *data)
{
	struct daemon *d = data;

	if (status) {
		service_changed(status, d->service);
	}
	if (!d->announce) {
		return; /* offline */
	}
	if (status && status->state == CONTROL_RUNNING) {
		runs(d, status);
	} else if (status && status->state == CONTROL_STOPPED) {
		g_hash_table_remove(d->leases, status->name);
		announce_ended(d->announce, status);
	}
	/* When the change is over: a disposable that has ended is still in the list now. */
	g_idle_add_full(G_PRIORITY_HIGH_IDLE, announce_all, d, NULL);
}

static void described(void *data)
{
	changed(NULL, data);
}

static void watch_taken_over(struct daemon *d)
{
	size_t count, i;
	g_autofree struct control_status *all = control_list(d->control, &count);

	for (i = 0; i < count; i++) {
		if (all[i].state == CONTROL_RUNNING) {
			changed(&all[i], d);
		}
	}
}

static void start_automatic(struct daemon *d)
{
	size_t i;

	for (i = 0; i < registry_count(d->registry); i++) {
		const struct config *c = registry_at(d->registry, i);

		if (c->is_autostart) {
			control_start(d->control, c->name, NULL, NULL);
		}
	}
}

static gboolean quit(gpointer data)
{
	g_main_loop_quit(((struct daemon *)data)->loop);
	return G_SOURCE_CONTINUE;
}

static void name_lost(GDBusConnection *bus, const char *name, gpointer data)
{
	struct daemon *d = data;

	g_printerr("mulliond: another daemon has the name %s on the bus\n", name);
	d->status = EXIT_FAILURE;
	quit(d);
}

static void free_lease(gpointer lease)
{
	lease_free(lease);
}

static bool set_up(struct daemon *d, const struct options *o, GDBusConnection *bus, GError **error)
{
	g_autofree char *disposables = g_build_filename(o->run_folder, "disposables", NULL);
	g_autofree char *gate = g_build_filename(o->run_folder, "start.sock", NULL);
	struct control_settings settings = {
		.kernel = o->kernel,
		.initrd = o->initrd,
		.command_line = o->command_line,
		.volatile_bytes = 1024ull << 20,
		.stop_timeout_seconds = 60,
		.disposables_folder = disposables,
	};

	d->registry = registry_open(o->domains, error);
	if (!d->registry || !volume_store_open(&d->store, o->volumes, NULL, error)) {
		return false;
	}
	d->service = service_new(bus, d->registry, &d->store, error);
	if (!d->service) {
		return false;
	}
	if (!o->is_offline) {
		d->watch = machine_watch_begin(machine_died, d, error);
		d->announce = announce_new(o->run_folder, o->is_session ? NULL : bus, error);
		if (!d->watch || !d->announce) {
			return false;
		}
	}
	d->leases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_lease);
	d->control = control_new(d->registry, &d->store,
				 o->is_offline ? &offline_ops : &machine_ops_libxl, &settings,
				 changed, d, error);
	if (!d->control) {
		return false;
	}
	service_set_control(d->service, d->control, described, d);
	watch_taken_over(d);
	changed(NULL, d);
	d->gate = o->is_offline ? NULL : gate_new(gate, d->control, error);
	return o->is_offline || d->gate;
}

static void tear_down(struct daemon *d)
{
	struct control *control = d->control;

	gate_free(d->gate);
	if (control) {
		control_free(control); /* waits for workers, which still report */
		d->control = NULL;
	}
	g_clear_pointer(&d->leases, g_hash_table_unref);
	announce_free(d->announce);
	g_clear_pointer(&d->service, service_free);
	volume_store_close(&d->store);
	registry_close(d->registry);
}

static void run(struct daemon *d, GDBusConnection *bus)
{
	guint name = g_bus_own_name_on_connection(bus, SERVICE_NAME, G_BUS_NAME_OWNER_FLAGS_NONE,
						  NULL, name_lost, d, NULL);

	g_unix_signal_add(SIGTERM, quit, d);
	g_unix_signal_add(SIGINT, quit, d);
	start_automatic(d);
	g_main_loop_run(d->loop);
	g_bus_unown_name(name);
}

int main(int argc, char **argv)
{
	struct options o = {0};
	const GOptionEntry entries[] = {
		{"domains", 0, 0, G_OPTION_ARG_FILENAME, &o.domains,
		 "descriptions of domains (default /etc/mullion/domains)", "FOLDER"},
		{"volumes", 0, 0, G_OPTION_ARG_FILENAME, &o.volumes,
		 "their disks, on XFS or btrfs (default /var/lib/mullion/volumes)", "FOLDER"},
		{"kernel", 0, 0, G_OPTION_ARG_FILENAME, &o.kernel,
		 "kernel of the domains (default /var/lib/mullion/kernel/vmlinuz)", "FILE"},
		{"initrd", 0, 0, G_OPTION_ARG_FILENAME, &o.initrd,
		 "its initrd (default /var/lib/mullion/kernel/initrd)", "FILE"},
		{"command-line", 0, 0, G_OPTION_ARG_STRING, &o.command_line,
		 "its command line (default: root=/dev/xvda rw quiet console=hvc0)", "TEXT"},
		{"run", 0, 0, G_OPTION_ARG_FILENAME, &o.run_folder,
		 "what other daemons learn of domains (default /run/mullion)", "FOLDER"},
		{"session", 0, 0, G_OPTION_ARG_NONE, &o.is_session,
		 "use the session bus instead of the system's", NULL},
		{"offline", 0, 0, G_OPTION_ARG_NONE, &o.is_offline,
		 "descriptions and volumes only: nothing can be started", NULL},
		{NULL, 0, 0, 0, NULL, NULL, NULL}};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GDBusConnection) bus = NULL;
	g_autoptr(GError) error = NULL;
	struct daemon d = {.status = EXIT_SUCCESS};

	setlocale(LC_ALL, "");
	g_option_context_set_summary(context, "Defines, starts, stops and watches the domains of "
					      "this machine; mullion(1) talks to it.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		g_printerr("mulliond: %s; see mulliond --help\n", error->message);
		return 2;
	}
	o.domains = o.domains ? o.domains : g_strdup("/etc/mullion/domains");
	o.volumes = o.volumes ? o.volumes : g_strdup("/var/lib/mullion/volumes");
	o.kernel = o.kernel ? o.kernel : g_strdup("/var/lib/mullion/kernel/vmlinuz");
	o.initrd = o.initrd ? o.initrd : g_strdup("/var/lib/mullion/kernel/initrd");
	o.run_folder = o.run_folder ? o.run_folder : g_strdup("/run/mullion");
	o.command_line =
		o.command_line ? o.command_line : g_strdup("root=/dev/xvda rw quiet console=hvc0");

	d.loop = g_main_loop_new(NULL, FALSE);
	bus = g_bus_get_sync(o.is_session ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM, NULL, &error);
	if (!bus || !set_up(&d, &o, bus, &error)) {
		g_printerr("mulliond: %s\n", error->message);
		d.status = EXIT_FAILURE;
	} else {
		run(&d, bus);
	}
	tear_down(&d);
	g_main_loop_unref(d.loop);
	g_free(o.domains);
	g_free(o.volumes);
	g_free(o.kernel);
	g_free(o.initrd);
	g_free(o.command_line);
	g_free(o.run_folder);
	return d.status;
}
