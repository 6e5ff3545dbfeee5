/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/manager/manager-client.h"

#include <string.h>

#include "domains/manager/manager-domain.h"

#define SERVICE_NAME "org.mullion.Domains1"
#define SERVICE_PATH "/org/mullion/Domains1"

struct _ManagerClient {
	GObject parent_instance;
	GBusType bus_type;
	GDBusConnection *bus;
	GListStore *domains;
	GCancellable *cancellable;
	guint watch;
};

G_DEFINE_FINAL_TYPE(ManagerClient, manager_client, G_TYPE_OBJECT)

enum { SIGNAL_FAILED, SIGNAL_CONNECTED, SIGNAL_COUNT };
static guint signals[SIGNAL_COUNT];

static void manager_client_dispose(GObject *object)
{
	ManagerClient *self = MANAGER_CLIENT(object);

	g_cancellable_cancel(self->cancellable);
	if (self->watch) {
		g_bus_unwatch_name(self->watch);
		self->watch = 0;
	}
	g_clear_object(&self->bus);
	g_clear_object(&self->domains);
	g_clear_object(&self->cancellable);
	G_OBJECT_CLASS(manager_client_parent_class)->dispose(object);
}

static void manager_client_class_init(ManagerClientClass *class)
{
	G_OBJECT_CLASS(class)->dispose = manager_client_dispose;
	signals[SIGNAL_FAILED] = g_signal_new("failed", MANAGER_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0,
					      NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
	signals[SIGNAL_CONNECTED] =
		g_signal_new("connected", MANAGER_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
			     NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
}

static void manager_client_init(ManagerClient *self)
{
	self->domains = g_list_store_new(MANAGER_TYPE_DOMAIN);
	self->cancellable = g_cancellable_new();
}

/* --- the list --- */

static int compare_names(gconstpointer a, gconstpointer b, gpointer data)
{
	return strcmp(manager_domain_get_name((ManagerDomain *)a),
		      manager_domain_get_name((ManagerDomain *)b));
}

static gboolean find(ManagerClient *self, const char *name, guint *at)
{
	guint count = g_list_model_get_n_items(G_LIST_MODEL(self->domains));

	for (*at = 0; *at < count; (*at)++) {
		g_autoptr(ManagerDomain) d =
			g_list_model_get_item(G_LIST_MODEL(self->domains), *at);

		if (strcmp(manager_domain_get_name(d), name) == 0) {
			return TRUE;
		}
	}
	return FALSE;
}

/* A new description takes the place of the old; a disposable that stopped is no more. */
static void update_one(ManagerClient *self, GVariant *description)
{
	g_autoptr(ManagerDomain) domain = manager_domain_new(description);
	gboolean is_gone = manager_domain_is_disposable(domain) &&
			   strcmp(manager_domain_get_state(domain), "stopped") == 0;
	guint at;

	if (find(self, manager_domain_get_name(domain), &at)) {
		g_list_store_splice(self->domains, at, 1, (gpointer *)&domain, is_gone ? 0 : 1);
	} else if (!is_gone) {
		g_list_store_insert_sorted(self->domains, domain, compare_names, NULL);
	}
}

static void handle_list(GObject *bus, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
	g_autoptr(GVariantIter) all = NULL, broken = NULL;
	const char *name, *reason;
	ManagerClient *self = data;
	GVariant *description;

	if (!reply) {
		if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
			g_dbus_error_strip_remote_error(error);
			g_signal_emit(self, signals[SIGNAL_FAILED], 0, error->message);
		}
		return;
	}
	g_list_store_remove_all(self->domains);
	g_variant_get(reply, "(aa{sv}a(ss))", &all, &broken);
	while ((description = g_variant_iter_next_value(all))) {
		update_one(self, description);
		g_variant_unref(description);
	}
	while (g_variant_iter_next(broken, "(&s&s)", &name, &reason)) {
		g_autofree char *text = g_strdup_printf("%s cannot be used: %s", name, reason);

		g_signal_emit(self, signals[SIGNAL_FAILED], 0, text);
	}
}

static void ask_for_list(ManagerClient *self)
{
	g_dbus_connection_call(self->bus, SERVICE_NAME, SERVICE_PATH, SERVICE_NAME, "List", NULL,
			       G_VARIANT_TYPE("(aa{sv}a(ss))"), G_DBUS_CALL_FLAGS_NONE, -1,
			       self->cancellable, handle_list, self);
}

static void handle_signal(GDBusConnection *bus, const char *sender, const char *path,
			  const char *interface, const char *name, GVariant *arguments,
			  gpointer data)
{
	if (strcmp(name, "Changed") == 0 &&
	    g_variant_is_of_type(arguments, G_VARIANT_TYPE("(a{sv})"))) {
		g_autoptr(GVariant) description = g_variant_get_child_value(arguments, 0);

		update_one(data, description);
	} else {
		ask_for_list(data);
	}
}

/* --- mulliond comes and goes --- */

static void handle_appeared(GDBusConnection *bus, const char *name, const char *owner,
			    gpointer data)
{
	ManagerClient *self = data;

	if (!self->bus) {
		self->bus = g_object_ref(bus);
		g_dbus_connection_signal_subscribe(bus, SERVICE_NAME, SERVICE_NAME, NULL,
						   SERVICE_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
						   handle_signal, self, NULL);
	}
	g_signal_emit(self, signals[SIGNAL_CONNECTED], 0, TRUE);
	ask_for_list(self);
}

static void handle_vanished(GDBusConnection *bus, const char *name, gpointer data)
{
	ManagerClient *self = data;

	g_list_store_remove_all(self->domains);
	g_signal_emit(self, signals[SIGNAL_CONNECTED], 0, FALSE);
}

ManagerClient *manager_client_new(gboolean is_session)
{
	ManagerClient *self = g_object_new(MANAGER_TYPE_CLIENT, NULL);

	self->watch = g_bus_watch_name(is_session ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM,
				       SERVICE_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE, handle_appeared,
				       handle_vanished, self, NULL);
	return self;
}

GListModel *manager_client_get_domains(ManagerClient *self)
{
	return G_LIST_MODEL(self->domains);
}

/* --- calls --- */

struct call {
	ManagerClient *client;
	char *doing;
};

static void handle_reply(GObject *bus, GAsyncResult *result, gpointer data)
{
	struct call *call = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

	if (!reply && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
		g_autofree char *text = NULL;

		g_dbus_error_strip_remote_error(error);
		text = g_strdup_printf("%s: %s", call->doing, error->message);
		g_signal_emit(call->client, signals[SIGNAL_FAILED], 0, text);
	}
	g_object_unref(call->client);
	g_free(call->doing);
	g_free(call);
}

void manager_client_call(ManagerClient *self, const char *method, GVariant *arguments,
			 const char *doing)
{
	struct call *call;

	if (!self->bus) {
		g_variant_unref(g_variant_ref_sink(arguments));
		g_signal_emit(self, signals[SIGNAL_FAILED], 0,
			      "The daemon of the domains does not run.");
		return;
	}
	call = g_new0(struct call, 1);
	call->client = g_object_ref(self);
	call->doing = g_strdup(doing);
	g_dbus_connection_call(self->bus, SERVICE_NAME, SERVICE_PATH, SERVICE_NAME, method,
			       arguments, NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL,
			       handle_reply, call);
}
