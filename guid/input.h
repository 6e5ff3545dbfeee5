/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user types and points at, as messages for one domain.
 *
 * Keeps which keys and buttons the guest believes to be down, so that nothing
 * stays down there: leaving releases them all, entering tells the (empty) map.
 * A guest gets a release only for what it saw pressed. Pointer motion is joined:
 * one message a frame. Plain state; the sink gets finished messages. Not
 * thread-safe.
 */
#pragma once

#include "guid/proto.h"

#include <stdbool.h>
#include <stdint.h>

struct input {
	void (*send)(void *context, const struct gui_message *msg);
	void *context;

	uint32_t focus_window;
	bool has_focus;
	uint8_t keys[32];

	uint32_t pointer_window;
	bool has_pointer;
	uint32_t buttons; /* bit n: button n is down, n <= 9 */
	struct gui_motion motion;
	bool is_motion_waiting;
	double scroll_x, scroll_y; /* parts of a wheel click */
};

void input_init(struct input *in, void (*send)(void *context, const struct gui_message *msg),
		void *context);

void input_focus(struct input *in, uint32_t window, bool has_focus);
void input_key(struct input *in, uint32_t window, uint32_t keycode, bool is_press, uint32_t state);
/* x and y are in the window's pixels; they may lie outside of it during a drag. */
void input_enter(struct input *in, uint32_t window, int32_t x, int32_t y, uint32_t state);
void input_leave(struct input *in, uint32_t window, uint32_t state);
void input_motion(struct input *in, uint32_t window, int32_t x, int32_t y, uint32_t state);
void input_button(struct input *in, uint32_t window, uint32_t button, bool is_press, int32_t x,
		  int32_t y, uint32_t state);
/* In clicks of a wheel; parts are kept until they make a click. */
void input_scroll(struct input *in, uint32_t window, double dx, double dy, int32_t x, int32_t y,
		  uint32_t state);
/* Sends the motion that is waiting. Call once a frame, and before keys and buttons (done here). */
void input_flush(struct input *in);
/* The window is gone: nothing more is sent for it. */
void input_forget(struct input *in, uint32_t window);
