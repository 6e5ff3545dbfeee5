/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/title.h"

#include "base/test.h"

static char out[64];

static const char *ascii(const char *from)
{
	title_sanitise(from, false, out, sizeof(out));
	return out;
}

static const char *utf8(const char *from)
{
	title_sanitise(from, true, out, sizeof(out));
	return out;
}

TEST(title, printable_ascii_stays)
{
	EXPECT_STR(ascii("vi - /etc/hosts (~)"), "vi - /etc/hosts (~)");
	EXPECT_STR(ascii(""), "");
}

TEST(title, everything_else_becomes_an_underscore)
{
	EXPECT_STR(ascii("a\nb\x7f\x80\xff"), "a_b___");
	EXPECT_STR(ascii("\xc3\xa4"), "__");
}

TEST(title, allowed_utf8_keeps_letters_only)
{
	EXPECT_STR(utf8("Gr\xc3\xbc\xc3\x9f"
			"e \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80"),
		   "Gr\xc3\xbc\xc3\x9f"
		   "e \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80");
}

TEST(title, directions_and_invisible_characters_are_never_shown)
{
	EXPECT_STR(utf8("a\xe2\x80\xae"	    /* 202e right-to-left override */
			"b\xe2\x81\xa6"	    /* 2066 isolate */
			"c\xe2\x80\x8b"	    /* 200b zero width space */
			"d\xef\xbb\xbf"	    /* feff */
			"e\xc2\x85"	    /* 0085 next line */
			"f\xcc\x81"	    /* 0301 combining */
			"g\xd7\x90"	    /* 05d0 a right-to-left letter */
			"h\xf3\xa0\x81\x81" /* e0041 tag */
			"i\xee\x80\x80"),   /* e000 private use */
		   "a_b_c_d_e_f_g_h_i_");
}

TEST(title, broken_utf8_is_replaced_byte_by_byte)
{
	EXPECT_STR(utf8("\xc0\xaf|\xe0\x80\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xf8|\xc3"),
		   "__|___|___|____|_|_");
}

TEST(title, a_character_is_never_cut_in_the_middle)
{
	title_sanitise("abc\xc3\xa4", true, out, 5);
	EXPECT_STR(out, "abc");
	title_sanitise("abc\xc3\xa4", true, out, 6);
	EXPECT_STR(out, "abc\xc3\xa4");
	title_sanitise("abc", true, out, 1);
	EXPECT_STR(out, "");
}

TEST_MAIN()
