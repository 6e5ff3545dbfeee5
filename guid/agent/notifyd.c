/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-notifyd: org.freedesktop.Notifications inside of a domain. What programs want to tell
 * the user goes to the agent (notify.c), and from there to dom0's desktop, which adds the
 * domain's name. No buttons, pictures or sounds; programs ask what there is and do without.
 */
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DATAGRAM_MAX 1024 /* EXT_NOTIFY_MAX */

static const char interface_xml[] =
	"<node><interface name='org.freedesktop.Notifications'>"
	"<method name='Notify'><arg type='s' direction='in'/><arg type='u' direction='in'/>"
	"<arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='s' direction='in'/>"
	"<arg type='as' direction='in'/><arg type='a{sv}' direction='in'/>"
	"<arg type='i' direction='in'/><arg type='u' direction='out'/></method>"
	"<method name='CloseNotification'><arg type='u' direction='in'/></method>"
	"<method name='GetCapabilities'><arg type='as' direction='out'/></method>"
	"<method name='GetServerInformation'><arg type='s' direction='out'/>"
	"<arg type='s' direction='out'/><arg type='s' direction='out'/>"
	"<arg type='s' direction='out'/></method>"
	"<signal name='NotificationClosed'><arg type='u'/><arg type='u'/></signal>"
	"<signal name='ActionInvoked'><arg type='u'/><arg type='s'/></signal>"
	"</interface></node>";

static guint32 last_id;
static int exit_code;

static gboolean forward(const char *summary, const char *text, GError **error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	g_autofree char *path = g_build_filename(g_get_user_runtime_dir(), "mullion-notify", NULL);
	g_autoptr(GString) bytes = g_string_new(summary);
	int fd = -1;

	g_string_append_c(bytes, '\0');
	g_string_append(bytes, text);
	g_string_truncate(bytes, MIN(bytes->len, DATAGRAM_MAX));
	if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) <
	    sizeof(address.sun_path)) {
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	if (fd < 0 || sendto(fd, bytes->str, bytes->len, MSG_NOSIGNAL | MSG_DONTWAIT,
			     (struct sockaddr *)&address, sizeof(address)) < 0) {
		g_set_error(error, G_DBUS_ERROR, G_DBUS_ERROR_FAILED,
			    "the domain's display does not take it");
	}
	if (fd >= 0) {
		close(fd);
	}
	return !*error;
}

static void notify(GVariant *arguments, GDBusMethodInvocation *invocation)
{
	GError *error = NULL;
	const char *summary, *text;
	guint32 id;

	g_variant_get_child(arguments, 1, "u", &id);
	g_variant_get_child(arguments, 3, "&s", &summary);
	g_variant_get_child(arguments, 4, "&s", &text);
	if (!forward(summary, text, &error)) {
		g_dbus_method_invocation_take_error(invocation, error);
		return;
	}
	if (!id) {
		id = ++last_id ? last_id : ++last_id; /* never 0 */
	}
	g_dbus_method_invocation_return_value(invocation, g_variant_new("(u)", id));
}

static void on_call(GDBusConnection *bus, const char *sender, const char *path,
		    const char *interface, const char *method, GVariant *arguments,
		    GDBusMethodInvocation *invocation, gpointer data)
{
	static const char *const capabilities[] = {"body", NULL};
	GVariant *answer = NULL;

	if (strcmp(method, "Notify") == 0) {
		notify(arguments, invocation);
		return;
	}
	if (strcmp(method, "GetCapabilities") == 0) {
		answer = g_variant_new("(^as)", capabilities);
	} else if (strcmp(method, "GetServerInformation") == 0) {
		answer = g_variant_new("(ssss)", "mullion-notifyd", "Mullion", "1", "1.2");
	}
	/* CloseNotification: what was shown is dom0's. */
	g_dbus_method_invocation_return_value(invocation, answer);
}

static void on_bus(GDBusConnection *bus, const char *name, gpointer data)
{
	static const GDBusInterfaceVTable table = {.method_call = on_call};
	g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(interface_xml, NULL);

	g_dbus_connection_register_object(bus, "/org/freedesktop/Notifications",
					  node->interfaces[0], &table, NULL, NULL, NULL);
}

static void on_lost(GDBusConnection *bus, const char *name, gpointer data)
{
	fputs(bus ? "mullion-notifyd: there is another service for notifications\n"
		  : "mullion-notifyd: there is no session bus\n",
	      stderr);
	exit_code = 1;
	g_main_loop_quit(data);
}

int main(int argc, char **argv)
{
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);

	if (argc != 1) {
		fputs("Usage: mullion-notifyd\n"
		      "Shows this domain's notifications on dom0's desktop.\n",
		      stderr);
		return 2;
	}
	g_bus_own_name(G_BUS_TYPE_SESSION, "org.freedesktop.Notifications",
		       G_BUS_NAME_OWNER_FLAGS_NONE, on_bus, NULL, on_lost, loop, NULL);
	g_main_loop_run(loop);
	return exit_code;
}
