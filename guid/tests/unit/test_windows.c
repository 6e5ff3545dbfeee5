/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/windows.h"

#include "base/test.h"
#include "guid/tests/random_message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

/* A view that writes down what it was told. */
struct recorder {
	char log[1024];
	int mapped_dumps;
	int dump_map_result;
	int sent;
	struct gui_message last_sent;
	uint32_t clipboard_size;
	unsigned int changes;
};

static struct recorder rec;
static struct windows *ws;
static const char *rule;

static __attribute__((format(printf, 1, 2))) void note(const char *format, ...)
{
	size_t used = strlen(rec.log);
	va_list args;

	va_start(args, format);
	vsnprintf(rec.log + used, sizeof(rec.log) - used, format, args);
	va_end(args);
}

static int view_dump_map(void *context, const struct gui_dump *dump, void **out)
{
	if (rec.dump_map_result) {
		return rec.dump_map_result;
	}
	rec.mapped_dumps++;
	*out = &rec;
	return 0;
}

static void view_dump_unmap(void *context, void *pages)
{
	if (pages != &rec || rec.mapped_dumps < 1) {
		abort();
	}
	rec.mapped_dumps--;
}

static void view_shown(void *context, struct window *w)
{
	note("shown %u;", w->id);
}

static void view_hidden(void *context, struct window *w)
{
	note("hidden %u;", w->id);
}

static void view_changed(void *context, struct window *w, unsigned int what)
{
	rec.changes |= what;
	note("changed %u %x;", w->id, what);
}

static void view_docked(void *context, struct window *w)
{
	note("docked %u;", w->id);
}

static void view_ask(void *context, struct window *w)
{
	note("ask %u;", w->id);
}

static void view_clipboard(void *context, const uint8_t *bytes, uint32_t size_bytes)
{
	rec.clipboard_size = size_bytes;
	note("clipboard;");
}

static void view_notice(void *context, enum windows_notice notice)
{
	note("notice %d;", notice);
}

static void view_send(void *context, const struct gui_message *msg)
{
	rec.sent++;
	rec.last_sent = *msg;
	note("send %s %u;", proto_type_name(msg->type), msg->window);
}

static const struct windows_view view = {
	view_dump_map, view_dump_unmap, view_shown,	view_hidden, view_changed,
	view_docked,   view_ask,	view_clipboard, view_notice, view_send,
};

static void start(uint32_t minor)
{
	const struct windows_config config = {
		.limits = {.window_count_max = 8, .page_count_max = 100},
		.minor = minor,
		.work_area = {0, 0, 1000, 1000},
	};

	windows_destroy(ws);
	memset(&rec, 0, sizeof(rec));
	ws = windows_create(&config, &view, NULL);
}

static void forget_log(void)
{
	rec.log[0] = '\0';
	rec.changes = 0;
	rec.sent = 0;
}

static int handle(const struct gui_message *m)
{
	return windows_handle(ws, m, &rule);
}

static int bare(enum gui_type type, uint32_t id)
{
	const struct gui_message m = {.type = type, .window = id};

	return handle(&m);
}

static int create_at(uint32_t id, int32_t x, int32_t y, uint32_t width, uint32_t height, bool is_or)
{
	const struct gui_message m = {
		.type = GUI_CREATE, .window = id, .create = {x, y, width, height, 0, is_or}};

	return handle(&m);
}

static int map(uint32_t id, uint32_t transient_for, bool is_or)
{
	const struct gui_message m = {.type = GUI_MAP, .window = id, .map = {transient_for, is_or}};

	return handle(&m);
}

static struct window *open_window(uint32_t id)
{
	EXPECT_EQ(create_at(id, 10, 20, 300, 200, false), 0);
	EXPECT_EQ(map(id, 0, false), 0);
	return windows_find(ws, id);
}

static int configure(uint32_t id, int32_t x, int32_t y, uint32_t width, uint32_t height, bool is_or)
{
	const struct gui_message m = {
		.type = GUI_CONFIGURE, .window = id, .configure = {x, y, width, height, is_or}};

	return handle(&m);
}

static int dump(uint32_t id, uint32_t width, uint32_t height)
{
	static const uint8_t refs[4 * 1024];
	struct gui_message m = {.type = GUI_WINDOW_DUMP, .window = id};

	m.dump = (struct gui_dump){width, height, proto_dump_pages(width, height), refs};
	return handle(&m);
}

static int damaged(uint32_t id, int32_t x, int32_t y, uint32_t width, uint32_t height)
{
	const struct gui_message m = {
		.type = GUI_SHMIMAGE, .window = id, .damage = {x, y, width, height}};

	return handle(&m);
}

static int flags(uint32_t id, uint32_t set, uint32_t unset)
{
	const struct gui_message m = {
		.type = GUI_WINDOW_FLAGS, .window = id, .flags = {set, unset}};

	return handle(&m);
}

TEST(windows, a_window_is_shown_when_mapped_and_hidden_when_unmapped)
{
	start(8);
	EXPECT_EQ(create_at(5, 10, 20, 300, 200, false), 0);
	EXPECT_STR(rec.log, "");
	EXPECT_EQ(map(5, 0, false), 0);
	EXPECT_STR(rec.log, "shown 5;");
	EXPECT_EQ(map(5, 0, false), 0);
	EXPECT_EQ(bare(GUI_UNMAP, 5), 0);
	EXPECT_EQ(bare(GUI_UNMAP, 5), 0);
	EXPECT_STR(rec.log, "shown 5;hidden 5;");
	EXPECT_EQ(map(5, 0, false), 0);
	EXPECT_STR(rec.log, "shown 5;hidden 5;shown 5;");
}

TEST(windows, destroying_hides_and_is_echoed_from_minor_5_on)
{
	start(8);
	open_window(5);
	forget_log();
	EXPECT_EQ(bare(GUI_DESTROY, 5), 0);
	EXPECT_STR(rec.log, "hidden 5;send DESTROY 5;");
	EXPECT_EQ(windows_count(ws), 0);
	EXPECT(!windows_find(ws, 5));

	start(4);
	open_window(5);
	forget_log();
	EXPECT_EQ(bare(GUI_DESTROY, 5), 0);
	EXPECT_STR(rec.log, "hidden 5;");
}

TEST(windows, a_window_is_created_only_once)
{
	start(8);
	EXPECT_EQ(create_at(5, 0, 0, 1, 1, false), 0);
	EXPECT_EQ(create_at(5, 0, 0, 1, 1, false), -EPROTO);
	EXPECT_EQ(bare(GUI_DESTROY, 5), 0);
	EXPECT_EQ(create_at(5, 0, 0, 1, 1, false), 0);
}

TEST(windows, a_message_for_an_unknown_window_ends_the_connection_from_minor_6_on)
{
	static const enum gui_type types[] = {
		GUI_DESTROY,	  GUI_MAP,     GUI_UNMAP,	GUI_CONFIGURE,
		GUI_SHMIMAGE,	  GUI_WMNAME,  GUI_DOCK,	GUI_WINDOW_HINTS,
		GUI_WINDOW_FLAGS, GUI_WMCLASS, GUI_WINDOW_DUMP, GUI_CURSOR,
	};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		start(6);
		EXPECT_EQ(bare(types[i], 77), -EPROTO);
		start(5);
		EXPECT_EQ(bare(types[i], 77), 0);
		EXPECT_STR(rec.log, "");
	}
}

TEST(windows, the_number_of_windows_is_limited)
{
	uint32_t id;

	start(8);
	for (id = 1; id <= 8; id++) {
		EXPECT_EQ(create_at(id, 0, 0, 10, 10, false), 0);
	}
	EXPECT_EQ(create_at(9, 0, 0, 10, 10, false), -ENOSPC);
	EXPECT_EQ(bare(GUI_DESTROY, 1), 0);
	EXPECT_EQ(create_at(9, 0, 0, 10, 10, false), 0);
}

TEST(windows, mapped_pages_are_limited_and_the_user_is_told_once)
{
	start(8);
	open_window(1);
	open_window(2);
	EXPECT_EQ(dump(1, 256, 256), 0); /* 64 pages */
	forget_log();
	EXPECT_EQ(dump(2, 256, 256), 0);
	EXPECT_STR(rec.log, "notice 1;");
	EXPECT_EQ(dump(2, 256, 256), 0);
	EXPECT_STR(rec.log, "notice 1;");
	EXPECT_EQ(windows_page_count(ws), 64);
	EXPECT_EQ(rec.mapped_dumps, 1);
	EXPECT_EQ(dump(1, 256, 300), 0); /* takes the place of the first: 75 */
	EXPECT_EQ(windows_page_count(ws), 75);
	EXPECT_EQ(bare(GUI_DESTROY, 1), 0);
	EXPECT_EQ(windows_page_count(ws), 0);
	EXPECT_EQ(rec.mapped_dumps, 0);
	EXPECT_EQ(dump(2, 256, 256), 0);
	EXPECT_EQ(rec.mapped_dumps, 1);
}

TEST(windows, pages_that_are_not_shared_end_the_connection_and_keep_the_old_dump)
{
	start(8);
	open_window(1);
	EXPECT_EQ(dump(1, 64, 64), 0);
	rec.dump_map_result = -ENOENT;
	EXPECT_EQ(dump(1, 64, 64), -ENOENT);
	EXPECT_EQ(windows_page_count(ws), 4);
	EXPECT_EQ(rec.mapped_dumps, 1);
}

TEST(windows, a_dump_is_acknowledged_from_minor_7_on)
{
	start(7);
	open_window(1);
	forget_log();
	EXPECT_EQ(dump(1, 64, 64), 0);
	EXPECT_STR(rec.log, "changed 1 100;send WINDOW_DUMP_ACK 1;");
	start(6);
	open_window(1);
	forget_log();
	EXPECT_EQ(dump(1, 64, 64), 0);
	EXPECT_STR(rec.log, "changed 1 100;");
}

TEST(windows, sizes_are_at_least_one_pixel)
{
	start(8);
	EXPECT_EQ(create_at(1, 0, 0, 0, 0, false), 0);
	EXPECT_EQ(windows_find(ws, 1)->rect.width, 1);
	EXPECT_EQ(windows_find(ws, 1)->rect.height, 1);
	EXPECT_EQ(configure(1, 0, 0, 0, 0, false), 0);
	EXPECT_EQ(windows_find(ws, 1)->rect.width, 1);
}

TEST(windows, an_override_redirect_window_over_nine_tenths_of_the_screen_loses_the_flag)
{
	start(8);
	EXPECT_EQ(create_at(1, 0, 0, 1000, 900, true), 0);
	EXPECT(windows_find(ws, 1)->is_override_redirect);
	EXPECT_EQ(create_at(2, 0, 0, 1000, 901, true), 0);
	EXPECT(!windows_find(ws, 2)->is_override_redirect);
	forget_log();
	EXPECT_EQ(map(2, 0, true), 0);
	EXPECT(!windows_find(ws, 2)->is_override_redirect);
	EXPECT_STR(rec.log, "shown 2;send CONFIGURE 2;");
	EXPECT(!rec.last_sent.configure.is_override_redirect);

	/* nor by growing, nor by being larger than the screen */
	EXPECT_EQ(configure(1, 0, 0, 16384, 6144, true), 0);
	EXPECT(!windows_find(ws, 1)->is_override_redirect);
	EXPECT_EQ(configure(1, 0, 0, 100, 100, true), 0);
	EXPECT(windows_find(ws, 1)->is_override_redirect);
	/* a line across the whole screen is no cover */
	EXPECT_EQ(configure(1, 0, 0, 16384, 10, true), 0);
	EXPECT(windows_find(ws, 1)->is_override_redirect);
}

TEST(windows, popups_are_pulled_back_into_the_work_area)
{
	static const struct {
		int32_t x, y, expected_x, expected_y;
	} cases[] = {
		{-50, -60, 0, 0},
		{950, 950, 900, 900},
		{10, 20, 10, 20},
		{INT32_MIN, INT32_MIN, 0, 0},
		{INT32_MAX, INT32_MAX, 900, 900},
	};
	size_t i;

	start(8);
	EXPECT_EQ(create_at(1, 0, 0, 100, 100, true), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT_EQ(configure(1, cases[i].x, cases[i].y, 100, 100, true), 0);
		EXPECT_EQ(windows_find(ws, 1)->rect.x, cases[i].expected_x);
		EXPECT_EQ(windows_find(ws, 1)->rect.y, cases[i].expected_y);
	}
	EXPECT_EQ(configure(1, 5, 5, 2000, 10, true), 0); /* wider than the area: its left end */
	EXPECT_EQ(windows_find(ws, 1)->rect.x, 0);
}

TEST(windows, ordinary_windows_keep_a_corner_on_the_screen)
{
	start(8);
	EXPECT_EQ(create_at(1, INT32_MIN, INT32_MIN, 100, 100, false), 0);
	EXPECT_EQ(windows_find(ws, 1)->rect.x, -99);
	EXPECT_EQ(windows_find(ws, 1)->rect.y, 0);
	EXPECT_EQ(configure(1, INT32_MAX, INT32_MAX, 100, 100, false), 0);
	EXPECT_EQ(windows_find(ws, 1)->rect.x, 999);
	EXPECT_EQ(windows_find(ws, 1)->rect.y, 999);
}

TEST(windows, a_configure_is_answered_with_what_it_became)
{
	start(8);
	open_window(1);
	forget_log();
	EXPECT_EQ(configure(1, 2000, 30, 400, 300, false), 0);
	EXPECT_STR(rec.log, "send CONFIGURE 1;changed 1 1;");
	EXPECT_EQ(rec.last_sent.configure.x, 999);
	EXPECT_EQ(rec.last_sent.configure.width, 400);
}

TEST(windows, titles_and_classes_are_sanitised)
{
	struct gui_message m = {.type = GUI_WMNAME, .window = 1};

	start(8);
	open_window(1);
	strcpy(m.title.text, "a\tb\033[0m \xe2\x80\xae txt");
	EXPECT_EQ(handle(&m), 0);
	EXPECT_STR(windows_find(ws, 1)->title, "a_b_[0m ___ txt");
	EXPECT_EQ(rec.changes, WINDOW_TITLE);
	forget_log();
	EXPECT_EQ(handle(&m), 0);
	EXPECT_STR(rec.log, ""); /* the same title again is no news */
	m.type = GUI_WMCLASS;
	memset(&m.class_hint, 0, sizeof(m.class_hint));
	strcpy(m.class_hint.class_name, "X\nTerm");
	EXPECT_EQ(handle(&m), 0);
	EXPECT_STR(windows_find(ws, 1)->class_name, "X_Term");
}

TEST(windows, window_zero_is_the_whole_screen_and_others_are_cut_out_of_it)
{
	struct window *w;
	struct dump d;
	struct rect part;

	start(8);
	w = open_window(1);
	w->rect = (struct rect){10, 20, 30, 30};
	EXPECT(!windows_content(ws, w, &d, &part));
	forget_log();
	EXPECT_EQ(dump(0, 64, 40), 0);
	EXPECT_STR(rec.log, "changed 1 100;send WINDOW_DUMP_ACK 0;");
	EXPECT(windows_content(ws, w, &d, &part));
	EXPECT_EQ(d.width, 64);
	EXPECT_EQ(part.x, 10);
	EXPECT_EQ(part.y, 20);
	EXPECT_EQ(part.width, 30);
	EXPECT_EQ(part.height, 20); /* the screen ends there */

	/* damage of the screen reaches the window, in its own coordinates */
	windows_take_damage(w, &(struct damage){.count = 0});
	forget_log();
	EXPECT_EQ(damaged(0, 15, 25, 5, 5), 0);
	EXPECT_STR(rec.log, "changed 1 200;");
	EXPECT_EQ(w->damage.count, 1);
	EXPECT_EQ(w->damage.rects[0].x, 5);
	EXPECT_EQ(w->damage.rects[0].y, 5);
	EXPECT_EQ(damaged(0, 0, 0, 5, 5), 0);
	EXPECT_EQ(w->damage.count, 1);

	/* a dump of its own wins */
	EXPECT_EQ(dump(1, 30, 30), 0);
	EXPECT(windows_content(ws, w, &d, &part));
	EXPECT_EQ(d.width, 30);
	EXPECT_EQ(part.x, 0);
}

TEST(windows, a_scale_counts_from_the_dump_on_that_it_was_told_for)
{
	struct window *w;
	struct dump d;
	struct rect part;

	start(8);
	w = open_window(1);
	w->rect = (struct rect){10, 20, 30, 20};
	EXPECT_EQ(dump(1, 30, 20), 0);
	EXPECT(windows_content(ws, w, &d, &part));
	EXPECT_EQ(d.scale, 1);

	/* told before */
	forget_log();
	windows_set_scale(ws, w, 2);
	EXPECT_STR(rec.log, "");
	EXPECT(windows_content(ws, w, &d, &part));
	EXPECT_EQ(d.scale, 1);
	EXPECT_EQ(part.width, 30);
	EXPECT_EQ(dump(1, 60, 40), 0);
	EXPECT(windows_content(ws, w, &d, &part));
	EXPECT_EQ(d.scale, 2);
	EXPECT_EQ(part.width, 60);
	EXPECT_EQ(part.height, 40);

	/* it stays; a dump that is too small is no more than it is */
	EXPECT_EQ(dump(1, 60, 30), 0);
	EXPECT(windows_content(ws, w, &d, &part));
	EXPECT_EQ(d.scale, 2);
	EXPECT_EQ(part.height, 30);

	/* told after */
	EXPECT_EQ(dump(1, 30, 20), 0);
	forget_log();
	windows_set_scale(ws, w, 1);
	EXPECT_STR(rec.log, "changed 1 100;");
	EXPECT(windows_content(ws, w, &d, &part));
	EXPECT_EQ(d.scale, 1);
	EXPECT_EQ(part.width, 30);
}

TEST(windows, the_screen_has_no_scale)
{
	struct dump d;
	struct rect part;

	start(8);
	EXPECT_EQ(create_at(0, 0, 0, 64, 64, false), 0);
	windows_set_scale(ws, windows_find(ws, 0), 2);
	EXPECT_EQ(dump(0, 64, 64), 0);
	EXPECT(windows_content(ws, windows_find(ws, 0), &d, &part));
	EXPECT_EQ(d.scale, 1);
}

TEST(windows, the_screen_itself_can_be_shown_as_a_window)
{
	start(8);
	EXPECT_EQ(dump(0, 64, 64), 0);
	EXPECT_EQ(create_at(0, 0, 0, 64, 64, true), 0);
	EXPECT_EQ(map(0, 0, true), 0);
	EXPECT(!windows_find(ws, 0)->is_override_redirect);
	EXPECT_EQ(windows_find(ws, 0)->dump.width, 64);
	EXPECT_EQ(damaged(0, 1, 1, 1, 1), 0);
	EXPECT_EQ(bare(GUI_DESTROY, 0), 0);
	EXPECT_EQ(rec.mapped_dumps, 0);
	EXPECT_EQ(windows_count(ws), 0);
}

TEST(windows, destroying_the_screen_is_told_before_its_pages_go)
{
	struct dump d;
	struct rect part;

	start(8);
	open_window(1);
	EXPECT_EQ(dump(0, 128, 128), 0);
	EXPECT_EQ(create_at(0, 0, 0, 128, 128, false), 0);
	EXPECT(windows_content(ws, windows_find(ws, 1), &d, &part));
	forget_log();
	EXPECT_EQ(bare(GUI_DESTROY, 0), 0);
	EXPECT_STR(rec.log, "changed 1 100;send DESTROY 0;");
	EXPECT(!windows_content(ws, windows_find(ws, 1), &d, &part));
}

TEST(windows, other_messages_for_an_uncreated_screen_change_nothing)
{
	start(8);
	EXPECT_EQ(map(0, 0, false), 0);
	EXPECT_EQ(bare(GUI_DESTROY, 0), 0);
	EXPECT_EQ(dump(0, 64, 64), 0);
	EXPECT_EQ(map(0, 0, false), 0);
	EXPECT(!windows_find(ws, 0)->is_mapped);
}

TEST(windows, damage_is_clipped_joined_and_taken_once)
{
	struct window *w;
	struct damage d;
	int i;

	start(8);
	w = open_window(1);
	windows_take_damage(w, &d);
	EXPECT_EQ(d.count, 1); /* all of it, from mapping */
	forget_log();
	for (i = 0; i < 10000; i++) {
		EXPECT_EQ(damaged(1, i % 300, (i * 7) % 200, 5, 5), 0);
	}
	EXPECT_STR(rec.log, "changed 1 200;"); /* a flood is one change */
	windows_take_damage(w, &d);
	EXPECT(d.count <= DAMAGE_RECTS_MAX);
	windows_take_damage(w, &d);
	EXPECT_EQ(d.count, 0);
	EXPECT_EQ(damaged(1, -100, -100, 50, 50), 0);
	EXPECT_EQ(damaged(1, INT32_MAX, INT32_MAX, 16384, 6144), 0);
	windows_take_damage(w, &d);
	EXPECT_EQ(d.count, 0);
	EXPECT_EQ(damaged(1, -10, -10, 16384, 6144), 0);
	windows_take_damage(w, &d);
	EXPECT_EQ(d.rects[0].width, 300);
	EXPECT_EQ(d.rects[0].height, 200);
}

TEST(windows, damage_of_a_hidden_window_is_not_kept)
{
	struct window *w;

	start(8);
	w = open_window(1);
	EXPECT_EQ(bare(GUI_UNMAP, 1), 0);
	EXPECT_EQ(damaged(1, 0, 0, 5, 5), 0);
	EXPECT_EQ(w->damage.count, 0);
}

TEST(windows, fullscreen_is_asked_once_for_a_domain)
{
	start(8);
	open_window(1);
	open_window(2);
	forget_log();
	EXPECT_EQ(flags(1, GUI_FLAG_FULLSCREEN, 0), 0);
	EXPECT_EQ(flags(1, GUI_FLAG_FULLSCREEN, 0), 0);
	EXPECT_EQ(flags(2, GUI_FLAG_FULLSCREEN, 0), 0);
	EXPECT_STR(rec.log, "ask 1;");
	EXPECT(!windows_find(ws, 1)->is_fullscreen);
	windows_answer_fullscreen(ws, true);
	EXPECT(windows_find(ws, 1)->is_fullscreen);
	EXPECT(windows_find(ws, 2)->is_fullscreen);
	forget_log();
	EXPECT_EQ(flags(1, 0, GUI_FLAG_FULLSCREEN), 0);
	EXPECT_EQ(flags(1, GUI_FLAG_FULLSCREEN, 0), 0);
	EXPECT_STR(rec.log, "changed 1 20;changed 1 20;send WINDOW_FLAGS 1;");
	EXPECT_EQ(rec.last_sent.flags.set, GUI_FLAG_FULLSCREEN);
	forget_log();
	windows_user_left_fullscreen(ws, windows_find(ws, 1));
	windows_user_left_fullscreen(ws, windows_find(ws, 1));
	EXPECT_STR(rec.log, "send WINDOW_FLAGS 1;");
	EXPECT_EQ(rec.last_sent.flags.unset, GUI_FLAG_FULLSCREEN);
}

TEST(windows, fullscreen_is_asked_again_when_the_question_went_with_its_window)
{
	start(8);
	open_window(1);
	open_window(2);
	EXPECT(!windows_asked(ws));
	EXPECT_EQ(flags(1, GUI_FLAG_FULLSCREEN, 0), 0);
	EXPECT_EQ(flags(2, GUI_FLAG_FULLSCREEN, 0), 0);
	EXPECT(windows_asked(ws) == windows_find(ws, 1));
	EXPECT_EQ(bare(GUI_UNMAP, 1), 0);
	EXPECT(!windows_asked(ws));
	forget_log();
	EXPECT_EQ(flags(2, GUI_FLAG_FULLSCREEN, 0), 0);
	EXPECT_STR(rec.log, "ask 2;");
	EXPECT_EQ(bare(GUI_DESTROY, 2), 0);
	EXPECT(!windows_asked(ws));
	open_window(3);
	EXPECT_EQ(flags(3, GUI_FLAG_FULLSCREEN, 0), 0);
	windows_answer_fullscreen(ws, true);
	EXPECT(!windows_asked(ws));
	EXPECT(windows_find(ws, 3)->is_fullscreen);
}

TEST(windows, a_hidden_pointer_is_told_once)
{
	struct window *w;

	start(8);
	w = open_window(1);
	forget_log();
	windows_hide_cursor(ws, w, true);
	windows_hide_cursor(ws, w, true);
	EXPECT(w->is_cursor_hidden);
	EXPECT_EQ(rec.changes, WINDOW_CURSOR);
	EXPECT_STR(rec.log, "changed 1 10;");
	windows_hide_cursor(ws, w, false);
	EXPECT(!w->is_cursor_hidden);
	EXPECT_STR(rec.log, "changed 1 10;changed 1 10;");
	EXPECT_EQ(rec.sent, 0);
}

TEST(windows, refused_fullscreen_is_told_to_the_guest)
{
	start(8);
	open_window(1);
	EXPECT_EQ(flags(1, GUI_FLAG_FULLSCREEN, 0), 0);
	forget_log();
	windows_answer_fullscreen(ws, false);
	EXPECT_STR(rec.log, "send WINDOW_FLAGS 1;");
	EXPECT_EQ(flags(1, GUI_FLAG_FULLSCREEN, 0), 0);
	EXPECT(!windows_find(ws, 1)->is_fullscreen);
	EXPECT_EQ(rec.sent, 2);
}

TEST(windows, flags_change_only_what_they_name)
{
	struct window *w;

	start(8);
	w = open_window(1);
	forget_log();
	EXPECT_EQ(flags(1, GUI_FLAG_ATTENTION | GUI_FLAG_MINIMIZE, 0), 0);
	EXPECT(w->wants_attention && w->is_minimized);
	EXPECT_EQ(rec.changes, WINDOW_ATTENTION | WINDOW_MINIMIZE);
	EXPECT_EQ(flags(1, 0, GUI_FLAG_ATTENTION), 0);
	EXPECT(!w->wants_attention && w->is_minimized);
	forget_log();
	windows_user_minimize(ws, w, false);
	windows_user_minimize(ws, w, false);
	EXPECT_STR(rec.log, "send WINDOW_FLAGS 1;");
	EXPECT_EQ(rec.last_sent.flags.unset, GUI_FLAG_MINIMIZE);
}

TEST(windows, clipboard_data_counts_only_when_the_user_asked)
{
	static const uint8_t bytes[4] = "abc";
	struct gui_message m = {.type = GUI_CLIPBOARD_DATA, .clipboard = {bytes, 3, false}};
	struct window *w;

	start(8);
	w = open_window(1);
	forget_log();
	EXPECT_EQ(handle(&m), 0);
	EXPECT_STR(rec.log, "");
	windows_user_copy(ws, w);
	EXPECT_EQ(handle(&m), 0);
	EXPECT_EQ(handle(&m), 0);
	EXPECT_STR(rec.log, "send CLIPBOARD_REQ 1;clipboard;");
	EXPECT_EQ(rec.clipboard_size, 3);
	windows_user_copy(ws, w);
	m.clipboard.is_too_large = true;
	forget_log();
	EXPECT_EQ(handle(&m), 0);
	EXPECT_STR(rec.log, "notice 0;");
}

TEST(windows, pasting_is_limited_by_what_the_agent_accepts)
{
	static const uint8_t bytes[GUI_CLIPBOARD_MAX + 1];

	start(8);
	windows_user_paste(ws, bytes, GUI_CLIPBOARD_MAX);
	EXPECT_STR(rec.log, "send CLIPBOARD_DATA 0;");
	forget_log();
	windows_user_paste(ws, bytes, GUI_CLIPBOARD_MAX + 1);
	EXPECT_STR(rec.log, "notice 0;");
	start(7);
	windows_user_paste(ws, bytes, GUI_CLIPBOARD_OLD + 1);
	EXPECT_STR(rec.log, "notice 0;");
}

TEST(windows, resizes_by_the_user_are_joined_until_the_guest_answers)
{
	struct window *w;

	start(8);
	w = open_window(1);
	forget_log();
	windows_user_resize(ws, w, 400, 300, 0);
	windows_user_resize(ws, w, 410, 300, 1);
	windows_user_resize(ws, w, 420, 300, 2);
	EXPECT_EQ(rec.sent, 1);
	EXPECT_EQ(rec.last_sent.configure.width, 400);
	EXPECT_EQ(configure(1, 10, 20, 400, 300, false), 0);
	EXPECT_EQ(rec.sent, 2);
	EXPECT_EQ(rec.last_sent.configure.width, 420);
	EXPECT_EQ(configure(1, 10, 20, 420, 300, false), 0);
	EXPECT_EQ(rec.sent, 2);
	EXPECT_EQ(w->rect.width, 420);
	windows_user_resize(ws, w, 420, 300, 3);
	EXPECT_EQ(rec.sent, 2);
}

TEST(windows, a_guest_that_does_not_answer_a_resize_is_asked_again_later)
{
	struct window *w;

	start(8);
	w = open_window(1);
	windows_user_resize(ws, w, 400, 300, 0);
	windows_user_resize(ws, w, 500, 300, 1);
	forget_log();
	windows_tick(ws, WINDOWS_RESIZE_TIMEOUT_US);
	EXPECT_EQ(rec.sent, 0);
	windows_tick(ws, WINDOWS_RESIZE_TIMEOUT_US + 1);
	EXPECT_EQ(rec.sent, 1);
	EXPECT_EQ(rec.last_sent.configure.width, 500);
}

TEST(windows, a_close_is_asked_of_the_guest)
{
	start(8);
	windows_user_close(ws, open_window(1));
	EXPECT_STR(rec.log, "shown 1;send CLOSE 1;");
}

TEST(windows, popups_anchor_to_their_parent_or_to_what_they_lie_on)
{
	struct window *popup;

	start(8);
	open_window(1);
	open_window(2);
	EXPECT_EQ(create_at(3, 15, 25, 50, 50, true), 0);
	EXPECT_EQ(map(3, 1, true), 0);
	popup = windows_find(ws, 3);
	EXPECT_EQ(windows_anchor(ws, popup)->id, 1);
	EXPECT_EQ(bare(GUI_DESTROY, 1), 0);
	EXPECT_EQ(popup->transient_for, 0);
	EXPECT_EQ(windows_anchor(ws, popup)->id, 2);
	EXPECT_EQ(configure(2, 800, 800, 50, 50, false), 0);
	EXPECT_EQ(windows_anchor(ws, popup)->id, 2); /* the only one */
	EXPECT_EQ(bare(GUI_UNMAP, 2), 0);
	EXPECT(!windows_anchor(ws, popup));
}

TEST(windows, a_circle_of_transient_windows_is_cut)
{
	start(8);
	EXPECT_EQ(create_at(1, 0, 0, 9, 9, false), 0);
	EXPECT_EQ(create_at(2, 0, 0, 9, 9, false), 0);
	EXPECT_EQ(create_at(3, 0, 0, 9, 9, false), 0);
	EXPECT_EQ(map(1, 2, false), 0);
	EXPECT_EQ(map(2, 3, false), 0);
	EXPECT_EQ(map(3, 1, false), 0);
	EXPECT_EQ(windows_find(ws, 3)->transient_for, 0);
	EXPECT_EQ(map(3, 3, false), 0);
	EXPECT_EQ(windows_find(ws, 3)->transient_for, 0);
}

TEST(windows, docking_is_told_once)
{
	start(8);
	open_window(1);
	forget_log();
	EXPECT_EQ(bare(GUI_DOCK, 1), 0);
	EXPECT_EQ(bare(GUI_DOCK, 1), 0);
	EXPECT_STR(rec.log, "docked 1;");
}

TEST(windows, cursor_and_hints_are_told)
{
	struct gui_message m = {.type = GUI_CURSOR, .window = 1, .cursor = 0x198};

	start(8);
	open_window(1);
	forget_log();
	EXPECT_EQ(handle(&m), 0);
	EXPECT_EQ(handle(&m), 0);
	EXPECT_STR(rec.log, "changed 1 10;");
	m.type = GUI_WINDOW_HINTS;
	m.hints = (struct gui_hints){.flags = GUI_HINT_MIN_SIZE, .min_width = 5};
	EXPECT_EQ(handle(&m), 0);
	EXPECT_EQ(windows_find(ws, 1)->hints.min_width, 5);
}

TEST(windows, what_only_a_daemon_sends_is_refused)
{
	start(8);
	open_window(1);
	EXPECT_EQ(bare(GUI_CLOSE, 1), -EPROTO);
	EXPECT_EQ(bare(GUI_WINDOW_DUMP_ACK, 1), -EPROTO);
}

TEST(windows, losing_the_agent_hides_and_forgets_everything)
{
	start(8);
	open_window(1);
	open_window(2);
	EXPECT_EQ(dump(1, 64, 64), 0);
	forget_log();
	windows_reset(ws, 3);
	EXPECT_STR(rec.log, "hidden 2;hidden 1;");
	EXPECT_EQ(windows_count(ws), 0);
	EXPECT_EQ(windows_page_count(ws), 0);
	EXPECT_EQ(rec.mapped_dumps, 0);
	EXPECT_EQ(bare(GUI_MAP, 1), 0); /* the new agent is an old one */
	windows_destroy(ws);
	ws = NULL;
}

/* What a hostile agent may do to one daemon for a long time. */
TEST(windows, a_hundred_thousand_windows_leave_nothing_behind)
{
	uint32_t i;

	start(8);
	for (i = 1; i <= 100000; i++) {
		EXPECT_EQ(create_at(i, (int32_t)(i * 2654435761u), -5, i % 300, 9, i & 1), 0);
		EXPECT_EQ(map(i, i - 1, i & 1), 0);
		EXPECT_EQ(dump(i, 32, 32), 0);
		EXPECT_EQ(damaged(i, -3, -3, 100, 100), 0);
		if (i > 4) {
			EXPECT_EQ(bare(GUI_DESTROY, i - 4), 0);
		}
		forget_log();
	}
	EXPECT_EQ(windows_count(ws), 4);
	EXPECT_EQ(windows_page_count(ws), 4);
	EXPECT_EQ(rec.mapped_dumps, 4);
	windows_destroy(ws);
	ws = NULL;
	EXPECT_EQ(rec.mapped_dumps, 0);
}

TEST(windows, a_million_senseless_messages_keep_every_promise)
{
	static uint8_t refs[256];
	uint32_t state = 12345, i;
	struct gui_message m;
	struct window *w;
	struct dump d;
	struct rect part;

	start(8);
	for (i = 0; i < 1000000; i++) {
		random_message(&state, refs, &m);
		(void)handle(&m); /* broken rules are part of it */
		if (i % 64 == 0) {
			forget_log();
			windows_answer_fullscreen(ws, i & 64);
		}
		EXPECT(windows_count(ws) <= 8);
		EXPECT(windows_page_count(ws) <= 100);
		w = windows_find(ws, i % 8);
		if (w && windows_content(ws, w, &d, &part)) {
			EXPECT(part.x >= 0 && part.y >= 0);
			EXPECT((uint32_t)(part.x + part.width) <= d.width);
			EXPECT((uint32_t)(part.y + part.height) <= d.height);
		}
	}
	windows_destroy(ws);
	ws = NULL;
	EXPECT_EQ(rec.mapped_dumps, 0);
}

TEST_MAIN()
