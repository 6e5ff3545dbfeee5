/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/presenter.h"

#include "base/test.h"

#include <stdarg.h>

static char log_text[4096];
static int ticks_wanted;
static struct presenter p;
static struct windows *ws;

static __attribute__((format(printf, 1, 2))) void note(const char *format, ...)
{
	size_t used = strlen(log_text);
	va_list args;

	va_start(args, format);
	vsnprintf(log_text + used, sizeof(log_text) - used, format, args);
	va_end(args);
}

static void on_show(void *context, struct window *w)
{
	note("show %u;", w->id);
}

static void on_hide(void *context, struct window *w)
{
	note("hide %u;", w->id);
}

static void on_change(void *context, struct window *w, unsigned int what)
{
	note("change %u %x;", w->id, what);
}

static void on_want_tick(void *context)
{
	ticks_wanted++;
}

static void on_limited(void *context)
{
	note("limited;");
}

static const struct presenter_view presenter_view = {on_show, on_hide, on_change, on_want_tick,
						     on_limited};

static void view_shown(void *context, struct window *w)
{
	presenter_shown(&p, w);
}

static void view_hidden(void *context, struct window *w)
{
	presenter_hidden(&p, w);
}

static void view_changed(void *context, struct window *w, unsigned int what)
{
	presenter_changed(&p, w, what);
}

static void view_send(void *context, const struct gui_message *msg)
{
}

static const struct windows_view view = {
	.shown = view_shown, .hidden = view_hidden, .changed = view_changed, .send = view_send};

static void start(void)
{
	const struct windows_config config = {.minor = 8, .work_area = {0, 0, 1000, 1000}};
	const struct presenter_limits limits = {4, 2, 100000};

	windows_destroy(ws);
	presenter_init(&p, &limits, &presenter_view, NULL);
	ws = windows_create(&config, &view, NULL);
	log_text[0] = '\0';
	ticks_wanted = 0;
}

static void handle(const struct gui_message *m)
{
	const char *rule;

	if (windows_handle(ws, m, &rule)) {
		note("refused;");
	}
}

static void open_window(uint32_t id, uint32_t width, uint32_t height, bool is_or)
{
	const struct gui_message create = {
		.type = GUI_CREATE, .window = id, .create = {0, 0, width, height, 0, is_or}};
	const struct gui_message map = {.type = GUI_MAP, .window = id, .map = {0, is_or}};

	handle(&create);
	handle(&map);
}

static void bare(enum gui_type type, uint32_t id)
{
	const struct gui_message m = {.type = type, .window = id};

	handle(&m);
}

static void configure(uint32_t id, uint32_t width, uint32_t height)
{
	const struct gui_message m = {
		.type = GUI_CONFIGURE, .window = id, .configure = {0, 0, width, height, false}};

	handle(&m);
}

static void title(uint32_t id, const char *text)
{
	struct gui_message m = {.type = GUI_WMNAME, .window = id};

	snprintf(m.title.text, sizeof(m.title.text), "%s", text);
	handle(&m);
}

TEST(presenter, a_window_is_shown_at_the_next_frame)
{
	start();
	open_window(1, 10, 10, false);
	EXPECT_STR(log_text, "");
	EXPECT_EQ(ticks_wanted, 1);
	presenter_tick(&p, ws);
	EXPECT_STR(log_text, "show 1;");
	presenter_tick(&p, ws);
	EXPECT_STR(log_text, "show 1;");
	bare(GUI_UNMAP, 1);
	EXPECT_STR(log_text, "show 1;hide 1;");
}

TEST(presenter, what_comes_and_goes_within_a_frame_is_never_seen)
{
	uint32_t i;

	start();
	for (i = 1; i < 10000; i++) {
		open_window(i, 10, 10, i & 1);
		bare(GUI_DESTROY, i);
	}
	presenter_tick(&p, ws);
	EXPECT_STR(log_text, "");
}

TEST(presenter, many_changes_are_one)
{
	char text[32];
	int i;

	start();
	open_window(1, 10, 10, false);
	presenter_tick(&p, ws);
	log_text[0] = '\0';
	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "title %d", i);
		title(1, text);
		configure(1, 10 + (uint32_t)i % 50, 10);
	}
	EXPECT_STR(log_text, "");
	presenter_tick(&p, ws);
	EXPECT_STR(log_text, "change 1 3;");
	presenter_tick(&p, ws);
	EXPECT_STR(log_text, "change 1 3;");
}

TEST(presenter, damage_is_told_at_once_and_once)
{
	const struct gui_message m = {.type = GUI_SHMIMAGE, .window = 1, .damage = {0, 0, 5, 5}};
	struct damage d;
	int i;

	start();
	open_window(1, 10, 10, false);
	presenter_tick(&p, ws);
	windows_take_damage(windows_find(ws, 1), &d);
	log_text[0] = '\0';
	for (i = 0; i < 1000; i++) {
		handle(&m);
	}
	EXPECT_STR(log_text, "change 1 200;");
}

TEST(presenter, windows_over_a_limit_wait_for_room)
{
	uint32_t id;

	start();
	for (id = 1; id <= 5; id++) {
		open_window(id, 10, 10, false);
	}
	for (id = 11; id <= 13; id++) {
		open_window(id, 10, 10, true);
	}
	presenter_tick(&p, ws);
	presenter_tick(&p, ws);
	EXPECT_STR(log_text, "show 1;show 2;show 3;show 4;limited;show 11;show 12;");
	log_text[0] = '\0';
	bare(GUI_DESTROY, 2);
	bare(GUI_DESTROY, 12);
	presenter_tick(&p, ws);
	EXPECT_STR(log_text, "hide 2;hide 12;show 5;show 13;");
}

TEST(presenter, pixels_are_limited_also_when_a_window_grows)
{
	start();
	open_window(1, 200, 200, false);
	open_window(2, 250, 250, false);
	presenter_tick(&p, ws);
	EXPECT_STR(log_text, "show 1;limited;");
	configure(2, 240, 240);
	presenter_tick(&p, ws);
	EXPECT_STR(log_text, "show 1;limited;show 2;");
	log_text[0] = '\0';
	configure(1, 900, 900);
	presenter_tick(&p, ws);
	EXPECT(strstr(log_text, "hide 1;"));
	EXPECT(!strstr(log_text, "show 1;"));
	EXPECT_EQ(p.pixel_count, 240 * 240);
	configure(1, 20, 20);
	presenter_tick(&p, ws);
	EXPECT(strstr(log_text, "show 1;"));
}

TEST(presenter, only_some_windows_appear_in_one_frame)
{
	const struct presenter_limits limits = {100, 100, 1000000};
	uint32_t id;

	start();
	p.limits = limits;
	for (id = 1; id <= 20; id++) {
		open_window(id, 10, 10, false);
	}
	presenter_tick(&p, ws);
	EXPECT_EQ(p.window_count, PRESENTER_SHOWS_AT_ONCE);
	presenter_tick(&p, ws);
	presenter_tick(&p, ws);
	EXPECT_EQ(p.window_count, 20);
	windows_destroy(ws);
	ws = NULL;
	EXPECT_EQ(p.window_count, 0);
	EXPECT_EQ(p.pixel_count, 0);
}

TEST_MAIN()
