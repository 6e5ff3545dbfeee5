/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-trayd: org.kde.StatusNotifierWatcher inside of a domain. Icons that programs register
 * go to the agent (tray.c), and from there to dom0's tray; clicks come back.
 *
 * A program that shows a menu must do so itself (ContextMenu); menus that are only described
 * (com.canonical.dbusmenu) are not drawn.
 */
#include "guid/agent/tray.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WATCHER	  "org.kde.StatusNotifierWatcher"
#define ITEM	  "org.kde.StatusNotifierItem"
#define ITEM_PATH "/StatusNotifierItem"
#define BACK_GREY 0x80 /* behind what is transparent: light and dark icons are seen on it */

static const char interface_xml[] =
	"<node><interface name='" WATCHER "'>"
	"<method name='RegisterStatusNotifierItem'><arg type='s' direction='in'/></method>"
	"<method name='RegisterStatusNotifierHost'><arg type='s' direction='in'/></method>"
	"<property name='RegisteredStatusNotifierItems' type='as' access='read'/>"
	"<property name='IsStatusNotifierHostRegistered' type='b' access='read'/>"
	"<property name='ProtocolVersion' type='i' access='read'/>"
	"<signal name='StatusNotifierItemRegistered'><arg type='s'/></signal>"
	"<signal name='StatusNotifierItemUnregistered'><arg type='s'/></signal>"
	"<signal name='StatusNotifierHostRegistered'/>"
	"</interface></node>";

struct item {
	guint32 id;
	char *service, *path;
	guint watch, signals;
};

static GMainLoop *loop;
static GDBusConnection *session_bus;
static GHashTable *items; /* id to struct item */
static guint32 last_id;
static int agent = -1;
static int exit_code;

static void item_free(gpointer data)
{
	struct item *item = data;

	g_bus_unwatch_name(item->watch);
	g_dbus_connection_signal_unsubscribe(session_bus, item->signals);
	g_free(item->service);
	g_free(item->path);
	g_free(item);
}

static void agent_send(const struct tray_packet *p)
{
	if (send(agent, p, sizeof(*p), MSG_NOSIGNAL) != sizeof(*p)) {
		fputs("mullion-trayd: the domain's display is gone\n", stderr);
		exit_code = 1;
		g_main_loop_quit(loop);
	}
}

/* ---- pictures ---- */

static guint32 over_grey(guint32 red, guint32 green, guint32 blue, guint32 alpha)
{
	guint32 back = BACK_GREY * (255 - alpha);

	return (red * alpha + back) / 255 << 16 | (green * alpha + back) / 255 << 8 |
	       (blue * alpha + back) / 255;
}

/* The largest picture of a(iiay), ARGB in network order. */
static gboolean pixmap_read(GVariant *pixmaps, guint32 *rgb)
{
	GVariantIter all;
	gint32 width, height, best = 0;
	GVariant *bytes;

	g_variant_iter_init(&all, pixmaps);
	while (g_variant_iter_loop(&all, "(ii@ay)", &width, &height, &bytes)) {
		gsize size, i;
		const guint8 *from = g_variant_get_fixed_array(bytes, &size, 1);

		if (width <= best || width > 1024 || height < 1 || height > 1024 ||
		    size != (gsize)width * (gsize)height * 4) {
			continue;
		}
		best = width;
		for (i = 0; i < TRAY_ICON_SIZE * TRAY_ICON_SIZE; i++) {
			gsize x = i % TRAY_ICON_SIZE * (gsize)width / TRAY_ICON_SIZE;
			gsize y = i / TRAY_ICON_SIZE * (gsize)height / TRAY_ICON_SIZE;
			const guint8 *p = from + (y * (gsize)width + x) * 4;

			rgb[i] = over_grey(p[1], p[2], p[3], p[0]);
		}
	}
	return best > 0;
}

static GdkPixbuf *file_load(const char *folder, const char *name)
{
	static const char *const endings[] = {"svg", "png", "xpm"};
	GdkPixbuf *found = NULL;
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(endings) && !found; i++) {
		g_autofree char *path = g_strdup_printf("%s/%s.%s", folder, name, endings[i]);

		found = gdk_pixbuf_new_from_file_at_scale(path, TRAY_ICON_SIZE, TRAY_ICON_SIZE,
							  FALSE, NULL);
	}
	return found;
}

/* A file, or a name in the program's own folder or in the common ones. */
static GdkPixbuf *icon_load(const char *name, const char *own_folder)
{
	static const char *const folders[] = {"/usr/share/icons/hicolor/32x32/apps",
					      "/usr/share/icons/hicolor/48x48/apps",
					      "/usr/share/icons/hicolor/scalable/apps",
					      "/usr/share/icons/hicolor/24x24/apps",
					      "/usr/share/icons/hicolor/22x22/apps",
					      "/usr/share/icons/hicolor/16x16/apps",
					      "/usr/share/icons/hicolor/32x32/status",
					      "/usr/share/icons/hicolor/scalable/status",
					      "/usr/share/icons/Adwaita/32x32/status",
					      "/usr/share/icons/Adwaita/32x32/devices",
					      "/usr/share/pixmaps"};
	GdkPixbuf *found = NULL;
	size_t i;

	if (name[0] == '/') {
		return gdk_pixbuf_new_from_file_at_scale(name, TRAY_ICON_SIZE, TRAY_ICON_SIZE,
							 FALSE, NULL);
	}
	if (!name[0] || strchr(name, '/')) {
		return NULL;
	}
	if (own_folder[0] == '/') {
		found = file_load(own_folder, name);
	}
	for (i = 0; i < G_N_ELEMENTS(folders) && !found; i++) {
		found = file_load(folders[i], name);
	}
	return found;
}

static void pixbuf_read(GdkPixbuf *pixbuf, guint32 *rgb)
{
	int channels = gdk_pixbuf_get_n_channels(pixbuf);
	gsize stride = (gsize)gdk_pixbuf_get_rowstride(pixbuf), i;
	const guint8 *pixels = gdk_pixbuf_read_pixels(pixbuf);

	for (i = 0; i < TRAY_ICON_SIZE * TRAY_ICON_SIZE; i++) {
		const guint8 *p =
			pixels + i / TRAY_ICON_SIZE * stride + i % TRAY_ICON_SIZE * (gsize)channels;

		rgb[i] = over_grey(p[0], p[1], p[2], channels == 4 ? p[3] : 255);
	}
}

/* ---- items ---- */

static void packet_fill(struct tray_packet *p, GVariant *properties)
{
	g_autoptr(GVariant) pixmaps =
		g_variant_lookup_value(properties, "IconPixmap", G_VARIANT_TYPE("a(iiay)"));
	g_autoptr(GdkPixbuf) pixbuf = NULL;
	const char *title = "", *name = "", *folder = "", *status = "";
	gsize i;

	(void)g_variant_lookup(properties, "Title", "&s", &title);
	(void)g_variant_lookup(properties, "IconName", "&s", &name);
	(void)g_variant_lookup(properties, "IconThemePath", "&s", &folder);
	(void)g_variant_lookup(properties, "Status", "&s", &status);
	p->is_there = strcmp(status, "Passive") != 0;
	g_strlcpy(p->title, title, sizeof(p->title));
	if (pixmaps && pixmap_read(pixmaps, p->rgb)) {
		return;
	}
	pixbuf = icon_load(name, folder);
	if (pixbuf) {
		pixbuf_read(pixbuf, p->rgb);
		return;
	}
	for (i = 0; i < TRAY_ICON_SIZE * TRAY_ICON_SIZE; i++) {
		p->rgb[i] = over_grey(0, 0, 0, 0); /* still something to click on */
	}
}

static void on_properties(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
	struct tray_packet p = {.item = GPOINTER_TO_UINT(data)};
	g_autoptr(GVariant) properties = NULL;

	if (answer && g_hash_table_contains(items, data)) {
		properties = g_variant_get_child_value(answer, 0);
		packet_fill(&p, properties);
		agent_send(&p);
	}
}

static void item_ask(const struct item *item)
{
	g_dbus_connection_call(
		session_bus, item->service, item->path, "org.freedesktop.DBus.Properties", "GetAll",
		g_variant_new("(s)", ITEM), G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NONE, -1,
		NULL, on_properties, GUINT_TO_POINTER(item->id));
}

static void on_item_signal(GDBusConnection *bus, const char *sender, const char *path,
			   const char *interface, const char *name, GVariant *arguments,
			   gpointer data)
{
	item_ask(data);
}

static void on_item_gone(GDBusConnection *bus, const char *name, gpointer data)
{
	struct item *item = data;
	const struct tray_packet p = {.item = item->id};

	agent_send(&p);
	g_hash_table_remove(items, GUINT_TO_POINTER(item->id));
}

static void item_add(const char *sender, const char *argument)
{
	struct item *item = g_new0(struct item, 1);

	item->id = ++last_id;
	/* A path is one of the caller's; anything else is a name, with the usual path. */
	item->service = g_strdup(argument[0] == '/' ? sender : argument);
	item->path = g_strdup(argument[0] == '/' ? argument : ITEM_PATH);
	if (!g_dbus_is_name(item->service) || !g_variant_is_object_path(item->path)) {
		item->service[0] = '\0';
	}
	if (!item->service[0]) {
		g_free(item->service);
		g_free(item->path);
		g_free(item);
		return;
	}
	g_hash_table_insert(items, GUINT_TO_POINTER(item->id), item);
	item->signals = g_dbus_connection_signal_subscribe(
		session_bus, item->service, ITEM, NULL, item->path, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
		on_item_signal, item, NULL);
	item->watch = g_bus_watch_name_on_connection(session_bus, item->service,
						     G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
						     on_item_gone, item, NULL);
	item_ask(item);
}

static gboolean on_click(gint fd, GIOCondition condition, gpointer data)
{
	static const char *const methods[] = {NULL, "Activate", "SecondaryActivate", "ContextMenu"};
	struct tray_click click;
	ssize_t size = recv(fd, &click, sizeof(click), MSG_DONTWAIT);
	const struct item *item;

	if (size == 0) {
		g_main_loop_quit(loop);
		return G_SOURCE_REMOVE;
	}
	item = size == sizeof(click) ? g_hash_table_lookup(items, GUINT_TO_POINTER(click.item))
				     : NULL;
	if (item && click.button >= 1 && click.button < G_N_ELEMENTS(methods)) {
		g_dbus_connection_call(session_bus, item->service, item->path, ITEM,
				       methods[click.button], g_variant_new("(ii)", 0, 0), NULL,
				       G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
	}
	return G_SOURCE_CONTINUE;
}

/* ---- the bus ---- */

static void on_call(GDBusConnection *bus, const char *sender, const char *path,
		    const char *interface, const char *method, GVariant *arguments,
		    GDBusMethodInvocation *invocation, gpointer data)
{
	const char *argument;

	g_variant_get(arguments, "(&s)", &argument);
	g_dbus_method_invocation_return_value(invocation, NULL);
	if (strcmp(method, "RegisterStatusNotifierItem") == 0) {
		item_add(sender, argument);
		g_dbus_connection_emit_signal(bus, NULL, "/StatusNotifierWatcher", WATCHER,
					      "StatusNotifierItemRegistered",
					      g_variant_new("(s)", argument), NULL);
	}
}

static GVariant *on_get(GDBusConnection *bus, const char *sender, const char *path,
			const char *interface, const char *property, GError **error, gpointer data)
{
	if (strcmp(property, "ProtocolVersion") == 0) {
		return g_variant_new_int32(0);
	}
	if (strcmp(property, "IsStatusNotifierHostRegistered") == 0) {
		return g_variant_new_boolean(TRUE);
	}
	return g_variant_new_strv(NULL, 0); /* others need not know who is there */
}

static void on_bus(GDBusConnection *bus, const char *name, gpointer data)
{
	static const GDBusInterfaceVTable table = {on_call, on_get, NULL, {NULL}};
	g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(interface_xml, NULL);

	session_bus = bus;
	g_dbus_connection_register_object(bus, "/StatusNotifierWatcher", node->interfaces[0],
					  &table, NULL, NULL, NULL);
}

static void on_lost(GDBusConnection *bus, const char *name, gpointer data)
{
	fputs(bus ? "mullion-trayd: there is another service for tray icons\n"
		  : "mullion-trayd: there is no session bus\n",
	      stderr);
	exit_code = 1;
	g_main_loop_quit(loop);
}

static int agent_connect(void)
{
	g_autofree char *path = g_build_filename(g_get_user_runtime_dir(), TRAY_SOCKET, NULL);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) <
		    sizeof(address.sun_path) &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
		return fd;
	}
	fprintf(stderr, "mullion-trayd: %s: the domain's display is not there\n", path);
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

int main(int argc, char **argv)
{
	if (argc != 1) {
		fputs("Usage: mullion-trayd\n"
		      "Shows the tray icons of this domain's programs in dom0's tray.\n",
		      stderr);
		return 2;
	}
	agent = agent_connect();
	if (agent < 0) {
		return 1;
	}
	loop = g_main_loop_new(NULL, FALSE);
	items = g_hash_table_new_full(NULL, NULL, NULL, item_free);
	g_unix_fd_add(agent, G_IO_IN | G_IO_HUP, on_click, NULL);
	g_bus_own_name(G_BUS_TYPE_SESSION, WATCHER, G_BUS_NAME_OWNER_FLAGS_NONE, on_bus, NULL,
		       on_lost, NULL, NULL);
	g_main_loop_run(loop);
	return exit_code;
}
