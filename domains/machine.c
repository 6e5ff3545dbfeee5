/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/machine.h"

#include <errno.h>
#include <glib-unix.h>
#include <libxl.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>
#include <xentoollog.h>

#include "domains/loop.h"

#define MESSAGE_MAX  512
#define BLOCK_SCRIPT "/usr/lib/mullion/block-ready"

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

static void release_disks(struct loop loops[MACHINE_DISK_MAX])
{
	size_t i;

	for (i = 0; i < MACHINE_DISK_MAX; i++) {
		loop_release(&loops[i]);
	}
}

static bool attach_disks(const struct machine_spec *spec, struct loop loops[MACHINE_DISK_MAX],
			 GError **error)
{
	size_t i;
	int rc;

	for (i = 0; i < MACHINE_DISK_MAX; i++) {
		loops[i].fd = -1;
	}
	for (i = 0; i < spec->disk_count; i++) {
		rc = loop_attach(&loops[i], spec->disks[i].path, spec->disks[i].is_writable);
		if (rc) {
			g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FAILED,
				    "%s: its disk %s cannot become a block device: %s", spec->name,
				    spec->disks[i].path, g_strerror(-rc));
			release_disks(loops);
			return false;
		}
	}
	return true;
}

static void describe_disk(const struct machine_disk *from, const struct loop *loop,
			  libxl_device_disk *to)
{
	const char *script = g_getenv("MULLION_BLOCK_SCRIPT");

	libxl_device_disk_init(to);
	to->backend_domid = 0;
	to->pdev_path = g_strdup(loop->path);
	to->script = g_strdup(script ? script : BLOCK_SCRIPT);
	to->vdev = g_strdup(from->device);
	to->backend = LIBXL_DISK_BACKEND_PHY;
	to->format = LIBXL_DISK_FORMAT_RAW;
	to->readwrite = from->is_writable;
}

/* GLib's allocator is malloc(), so libxl may free what is put in here. */
static void describe(const struct machine_spec *spec, const struct loop *loops, libxl_ctx *ctx,
		     libxl_domain_config *to)
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
		describe_disk(&spec->disks[i], &loops[i], &to->disks[i]);
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

/* On an error nothing of it is left. */
static int create(const struct machine_spec *spec, const struct loop *loops, struct session *s,
		  uint32_t *id)
{
	uint32_t created = (uint32_t)INVALID_DOMID;
	libxl_domain_config config;
	int rc;

	describe(spec, loops, s->ctx, &config);
	rc = libxl_domain_create_new(s->ctx, &config, &created, NULL, NULL);
	if (!rc) {
		rc = libxl_domain_unpause(s->ctx, created, NULL);
	}
	libxl_domain_config_dispose(&config);
	if (rc && created != (uint32_t)INVALID_DOMID) {
		(void)libxl_domain_destroy(s->ctx, created, NULL);
	}
	*id = created;
	return rc;
}

bool machine_start(const struct machine_spec *spec, uint32_t *id, GError **error)
{
	g_autofree char *what = g_strdup_printf("starting %s", spec->name);
	struct loop loops[MACHINE_DISK_MAX];
	struct session s;
	bool is_ok;
	int rc;

	if (!session_open(&s, error)) {
		return false;
	}
	is_ok = check_memory(&s, spec, error) && attach_disks(spec, loops, error);
	if (is_ok) {
		rc = create(spec, loops, &s, id);
		is_ok = rc == 0 || session_fail(&s, what, rc, error);
		release_disks(loops); /* the block back-end has them now */
	}
	session_close(&s);
	return is_ok;
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
	struct xs_handle *xenstore;
	GArray *ids; /* uint32_t: watched and not reported yet */
	machine_died_t died;
	void *data;
};

/* The place of a machine in a list, or -1. */
static int find_info(const libxl_dominfo *list, int count, uint32_t id)
{
	int i;

	for (i = 0; i < count && list[i].domid != id; i++) {
	}
	return i < count ? i : -1;
}

static void look_for_deaths(struct machine_watch *w)
{
	int count = 0;
	libxl_dominfo *list = libxl_list_domain(w->session.ctx, &count);
	guint at = 0;

	if (!list) {
		g_critical("machines cannot be listed: %s", w->session.message);
		return;
	}
	while (at < w->ids->len) {
		uint32_t id = g_array_index(w->ids, uint32_t, at);
		int i = find_info(list, count, id);
		enum machine_state state = i < 0 ? MACHINE_DYING : state_of(&list[i]);

		if (state == MACHINE_RUNNING || state == MACHINE_PAUSED) {
			at++;
			continue;
		}
		/* died() may watch another one: that goes to the end of the array. */
		g_array_remove_index(w->ids, at);
		w->died(id, state == MACHINE_CRASHED, w->data);
	}
	libxl_dominfo_list_free(list, count);
}

static gboolean handle_release(gint fd, GIOCondition condition, gpointer data)
{
	struct machine_watch *w = data;
	char **event;
	bool is_any = false;

	while ((event = xs_check_watch(w->xenstore))) {
		is_any = true;
		free(event); /* one block */
	}
	if (is_any) {
		look_for_deaths(w);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean look_later(gpointer data)
{
	look_for_deaths(data);
	return G_SOURCE_REMOVE;
}

struct machine_watch *machine_watch_begin(machine_died_t died, void *data, GError **error)
{
	struct machine_watch *w = g_new0(struct machine_watch, 1);

	if (!session_open(&w->session, error)) {
		g_free(w);
		return NULL;
	}
	w->xenstore = xs_open(0);
	if (!w->xenstore || !xs_watch(w->xenstore, "@releaseDomain", "death")) {
		g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FAILED,
			    "xenstore does not answer: %s", g_strerror(errno));
		g_clear_pointer(&w->xenstore, xs_close);
		session_close(&w->session);
		g_free(w);
		return NULL;
	}
	w->ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	w->died = died;
	w->data = data;
	g_unix_fd_add(xs_fileno(w->xenstore), G_IO_IN, handle_release, w);
	return w;
}

void machine_watch_add(struct machine_watch *w, uint32_t id)
{
	g_array_append_val(w->ids, id);
	g_idle_add(look_later, w); /* it may have died before it was watched */
}

const struct machine_ops machine_ops_libxl = {
	.start = machine_start,
	.shutdown = machine_shutdown,
	.destroy = machine_destroy,
	.list = machine_list,
};
