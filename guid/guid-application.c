/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/guid-application.h"

#include "guid/clip-peer.h"
#include "guid/confine.h"
#include "guid/guid-border.h"
#include "guid/guid-popup.h"
#include "guid/guid-window.h"
#include "guid/keymap.h"
#include "guid/presenter.h"
#include "guid/surface.h"
#include "guid/title.h"
#include "guid/tray.h"

#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_MS 16

struct guid_application {
	struct guid_options options;
	struct session *session;
	GMainLoop *loop;
	struct clip_peer *broker; /* NULL: there is none */
	struct keymap keymap;	  /* as the agent knows it */
	struct presenter presenter;
	struct tray *tray;
	guint tick;
	GdkRGBA border;
	int exit_code;
};

/* What shows a window: one of the two, or neither. */
static GuidSurface *surface_of(struct window *w)
{
	if (GUID_IS_WINDOW(w->view)) {
		return guid_window_get_surface(GUID_WINDOW(w->view));
	}
	if (GUID_IS_POPUP(w->view)) {
		return guid_popup_get_surface(GUID_POPUP(w->view));
	}
	return NULL;
}

/* Any ordinary window, to say something in: the active one if there is one. */
static GuidWindow *any_window(struct guid_application *app)
{
	struct window *w;
	GuidWindow *found = NULL;

	for (w = windows_first(session_windows(app->session)); w; w = w->next) {
		if (GUID_IS_WINDOW(w->view)) {
			found = GUID_WINDOW(w->view);
			if (gtk_window_is_active(GTK_WINDOW(found))) {
				return found;
			}
		}
	}
	return found;
}

static G_GNUC_PRINTF(2, 3) void say(struct guid_application *app, const char *format, ...)
{
	g_autofree char *text = NULL;
	GuidWindow *window = any_window(app);
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	if (window) {
		guid_window_notice(window, text);
	}
	g_message("%s", text);
}

/* ---- the user's keystrokes ---- */

static void keymap_send(struct guid_application *app)
{
	char *text = keymap_if_new(&app->keymap);

	if (text) {
		session_keymap(app->session, text);
		free(text);
	}
}

/* Before each key. */
static void on_typing(GuidWindow *window, gpointer data)
{
	keymap_send(data);
}

static void on_copy(GuidWindow *window, gpointer data)
{
	struct guid_application *app = data;
	struct window *w = guid_surface_get_window(guid_window_get_surface(window));

	if (w) {
		windows_user_copy(session_windows(app->session), w);
	}
}

static void on_paste(GuidWindow *window, gpointer data)
{
	struct guid_application *app = data;

	if (app->broker) {
		clip_peer_send(app->broker, CLIP_PASTE, NULL, 0);
	} else {
		say(app, "There is no clipboard service.");
	}
}

/* What the broker says. */
static gboolean on_broker(void *context, struct clip_peer *peer, const struct clip_message *m)
{
	struct guid_application *app = context;

	switch (m->type) {
	case CLIP_COPIED:
		say(app, "Copied from %s. Ctrl+Shift+V in another window pastes it once.",
		    app->options.name);
		return TRUE;
	case CLIP_TEXT:
		windows_user_paste(session_windows(app->session), m->bytes, m->size_bytes);
		say(app, "%u bytes are in the clipboard of %s now.", m->size_bytes,
		    app->options.name);
		return TRUE;
	case CLIP_REFUSED:
		say(app, "%.*s", (int)m->size_bytes, (const char *)m->bytes);
		return TRUE;
	default:
		return FALSE;
	}
}

static void on_broker_closed(void *context, struct clip_peer *peer)
{
	struct guid_application *app = context;

	app->broker = NULL;
}

/* Before the rights are given up; who we are is said now and never again. */
static void broker_connect(struct guid_application *app)
{
	static const struct clip_peer_events events = {on_broker, on_broker_closed};
	g_autofree char *path = clip_socket_path();
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (!path || strlen(path) >= sizeof(address.sun_path)) {
		return;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return;
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return;
	}
	app->broker = clip_peer_new(fd, &events, app);
	clip_peer_send(app->broker, CLIP_HELLO, app->options.name,
		       (uint32_t)strlen(app->options.name));
}

static void on_answered(GuidWindow *window, gboolean is_allowed, gpointer data)
{
	struct guid_application *app = data;

	windows_answer_fullscreen(session_windows(app->session), is_allowed);
}

/* ---- what the windows tell ---- */

/* A window that has yet to be shown is asked about when it is. */
static void ask_fullscreen(struct guid_application *app, struct window *w)
{
	g_autofree char *text = g_strdup_printf(
		"%s wants to use the whole screen. Its frame stays visible.", app->options.name);

	if (GUID_IS_WINDOW(w->view)) {
		guid_window_ask(GUID_WINDOW(w->view), text);
	}
}

static void show_toplevel(struct guid_application *app, struct window *w)
{
	GuidWindow *window =
		guid_window_new(app->session, w, app->options.name, app->options.label);
	struct window *parent = windows_find(session_windows(app->session), w->transient_for);

	w->view = window;
	if (w->transient_for && parent && GUID_IS_WINDOW(parent->view)) {
		gtk_window_set_transient_for(GTK_WINDOW(window), GTK_WINDOW(parent->view));
	}
	g_signal_connect(window, "copy", G_CALLBACK(on_copy), app);
	g_signal_connect(window, "paste", G_CALLBACK(on_paste), app);
	g_signal_connect(window, "typing", G_CALLBACK(on_typing), app);
	g_signal_connect(window, "answered", G_CALLBACK(on_answered), app);
	if (windows_asked(session_windows(app->session)) == w) {
		ask_fullscreen(app, w);
	}
	gtk_window_present(GTK_WINDOW(window));
}

static void on_show(void *context, struct window *w)
{
	struct guid_application *app = context;
	struct window *anchor =
		w->is_override_redirect ? windows_anchor(session_windows(app->session), w) : NULL;
	GuidSurface *parent = anchor ? surface_of(anchor) : NULL;

	if (w->is_docked) {
		tray_show(app->tray, w);
		return;
	}
	if (parent) {
		w->view = guid_popup_new(app->session, w, anchor, parent, &app->border);
	} else {
		show_toplevel(app, w);
	}
}

/* A popup that hangs on this surface, directly or not, and has none itself; or NULL. */
static struct window *innermost_popup(struct guid_application *app, GuidSurface *surface)
{
	struct window *found = NULL, *w = windows_first(session_windows(app->session));

	while (w) {
		if (GUID_IS_POPUP(w->view) &&
		    guid_popup_get_anchor(GUID_POPUP(w->view)) == surface) {
			/* One level further in; popups form a tree, so this ends. */
			found = w;
			surface = guid_popup_get_surface(GUID_POPUP(w->view));
			w = windows_first(session_windows(app->session));
		} else {
			w = w->next;
		}
	}
	return found;
}

/* Popups on this surface go first: a widget may not die with popups on it. */
static void hide_children(struct guid_application *app, GuidSurface *surface)
{
	struct window *w;

	while ((w = innermost_popup(app, surface))) {
		GuidPopup *popup = GUID_POPUP(w->view);

		w->view = NULL;
		guid_popup_close(popup);
	}
}

static void on_hide(void *context, struct window *w)
{
	struct guid_application *app = context;
	GuidSurface *surface = surface_of(w);

	if (!surface) {
		tray_hide(app->tray, w);
		return;
	}
	hide_children(app, surface);
	if (GUID_IS_POPUP(w->view)) {
		guid_popup_close(GUID_POPUP(w->view));
	} else {
		guid_window_detach(GUID_WINDOW(w->view));
		gtk_window_destroy(GTK_WINDOW(w->view));
	}
	w->view = NULL;
}

static void on_change(void *context, struct window *w, unsigned int what)
{
	struct guid_application *app = context;

	if (!w->view) {
		if (w->is_docked) {
			tray_show(app->tray, w);
		}
	} else if (GUID_IS_WINDOW(w->view)) {
		guid_window_changed(GUID_WINDOW(w->view), what);
	} else if (GUID_IS_POPUP(w->view)) {
		guid_popup_changed(
			GUID_POPUP(w->view),
			guid_surface_get_window(guid_popup_get_anchor(GUID_POPUP(w->view))), what);
	}
}

static gboolean on_tick(gpointer data)
{
	struct guid_application *app = data;

	app->tick = 0;
	presenter_tick(&app->presenter, session_windows(app->session));
	return G_SOURCE_REMOVE;
}

static void on_want_tick(void *context)
{
	struct guid_application *app = context;

	if (!app->tick) {
		app->tick = g_timeout_add(FRAME_MS, on_tick, app);
	}
}

static void on_limited(void *context)
{
	struct guid_application *app = context;

	say(app, "%s has more windows than are shown at a time.", app->options.name);
}

static const struct presenter_view presenter_view = {on_show, on_hide, on_change, on_want_tick,
						     on_limited};

static void on_shown(void *context, struct window *w)
{
	struct guid_application *app = context;

	presenter_shown(&app->presenter, w);
}

static void on_hidden(void *context, struct window *w)
{
	struct guid_application *app = context;

	presenter_hidden(&app->presenter, w);
}

static void on_changed(void *context, struct window *w, unsigned int what)
{
	struct guid_application *app = context;

	presenter_changed(&app->presenter, w, what);
}

/* Before it is shown, mostly; else what showed it goes, and it is shown again. */
static void on_docked(void *context, struct window *w)
{
	struct guid_application *app = context;

	if (w->is_presented) {
		presenter_hidden(&app->presenter, w);
		presenter_shown(&app->presenter, w);
	}
}

static void on_ask_fullscreen(void *context, struct window *w)
{
	ask_fullscreen(context, w);
}

static void on_clipboard(void *context, const uint8_t *bytes, uint32_t size_bytes)
{
	struct guid_application *app = context;
	struct wire in = wire_of(bytes, size_bytes);
	struct clip_message m;

	if (!size_bytes || clip_body_decode(CLIP_COPY, &in, size_bytes, &m)) {
		say(app, "%s has no text to copy.", app->options.name);
	} else if (!app->broker) {
		say(app, "There is no clipboard service.");
	} else {
		clip_peer_send(app->broker, CLIP_COPY, m.bytes, m.size_bytes);
	}
}

static void on_notice(void *context, enum windows_notice notice)
{
	struct guid_application *app = context;

	switch (notice) {
	case NOTICE_CLIPBOARD_TOO_LARGE:
		say(app, "The text is too large to be copied.");
		break;
	case NOTICE_MEMORY_LIMIT:
		say(app, "%s shows more than its memory limit: some windows stay as they are.",
		    app->options.name);
		break;
	}
}

static const struct windows_view view = {
	.shown = on_shown,
	.hidden = on_hidden,
	.changed = on_changed,
	.docked = on_docked,
	.ask_fullscreen = on_ask_fullscreen,
	.clipboard = on_clipboard,
	.notice = on_notice,
};

/* ---- the session ---- */

static void on_ended(void *context, gboolean is_rule_broken, const char *reason)
{
	struct guid_application *app = context;

	app->exit_code = GUID_EXIT_AGENT_GONE;
	if (is_rule_broken) {
		g_printerr("mullion-guid: the display of %s was closed because of %s\n",
			   app->options.name, reason);
		g_print("closed\t%s\n", reason); /* for mullion-desktop, which tells the user */
		app->exit_code = GUID_EXIT_PROTOCOL;
	}
	g_main_loop_quit(app->loop);
}

static int on_confine(void *context)
{
	return confine_calls();
}

static uint32_t finest_scale(void)
{
	GListModel *monitors = gdk_display_get_monitors(gdk_display_get_default());
	int scale = 1;
	guint i;

	for (i = 0; i < g_list_model_get_n_items(monitors); i++) {
		g_autoptr(GdkMonitor) monitor = g_list_model_get_item(monitors, i);

		scale = MAX(scale, gdk_monitor_get_scale_factor(monitor));
	}
	return (uint32_t)scale;
}

static void on_extended(void *context)
{
	struct guid_application *app = context;

	keymap_forget(&app->keymap);
	keymap_send(app);
	session_scale(app->session, finest_scale());
}

/* For mullion-desktop, which shows it as the domain's: this process has no bus. */
static void on_notified(void *context, const char *summary, const char *text)
{
	struct guid_application *app = context;
	char parts[2][WINDOWS_TITLE_SIZE];

	title_sanitise(summary, app->options.is_utf8_allowed, parts[0], sizeof(parts[0]));
	title_sanitise(text, app->options.is_utf8_allowed, parts[1], sizeof(parts[1]));
	g_print("notify\t%s\t%s\n", parts[0], parts[1]);
}

static const struct session_events session_events = {on_confine, on_ended, on_extended,
						     on_notified};

/* All monitors together; their scale is the desktop's business. */
static void screen_size(uint32_t *width, uint32_t *height)
{
	GListModel *monitors = gdk_display_get_monitors(gdk_display_get_default());
	GdkRectangle all = {0, 0, 0, 0};
	guint i;

	for (i = 0; i < g_list_model_get_n_items(monitors); i++) {
		g_autoptr(GdkMonitor) monitor = g_list_model_get_item(monitors, i);
		GdkRectangle one;

		gdk_monitor_get_geometry(monitor, &one);
		gdk_rectangle_union(&all, &one, &all);
	}
	*width = (uint32_t)CLAMP(all.width, 640, (int)GUI_WIDTH_MAX);
	*height = (uint32_t)CLAMP(all.height, 480, (int)GUI_HEIGHT_MAX);
}

/* The protocol tells a guest its screen once; the rules follow the monitors that are there. */
static void on_monitors(struct guid_application *app)
{
	uint32_t width, height;

	screen_size(&width, &height);
	guid_window_set_screen((int)width, (int)height);
	windows_set_work_area(session_windows(app->session),
			      (struct rect){0, 0, (int32_t)width, (int32_t)height});
	session_scale(app->session, finest_scale());
}

static void on_monitor_changed(GObject *monitor, GParamSpec *spec, gpointer data)
{
	on_monitors(data);
}

static void on_monitors_changed(GListModel *monitors, guint position, guint removed, guint added,
				gpointer data)
{
	guint i;

	for (i = position; i < position + added; i++) {
		g_autoptr(GdkMonitor) monitor = g_list_model_get_item(monitors, i);

		g_signal_connect(monitor, "notify::geometry", G_CALLBACK(on_monitor_changed), data);
		g_signal_connect(monitor, "notify::scale-factor", G_CALLBACK(on_monitor_changed),
				 data);
	}
	on_monitors(data);
}

static void monitors_watch(struct guid_application *app)
{
	GListModel *monitors = gdk_display_get_monitors(gdk_display_get_default());

	g_signal_connect(monitors, "items-changed", G_CALLBACK(on_monitors_changed), app);
	on_monitors_changed(monitors, 0, 0, g_list_model_get_n_items(monitors), app);
}

static gboolean on_terminate(gpointer data)
{
	struct guid_application *app = data;

	g_main_loop_quit(app->loop);
	return G_SOURCE_CONTINUE;
}

static void style_load(void)
{
	g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();
	g_autoptr(GString) css = g_string_new(NULL);
	size_t i;

	g_string_append(css, ".guid-popup > contents { padding: 0; margin: 0; border: none; "
			     "border-radius: 0; box-shadow: none; background: black; }\n"
			     ".guid-notice { padding: 6px 12px; background: @theme_bg_color; }\n"
			     ".guid-domain { font-weight: bold; padding: 1px 8px; "
			     "border-radius: 4px; }\n"
			     "window.guid-attention headerbar { font-style: italic; }\n");
	for (i = 0; i < LABEL_COUNT; i++) {
		const struct label *l = &labels[i];

		g_string_append_printf(
			css,
			"window.guid-label-%s headerbar { background: #%06x; color: #%06x; "
			"box-shadow: none; border: none; min-height: 34px; }\n"
			"window.guid-label-%s headerbar button { color: #%06x; "
			"-gtk-icon-shadow: none; background: transparent; box-shadow: none; "
			"border: none; }\n"
			"window.guid-label-%s headerbar:backdrop { filter: none; opacity: 0.85; }\n"
			"window.guid-label-%s .guid-domain { background: #%06x; color: #%06x; }\n",
			l->name, l->rgb, l->ink_rgb, l->name, l->ink_rgb, l->name, l->name,
			l->ink_rgb, l->rgb);
	}
	gtk_css_provider_load_from_data(provider, css->str, -1);
	gtk_style_context_add_provider_for_display(gdk_display_get_default(),
						   GTK_STYLE_PROVIDER(provider),
						   GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

struct guid_application *guid_application_create(const struct guid_options *options)
{
	struct guid_application *app = g_new0(struct guid_application, 1);
	struct session_config config = {.domain = options->domain};
	const struct presenter_limits limits = {0, 0, 0};

	app->options = *options;
	presenter_init(&app->presenter, &limits, &presenter_view, app);
	guid_border_rgba(options->label->rgb, &app->border);
	style_load();
	surface_use_textures(options->is_gpu_used);
	screen_size(&config.screen.width, &config.screen.height);
	config.screen.depth = 24;
	config.screen.memory_kib = config.screen.width * config.screen.height * 4 / 1024;
	config.windows.work_area =
		(struct rect){0, 0, (int32_t)config.screen.width, (int32_t)config.screen.height};
	config.windows.limits.window_count_max = options->window_count_max;
	config.windows.limits.page_count_max = options->page_count_max;
	config.windows.is_utf8_allowed = options->is_utf8_allowed;
	config.windows.is_placed_by_desktop = true;
	app->loop = g_main_loop_new(NULL, FALSE);
	broker_connect(app);
	app->session = session_create(&config, &view, &session_events, app);
	if (!app->session) {
		clip_peer_free(app->broker);
		g_main_loop_unref(app->loop);
		g_free(app);
		return NULL;
	}
	app->tray = tray_create(app->session);
	monitors_watch(app);
	g_unix_signal_add(SIGTERM, on_terminate, app);
	g_unix_signal_add(SIGINT, on_terminate, app);
	return app;
}

void guid_application_destroy(struct guid_application *app)
{
	if (app) {
		g_printerr("painted %" G_GUINT64_FORMAT " pixels\n", surface_uploaded_pixels());
		session_destroy(app->session);
		tray_destroy(app->tray);
		if (app->tick) {
			g_source_remove(app->tick);
		}
		clip_peer_free(app->broker);
		keymap_forget(&app->keymap);
		g_main_loop_unref(app->loop);
		g_free(app);
	}
}

int guid_application_run(struct guid_application *app)
{
	g_main_loop_run(app->loop);
	return app->exit_code;
}
