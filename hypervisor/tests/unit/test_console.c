// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Log ring, console devices, input switching, debug keys.
 */
#include "core/console.h"

#include "arch/unit/unit.h"
#include "base/test.h"
#include "core/debug_key.h"
#include "core/log.h"
#include "core/softirq.h"

static char screen[100000];
static size_t screen_length;
static unsigned int pressed, notified;

static bool setup_fake(const char *options)
{
	return true;
}

static bool setup_absent(const char *options)
{
	return false;
}

static void write_fake(const char *text, size_t length)
{
	EXPECT(screen_length + length < sizeof(screen));
	memcpy(screen + screen_length, text, length);
	screen_length += length;
	screen[screen_length] = '\0';
}

static struct console_device fake = {.name = "com1", .setup = setup_fake, .write = write_fake};
static struct console_device absent = {.name = "com2", .setup = setup_absent, .write = write_fake};
static struct console_device *const both[] = {&absent, &fake, NULL};

static void handle_key(void)
{
	pressed++;
}

static void notify(void)
{
	notified++;
}

static void clear(void)
{
	screen_length = 0;
	screen[0] = '\0';
}

static void set_up(void)
{
	static bool is_set;
	char rest[64];

	unit_reset(1);
	if (!is_set) {
		log_info("before any device\n");
		EXPECT(!console_setup("vga", both));
		EXPECT(console_setup("com2,com1", both));
		EXPECT(strstr(screen, "before any device"));
		debug_key_setup();
		debug_key_register('x', "a test", handle_key);
		console_set_input_notify(notify);
		is_set = true;
	}
	while (console_input_read(rest, sizeof(rest))) {
	}
	clear();
	pressed = notified = 0;
}

static void type(const char *text)
{
	for (; *text; text++) {
		console_input(*text);
	}
}

TEST(log, every_line_has_the_prefix_and_an_end)
{
	set_up();
	log_info("one\ntwo");
	EXPECT_STR(screen, "(hv) one\n(hv) two\n");
}

TEST(log, a_long_message_is_cut_and_still_a_line)
{
	char text[1000];

	set_up();
	memset(text, 'x', sizeof(text));
	text[999] = '\0';
	log_info("%s", text);
	EXPECT(screen_length < 600);
	EXPECT_EQ(screen[screen_length - 1], '\n');
}

TEST(log, levels_above_the_limit_are_dropped)
{
	set_up();
	log_debug("quiet\n");
	EXPECT_EQ(screen_length, 0);
	log_set_level(LOG_DEBUG);
	log_debug("loud\n");
	log_set_level(LOG_INFO);
	EXPECT(strstr(screen, "loud"));
}

TEST(log, ring_is_read_in_pieces_and_forgets_the_oldest)
{
	char text[40000];
	u32 position = 0;
	size_t got, total = 0;
	int i;

	set_up();
	for (i = 0; i < 5000; i++) {
		clear();
		log_info("line %d\n", i);
	}
	while ((got = log_ring_read(text + total, 100, &position, false))) {
		total += got;
		EXPECT(total <= 32768);
	}
	text[total] = '\0';
	EXPECT_EQ(total, 32768);
	EXPECT(strstr(text, "line 4999\n") && !strstr(text, "line 1\n"));
	/* From where we are on there is nothing, from nonsense all that there is. */
	EXPECT_EQ(log_ring_read(text, sizeof(text), &position, false), 0);
	position += 77777;
	EXPECT_EQ(log_ring_read(text, sizeof(text), &position, true), 32768);
	position = 0;
	EXPECT_EQ(log_ring_read(text, sizeof(text), &position, false), 0);
	log_info("after\n");
	position = 0;
	EXPECT_EQ(log_ring_read(text, sizeof(text), &position, false), 11);
}

TEST(console, input_waits_for_dom0)
{
	char text[16];

	set_up();
	type("ls\n");
	EXPECT_EQ(notified, 3);
	EXPECT_EQ(console_input_read(text, 2), 2);
	EXPECT(memcmp(text, "ls", 2) == 0);
	EXPECT_EQ(console_input_read(text, sizeof(text)), 1);
	EXPECT_EQ(console_input_read(text, sizeof(text)), 0);
}

TEST(console, too_much_input_is_dropped)
{
	char text[4000];
	int i;

	set_up();
	for (i = 0; i < 3000; i++) {
		console_input('a');
	}
	EXPECT_EQ(console_input_read(text, sizeof(text)), 1024);
}

TEST(console, three_ctrl_a_switch_and_two_do_not)
{
	char text[16];

	set_up();
	type("\001\001x");
	softirq_run();
	EXPECT_EQ(pressed, 0);
	type("\001\001\001x");
	softirq_run();
	EXPECT_EQ(pressed, 1);
	type("\001\001\001x");
	softirq_run();
	EXPECT_EQ(pressed, 1);
	EXPECT_EQ(console_input_read(text, sizeof(text)), 2);
}

TEST(debug_key, unknown_ones_are_named)
{
	set_up();
	debug_key_press('?');
	debug_key_press((char)0xff);
	softirq_run();
	EXPECT(strstr(screen, "no debug key '?'"));
	clear();
	debug_key_press('h');
	softirq_run();
	EXPECT(strstr(screen, "'x' a test"));
	EXPECT(UNIT_PANICS(debug_key_register('x', "again", handle_key)));
}

TEST(console, a_dropped_device_is_silent)
{
	set_up();
	console_drop(&fake);
	log_info("nobody hears\n");
	console_write_guest("this", 4);
	EXPECT_EQ(screen_length, 0);
	console_drop(&fake); /* twice does nothing */
	EXPECT(console_setup("com1", both));
}

TEST_MAIN()
