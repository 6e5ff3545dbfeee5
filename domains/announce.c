/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/announce.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define CALL_LIMIT_SECONDS                                                     \
	300 /* a disposable that nobody calls for so long after its start ends \
	     */

struct announce {
	char *folder;
	GDBusConnection *bus;
	char *last_list;
};

struct announce *announce_new(const char *folder, GDBusConnection *system_bus, GError **error)
{
	static const char *const subfolders[] = {"qrexec", "disposables"};
	struct announce *a;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(subfolders); i++) {
		g_autofree char *path = g_build_filename(folder, subfolders[i], NULL);

		if (g_mkdir_with_parents(path, 0755)) {
			g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s",
				    path, g_strerror(errno));
			return NULL;
		}
	}
	a = g_new0(struct announce, 1);
	a->folder = g_strdup(folder);
	a->bus = system_bus ? g_object_ref(system_bus) : NULL;
	return a;
}

void announce_free(struct announce *a)
{
	if (a) {
		g_clear_object(&a->bus);
		g_free(a->folder);
		g_free(a->last_list);
		g_free(a);
	}
}

/* --- the list for policy --- */

static const char *type_of(const struct control_status *status)
{
	if (status->is_disposable) {
		return "DispVM";
	}
	return status->config->kind == CONFIG_TEMPLATE ? "TemplateVM" : "AppVM";
}

/* What @dispvm means for this domain; empty: nothing. */
static const char *disposables_of(const struct config *c)
{
	if (c->disposables[0]) {
		return c->disposables;
	}
	return c->may_spawn_disposables ? c->name : "";
}

static void append_domain(GString *text, const struct control_status *status)
{
	const struct config *c = status->config;
	const char *disposables = disposables_of(c);

	g_string_append_printf(text, "%s type=%s label=%s running=%s", status->name,
			       type_of(status), config_label_name(c->label),
			       status->state == CONTROL_RUNNING ? "yes" : "no");
	if (disposables[0]) {
		g_string_append_printf(text, " default_dispvm=%s", disposables);
	}
	if (status->is_disposable) {
		g_string_append_printf(text, " dispvm_template=%s", c->name);
	} else if (c->may_spawn_disposables) {
		g_string_append(text, " template_for_dispvms=yes");
	}
	g_string_append_c(text, '\n');
}

void announce_list(struct announce *a, const struct control *control)
{
	g_autofree char *path = g_build_filename(a->folder, "domains", NULL);
	g_autofree struct control_status *all = NULL;
	g_autoptr(GError) error = NULL;
	GString *text = g_string_new(NULL);
	size_t count, i;

	all = control_list(control, &count);
	for (i = 0; i < count; i++) {
		append_domain(text, &all[i]);
	}
	if (g_strcmp0(a->last_list, text->str) == 0) {
		g_string_free(text, TRUE);
		return;
	}
	if (!g_file_set_contents_full(path, text->str, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644,
				      &error)) {
		g_warning("policy does not learn of the domains: %s", error->message);
	}
	g_free(a->last_list);
	a->last_list = g_string_free(text, FALSE);
}

/* --- the qrexec daemon of one domain --- */

static void unit_answered(GObject *bus, GAsyncResult *result, gpointer data)
{
	g_autofree char *what = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

	if (!reply) {
		g_dbus_error_strip_remote_error(error);
		g_warning("%s: %s", what, error->message);
	}
}

static void ask_systemd(struct announce *a, const char *method, const char *name)
{
	/* The characters of names need no escaping in a unit's, which %i gives back as it is. */
	g_autofree char *unit = g_strdup_printf("qrexec-daemon@%s.service", name);

	if (a->bus) {
		g_dbus_connection_call(
			a->bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
			"org.freedesktop.systemd1.Manager", method,
			g_variant_new("(ss)", unit, "replace"), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
			NULL, unit_answered, g_strdup_printf("%s %s", method, unit));
	}
}

static bool write_file(struct announce *a, const char *subfolder, const char *name,
		       const char *text)
{
	g_autofree char *path = g_build_filename(a->folder, subfolder, name, NULL);
	g_autoptr(GError) error = NULL;

	if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644,
				     &error)) {
		return true;
	}
	g_warning("%s cannot be called: %s", name, error->message);
	return false;
}

void announce_started(struct announce *a, const struct control_status *status)
{
	g_autofree char *options = NULL;
	g_autofree char *text = NULL;

	options = status->is_disposable ? g_strdup_printf("--until-idle=%d", CALL_LIMIT_SECONDS)
					: g_strdup("");
	text = g_strdup_printf("DOMAIN_ID=%u\nDEFAULT_USER=user\nOPTIONS=%s\n", status->id,
			       options);
	if (status->is_disposable) {
		(void)write_file(a, "disposables", status->name, status->config->name);
	}
	if (write_file(a, "qrexec", status->name, text)) {
		ask_systemd(a, "StartUnit", status->name);
	}
}

void announce_ended(struct announce *a, const struct control_status *status)
{
	g_autofree char *environment = g_build_filename(a->folder, "qrexec", status->name, NULL);
	g_autofree char *base = g_build_filename(a->folder, "disposables", status->name, NULL);

	if (g_unlink(environment) == 0) {
		ask_systemd(a, "StopUnit", status->name);
	}
	(void)g_unlink(base);
}
