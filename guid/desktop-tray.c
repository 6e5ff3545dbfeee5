/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/desktop-tray.h"

#include "guid/icon.h"
#include "guid/label.h"

#include <string.h>

#define WATCHER	     "org.kde.StatusNotifierWatcher"
#define WATCHER_PATH "/StatusNotifierWatcher"
#define ITEM	     "org.kde.StatusNotifierItem"
#define ITEM_PATH    "/StatusNotifierItem"
#define ITEMS_MAX    8

static const char interface_xml[] =
	"<node><interface name='" ITEM "'>"
	"<property name='Category' type='s' access='read'/>"
	"<property name='Id' type='s' access='read'/>"
	"<property name='Title' type='s' access='read'/>"
	"<property name='Status' type='s' access='read'/>"
	"<property name='WindowId' type='i' access='read'/>"
	"<property name='IconName' type='s' access='read'/>"
	"<property name='IconPixmap' type='a(iiay)' access='read'/>"
	"<property name='ToolTip' type='(sa(iiay)ss)' access='read'/>"
	"<property name='ItemIsMenu' type='b' access='read'/>"
	"<method name='Activate'><arg type='i' direction='in'/><arg type='i' direction='in'/></method>"
	"<method name='SecondaryActivate'><arg type='i' direction='in'/>"
	"<arg type='i' direction='in'/></method>"
	"<method name='ContextMenu'><arg type='i' direction='in'/><arg type='i' direction='in'/></method>"
	"<method name='Scroll'><arg type='i' direction='in'/><arg type='s' direction='in'/></method>"
	"<signal name='NewIcon'/><signal name='NewTitle'/><signal name='NewToolTip'/>"
	"</interface></node>";

/* Each has a connection of its own, because panels forget an icon when its connection ends. */
struct item {
	struct desktop_tray *tray;
	guint32 id;
	GDBusConnection *bus; /* NULL: the place is free */
	char *title;
	struct icon icon;
};

struct desktop_tray {
	GDBusConnection *bus;
	char *name;
	const struct label *label;
	desktop_tray_click *click;
	void *context;
	guint watch;
	struct item items[ITEMS_MAX];
};

static GVariant *pixmap(const struct item *item)
{
	guint8 bytes[ICON_SIZE_MAX * ICON_SIZE_MAX * 4];
	gsize count = (gsize)item->icon.width * item->icon.height, i;
	GVariant *one;

	for (i = 0; i < count; i++) {
		guint32 argb = GUINT32_TO_BE(0xff000000 | item->icon.rgb[i]);

		memcpy(bytes + i * 4, &argb, 4);
	}
	one = g_variant_new("(ii@ay)", (gint32)item->icon.width, (gint32)item->icon.height,
			    g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes, count * 4, 1));
	return g_variant_new_array(NULL, &one, 1);
}

static GVariant *on_get(GDBusConnection *bus, const char *sender, const char *path,
			const char *interface, const char *property, GError **error, gpointer data)
{
	const struct item *item = data;
	g_autofree char *id = g_strdup_printf("mullion.%s.%u", item->tray->name, item->id);

	if (strcmp(property, "Category") == 0) {
		return g_variant_new_string("ApplicationStatus");
	}
	if (strcmp(property, "Id") == 0) {
		return g_variant_new_string(id);
	}
	if (strcmp(property, "Title") == 0) {
		return g_variant_new_string(item->title);
	}
	if (strcmp(property, "Status") == 0) {
		return g_variant_new_string("Active");
	}
	if (strcmp(property, "WindowId") == 0) {
		return g_variant_new_int32(0);
	}
	if (strcmp(property, "IconName") == 0) {
		return g_variant_new_string("");
	}
	if (strcmp(property, "IconPixmap") == 0) {
		return pixmap(item);
	}
	if (strcmp(property, "ToolTip") == 0) {
		return g_variant_new("(s@a(iiay)ss)", "",
				     g_variant_new_array(G_VARIANT_TYPE("(iiay)"), NULL, 0),
				     item->title, "");
	}
	return g_variant_new_boolean(FALSE); /* ItemIsMenu */
}

static void on_call(GDBusConnection *bus, const char *sender, const char *path,
		    const char *interface, const char *method, GVariant *arguments,
		    GDBusMethodInvocation *invocation, gpointer data)
{
	struct item *item = data;
	guint32 button = strcmp(method, "Activate") == 0	    ? 1
			 : strcmp(method, "SecondaryActivate") == 0 ? 2
			 : strcmp(method, "ContextMenu") == 0	    ? 3
								    : 0;

	if (button) {
		item->tray->click(item->tray->context, item->id, button);
	}
	g_dbus_method_invocation_return_value(invocation, NULL);
}

static void item_register(struct item *item)
{
	const char *name = g_dbus_connection_get_unique_name(item->bus);

	g_dbus_connection_call(item->bus, WATCHER, WATCHER_PATH, WATCHER,
			       "RegisterStatusNotifierItem", g_variant_new("(s)", name), NULL,
			       G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}

static void item_free(struct item *item)
{
	if (item->bus) {
		g_dbus_connection_close(item->bus, NULL, NULL, NULL);
		g_object_unref(item->bus);
	}
	g_free(item->title);
	memset(item, 0, sizeof(*item));
}

static struct item *item_find(struct desktop_tray *t, guint32 id)
{
	size_t i;

	for (i = 0; i < ITEMS_MAX; i++) {
		if (t->items[i].bus && t->items[i].id == id) {
			return &t->items[i];
		}
	}
	return NULL;
}

static GDBusConnection *bus_connect(struct item *item)
{
	static const GDBusInterfaceVTable table = {on_call, on_get, NULL, {NULL}};
	g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(interface_xml, NULL);
	g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SESSION, NULL, NULL);
	g_autoptr(GDBusConnection) bus =
		address ? g_dbus_connection_new_for_address_sync(
				  address,
				  G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
					  G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
				  NULL, NULL, NULL)
			: NULL;

	if (!bus || !g_dbus_connection_register_object(bus, ITEM_PATH, node->interfaces[0], &table,
						       item, NULL, NULL)) {
		return NULL;
	}
	return g_steal_pointer(&bus);
}

static struct item *item_new(struct desktop_tray *t, guint32 id)
{
	struct item *item = NULL;
	size_t i;

	for (i = 0; i < ITEMS_MAX && !item; i++) {
		item = t->items[i].bus ? NULL : &t->items[i];
	}
	if (!item) {
		return NULL;
	}
	item->tray = t;
	item->id = id;
	item->bus = bus_connect(item);
	return item->bus ? item : NULL;
}

static gboolean icon_read(struct icon *icon, guint32 width, guint32 height, const char *rgb)
{
	gsize size, i;
	g_autofree guchar *bytes = g_base64_decode(rgb, &size);

	if (width < 1 || width > ICON_SIZE_MAX || height < 1 || height > ICON_SIZE_MAX ||
	    size != (gsize)width * height * 3) {
		return FALSE;
	}
	icon->width = width;
	icon->height = height;
	for (i = 0; i < size / 3; i++) {
		icon->rgb[i] = (guint32)bytes[i * 3] << 16 | (guint32)bytes[i * 3 + 1] << 8 |
			       bytes[i * 3 + 2];
	}
	return TRUE;
}

static void item_tell(struct item *item, const char *signal_name)
{
	g_dbus_connection_emit_signal(item->bus, NULL, ITEM_PATH, ITEM, signal_name, NULL, NULL);
}

void desktop_tray_show(struct desktop_tray *t, guint32 id, guint32 width, guint32 height,
		       const char *rgb, const char *title)
{
	struct icon icon;
	struct item *item;
	gboolean is_new;

	if (!t->bus || !icon_read(&icon, width, height, rgb)) {
		return;
	}
	item = item_find(t, id);
	is_new = !item;
	item = item ? item : item_new(t, id);
	if (!item) {
		return;
	}
	if (t->label) {
		icon_tint(&icon, t->label->rgb);
	}
	item->icon = icon;
	g_free(item->title);
	item->title = g_strdup_printf("[%s] %s", t->name, title);
	if (is_new) {
		item_register(item);
	} else {
		item_tell(item, "NewIcon");
		item_tell(item, "NewTitle");
		item_tell(item, "NewToolTip");
	}
}

void desktop_tray_hide(struct desktop_tray *t, guint32 id)
{
	struct item *item = item_find(t, id);

	if (item) {
		item_free(item);
	}
}

void desktop_tray_clear(struct desktop_tray *t)
{
	size_t i;

	for (i = 0; i < ITEMS_MAX; i++) {
		item_free(&t->items[i]);
	}
}

/* A panel that starts later, or again, learns of what is there. */
static void on_watcher(GDBusConnection *bus, const char *name, const char *owner, gpointer data)
{
	struct desktop_tray *t = data;
	size_t i;

	for (i = 0; i < ITEMS_MAX; i++) {
		if (t->items[i].bus) {
			item_register(&t->items[i]);
		}
	}
}

struct desktop_tray *desktop_tray_create(GDBusConnection *bus, const char *name, const char *label,
					 desktop_tray_click *click, void *context)
{
	struct desktop_tray *t = g_new0(struct desktop_tray, 1);

	t->bus = bus;
	t->name = g_strdup(name);
	t->label = label_find(label);
	t->click = click;
	t->context = context;
	if (bus) {
		t->watch = g_bus_watch_name_on_connection(
			bus, WATCHER, G_BUS_NAME_WATCHER_FLAGS_NONE, on_watcher, NULL, t, NULL);
	}
	return t;
}

void desktop_tray_destroy(struct desktop_tray *t)
{
	if (t->watch) {
		g_bus_unwatch_name(t->watch);
	}
	desktop_tray_clear(t);
	g_free(t->name);
	g_free(t);
}
