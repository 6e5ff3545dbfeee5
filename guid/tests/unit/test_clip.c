/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/clip.h"

#include "base/test.h"

#include <errno.h>
#include <stdlib.h>

static int decode(uint32_t type, const char *body, uint32_t size, struct clip_message *out)
{
	uint8_t *bytes = malloc(CLIP_HEADER_SIZE + size);
	const struct clip_message m = {(enum clip_type)type, (const uint8_t *)body, size};
	struct wire_out o = wire_out_of(bytes, CLIP_HEADER_SIZE + size);
	struct wire in = wire_of(bytes, CLIP_HEADER_SIZE);
	enum clip_type got;
	uint32_t got_size;
	int rc;

	clip_encode(&m, &o);
	if (!wire_out_ok(&o) || o.size != CLIP_HEADER_SIZE + size) {
		abort();
	}
	rc = clip_header_decode(&in, &got, &got_size);
	if (!rc) {
		in = wire_of(bytes + CLIP_HEADER_SIZE, size);
		rc = clip_body_decode(got, &in, got_size, out);
	}
	if (!rc && (out->type != type || out->size_bytes != size ||
		    (size && memcmp(out->bytes, body, size) != 0))) {
		abort();
	}
	free(bytes);
	return rc;
}

static int decode_text(uint32_t type, const char *text)
{
	struct clip_message m;

	return decode(type, text, (uint32_t)strlen(text), &m);
}

TEST(clip, every_message_survives)
{
	EXPECT_EQ(decode_text(CLIP_HELLO, "work-2_a"), 0);
	EXPECT_EQ(decode_text(CLIP_COPY, "text\twith\r\nlines \xc3\xa4 \xf0\x9f\x98\x80"), 0);
	EXPECT_EQ(decode_text(CLIP_PASTE, ""), 0);
	EXPECT_EQ(decode_text(CLIP_TEXT, "x"), 0);
	EXPECT_EQ(decode_text(CLIP_REFUSED, "No."), 0);
	EXPECT_EQ(decode_text(CLIP_COPIED, ""), 0);
}

TEST(clip, unknown_types_and_wrong_sizes_are_refused)
{
	char *large = malloc(CLIP_TEXT_MAX + 1);
	struct clip_message m;

	memset(large, 'a', CLIP_TEXT_MAX + 1);
	EXPECT_EQ(decode_text(0, ""), -EPROTO);
	EXPECT_EQ(decode_text(7, ""), -EPROTO);
	EXPECT_EQ(decode_text(CLIP_HELLO, ""), -EPROTO);
	EXPECT_EQ(decode(CLIP_HELLO, large, CLIP_NAME_MAX, &m), 0);
	EXPECT_EQ(decode(CLIP_HELLO, large, CLIP_NAME_MAX + 1, &m), -EPROTO);
	EXPECT_EQ(decode_text(CLIP_COPY, ""), -EPROTO);
	EXPECT_EQ(decode(CLIP_COPY, large, CLIP_TEXT_MAX, &m), 0);
	EXPECT_EQ(decode(CLIP_COPY, large, CLIP_TEXT_MAX + 1, &m), -EPROTO);
	EXPECT_EQ(decode_text(CLIP_PASTE, "x"), -EPROTO);
	EXPECT_EQ(decode_text(CLIP_COPIED, "x"), -EPROTO);
	EXPECT_EQ(decode(CLIP_REFUSED, large, CLIP_REASON_MAX + 1, &m), -EPROTO);
	free(large);
}

TEST(clip, names_that_no_domain_has_are_refused)
{
	EXPECT_EQ(decode_text(CLIP_HELLO, "1work"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_HELLO, "-work"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_HELLO, "wo rk"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_HELLO, "work\n"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_HELLO, "@adminvm"), -EINVAL);
}

TEST(clip, what_is_not_text_is_refused)
{
	struct clip_message m;

	EXPECT_EQ(decode(CLIP_COPY, "a\0b", 3, &m), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_COPY, "\x1b[2J"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_COPY, "\x7f"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_COPY, "\xc2\x9b"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_COPY, "\xc0\xaf"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_COPY, "\xe0\x80\xaf"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_COPY, "\xed\xa0\x80"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_COPY, "\xf4\x90\x80\x80"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_COPY, "\xe2\x82"), -EINVAL);
	EXPECT_EQ(decode_text(CLIP_COPY, "\xff"), -EINVAL);
}

TEST_MAIN()
