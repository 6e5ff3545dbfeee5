/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tray icons of this domain's programs: mullion-trayd tells of them, the daemon gets each as a
 * docked window of one page of pixels.
 *
 * A page that was shown once stays until the daemon is gone, for the next icon in its place:
 * the daemon may still have a message to read that names it.
 */
#include "guid/agent/tray.h"

#include "guid/agent/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ICONS_MAX 8
_Static_assert(sizeof(((struct tray_packet *)NULL)->rgb) == SHARE_PAGE_SIZE, "one page");

struct tray_icon {
	bool is_used, is_created;
	uint32_t id; /* of its window */
	struct tray_packet last;
	const struct share_region *region;
};

struct agent_tray {
	struct agent *agent;
	struct sockaddr_un address;
	int listener, peer;
	struct wl_event_source *listener_source, *peer_source;
	struct tray_icon icons[ICONS_MAX];
};

/* ---- towards the daemon ---- */

static void dump_send(struct agent *a, const struct tray_icon *icon)
{
	struct gui_message m = {.type = GUI_WINDOW_DUMP, .window = icon->id};
	uint8_t ref[4];
	struct wire_out out = wire_out_of(ref, sizeof(ref));

	wire_put_u32le(&out, icon->region->refs[0]);
	m.dump.width = TRAY_ICON_SIZE;
	m.dump.height = TRAY_ICON_SIZE;
	m.dump.ref_count = 1;
	m.dump.refs = ref;
	link_send(a, &m);
}

static void title_send(struct agent *a, const struct tray_icon *icon)
{
	struct gui_message m = {.type = GUI_WMNAME, .window = icon->id};

	memcpy(m.title.text, icon->last.title, sizeof(icon->last.title));
	link_send(a, &m);
}

static void announce(struct agent *a, struct tray_icon *icon)
{
	struct gui_message m = {.type = GUI_CREATE};

	if (!a->is_connected || (!icon->region && share_create(a->pool, 1, false, &icon->region))) {
		return; /* told when there is a daemon */
	}
	memcpy(icon->region->pages, icon->last.rgb, sizeof(icon->last.rgb));
	icon->id = a->next_id++;
	icon->is_created = true;
	m.window = icon->id;
	m.create.width = TRAY_ICON_SIZE;
	m.create.height = TRAY_ICON_SIZE;
	link_send(a, &m);
	title_send(a, icon);
	m = (struct gui_message){.type = GUI_DOCK, .window = icon->id};
	link_send(a, &m);
	dump_send(a, icon);
	m = (struct gui_message){.type = GUI_MAP, .window = icon->id};
	link_send(a, &m);
}

static void update(struct agent *a, struct tray_icon *icon)
{
	struct gui_message m = {.type = GUI_SHMIMAGE, .window = icon->id};

	memcpy(icon->region->pages, icon->last.rgb, sizeof(icon->last.rgb));
	title_send(a, icon);
	m.damage.width = TRAY_ICON_SIZE;
	m.damage.height = TRAY_ICON_SIZE;
	link_send(a, &m);
}

static void icon_remove(struct agent *a, struct tray_icon *icon)
{
	const struct gui_message m = {.type = GUI_DESTROY, .window = icon->id};

	if (icon->is_created) {
		link_send(a, &m);
	}
	icon->is_used = false;
	icon->is_created = false;
}

void tray_resend(struct agent *a)
{
	size_t i;

	for (i = 0; a->tray && i < ICONS_MAX; i++) {
		if (a->tray->icons[i].is_used) {
			announce(a, &a->tray->icons[i]);
		}
	}
}

void tray_disconnected(struct agent *a)
{
	size_t i;

	for (i = 0; a->tray && i < ICONS_MAX; i++) {
		a->tray->icons[i].is_created = false;
		a->tray->icons[i].region = NULL; /* goes with the pool */
	}
}

bool tray_button(struct agent *a, uint32_t window, const struct gui_button *b)
{
	size_t i;

	for (i = 0; a->tray && i < ICONS_MAX; i++) {
		const struct tray_icon *icon = &a->tray->icons[i];
		struct tray_click click = {icon->last.item, b->button};

		if (icon->is_created && icon->id == window) {
			if (b->event == GUI_EVENT_PRESS_BUTTON && a->tray->peer >= 0) {
				/* One that does not read misses clicks. */
				(void)send(a->tray->peer, &click, sizeof(click),
					   MSG_DONTWAIT | MSG_NOSIGNAL);
			}
			return true;
		}
	}
	return false;
}

/* ---- from mullion-trayd ---- */

static struct tray_icon *icon_of(struct agent_tray *t, uint32_t item, bool may_be_new)
{
	struct tray_icon *free_one = NULL;
	size_t i;

	for (i = 0; i < ICONS_MAX; i++) {
		if (t->icons[i].is_used && t->icons[i].last.item == item) {
			return &t->icons[i];
		}
		if (!t->icons[i].is_used && !free_one) {
			free_one = &t->icons[i];
		}
	}
	return may_be_new ? free_one : NULL;
}

static void packet_handle(struct agent_tray *t, const struct tray_packet *p)
{
	struct tray_icon *icon = icon_of(t, p->item, p->is_there);

	if (!icon) {
		return;
	}
	if (!p->is_there) {
		icon_remove(t->agent, icon);
		return;
	}
	icon->last = *p;
	icon->last.title[sizeof(p->title) - 1] = '\0';
	icon->is_used = true;
	if (icon->is_created) {
		update(t->agent, icon);
	} else {
		announce(t->agent, icon);
	}
}

static void peer_close(struct agent_tray *t)
{
	size_t i;

	for (i = 0; i < ICONS_MAX; i++) {
		if (t->icons[i].is_used) {
			icon_remove(t->agent, &t->icons[i]);
		}
	}
	if (t->peer_source) {
		wl_event_source_remove(t->peer_source);
		t->peer_source = NULL;
	}
	if (t->peer >= 0) {
		close(t->peer);
		t->peer = -1;
	}
}

static int on_packet(int fd, uint32_t mask, void *data)
{
	struct agent_tray *t = data;
	struct tray_packet p;
	ssize_t size = recv(fd, &p, sizeof(p), MSG_DONTWAIT);

	if (size == sizeof(p)) {
		packet_handle(t, &p);
	} else if (size >= 0) {
		peer_close(t);
	}
	return 0;
}

/* The newest one counts. */
static int on_peer(int fd, uint32_t mask, void *data)
{
	struct agent_tray *t = data;
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (peer >= 0) {
		peer_close(t);
		t->peer = peer;
		t->peer_source =
			wl_event_loop_add_fd(t->agent->loop, peer, WL_EVENT_READABLE, on_packet, t);
	}
	return 0;
}

void tray_start(struct agent *a)
{
	struct agent_tray *t = calloc(1, sizeof(*t));

	if (!t) {
		return;
	}
	a->tray = t;
	t->agent = a;
	t->peer = -1;
	t->address.sun_family = AF_UNIX;
	t->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (t->listener < 0 ||
	    snprintf(t->address.sun_path, sizeof(t->address.sun_path), "%s/" TRAY_SOCKET,
		     getenv("XDG_RUNTIME_DIR")) >= (int)sizeof(t->address.sun_path)) {
		tray_stop(a);
		return;
	}
	unlink(t->address.sun_path);
	if (bind(t->listener, (struct sockaddr *)&t->address, sizeof(t->address)) ||
	    listen(t->listener, 1)) {
		perror("no tray icons");
		tray_stop(a);
		return;
	}
	t->listener_source =
		wl_event_loop_add_fd(a->loop, t->listener, WL_EVENT_READABLE, on_peer, t);
}

void tray_stop(struct agent *a)
{
	struct agent_tray *t = a->tray;

	if (!t) {
		return;
	}
	peer_close(t);
	a->tray = NULL;
	if (t->listener_source) {
		wl_event_source_remove(t->listener_source);
		unlink(t->address.sun_path);
	}
	if (t->listener >= 0) {
		close(t->listener);
	}
	free(t);
}
