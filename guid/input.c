/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/input.h"

#include <string.h>

#define BUTTON_MAX	    9u
#define SCROLL_CLICKS_MAX   8 /* in one event: more is a broken device, not a person */
#define FOCUS_MODE_NORMAL   0u
#define FOCUS_DETAIL_ANCEST 3u /* NotifyNonlinear, X.h: focus came from an unrelated window */

void input_init(struct input *in, void (*send)(void *context, const struct gui_message *msg),
		void *context)
{
	memset(in, 0, sizeof(*in));
	in->send = send;
	in->context = context;
}

static bool key_is_down(const struct input *in, uint32_t keycode)
{
	return in->keys[keycode / 8] & (1u << (keycode % 8));
}

static void key_send(struct input *in, uint32_t keycode, bool is_press, uint32_t state)
{
	struct gui_message m = {.type = GUI_KEYPRESS, .window = in->focus_window};

	m.key.event = is_press ? GUI_EVENT_PRESS_KEY : GUI_EVENT_RELEASE_KEY;
	m.key.x = in->motion.x;
	m.key.y = in->motion.y;
	m.key.state = state;
	m.key.keycode = keycode;
	if (is_press) {
		in->keys[keycode / 8] |= (uint8_t)(1u << (keycode % 8));
	} else {
		in->keys[keycode / 8] &= (uint8_t) ~(1u << (keycode % 8));
	}
	in->send(in->context, &m);
}

static void focus_send(struct input *in, bool has_focus)
{
	struct gui_message m = {.type = GUI_FOCUS, .window = in->focus_window};

	m.focus.event = has_focus ? GUI_EVENT_FOCUS_IN : GUI_EVENT_FOCUS_OUT;
	m.focus.mode = FOCUS_MODE_NORMAL;
	m.focus.detail = FOCUS_DETAIL_ANCEST;
	in->send(in->context, &m);
}

static void focus_leave(struct input *in)
{
	uint32_t keycode;

	if (!in->has_focus) {
		return;
	}
	input_flush(in);
	for (keycode = 8; keycode <= 255; keycode++) {
		if (key_is_down(in, keycode)) {
			key_send(in, keycode, false, 0);
		}
	}
	focus_send(in, false);
	in->has_focus = false;
}

void input_focus(struct input *in, uint32_t window, bool has_focus)
{
	struct gui_message map = {.type = GUI_KEYMAP_NOTIFY, .window = window};

	if (!has_focus) {
		if (in->has_focus && in->focus_window == window) {
			focus_leave(in);
		}
		return;
	}
	if (in->has_focus && in->focus_window == window) {
		return;
	}
	focus_leave(in);
	in->has_focus = true;
	in->focus_window = window;
	focus_send(in, true);
	in->send(in->context, &map);
}

void input_key(struct input *in, uint32_t window, uint32_t keycode, bool is_press, uint32_t state)
{
	if (keycode < 8 || keycode > 255) {
		return;
	}
	if (!in->has_focus || in->focus_window != window) {
		input_focus(in, window, true);
	}
	/* A press of a key that is down is the desktop's repeat: the guest repeats by itself. */
	if (is_press == key_is_down(in, keycode)) {
		return;
	}
	input_flush(in);
	key_send(in, keycode, is_press, state);
}

static void crossing_send(struct input *in, enum gui_event event, uint32_t state)
{
	struct gui_message m = {.type = GUI_CROSSING, .window = in->pointer_window};

	m.crossing.event = event;
	m.crossing.x = in->motion.x;
	m.crossing.y = in->motion.y;
	m.crossing.state = state;
	m.crossing.detail = FOCUS_DETAIL_ANCEST;
	m.crossing.focus = in->has_focus && in->focus_window == in->pointer_window;
	in->send(in->context, &m);
}

static void button_send(struct input *in, uint32_t button, bool is_press, uint32_t state)
{
	struct gui_message m = {.type = GUI_BUTTON, .window = in->pointer_window};

	m.button.event = is_press ? GUI_EVENT_PRESS_BUTTON : GUI_EVENT_RELEASE_BUTTON;
	m.button.x = in->motion.x;
	m.button.y = in->motion.y;
	m.button.state = state;
	m.button.button = button;
	in->send(in->context, &m);
}

static void buttons_release(struct input *in, uint32_t state)
{
	uint32_t button;

	for (button = 1; button <= BUTTON_MAX; button++) {
		if (in->buttons & (1u << button)) {
			button_send(in, button, false, state);
		}
	}
	in->buttons = 0;
}

void input_enter(struct input *in, uint32_t window, int32_t x, int32_t y, uint32_t state)
{
	if (in->has_pointer && in->pointer_window == window) {
		input_motion(in, window, x, y, state);
		return;
	}
	if (in->has_pointer) {
		input_leave(in, in->pointer_window, state);
	}
	in->has_pointer = true;
	in->pointer_window = window;
	in->motion = (struct gui_motion){x, y, state, 0};
	in->scroll_x = 0;
	in->scroll_y = 0;
	crossing_send(in, GUI_EVENT_ENTER, state);
}

void input_leave(struct input *in, uint32_t window, uint32_t state)
{
	if (!in->has_pointer || in->pointer_window != window) {
		return;
	}
	input_flush(in);
	buttons_release(in, state);
	crossing_send(in, GUI_EVENT_LEAVE, state);
	in->has_pointer = false;
}

void input_motion(struct input *in, uint32_t window, int32_t x, int32_t y, uint32_t state)
{
	if (!in->has_pointer || in->pointer_window != window) {
		input_enter(in, window, x, y, state);
		return;
	}
	in->motion = (struct gui_motion){x, y, state, 0};
	in->is_motion_waiting = true;
}

void input_flush(struct input *in)
{
	struct gui_message m = {.type = GUI_MOTION, .window = in->pointer_window};

	if (!in->is_motion_waiting) {
		return;
	}
	in->is_motion_waiting = false;
	m.motion = in->motion;
	in->send(in->context, &m);
}

void input_button(struct input *in, uint32_t window, uint32_t button, bool is_press, int32_t x,
		  int32_t y, uint32_t state)
{
	if (button < 1 || button > BUTTON_MAX) {
		return;
	}
	if (!in->has_pointer || in->pointer_window != window || in->motion.x != x ||
	    in->motion.y != y) {
		input_motion(in, window, x, y, state);
	}
	if (!is_press && !(in->buttons & (1u << button))) {
		return;
	}
	input_flush(in);
	if (is_press) {
		in->buttons |= 1u << button;
	} else {
		in->buttons &= ~(1u << button);
	}
	button_send(in, button, is_press, state);
}

/* Whole clicks out of the sum, as wheel buttons `less` and `more`. */
static void scroll_axis(struct input *in, double *sum, uint32_t less, uint32_t more, uint32_t state)
{
	int clicks = 0;

	while ((*sum >= 1 || *sum <= -1) && clicks < SCROLL_CLICKS_MAX) {
		uint32_t button = *sum > 0 ? more : less;

		button_send(in, button, true, state);
		button_send(in, button, false, state);
		*sum += *sum > 0 ? -1 : 1;
		clicks++;
	}
	if (*sum >= 1 || *sum <= -1) {
		*sum = 0;
	}
}

void input_scroll(struct input *in, uint32_t window, double dx, double dy, int32_t x, int32_t y,
		  uint32_t state)
{
	if (!(dx > -1000 && dx < 1000 && dy > -1000 && dy < 1000)) {
		return; /* not a number, or not a person */
	}
	input_motion(in, window, x, y, state);
	input_flush(in);
	in->scroll_x += dx;
	in->scroll_y += dy;
	scroll_axis(in, &in->scroll_y, 4, 5, state);
	scroll_axis(in, &in->scroll_x, 6, 7, state);
}

void input_forget(struct input *in, uint32_t window)
{
	if (in->has_pointer && in->pointer_window == window) {
		in->has_pointer = false;
		in->is_motion_waiting = false;
		in->buttons = 0;
	}
	if (in->has_focus && in->focus_window == window) {
		in->has_focus = false;
		memset(in->keys, 0, sizeof(in->keys));
	}
}
