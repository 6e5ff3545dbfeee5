// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The freestanding string functions, compiled under other names so that they stand beside the
 * C library's and can be compared with it.
 */
#define memcpy	our_memcpy
#define memmove our_memmove
#define memset	our_memset
#define memcmp	our_memcmp
#define strlen	our_strlen
#define strnlen our_strnlen
#define strcmp	our_strcmp
#define strncmp our_strncmp
#define strchr	our_strchr
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

#include <string.h>

#include "base/test.h"

static int sign(int x)
{
	return x < 0 ? -1 : x > 0;
}

TEST(string, copies_and_moves_like_the_c_library)
{
	unsigned char a[80], b[80];
	size_t from, to, size, i;

	for (size = 0; size < 40; size++) {
		for (from = 0; from < 40; from += 3) {
			for (to = 0; to < 40; to += 5) {
				for (i = 0; i < sizeof(a); i++) {
					a[i] = b[i] = (unsigned char)i;
				}
				EXPECT(our_memmove(a + to, a + from, size) == a + to);
				memmove(b + to, b + from, size);
				EXPECT(memcmp(a, b, sizeof(a)) == 0);
			}
		}
		our_memset(a + 1, 0x1aa, size);
		memset(b + 1, 0x1aa, size);
		our_memcpy(a + 40, a, size);
		memcpy(b + 40, b, size);
		EXPECT(memcmp(a, b, sizeof(a)) == 0);
	}
}

TEST(string, comparisons_agree_with_the_c_library)
{
	static const char *const words[] = {"", "a", "ab", "b", "\xff", "abc", "abd"};
	size_t i, j, n;

	for (i = 0; i < 7; i++) {
		for (j = 0; j < 7; j++) {
			EXPECT_EQ(sign(our_strcmp(words[i], words[j])), sign(strcmp(words[i], words[j])));
			for (n = 0; n < 4; n++) {
				EXPECT_EQ(sign(our_strncmp(words[i], words[j], n)),
					  sign(strncmp(words[i], words[j], n)));
			}
		}
		EXPECT_EQ(our_strlen(words[i]), strlen(words[i]));
		EXPECT_EQ(our_strnlen(words[i], 1), strnlen(words[i], 1));
		EXPECT(our_strchr(words[i], 'b') == strchr(words[i], 'b'));
		EXPECT(our_strchr(words[i], 0) == strchr(words[i], 0));
	}
	EXPECT_EQ(sign(our_memcmp("\x01", "\xff", 1)), -1);
	EXPECT_EQ(our_memcmp("abc", "abd", 2), 0);
}

TEST(string, string_copy_always_terminates)
{
	char to[4];

	EXPECT_EQ(string_copy(to, "abcdef", sizeof(to)), 6);
	EXPECT_STR(to, "abc");
	EXPECT_EQ(string_copy(to, "x", sizeof(to)), 1);
	EXPECT_STR(to, "x");
	EXPECT_EQ(string_copy(to, "zz", 0), 2);
	EXPECT_STR(to, "x");
}

TEST_MAIN()
