// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/test.h"
#include "lib/format.h"

static char text[64];

#define EXPECT_TEXT(expected, ...)                                                                 \
	do {                                                                                       \
		EXPECT_EQ(format_text(text, sizeof(text), __VA_ARGS__), strlen(expected));         \
		EXPECT_STR(text, expected);                                                        \
	} while (0)

TEST(format, integers)
{
	EXPECT_TEXT("0", "%d", 0);
	EXPECT_TEXT("-2147483648", "%d", INT32_MIN);
	EXPECT_TEXT("-9223372036854775808", "%ld", INT64_MIN);
	EXPECT_TEXT("18446744073709551615", "%llu", ~0ull);
	EXPECT_TEXT("deadBEEF", "%x%X", 0xdead, 0xbeef);
	EXPECT_TEXT("0042|  42|42  |-042", "%04d|%4d|%-4d|%04d", 42, 42, 42, -42);
	EXPECT_TEXT("255", "%hhu", (unsigned char)0xff);
	EXPECT_TEXT("0x1f 0 0x001f", "%#x %#x %#06x", 0x1f, 0, 0x1f);
}

TEST(format, strings_and_precision)
{
	EXPECT_TEXT("[abc]", "[%s]", "abc");
	EXPECT_TEXT("[ab]", "[%.*s]", 2, "abc");
	EXPECT_TEXT("[  abc][abc  ]", "[%5s][%-5s]", "abc", "abc");
	EXPECT_TEXT("100%", "%d%%", 100);
	EXPECT_TEXT("x", "%c", 'x');
	EXPECT_TEXT("[   7]", "[%*d]", 4, 7);
}

TEST(format, pointers_have_16_digits)
{
	EXPECT_TEXT("00000000deadbeef", "%p", (void *)0xdeadbeeful);
}

TEST(format, truncates_and_reports_the_whole_length)
{
	char small[4] = "zzz";

	EXPECT_EQ(format_text(small, sizeof(small), "%s", "abcdef"), 6);
	EXPECT_STR(small, "abc");
	EXPECT_EQ(format_text(small, 0, "%d", 12345), 5);
	EXPECT_STR(small, "abc");
}

TEST(format, unknown_conversion_and_lone_percent_are_harmless)
{
	static const char *const odd[] = {"%q", "abc%", "%-", "%l", "%5"};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		const char *volatile fmt = odd[i];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
		format_text(text, sizeof(text), fmt);
#pragma GCC diagnostic pop
		EXPECT(strlen(text) < sizeof(text));
	}
}

TEST(format, width_is_limited)
{
	EXPECT_EQ(format_text(text, sizeof(text), "%0999d", 1), 254);
}

TEST_MAIN()
