/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/input.h"

#include "base/test.h"

#include <math.h>

static char log_text[4096];
static struct gui_message last;
static struct input in;

static void record(void *context, const struct gui_message *m)
{
	size_t used = strlen(log_text);
	const char *detail = "";

	last = *m;
	if (m->type == GUI_KEYPRESS) {
		detail = m->key.event == GUI_EVENT_PRESS_KEY ? "+" : "-";
	} else if (m->type == GUI_BUTTON) {
		detail = m->button.event == GUI_EVENT_PRESS_BUTTON ? "+" : "-";
	} else if (m->type == GUI_FOCUS) {
		detail = m->focus.event == GUI_EVENT_FOCUS_IN ? "+" : "-";
	} else if (m->type == GUI_CROSSING) {
		detail = m->crossing.event == GUI_EVENT_ENTER ? "+" : "-";
	}
	snprintf(log_text + used, sizeof(log_text) - used, "%s%s%u ", proto_type_name(m->type),
		 detail, m->window);
}

static void start(void)
{
	input_init(&in, record, NULL);
	log_text[0] = '\0';
}

TEST(input, focus_is_told_with_an_empty_key_map)
{
	start();
	input_focus(&in, 1, true);
	input_focus(&in, 1, true);
	EXPECT_STR(log_text, "FOCUS+1 KEYMAP_NOTIFY1 ");
	EXPECT_EQ(last.keymap.keys[0], 0);
}

TEST(input, keys_that_are_down_are_released_when_focus_goes)
{
	start();
	input_focus(&in, 1, true);
	input_key(&in, 1, 38, true, 0);
	input_key(&in, 1, 39, true, 0);
	input_key(&in, 1, 39, false, 0);
	log_text[0] = '\0';
	input_focus(&in, 1, false);
	EXPECT_STR(log_text, "KEYPRESS-1 FOCUS-1 ");
	input_focus(&in, 1, false);
	EXPECT_STR(log_text, "KEYPRESS-1 FOCUS-1 ");
}

TEST(input, focus_in_another_window_leaves_the_first)
{
	start();
	input_focus(&in, 1, true);
	input_key(&in, 1, 38, true, 0);
	log_text[0] = '\0';
	input_focus(&in, 2, true);
	input_focus(&in, 1, false); /* late: 1 has it no more */
	EXPECT_STR(log_text, "KEYPRESS-1 FOCUS-1 FOCUS+2 KEYMAP_NOTIFY2 ");
}

TEST(input, a_release_without_a_press_is_not_sent)
{
	start();
	input_focus(&in, 1, true);
	log_text[0] = '\0';
	input_key(&in, 1, 38, false, 0);
	input_button(&in, 1, 1, false, 0, 0, 0);
	input_flush(&in);
	EXPECT_STR(log_text, "CROSSING+1 ");
	input_key(&in, 1, 7, true, 0);
	input_key(&in, 1, 256, true, 0);
	input_button(&in, 1, 0, true, 0, 0, 0);
	input_button(&in, 1, 10, true, 0, 0, 0);
	EXPECT_STR(log_text, "CROSSING+1 ");
}

TEST(input, repeats_are_left_to_the_guest)
{
	start();
	input_focus(&in, 1, true);
	log_text[0] = '\0';
	input_key(&in, 1, 38, true, 0);
	input_key(&in, 1, 38, true, 0);
	input_key(&in, 1, 38, true, 0);
	EXPECT_STR(log_text, "KEYPRESS+1 ");
}

TEST(input, motion_is_joined_and_comes_before_the_button)
{
	start();
	input_enter(&in, 1, 0, 0, 0);
	log_text[0] = '\0';
	input_motion(&in, 1, 1, 1, 0);
	input_motion(&in, 1, 2, 2, 0);
	input_motion(&in, 1, 3, 3, 0);
	EXPECT_STR(log_text, "");
	input_flush(&in);
	EXPECT_STR(log_text, "MOTION1 ");
	EXPECT_EQ(last.motion.x, 3);
	input_button(&in, 1, 1, true, 9, 9, 0);
	EXPECT_STR(log_text, "MOTION1 MOTION1 BUTTON+1 ");
	EXPECT_EQ(last.button.x, 9);
}

TEST(input, leaving_releases_the_buttons)
{
	start();
	input_enter(&in, 1, 0, 0, 0);
	input_button(&in, 1, 1, true, 0, 0, 0);
	log_text[0] = '\0';
	input_leave(&in, 1, 0);
	input_leave(&in, 1, 0);
	EXPECT_STR(log_text, "BUTTON-1 CROSSING-1 ");
}

TEST(input, entering_another_window_leaves_the_first)
{
	start();
	input_enter(&in, 1, 0, 0, 0);
	log_text[0] = '\0';
	input_motion(&in, 2, 5, 5, 0);
	EXPECT_STR(log_text, "CROSSING-1 CROSSING+2 ");
}

TEST(input, scrolling_makes_clicks_out_of_parts)
{
	int i;

	start();
	input_enter(&in, 1, 0, 0, 0);
	log_text[0] = '\0';
	for (i = 0; i < 3; i++) {
		input_scroll(&in, 1, 0, 0.25, 0, 0, 0);
	}
	input_flush(&in);
	EXPECT(!strstr(log_text, "BUTTON"));
	input_scroll(&in, 1, 0, 0.25, 0, 0, 0);
	EXPECT(strstr(log_text, "BUTTON+1 BUTTON-1 "));
	EXPECT_EQ(last.button.button, 5);
	input_scroll(&in, 1, -1, 0, 0, 0, 0);
	EXPECT_EQ(last.button.button, 6);
	input_scroll(&in, 1, 0, -1, 0, 0, 0);
	EXPECT_EQ(last.button.button, 4);
	input_scroll(&in, 1, 1, 0, 0, 0, 0);
	EXPECT_EQ(last.button.button, 7);
}

TEST(input, a_mad_scroll_is_bounded)
{
	size_t before;

	start();
	input_enter(&in, 1, 0, 0, 0);
	input_scroll(&in, 1, 0, 999, 0, 0, 0);
	EXPECT(strlen(log_text) < 400);
	before = strlen(log_text);
	input_scroll(&in, 1, (double)NAN, (double)INFINITY, 0, 0, 0);
	input_scroll(&in, 1, 0, 1e300, 0, 0, 0);
	EXPECT_EQ(strlen(log_text), before);
}

TEST(input, nothing_is_sent_for_a_window_that_is_gone)
{
	start();
	input_focus(&in, 1, true);
	input_key(&in, 1, 38, true, 0);
	input_button(&in, 1, 1, true, 0, 0, 0);
	input_motion(&in, 1, 5, 5, 0);
	log_text[0] = '\0';
	input_forget(&in, 1);
	input_flush(&in);
	input_leave(&in, 1, 0);
	input_focus(&in, 1, false);
	EXPECT_STR(log_text, "");
	input_focus(&in, 2, true);
	EXPECT_STR(log_text, "FOCUS+2 KEYMAP_NOTIFY2 ");
}

TEST_MAIN()
