/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mulliond: the daemon of the domains. See mulliond(8). */
#include <glib-unix.h>
#include <locale.h>
#include <stdlib.h>

#include "domains/companions.h"
#include "domains/lease.h"
#include "domains/service.h"

/* What a disposable starts instead of a whole system; see agent/disposable_init.c. */
#define DISPOSABLE_OPTIONS "mullion.init=/usr/lib/mullion/disposable-init"

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
	struct companions *companions; /* NULL: offline */
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

static void changed(const struct control_status *status, void *data)
{
	struct daemon *d = data;

	service_changed(status, d->service);
	if (d->companions) {
		if (status->state == CONTROL_RUNNING) {
			machine_watch_add(d->watch, status->id);
		}
		companions_changed(d->companions, status);
	}
}

static void described(void *data)
{
	struct daemon *d = data;

	if (d->companions) {
		companions_changed(d->companions, NULL);
	}
}

static void watch_taken_over(struct daemon *d)
{
	size_t count, i;
	g_autofree struct control_status *all = control_list(d->control, &count);

	for (i = 0; i < count; i++) {
		if (all[i].state == CONTROL_RUNNING && d->watch) {
			machine_watch_add(d->watch, all[i].id);
			service_changed(&all[i], d->service);
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

static bool set_up(struct daemon *d, const struct options *o, GDBusConnection *bus, GError **error)
{
	g_autofree char *disposables = g_build_filename(o->run_folder, "disposables", NULL);
	struct control_settings settings = {
		.kernel = o->kernel,
		.initrd = o->initrd,
		.command_line = o->command_line,
		.disposable_options = DISPOSABLE_OPTIONS,
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
		if (!d->watch) {
			return false;
		}
		d->companions = companions_new(o->run_folder, LEASE_SOCKET_FOLDER,
					       o->is_session ? NULL : bus, error);
		if (!d->companions) {
			return false;
		}
	}
	d->control = control_new(d->registry, &d->store,
				 o->is_offline ? &offline_ops : &machine_ops_libxl, &settings,
				 changed, d, error);
	if (!d->control) {
		return false;
	}
	service_set_control(d->service, d->control, described, d);
	watch_taken_over(d);
	return !d->companions || companions_attach(d->companions, d->control, error);
}

static void tear_down(struct daemon *d)
{
	struct control *control = d->control;

	companions_detach(d->companions);
	if (control) {
		control_free(control); /* waits for workers, which still report */
		d->control = NULL;
	}
	companions_free(d->companions);
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
