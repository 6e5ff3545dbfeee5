/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/service.h"

#include <string.h>

/* A domain is a dictionary: name, kind, label, state (stopped starting running stopping), id,
 * template, network, memory-mib, memory-max-mib, vcpus, disposable, error. */
const char service_introspection[] =
	"<node><interface name='" SERVICE_INTERFACE "'>"
	"<method name='List'><arg name='domains' type='aa{sv}' direction='out'/>"
	"<arg name='broken' type='a(ss)' direction='out'/></method>"
	"<method name='Show'><arg name='name' type='s' direction='in'/>"
	"<arg name='description' type='s' direction='out'/></method>"
	"<method name='Create'><arg name='name' type='s' direction='in'/>"
	"<arg name='settings' type='a(ss)' direction='in'/>"
	"<arg name='root_image' type='s' direction='in'/></method>"
	"<method name='Set'><arg name='name' type='s' direction='in'/>"
	"<arg name='settings' type='a(ss)' direction='in'/></method>"
	"<method name='Clone'><arg name='from' type='s' direction='in'/>"
	"<arg name='to' type='s' direction='in'/></method>"
	"<method name='Update'><arg name='name' type='s' direction='in'/>"
	"<arg name='root_image' type='s' direction='in'/></method>"
	"<method name='Remove'><arg name='name' type='s' direction='in'/></method>"
	"<method name='Start'><arg name='name' type='s' direction='in'/></method>"
	"<method name='Stop'><arg name='name' type='s' direction='in'/>"
	"<arg name='forced' type='b' direction='in'/></method>"
	"<method name='StartDisposable'><arg name='base' type='s' direction='in'/>"
	"<arg name='name' type='s' direction='out'/></method>"
	"<method name='Volumes'><arg name='volumes' type='a(sstt)' direction='out'/></method>"
	"<signal name='Changed'><arg name='domain' type='a{sv}'/></signal>"
	"<signal name='Described'/>"
	"</interface></node>";

struct service {
	GDBusConnection *bus;
	struct registry *registry;
	struct volume_store *store;
	struct control *control;
	void (*described)(void *data);
	void *described_data;
	GDBusNodeInfo *info;
	guint registration;
};

static const char *const state_names[] = {"stopped", "starting", "running", "stopping"};

static GVariant *status_to_variant(const struct control_status *status)
{
	GVariantDict dict;

	g_variant_dict_init(&dict, NULL);
	g_variant_dict_insert(&dict, "name", "s", status->name);
	g_variant_dict_insert(&dict, "kind", "s", config_kind_name(status->config->kind));
	g_variant_dict_insert(&dict, "label", "s", config_label_name(status->config->label));
	g_variant_dict_insert(&dict, "state", "s", state_names[status->state]);
	g_variant_dict_insert(&dict, "id", "u", status->id);
	g_variant_dict_insert(&dict, "template", "s", status->config->template_name);
	g_variant_dict_insert(&dict, "network", "s", status->config->network);
	g_variant_dict_insert(&dict, "memory-mib", "t", status->config->memory_mib);
	g_variant_dict_insert(&dict, "memory-max-mib", "t", status->config->memory_max_mib);
	g_variant_dict_insert(&dict, "vcpus", "u", status->config->vcpu_count);
	g_variant_dict_insert(&dict, "disposable", "b", status->is_disposable);
	g_variant_dict_insert(&dict, "disposables-allowed", "b",
			      status->config->may_spawn_disposables);
	g_variant_dict_insert(&dict, "error", "s", status->last_error ? status->last_error : "");
	return g_variant_dict_end(&dict);
}

void service_changed(const struct control_status *status, void *data)
{
	struct service *s = data;

	g_dbus_connection_emit_signal(s->bus, NULL, SERVICE_PATH, SERVICE_INTERFACE, "Changed",
				      g_variant_new("(@a{sv})", status_to_variant(status)), NULL);
}

/* --- methods; each answers its invocation, now or later --- */

static void reply_error(GDBusMethodInvocation *call, const GError *error)
{
	g_dbus_method_invocation_return_dbus_error(call, SERVICE_INTERFACE ".Error",
						   error->message);
}

static void reply_result(GDBusMethodInvocation *call, bool is_ok, const GError *error)
{
	if (is_ok) {
		g_dbus_method_invocation_return_value(call, NULL);
	} else {
		reply_error(call, error);
	}
}

static void handle_list(struct service *s, GVariant *arguments, GDBusMethodInvocation *call)
{
	GVariantBuilder domains, broken;
	const struct registry_broken *list;
	struct control_status *all;
	size_t count, i;

	g_variant_builder_init(&domains, G_VARIANT_TYPE("aa{sv}"));
	all = control_list(s->control, &count);
	for (i = 0; i < count; i++) {
		g_variant_builder_add_value(&domains, status_to_variant(&all[i]));
	}
	g_free(all);
	g_variant_builder_init(&broken, G_VARIANT_TYPE("a(ss)"));
	list = registry_broken(s->registry, &count);
	for (i = 0; i < count; i++) {
		g_autofree char *name = g_utf8_make_valid(list[i].name, -1);
		g_autofree char *reason = g_utf8_make_valid(list[i].reason, -1);

		g_variant_builder_add(&broken, "(ss)", name, reason);
	}
	g_dbus_method_invocation_return_value(call,
					      g_variant_new("(aa{sv}a(ss))", &domains, &broken));
}

static const struct config *find_described(struct service *s, const char *name,
					   GDBusMethodInvocation *call)
{
	const struct config *c = registry_find(s->registry, name);

	if (!c) {
		g_dbus_method_invocation_return_dbus_error(call, SERVICE_INTERFACE ".Error",
							   "there is no domain of this name");
	}
	return c;
}

static void handle_show(struct service *s, GVariant *arguments, GDBusMethodInvocation *call)
{
	const struct config *c;
	const char *name;

	g_variant_get(arguments, "(&s)", &name);
	c = find_described(s, name, call);
	if (c) {
		g_autofree char *text = config_format(c);

		g_dbus_method_invocation_return_value(call, g_variant_new("(s)", text));
	}
}

/* kind first: what other keys may say depends on it. */
static bool apply_settings(struct config *c, GVariant *settings, GError **error)
{
	const char *key, *value;
	struct config changed = *c;
	g_autofree char *text = NULL;
	g_autoptr(GKeyFile) file = g_key_file_new();
	GVariantIter all;

	text = config_format(&changed);
	if (!g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, error)) {
		return false;
	}
	g_variant_iter_init(&all, settings);
	while (g_variant_iter_next(&all, "(&s&s)", &key, &value)) {
		const char *dot = strchr(key, '.');
		g_autofree char *group = dot ? g_strndup(key, (gsize)(dot - key)) : NULL;

		g_key_file_set_string(file, group ? group : "domain", dot ? dot + 1 : key, value);
	}
	g_free(text);
	text = g_key_file_to_data(file, NULL, NULL);
	return config_parse(c->name, text, strlen(text), c, error);
}

/* The end of a method that changes a description. */
static void reply_described(struct service *s, GDBusMethodInvocation *call, bool is_ok,
			    const GError *error)
{
	if (is_ok) {
		s->described(s->described_data);
		g_dbus_connection_emit_signal(s->bus, NULL, SERVICE_PATH, SERVICE_INTERFACE,
					      "Described", NULL, NULL);
	}
	reply_result(call, is_ok, error);
}

static bool is_template(GVariant *settings)
{
	const char *key, *value;
	GVariantIter all;

	g_variant_iter_init(&all, settings);
	while (g_variant_iter_next(&all, "(&s&s)", &key, &value)) {
		if (strcmp(key, "kind") == 0 && strcmp(value, "template") == 0) {
			return true;
		}
	}
	return false;
}

static void handle_create(struct service *s, GVariant *arguments, GDBusMethodInvocation *call)
{
	g_autoptr(GVariant) settings = NULL;
	g_autoptr(GError) error = NULL;
	const char *name, *root_image;
	struct config c;
	bool is_ok;

	g_variant_get(arguments, "(&s@a(ss)&s)", &name, &settings, &root_image);
	/* What nobody asked for is as usual for its kind: a template is black. */
	config_init(&c, name, is_template(settings) ? CONFIG_TEMPLATE : CONFIG_APP);
	is_ok = apply_settings(&c, settings, &error);
	if (is_ok && (c.kind == CONFIG_TEMPLATE) != (root_image[0] != 0)) {
		g_set_error(&error, CONFIG_ERROR, CONFIG_ERROR_CONFLICT,
			    "a template needs the image of its system, and nothing else has one");
		is_ok = false;
	}
	/* Volumes first: a description without volumes would show a domain that cannot start. */
	is_ok = is_ok && volume_create(s->store, c.name, c.private_mib << 20,
				       root_image[0] ? root_image : NULL, &error);
	if (is_ok && !registry_add(s->registry, &c, &error)) {
		(void)volume_remove(s->store, c.name, NULL);
		is_ok = false;
	}
	reply_described(s, call, is_ok, error);
}

static bool require_stopped(struct service *s, const char *name, GError **error)
{
	struct control_status status;

	if (!control_status(s->control, name, &status) || status.state == CONTROL_STOPPED) {
		return true;
	}
	g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_STATE, "%s is %s: stop it first", name,
		    state_names[status.state]);
	return false;
}

static void handle_set(struct service *s, GVariant *arguments, GDBusMethodInvocation *call)
{
	g_autoptr(GVariant) settings = NULL;
	g_autoptr(GError) error = NULL;
	const struct config *old;
	const char *name;
	struct config c;
	bool is_ok;

	g_variant_get(arguments, "(&s@a(ss))", &name, &settings);
	old = find_described(s, name, call);
	if (!old) {
		return;
	}
	c = *old;
	is_ok = apply_settings(&c, settings, &error);
	if (is_ok && (c.kind != old->kind || c.private_mib != old->private_mib)) {
		is_ok = require_stopped(s, name, &error);
	}
	if (is_ok && c.private_mib != old->private_mib) {
		is_ok = volume_grow_private(s->store, name, c.private_mib << 20, &error);
	}
	is_ok = is_ok && registry_change(s->registry, &c, &error);
	reply_described(s, call, is_ok, error);
}

static void handle_clone(struct service *s, GVariant *arguments, GDBusMethodInvocation *call)
{
	g_autoptr(GError) error = NULL;
	const struct config *old;
	const char *from, *to;
	struct config c;
	bool is_ok;

	g_variant_get(arguments, "(&s&s)", &from, &to);
	old = find_described(s, from, call);
	if (!old) {
		return;
	}
	c = *old;
	is_ok = config_is_name(to);
	if (is_ok) {
		g_strlcpy(c.name, to, sizeof(c.name));
		is_ok = require_stopped(s, from, &error) &&
			volume_clone(s->store, from, to, &error);
	} else {
		g_set_error(&error, CONFIG_ERROR, CONFIG_ERROR_NAME,
			    "'%s' cannot be the name of a domain: use up to %d of a-z, 0-9, - and "
			    "_, a letter first",
			    to, CONFIG_NAME_MAX);
	}
	if (is_ok && !registry_add(s->registry, &c, &error)) {
		(void)volume_remove(s->store, to, NULL);
		is_ok = false;
	}
	reply_described(s, call, is_ok, error);
}

static void handle_update(struct service *s, GVariant *arguments, GDBusMethodInvocation *call)
{
	g_autoptr(GError) error = NULL;
	const char *name, *root_image;
	const struct config *c;
	bool is_ok;

	g_variant_get(arguments, "(&s&s)", &name, &root_image);
	c = find_described(s, name, call);
	if (!c) {
		return;
	}
	is_ok = c->kind == CONFIG_TEMPLATE;
	if (!is_ok) {
		g_set_error(&error, CONFIG_ERROR, CONFIG_ERROR_CONFLICT,
			    "%s is no template: it takes its system from %s", name,
			    c->template_name);
	}
	is_ok = is_ok && require_stopped(s, name, &error) &&
		volume_replace_root(s->store, name, root_image, &error);
	reply_result(call, is_ok, error);
}

static void handle_remove(struct service *s, GVariant *arguments, GDBusMethodInvocation *call)
{
	g_autoptr(GError) error = NULL;
	const char *name;
	bool is_ok;

	g_variant_get(arguments, "(&s)", &name);
	/* The description first: it is refused while others need it, and then nothing is lost. */
	is_ok = require_stopped(s, name, &error) && registry_remove(s->registry, name, &error) &&
		volume_remove(s->store, name, &error);
	reply_described(s, call, is_ok, error);
}

static void reply_done(const char *name, const GError *error, void *data)
{
	reply_result(data, error == NULL, error);
}

static void handle_start(struct service *s, GVariant *arguments, GDBusMethodInvocation *call)
{
	const char *name;

	g_variant_get(arguments, "(&s)", &name);
	control_start(s->control, name, reply_done, call);
}

static void handle_stop(struct service *s, GVariant *arguments, GDBusMethodInvocation *call)
{
	const char *name;
	gboolean is_forced;

	g_variant_get(arguments, "(&sb)", &name, &is_forced);
	control_stop(s->control, name, is_forced, reply_done, call);
}

static void reply_name(const char *name, const GError *error, void *data)
{
	GDBusMethodInvocation *call = data;

	if (error) {
		reply_error(call, error);
	} else {
		g_dbus_method_invocation_return_value(call, g_variant_new("(s)", name));
	}
}

static void handle_start_disposable(struct service *s, GVariant *arguments,
				    GDBusMethodInvocation *call)
{
	const char *base;

	g_variant_get(arguments, "(&s)", &base);
	control_start_disposable(s->control, base, reply_name, call);
}

static void add_volume(const char *domain, const char *file, uint64_t size_bytes,
		       uint64_t used_bytes, void *data)
{
	g_variant_builder_add(data, "(sstt)", domain, file, size_bytes, used_bytes);
}

static void handle_volumes(struct service *s, GVariant *arguments, GDBusMethodInvocation *call)
{
	g_autoptr(GError) error = NULL;
	GVariantBuilder volumes;

	g_variant_builder_init(&volumes, G_VARIANT_TYPE("a(sstt)"));
	if (volume_list(s->store, add_volume, &volumes, &error)) {
		g_dbus_method_invocation_return_value(call, g_variant_new("(a(sstt))", &volumes));
	} else {
		g_variant_builder_clear(&volumes);
		reply_error(call, error);
	}
}

static const struct {
	const char *name;
	void (*handle)(struct service *s, GVariant *arguments, GDBusMethodInvocation *call);
} methods[] = {
	{"List", handle_list},	     {"Show", handle_show},
	{"Create", handle_create},   {"Set", handle_set},
	{"Clone", handle_clone},     {"Update", handle_update},
	{"Remove", handle_remove},   {"Start", handle_start},
	{"Stop", handle_stop},	     {"StartDisposable", handle_start_disposable},
	{"Volumes", handle_volumes},
};

/* GDBus has checked the name and the types against the introspection. */
static void dispatch(GDBusConnection *bus, const char *sender, const char *path,
		     const char *interface, const char *method, GVariant *arguments,
		     GDBusMethodInvocation *call, gpointer data)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(methods); i++) {
		if (strcmp(methods[i].name, method) == 0) {
			methods[i].handle(data, arguments, call);
			return;
		}
	}
	g_assert_not_reached();
}

struct service *service_new(GDBusConnection *bus, struct registry *registry,
			    struct volume_store *store, GError **error)
{
	static const GDBusInterfaceVTable table = {.method_call = dispatch};
	struct service *s = g_new0(struct service, 1);

	s->bus = g_object_ref(bus);
	s->registry = registry;
	s->store = store;
	s->info = g_dbus_node_info_new_for_xml(service_introspection, error);
	if (s->info) {
		s->registration = g_dbus_connection_register_object(
			bus, SERVICE_PATH, s->info->interfaces[0], &table, s, NULL, error);
	}
	if (!s->registration) {
		service_free(s);
		return NULL;
	}
	return s;
}

void service_set_control(struct service *s, struct control *control, void (*described)(void *data),
			 void *data)
{
	s->control = control;
	s->described = described;
	s->described_data = data;
}

void service_free(struct service *s)
{
	if (s->registration) {
		g_dbus_connection_unregister_object(s->bus, s->registration);
	}
	g_clear_pointer(&s->info, g_dbus_node_info_unref);
	g_object_unref(s->bus);
	g_free(s);
}
