/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/cli/doctor.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "domains/cli/client.h"

#define VOLUMES	      "/var/lib/mullion/volumes"
#define KERNEL	      "/var/lib/mullion/kernel/vmlinuz"
#define INITRD	      "/var/lib/mullion/kernel/initrd"
#define SPACE_MIN_MIB 1024

/* One question: NULL when all is well, else what is wrong; advice says what to do then. */
struct finding {
	const char *question;
	char *problem;
	const char *advice;
};

static char *check_hypervisor(void)
{
	g_autofree char *type = NULL;

	if (!g_file_get_contents("/sys/hypervisor/type", &type, NULL, NULL)) {
		return g_strdup("this system does not run on a hypervisor");
	}
	g_strchomp(type);
	return strcmp(type, "xen") == 0
		       ? NULL
		       : g_strdup_printf("the hypervisor is %s, not Mullion", type);
}

static char *check_xenstore(void)
{
	return g_access("/run/xenstored/socket", F_OK) == 0
		       ? NULL
		       : g_strdup("xenstored does not run: there is no /run/xenstored/socket");
}

/* Built in or loaded. */
static char *check_modules(void)
{
	static const char *const places[] = {"/dev/loop-control",
					     "/sys/bus/xen-backend/drivers/vbd", "/dev/xen/gntdev",
					     "/dev/xen/evtchn"};
	static const char *const names[] = {"loop", "xen-blkback", "xen-gntdev", "xen-evtchn"};
	GString *missing = g_string_new(NULL);
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(places); i++) {
		if (g_access(places[i], F_OK)) {
			g_string_append_printf(missing, "%s%s", missing->len ? " " : "", names[i]);
		}
	}
	if (missing->len == 0) {
		g_string_free(missing, TRUE);
		return NULL;
	}
	g_string_prepend(missing, "kernel modules are not loaded: ");
	return g_string_free(missing, FALSE);
}

static char *check_file(const char *path)
{
	GStatBuf st;

	if (g_stat(path, &st)) {
		return g_strdup_printf("%s is not there", path);
	}
	return st.st_size > 0 ? NULL : g_strdup_printf("%s is empty", path);
}

static char *check_space(void)
{
	struct statvfs fs;
	guint64 free_mib;

	if (statvfs(VOLUMES, &fs)) {
		return g_strdup(VOLUMES " is not there");
	}
	free_mib = (guint64)fs.f_bavail * fs.f_frsize >> 20;
	return free_mib >= SPACE_MIN_MIB
		       ? NULL
		       : g_strdup_printf(VOLUMES " has %" G_GUINT64_FORMAT " MiB left", free_mib);
}

static char *check_policy(void)
{
	return g_access("/run/qubes/policy.sock", F_OK) == 0
		       ? NULL
		       : g_strdup("mullion-policyd does not run: every call is denied");
}

/* The daemon, and what it says of its descriptions. */
static char *check_daemon(bool is_session)
{
	g_autoptr(GVariantIter) broken = NULL;
	g_autoptr(GVariant) reply = NULL;
	g_autoptr(GError) error = NULL;
	const char *name, *reason;
	struct client client;

	if (!client_open(&client, is_session, &error)) {
		return g_strdup(error->message);
	}
	reply = client_call(&client, "List", NULL, "asking for the domains", &error);
	client_close(&client);
	if (!reply) {
		return g_strdup(error->message);
	}
	g_variant_get(reply, "(aa{sv}a(ss))", NULL, &broken);
	if (g_variant_iter_next(broken, "(&s&s)", &name, &reason)) {
		return g_strdup_printf("the description of %s cannot be used: %s", name, reason);
	}
	return NULL;
}

static void print_json(const struct finding *findings, size_t count)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();
	g_autoptr(JsonNode) root = NULL;
	g_autofree char *text = NULL;
	size_t i;

	json_builder_begin_array(builder);
	for (i = 0; i < count; i++) {
		json_builder_begin_object(builder);
		json_builder_set_member_name(builder, "question");
		json_builder_add_string_value(builder, findings[i].question);
		json_builder_set_member_name(builder, "ok");
		json_builder_add_boolean_value(builder, findings[i].problem == NULL);
		json_builder_set_member_name(builder, "problem");
		json_builder_add_string_value(builder,
					      findings[i].problem ? findings[i].problem : "");
		json_builder_set_member_name(builder, "advice");
		json_builder_add_string_value(builder,
					      findings[i].problem ? findings[i].advice : "");
		json_builder_end_object(builder);
	}
	json_builder_end_array(builder);
	root = json_builder_get_root(builder);
	text = json_to_string(root, FALSE);
	printf("%s\n", text);
}

int doctor_run(bool is_session, bool is_json)
{
	struct finding findings[] = {
		{"hypervisor", check_hypervisor(),
		 "boot the machine's Mullion entry; docs/boot.md"},
		{"xenstore", check_xenstore(), "systemctl status xenstored"},
		{"kernel modules", check_modules(), "modprobe them, as root"},
		{"kernel of the domains", check_file(KERNEL), "install the template's kernel"},
		{"initrd of the domains", check_file(INITRD), "install the template's initrd"},
		{"space for volumes", check_space(),
		 "remove domains that are not needed, or give the volumes a larger disk"},
		{"policy", check_policy(), "systemctl status mullion-policyd"},
		{"domains", check_daemon(is_session),
		 "systemctl status mulliond; mullion domain list"},
	};
	bool is_well = true;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(findings); i++) {
		is_well &= findings[i].problem == NULL;
		if (is_json) {
			continue;
		}
		if (findings[i].problem) {
			printf("%-24s PROBLEM: %s\n%24s to do: %s\n", findings[i].question,
			       findings[i].problem, "", findings[i].advice);
		} else {
			printf("%-24s ok\n", findings[i].question);
		}
	}
	if (is_json) {
		print_json(findings, G_N_ELEMENTS(findings));
	}
	for (i = 0; i < G_N_ELEMENTS(findings); i++) {
		g_free(findings[i].problem);
	}
	return is_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
