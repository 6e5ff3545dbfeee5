/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one seat: what the daemon's user types and points at, and the cursor's shape. */
#include "guid/agent/cursor.h"
#include "guid/agent/pixels.h"
#include "guid/agent/view.h"
#include "guid/ext.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wlr/backend/headless.h>
#include <wlr/interfaces/wlr_keyboard.h>
#include <wlr/types/wlr_data_device.h>
#include <wlr/types/wlr_seat.h>

#define REPEAT_PER_SECOND 25
#define REPEAT_DELAY_MS	  600
#define SCROLL_STEP	  15.0 /* what libinput calls one click of a wheel */
#define STATE_LOCK	  (1u << 1)
#define STATE_NUMLOCK	  (1u << 4)

struct agent_input {
	struct agent *agent;
	struct wlr_input_device *device;
	struct agent_view *focus;   /* has the keyboard */
	struct agent_view *pointer; /* the pointer is over it */
	struct cursor_table *cursors;
	struct wlr_surface *cursor_surface;
	struct wl_listener key, modifiers, set_cursor, cursor_commit, cursor_destroy;
	struct wl_listener start_drag_request;
};

static uint32_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static struct wlr_keyboard *keyboard(struct agent *a)
{
	return a->input->device->keyboard;
}

/* ---- keys ---- */

static void on_key(struct wl_listener *listener, void *data)
{
	struct agent_input *in = wl_container_of(listener, in, key);
	struct wlr_event_keyboard_key *event = data;

	wlr_seat_keyboard_notify_key(in->agent->seat, event->time_msec, event->keycode,
				     event->state);
}

static void on_modifiers(struct wl_listener *listener, void *data)
{
	struct agent_input *in = wl_container_of(listener, in, modifiers);

	wlr_seat_keyboard_notify_modifiers(in->agent->seat, &keyboard(in->agent)->modifiers);
}

static void key_inject(struct agent *a, uint32_t code, bool is_press)
{
	struct wlr_event_keyboard_key event = {
		.time_msec = now_ms(),
		.keycode = code,
		.update_state = true,
		.state = is_press ? WL_KEYBOARD_KEY_STATE_PRESSED : WL_KEYBOARD_KEY_STATE_RELEASED,
	};

	wlr_keyboard_notify_key(keyboard(a), &event);
}

static bool key_is_down(const struct wlr_keyboard *kb, uint32_t code)
{
	size_t i;

	for (i = 0; i < kb->num_keycodes; i++) {
		if (kb->keycodes[i] == code) {
			return true;
		}
	}
	return false;
}

/* Caps Lock, Num Lock and the layout in use are as on the daemon's keyboard, also after the focus
 * was elsewhere. */
static void locks_follow(struct agent *a, uint32_t state)
{
	struct wlr_keyboard *kb = keyboard(a);
	const uint32_t mask = STATE_LOCK | STATE_NUMLOCK;
	uint32_t locked = (kb->modifiers.locked & ~mask) | (state & mask);
	uint32_t group = state >> 13 & 3;

	if (locked != kb->modifiers.locked || group != kb->modifiers.group) {
		wlr_keyboard_notify_modifiers(kb, kb->modifiers.depressed, kb->modifiers.latched,
					      locked, group);
	}
}

void seat_key(struct agent *a, const struct gui_key *key)
{
	uint32_t code = key->keycode - 8;
	bool is_press = key->event == GUI_EVENT_PRESS_KEY;

	if (is_press == key_is_down(keyboard(a), code)) {
		return;
	}
	if (is_press && code != KEY_CAPSLOCK && code != KEY_NUMLOCK) {
		locks_follow(a, key->state);
	}
	key_inject(a, code, is_press);
}

/* What the daemon does not hold down is released. */
void seat_keymap(struct agent *a, const struct gui_keymap *map)
{
	struct wlr_keyboard *kb = keyboard(a);
	uint32_t down[WLR_KEYBOARD_KEYS_CAP];
	size_t count = kb->num_keycodes, i;

	memcpy(down, kb->keycodes, sizeof(down));
	for (i = 0; i < count; i++) {
		uint32_t x11 = down[i] + 8;

		if (x11 > 255 || !(map->keys[x11 / 8] & (1u << (x11 % 8)))) {
			key_inject(a, down[i], false);
		}
	}
}

static void keys_release(struct agent *a)
{
	const struct gui_keymap none = {{0}};

	seat_keymap(a, &none);
}

void seat_focus(struct agent *a, struct agent_view *v, bool has_focus)
{
	struct agent_input *in = a->input;
	struct wlr_keyboard *kb = keyboard(a);
	struct agent_view *old = in->focus, *other, *next;

	if (!has_focus) {
		if (old != v) {
			return;
		}
		in->focus = NULL;
		keys_release(a);
		wlr_seat_keyboard_end_grab(a->seat);
		wlr_seat_pointer_end_grab(a->seat);
		wl_list_for_each_safe(other, next, &a->views, link) {
			if (other->surface && other->is_override_redirect) {
				other->kind->dismiss(other);
				break; /* the rest of a chain goes with its first */
			}
		}
		wlr_seat_keyboard_notify_clear_focus(a->seat);
		v->kind->activate(v, false);
		return;
	}
	if (v->is_override_redirect) {
		return; /* the keyboard stays with the window that the menu belongs to */
	}
	if (old && old != v && old->surface) {
		old->kind->activate(old, false);
	}
	in->focus = v;
	v->kind->activate(v, true);
	wlr_seat_keyboard_notify_enter(a->seat, v->surface, kb->keycodes, kb->num_keycodes,
				       &kb->modifiers);
}

/* ---- the pointer ---- */

/* The surface of a view's tree at a place of the window, and the place in it. */
static struct wlr_surface *surface_at(struct agent_view *v, int32_t x, int32_t y, double *sx,
				      double *sy)
{
	int32_t origin_x, origin_y, width, height;
	struct wlr_surface *surface;

	v->kind->geometry(v, &origin_x, &origin_y, &width, &height);
	surface = wlr_surface_surface_at(v->surface, x + origin_x, y + origin_y, sx, sy);
	if (!surface) {
		*sx = x + origin_x;
		*sy = y + origin_y;
		surface = v->surface;
	}
	return surface;
}

struct place_walk {
	struct wlr_surface *wanted;
	int x, y;
};

static void place_find(struct wlr_surface *surface, int x, int y, void *data)
{
	struct place_walk *walk = data;

	if (surface == walk->wanted) {
		walk->x = x;
		walk->y = y;
	}
}

void seat_motion(struct agent *a, struct agent_view *v, int32_t x, int32_t y)
{
	struct wlr_seat_pointer_state *p = &a->seat->pointer_state;
	double sx, sy;
	struct wlr_surface *surface = surface_at(v, x, y, &sx, &sy);

	if (p->button_count && p->focused_surface && a->input->pointer == v && !a->seat->drag) {
		/* While a button is down the surface where it was pressed gets everything. */
		struct place_walk walk = {.wanted = p->focused_surface};
		int32_t origin_x, origin_y, width, height;

		v->kind->geometry(v, &origin_x, &origin_y, &width, &height);
		wlr_surface_for_each_surface(v->surface, place_find, &walk);
		sx = x + origin_x - walk.x;
		sy = y + origin_y - walk.y;
		surface = p->focused_surface;
	}
	a->input->pointer = v;
	wlr_seat_pointer_notify_enter(a->seat, surface, sx, sy);
	wlr_seat_pointer_notify_motion(a->seat, now_ms(), sx, sy);
	wlr_seat_pointer_notify_frame(a->seat);
}

void seat_leave(struct agent *a, struct agent_view *v)
{
	if (a->input->pointer == v) {
		a->input->pointer = NULL;
		wlr_seat_pointer_notify_clear_focus(a->seat);
	}
}

static void wheel(struct agent *a, uint32_t button)
{
	enum wlr_axis_orientation axis =
		button <= 5 ? WLR_AXIS_ORIENTATION_VERTICAL : WLR_AXIS_ORIENTATION_HORIZONTAL;
	int direction = button == 4 || button == 6 ? -1 : 1;

	wlr_seat_pointer_notify_axis(a->seat, now_ms(), axis, direction * SCROLL_STEP, direction,
				     WLR_AXIS_SOURCE_WHEEL);
	wlr_seat_pointer_notify_frame(a->seat);
}

static void scroll_axis(struct agent *a, enum wlr_axis_orientation axis, double clicks)
{
	int whole = (int)clicks;

	if (clicks != 0) {
		wlr_seat_pointer_notify_axis(
			a->seat, now_ms(), axis, clicks * SCROLL_STEP, whole == clicks ? whole : 0,
			whole == clicks ? WLR_AXIS_SOURCE_WHEEL : WLR_AXIS_SOURCE_FINGER);
	}
}

void seat_scroll(struct agent *a, struct agent_view *v, int32_t x, int32_t y, double dx, double dy)
{
	seat_motion(a, v, x, y);
	scroll_axis(a, WLR_AXIS_ORIENTATION_VERTICAL, dy);
	scroll_axis(a, WLR_AXIS_ORIENTATION_HORIZONTAL, dx);
	wlr_seat_pointer_notify_frame(a->seat);
}

void seat_button(struct agent *a, struct agent_view *v, const struct gui_button *b)
{
	static const uint32_t codes[] = {0, BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, 0,
					 0, 0,	      0,	  BTN_SIDE,  BTN_EXTRA};
	bool is_press = b->event == GUI_EVENT_PRESS_BUTTON;

	if (b->button >= sizeof(codes) / sizeof(codes[0])) {
		return;
	}
	if (b->button >= 4 && b->button <= 7) {
		if (is_press) {
			wheel(a, b->button);
		}
		return;
	}
	seat_motion(a, v, b->x, b->y);
	wlr_seat_pointer_notify_button(a->seat, now_ms(), codes[b->button],
				       is_press ? WLR_BUTTON_PRESSED : WLR_BUTTON_RELEASED);
	wlr_seat_pointer_notify_frame(a->seat);
}

void seat_touch(struct agent *a, struct agent_view *v, uint32_t kind, uint32_t finger, int32_t x,
		int32_t y)
{
	struct wlr_touch_point *point = wlr_seat_touch_get_point(a->seat, (int32_t)finger);
	struct wlr_surface *surface;
	double sx, sy;

	if (kind == EXT_TOUCH_DOWN && !point) {
		surface = surface_at(v, x, y, &sx, &sy);
		if (surface) {
			wlr_seat_touch_notify_down(a->seat, surface, now_ms(), (int32_t)finger, sx,
						   sy);
		}
	} else if (kind == EXT_TOUCH_MOTION && point && point->surface) {
		/* The surface where the finger came down has it until it is up. */
		struct place_walk walk = {.wanted = point->surface};
		int32_t origin_x, origin_y, width, height;

		v->kind->geometry(v, &origin_x, &origin_y, &width, &height);
		wlr_surface_for_each_surface(v->surface, place_find, &walk);
		wlr_seat_touch_notify_motion(a->seat, now_ms(), (int32_t)finger,
					     x + origin_x - walk.x, y + origin_y - walk.y);
	} else if (kind == EXT_TOUCH_UP && point) {
		wlr_seat_touch_notify_up(a->seat, now_ms(), (int32_t)finger);
	} else if (kind == EXT_TOUCH_CANCEL) {
		wlr_seat_touch_notify_cancel(a->seat, v->surface);
	}
	wlr_seat_touch_notify_frame(a->seat);
}

void seat_forget(struct agent *a, struct agent_view *v)
{
	if (a->input->focus == v) {
		a->input->focus = NULL;
		keys_release(a);
	}
	if (a->input->pointer == v) {
		a->input->pointer = NULL;
	}
}

void seat_reset(struct agent *a)
{
	struct agent_input *in = a->input;

	keys_release(a);
	if (in->focus && in->focus->surface) {
		in->focus->kind->activate(in->focus, false);
	}
	in->focus = NULL;
	in->pointer = NULL;
	while (!wl_list_empty(&a->seat->touch_state.touch_points)) {
		struct wlr_touch_point *point =
			wl_container_of(a->seat->touch_state.touch_points.next, point, link);

		wlr_seat_touch_notify_up(a->seat, now_ms(), point->touch_id);
	}
	wlr_seat_keyboard_notify_clear_focus(a->seat);
	wlr_seat_pointer_notify_clear_focus(a->seat);
}

/* ---- the cursor ---- */

static void cursor_tell(struct agent_input *in, uint32_t cursor)
{
	if (in->pointer) {
		view_set_cursor(in->pointer, cursor);
	}
}

/* The protocol has no number for that, the extension has a message. */
static void cursor_hide(struct agent_input *in, bool is_hidden)
{
	if (in->pointer) {
		view_hide_cursor(in->pointer, is_hidden);
	}
}

static void cursor_forget(struct agent_input *in)
{
	if (in->cursor_surface) {
		wl_list_remove(&in->cursor_commit.link);
		wl_list_remove(&in->cursor_destroy.link);
		in->cursor_surface = NULL;
	}
}

static void on_cursor_commit(struct wl_listener *listener, void *data)
{
	struct agent_input *in = wl_container_of(listener, in, cursor_commit);
	struct timespec now;

	cursor_hide(in, !wlr_surface_has_buffer(in->cursor_surface));
	if (!wlr_surface_has_buffer(in->cursor_surface)) {
		return;
	}
	cursor_tell(in, cursor_table_find(in->cursors, pixels_hash(in->cursor_surface)));
	clock_gettime(CLOCK_MONOTONIC, &now);
	wlr_surface_send_frame_done(in->cursor_surface, &now);
}

static void on_cursor_destroy(struct wl_listener *listener, void *data)
{
	struct agent_input *in = wl_container_of(listener, in, cursor_destroy);

	cursor_forget(in);
}

static void on_set_cursor(struct wl_listener *listener, void *data)
{
	struct agent_input *in = wl_container_of(listener, in, set_cursor);
	struct wlr_seat_pointer_request_set_cursor_event *event = data;

	if (event->seat_client != in->agent->seat->pointer_state.focused_client ||
	    event->surface == in->cursor_surface) {
		return;
	}
	cursor_forget(in);
	if (!event->surface) {
		cursor_hide(in, true);
		return;
	}
	in->cursor_surface = event->surface;
	in->cursor_commit.notify = on_cursor_commit;
	wl_signal_add(&event->surface->events.commit, &in->cursor_commit);
	in->cursor_destroy.notify = on_cursor_destroy;
	wl_signal_add(&event->surface->events.destroy, &in->cursor_destroy);
	if (wlr_surface_has_buffer(event->surface)) {
		on_cursor_commit(&in->cursor_commit, NULL);
	}
}

/* ---- start ---- */

static void on_request_start_drag(struct wl_listener *listener, void *data)
{
	struct agent_input *in = wl_container_of(listener, in, start_drag_request);
	struct wlr_seat_request_start_drag_event *event = data;

	if (wlr_seat_validate_pointer_grab_serial(in->agent->seat, event->origin, event->serial)) {
		wlr_seat_start_pointer_drag(in->agent->seat, event->drag, event->serial);
		return;
	}
	wlr_data_source_destroy(event->drag->source);
}

static int keymap_set(struct agent *a, struct wlr_keyboard *kb)
{
	struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_FLAGS);
	struct xkb_rule_names names = {.layout = a->options.keyboard_layout};
	struct xkb_keymap *keymap =
		context ? xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS)
			: NULL;
	bool is_set = keymap && wlr_keyboard_set_keymap(kb, keymap);

	xkb_keymap_unref(keymap);
	xkb_context_unref(context);
	return is_set ? 0 : -EINVAL;
}

void seat_set_keymap(struct agent *a, const uint8_t *bytes, uint32_t size_bytes)
{
	struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_FLAGS);
	struct xkb_keymap *keymap =
		context ? xkb_keymap_new_from_buffer(context, (const char *)bytes, size_bytes,
						     XKB_KEYMAP_FORMAT_TEXT_V1,
						     XKB_KEYMAP_COMPILE_NO_FLAGS)
			: NULL;

	if (keymap && !wlr_keyboard_keymaps_match(keymap, keyboard(a)->keymap)) {
		keys_release(a);
		wlr_keyboard_set_keymap(keyboard(a), keymap);
		fputs("the keyboard is that of the user\n", stderr);
	}
	xkb_keymap_unref(keymap);
	xkb_context_unref(context);
}

int seat_start(struct agent *a)
{
	struct agent_input *in = calloc(1, sizeof(*in));

	if (!in) {
		return -ENOMEM;
	}
	a->input = in;
	in->agent = a;
	a->seat = wlr_seat_create(a->display, "seat0");
	in->device = wlr_headless_add_input_device(a->backend, WLR_INPUT_DEVICE_KEYBOARD);
	if (!a->seat || !in->device) {
		return -ENOMEM;
	}
	if (keymap_set(a, in->device->keyboard)) {
		return -EINVAL;
	}
	wlr_keyboard_set_repeat_info(in->device->keyboard,
				     a->options.is_key_repeat_on ? REPEAT_PER_SECOND : 0,
				     REPEAT_DELAY_MS);
	in->key.notify = on_key;
	wl_signal_add(&in->device->keyboard->events.key, &in->key);
	in->modifiers.notify = on_modifiers;
	wl_signal_add(&in->device->keyboard->events.modifiers, &in->modifiers);
	in->set_cursor.notify = on_set_cursor;
	wl_signal_add(&a->seat->events.request_set_cursor, &in->set_cursor);
	in->start_drag_request.notify = on_request_start_drag;
	wl_signal_add(&a->seat->events.request_start_drag, &in->start_drag_request);
	wlr_seat_set_keyboard(a->seat, in->device);
	wlr_seat_set_capabilities(a->seat, WL_SEAT_CAPABILITY_POINTER |
						   WL_SEAT_CAPABILITY_KEYBOARD |
						   WL_SEAT_CAPABILITY_TOUCH);
	in->cursors = cursor_table_create();
	return 0;
}
