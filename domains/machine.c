/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/machine.h"

#include <libxl.h>
#include <libxl_event.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <string.h>
#include <xentoollog.h>

#define MESSAGE_MAX 512

GQuark machine_error_quark(void)
{
	return g_quark_from_static_string("mullion-machine");
}

/* --- one libxl context for one call, and what it complained about --- */

struct session {
	xentoollog_logger logger; /* first: libxl hands it back to the callbacks */
	libxl_ctx *ctx;
	char message[MESSAGE_MAX]; /* the first error: what follows is a consequence */
};

static void note_message(xentoollog_logger *logger, xentoollog_level level, int errnoval,
			 const char *context, const char *format, va_list args)
	__attribute__((format(printf, 5, 0)));

static void note_message(xentoollog_logger *logger, xentoollog_level level, int errnoval,
			 const char *context, const char *format, va_list args)
{
	struct session *s = (struct session *)logger;
	size_t used;

	if (level < XTL_ERROR || s->message[0]) {
		return;
	}
	vsnprintf(s->message, sizeof(s->message), format, args);
	used = strlen(s->message);
	if (errnoval > 0) {
		snprintf(s->message + used, sizeof(s->message) - used, ": %s",
			 g_strerror(errnoval));
	}
}

static void forget_logger(xentoollog_logger *logger)
{
}

static bool session_open(struct session *s, GError **error)
{
	*s = (struct session){.logger = {.vmessage = note_message, .destroy = forget_logger}};
	if (libxl_ctx_alloc(&s->ctx, LIBXL_VERSION, 0, &s->logger)) {
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_NO_HYPERVISOR,
			    "this system does not run on Mullion or Xen%s%s",
			    s->message[0] ? ": " : "", s->message);
		return false;
	}
	return true;
}

static void session_close(struct session *s)
{
	libxl_ctx_free(s->ctx);
}

static bool session_fail(struct session *s, const char *what, int rc, GError **error)
{
	enum machine_error code = MACHINE_ERROR_FAILED;

	if (rc == ERROR_NOMEM) {
		code = MACHINE_ERROR_NO_MEMORY;
	} else if (rc == ERROR_DOMAIN_NOTFOUND || rc == ERROR_NOTFOUND) {
		code = MACHINE_ERROR_NOT_FOUND;
	}
	g_set_error(error, MACHINE_ERROR, (int)code, "%s failed: %s (libxl error %d)", what,
		    s->message[0] ? s->message : "no reason given", rc);
	return false;
}

/* --- start --- */

static void describe_disk(const struct machine_disk *from, libxl_device_disk *to)
{
	libxl_device_disk_init(to);
	to->backend_domid = 0;
	to->pdev_path = g_strdup(from->path);
	to->vdev = g_strdup(from->device);
	to->backend = LIBXL_DISK_BACKEND_PHY;
	to->format = LIBXL_DISK_FORMAT_RAW;
	to->readwrite = from->is_writable;
}

/* GLib's allocator is malloc(), so libxl may free what is put in here. */
static void describe(const struct machine_spec *spec, libxl_ctx *ctx, libxl_domain_config *to)
{
	libxl_domain_build_info *build = &to->b_info;
	size_t i;

	libxl_domain_config_init(to);
	to->c_info.type = LIBXL_DOMAIN_TYPE_PVH;
	to->c_info.name = g_strdup(spec->name);
	libxl_uuid_generate(&to->c_info.uuid);
	libxl_defbool_set(&to->c_info.run_hotplug_scripts, true);

	libxl_domain_build_info_init_type(build, LIBXL_DOMAIN_TYPE_PVH);
	build->max_vcpus = (int)spec->vcpu_count;
	libxl_cpu_bitmap_alloc(ctx, &build->avail_vcpus, (int)spec->vcpu_count);
	libxl_bitmap_set_any(&build->avail_vcpus);
	build->target_memkb = spec->memory_mib * 1024;
	build->max_memkb = spec->memory_max_mib * 1024;
	build->kernel = g_strdup(spec->kernel);
	build->ramdisk = g_strdup(spec->initrd);
	build->cmdline = g_strdup(spec->command_line);

	to->disks = g_new0(libxl_device_disk, spec->disk_count);
	to->num_disks = (int)spec->disk_count;
	for (i = 0; i < spec->disk_count; i++) {
		describe_disk(&spec->disks[i], &to->disks[i]);
	}
	to->on_poweroff = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE; /* the daemon sees it and destroys */
	to->on_reboot = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
	to->on_crash = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
}

/* Refused here, before anything is taken, with the numbers that the user needs. */
static bool check_memory(struct session *s, const struct machine_spec *spec, GError **error)
{
	uint64_t free_kib;
	int rc = libxl_get_free_memory(s->ctx, &free_kib);

	if (rc) {
		return session_fail(s, "asking for free memory", rc, error);
	}
	if (free_kib / 1024 < spec->memory_mib) {
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_NO_MEMORY,
			    "%s needs %" G_GUINT64_FORMAT " MiB of memory, %" G_GUINT64_FORMAT
			    " MiB are free: stop another domain or give this one less",
			    spec->name, (guint64)spec->memory_mib, (guint64)free_kib / 1024);
		return false;
	}
	return true;
}

bool machine_start(const struct machine_spec *spec, uint32_t *id, GError **error)
{
	g_autofree char *what = g_strdup_printf("starting %s", spec->name);
	libxl_domain_config config;
	uint32_t created = (uint32_t)INVALID_DOMID;
	struct session s;
	int rc;

	if (!session_open(&s, error)) {
		return false;
	}
	if (!check_memory(&s, spec, error)) {
		session_close(&s);
		return false;
	}
	describe(spec, s.ctx, &config);
	rc = libxl_domain_create_new(s.ctx, &config, &created, NULL, NULL);
	if (!rc) {
		rc = libxl_domain_unpause(s.ctx, created, NULL);
	}
	libxl_domain_config_dispose(&config);
	if (rc) {
		session_fail(&s, what, rc, error);
		if (created != (uint32_t)INVALID_DOMID) {
			(void)libxl_domain_destroy(s.ctx, created, NULL);
		}
		session_close(&s);
		return false;
	}
	*id = created;
	session_close(&s);
	return true;
}

/* --- a running machine --- */

bool machine_shutdown(uint32_t id, GError **error)
{
	struct session s;
	bool is_ok;
	int rc;

	if (!session_open(&s, error)) {
		return false;
	}
	rc = libxl_domain_shutdown(s.ctx, id, NULL);
	is_ok = rc == 0 || session_fail(&s, "shutting down", rc, error);
	session_close(&s);
	return is_ok;
}

bool machine_destroy(uint32_t id, GError **error)
{
	struct session s;
	bool is_ok;
	int rc;

	if (!session_open(&s, error)) {
		return false;
	}
	rc = libxl_domain_info(s.ctx, NULL, id);
	if (rc != ERROR_DOMAIN_NOTFOUND) {
		rc = libxl_domain_destroy(s.ctx, id, NULL);
	}
	is_ok = rc == 0 || rc == ERROR_DOMAIN_NOTFOUND ||
		session_fail(&s, "destroying a machine", rc, error);
	session_close(&s);
	return is_ok;
}

bool machine_pause(uint32_t id, bool is_paused, GError **error)
{
	struct session s;
	bool is_ok;
	int rc;

	if (!session_open(&s, error)) {
		return false;
	}
	rc = is_paused ? libxl_domain_pause(s.ctx, id, NULL)
		       : libxl_domain_unpause(s.ctx, id, NULL);
	is_ok = rc == 0 || session_fail(&s, is_paused ? "pausing" : "resuming", rc, error);
	session_close(&s);
	return is_ok;
}

static enum machine_state state_of(const libxl_dominfo *info)
{
	if (info->dying) {
		return MACHINE_DYING;
	}
	if (info->shutdown) {
		return info->shutdown_reason == LIBXL_SHUTDOWN_REASON_CRASH ? MACHINE_CRASHED
									    : MACHINE_SHUT_DOWN;
	}
	return info->paused ? MACHINE_PAUSED : MACHINE_RUNNING;
}

bool machine_info(uint32_t id, struct machine_info *out, GError **error)
{
	libxl_dominfo info;
	struct session s;
	int rc;

	if (!session_open(&s, error)) {
		return false;
	}
	libxl_dominfo_init(&info);
	rc = libxl_domain_info(s.ctx, &info, id);
	if (rc) {
		session_fail(&s, "looking at a machine", rc, error);
	} else {
		*out = (struct machine_info){
			.id = id,
			.state = state_of(&info),
			.memory_kib = info.current_memkb,
			.cpu_time_ns = info.cpu_time,
			.vcpu_count = info.vcpu_online,
		};
	}
	libxl_dominfo_dispose(&info);
	session_close(&s);
	return rc == 0;
}

bool machine_set_memory(uint32_t id, uint64_t memory_mib, GError **error)
{
	struct session s;
	bool is_ok;
	int rc;

	if (!session_open(&s, error)) {
		return false;
	}
	rc = libxl_set_memory_target(s.ctx, id, (int64_t)memory_mib * 1024, 0, 1);
	is_ok = rc == 0 || session_fail(&s, "changing a machine's memory", rc, error);
	session_close(&s);
	return is_ok;
}

bool machine_list(struct machine_name **out, size_t *count, GError **error)
{
	struct session s;
	libxl_dominfo *list;
	int nb_domains = 0, i;

	if (!session_open(&s, error)) {
		return false;
	}
	list = libxl_list_domain(s.ctx, &nb_domains);
	if (!list) {
		session_fail(&s, "listing machines", ERROR_FAIL, error);
		session_close(&s);
		return false;
	}
	*out = g_new0(struct machine_name, (gsize)nb_domains);
	*count = 0;
	for (i = 0; i < nb_domains; i++) {
		char *name = list[i].domid ? libxl_domid_to_name(s.ctx, list[i].domid) : NULL;

		if (name) {
			(*out)[*count].name = name;
			(*out)[(*count)++].id = list[i].domid;
		}
	}
	libxl_dominfo_list_free(list, nb_domains);
	session_close(&s);
	return true;
}

void machine_list_free(struct machine_name *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		g_free(list[i].name);
	}
	g_free(list);
}

bool machine_free_memory(uint64_t *free_kib, GError **error)
{
	struct session s;
	bool is_ok;
	int rc;

	if (!session_open(&s, error)) {
		return false;
	}
	rc = libxl_get_free_memory(s.ctx, free_kib);
	is_ok = rc == 0 || session_fail(&s, "asking for free memory", rc, error);
	session_close(&s);
	return is_ok;
}

/* --- deaths --- */

struct machine_watch {
	struct session session;
	machine_died_t died;
	void *data;
	GMainContext *context;
};

struct death {
	struct machine_watch *watch;
	uint32_t id;
	bool is_crash;
};

static gboolean tell_death(gpointer data)
{
	struct death *death = data;

	death->watch->died(death->id, death->is_crash, death->watch->data);
	return G_SOURCE_REMOVE;
}

static void *wait_for_deaths(void *data)
{
	struct machine_watch *w = data;
	libxl_event *event;

	while (libxl_event_wait(w->session.ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL) == 0) {
		if (event->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN ||
		    event->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH) {
			struct death *death = g_new0(struct death, 1);

			death->watch = w;
			death->id = event->domid;
			death->is_crash = event->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN &&
					  event->u.domain_shutdown.shutdown_reason ==
						  LIBXL_SHUTDOWN_REASON_CRASH;
			g_main_context_invoke_full(w->context, G_PRIORITY_DEFAULT, tell_death,
						   death, g_free);
		}
		libxl_event_free(w->session.ctx, event);
	}
	g_critical("libxl no longer reports events: %s", w->session.message);
	return NULL;
}

struct machine_watch *machine_watch_begin(machine_died_t died, void *data, GError **error)
{
	struct machine_watch *w = g_new0(struct machine_watch, 1);

	if (!session_open(&w->session, error)) {
		g_free(w);
		return NULL;
	}
	w->died = died;
	w->data = data;
	w->context = g_main_context_ref_thread_default();
	g_thread_unref(g_thread_new("deaths", wait_for_deaths, w));
	return w;
}

bool machine_watch_add(struct machine_watch *w, uint32_t id, GError **error)
{
	libxl_evgen_domain_death *watched;
	int rc = libxl_evenable_domain_death(w->session.ctx, id, 0, &watched);

	return rc == 0 || session_fail(&w->session, "watching a machine", rc, error);
}

const struct machine_ops machine_ops_libxl = {
	.start = machine_start,
	.shutdown = machine_shutdown,
	.destroy = machine_destroy,
	.list = machine_list,
};
