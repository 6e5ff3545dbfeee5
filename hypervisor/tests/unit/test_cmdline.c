// SPDX-License-Identifier: GPL-2.0-or-later
#include "boot/cmdline.h"

#include "base/test.h"

static char value[16];
static char unknown[200];

static void report(void *context, const char *word, size_t length)
{
	strncat(unknown, word, length);
	strcat(unknown, "|");
}

TEST(cmdline, the_last_value_wins)
{
	EXPECT(cmdline_value("console=com1 x  console=vga\t", "console", value, sizeof(value)));
	EXPECT_STR(value, "vga");
	EXPECT(cmdline_value("a=b=c", "a", value, sizeof(value)));
	EXPECT_STR(value, "b=c");
	EXPECT(cmdline_value("a=", "a", value, sizeof(value)));
	EXPECT_STR(value, "");
}

TEST(cmdline, other_names_and_missing_values_are_not_found)
{
	EXPECT(!cmdline_value("console xconsole=1 consolex=2", "console", value, sizeof(value)));
	EXPECT(!cmdline_value("", "console", value, sizeof(value)));
	EXPECT(!cmdline_value("   ", "console", value, sizeof(value)));
	EXPECT(!cmdline_value("=x", "console", value, sizeof(value)));
}

TEST(cmdline, a_value_too_long_is_refused)
{
	EXPECT(!cmdline_value("a=0123456789abcdef", "a", value, sizeof(value)));
	EXPECT(cmdline_value("a=0123456789abcde", "a", value, sizeof(value)));
}

TEST(cmdline, flags_have_the_forms_that_xen_has)
{
	static const char *const on[] = {"f", "f=on", "f=yes", "f=true", "f=1", "no-f f"};
	static const char *const off[] = {"no-f", "nof", "f=off", "f=no", "f=false", "f=0", "f no-f"};
	unsigned int i;

	for (i = 0; i < sizeof(on) / sizeof(on[0]); i++) {
		EXPECT(cmdline_flag(on[i], "f", false));
	}
	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		EXPECT(!cmdline_flag(off[i], "f", true));
	}
	EXPECT(cmdline_flag("g", "f", true) && !cmdline_flag("g", "f", false));
	EXPECT(cmdline_flag("f=maybe", "f", true) && !cmdline_flag("f=maybe", "f", false));
}

TEST(cmdline, numbers_are_checked)
{
	EXPECT_EQ(cmdline_number("n=12", "n", 1, 16, 5), 12);
	EXPECT_EQ(cmdline_number("n=0", "n", 1, 16, 5), 5);
	EXPECT_EQ(cmdline_number("n=17", "n", 1, 16, 5), 5);
	EXPECT_EQ(cmdline_number("n=1x", "n", 1, 16, 5), 5);
	EXPECT_EQ(cmdline_number("n=", "n", 1, 16, 5), 5);
	EXPECT_EQ(cmdline_number("n=-1", "n", 1, 16, 5), 5);
	EXPECT_EQ(cmdline_number("n=18446744073709551615", "n", 0, UINT64_MAX, 5), UINT64_MAX);
	EXPECT_EQ(cmdline_number("n=18446744073709551616", "n", 0, UINT64_MAX, 5), 5);
	EXPECT_EQ(cmdline_number("n=3", "n", 0, 4, 5), 3);
}

TEST(cmdline, unknown_words_are_reported)
{
	static const char *const known[] = {"a", "b", NULL};

	unknown[0] = '\0';
	cmdline_unknown(" a b=1 no-a nob c=2 ab - no no- d", known, report, NULL);
	EXPECT_STR(unknown, "c=2|ab|-|no|no-|d|");
}

TEST_MAIN()
