/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/ext.h"

#include "base/test.h"

#include <errno.h>
#include <stdlib.h>

static int through(const struct ext_message *m, struct ext_message *out)
{
	uint32_t size = EXT_HEADER_SIZE + ext_body_size(m), window, body;
	uint8_t *bytes = malloc(size);
	struct wire_out o = wire_out_of(bytes, size);
	struct wire in = wire_of(bytes, EXT_HEADER_SIZE);
	enum ext_type type;
	int rc;

	ext_encode(m, &o);
	if (!wire_out_ok(&o) || o.size != size) {
		abort();
	}
	rc = ext_header_decode(&in, &type, &window, &body);
	if (!rc) {
		in = wire_of(bytes + EXT_HEADER_SIZE, body);
		rc = ext_body_decode(type, window, &in, body, out);
	}
	if (!rc && type == EXT_KEYMAP && memcmp(out->keymap.bytes, m->keymap.bytes, body) != 0) {
		abort();
	}
	free(bytes);
	return rc;
}

TEST(ext, every_message_survives)
{
	struct ext_message m = {.type = EXT_HELLO, .version = 1}, out;

	EXPECT_EQ(through(&m, &out), 0);
	EXPECT_EQ(out.version, 1);
	m = (struct ext_message){.type = EXT_FRAME, .window = 7};
	EXPECT_EQ(through(&m, &out), 0);
	EXPECT_EQ(out.window, 7);
	m = (struct ext_message){.type = EXT_SCROLL, .window = 7, .scroll = {-1, 2, -300, 40}};
	EXPECT_EQ(through(&m, &out), 0);
	EXPECT_EQ(out.scroll.x, -1);
	EXPECT_EQ(out.scroll.dx, -300);
	EXPECT_EQ(out.scroll.dy, 40);
	m = (struct ext_message){.type = EXT_KEYMAP, .keymap = {(const uint8_t *)"xkb", 3}};
	EXPECT_EQ(through(&m, &out), 0);
	EXPECT_EQ(out.keymap.size_bytes, 3);
	m = (struct ext_message){.type = EXT_CURSOR, .window = 7, .is_cursor_hidden = 1};
	EXPECT_EQ(through(&m, &out), 0);
	EXPECT_EQ(out.is_cursor_hidden, 1);
	m = (struct ext_message){.type = EXT_TOUCH, .window = 7, .touch = {3, 9, -1, INT32_MAX}};
	EXPECT_EQ(through(&m, &out), 0);
	EXPECT_EQ(out.touch.kind, EXT_TOUCH_CANCEL);
	EXPECT_EQ(out.touch.finger, 9);
	EXPECT_EQ(out.touch.x, -1);
	EXPECT_EQ(out.touch.y, INT32_MAX);
	m = (struct ext_message){.type = EXT_SCALE, .window = 7, .scale = 4};
	EXPECT_EQ(through(&m, &out), 0);
	EXPECT_EQ(out.scale, 4);
	m = (struct ext_message){.type = EXT_NOTIFY};
	EXPECT_EQ(through(&m, &out), 0);
	EXPECT_EQ(out.notify.summary_size + out.notify.text_size, 0);
	m.notify = (struct ext_notify){(const uint8_t *)"Done", (const uint8_t *)"all", 4, 3};
	EXPECT_EQ(through(&m, &out), 0);
	EXPECT_EQ(out.notify.summary_size, 4);
	EXPECT_EQ(out.notify.text_size, 3);
}

TEST(ext, fields_out_of_range_are_refused)
{
	struct ext_message m = {.type = EXT_HELLO, .version = 0}, out;

	EXPECT_EQ(through(&m, &out), -ERANGE);
	m = (struct ext_message){.type = EXT_SCROLL, .scroll = {0, 0, EXT_SCROLL_MAX + 1, 0}};
	EXPECT_EQ(through(&m, &out), -ERANGE);
	m = (struct ext_message){.type = EXT_SCROLL, .scroll = {0, 0, 0, INT32_MIN}};
	EXPECT_EQ(through(&m, &out), -ERANGE);
	m = (struct ext_message){.type = EXT_CURSOR, .is_cursor_hidden = 2};
	EXPECT_EQ(through(&m, &out), -ERANGE);
	m = (struct ext_message){.type = EXT_TOUCH, .touch = {EXT_TOUCH_CANCEL + 1, 0, 0, 0}};
	EXPECT_EQ(through(&m, &out), -ERANGE);
	m = (struct ext_message){.type = EXT_TOUCH, .touch = {0, EXT_FINGERS, 0, 0}};
	EXPECT_EQ(through(&m, &out), -ERANGE);
	m = (struct ext_message){.type = EXT_SCALE, .scale = 0};
	EXPECT_EQ(through(&m, &out), -ERANGE);
	m = (struct ext_message){.type = EXT_SCALE, .scale = EXT_SCALE_MAX + 1};
	EXPECT_EQ(through(&m, &out), -ERANGE);
}

static int header(uint32_t type, uint32_t size)
{
	uint8_t bytes[EXT_HEADER_SIZE];
	struct wire_out o = wire_out_of(bytes, sizeof(bytes));
	struct wire in = wire_of(bytes, sizeof(bytes));
	enum ext_type t;
	uint32_t window, body;

	wire_put_u32le(&o, type);
	wire_put_u32le(&o, 0);
	wire_put_u32le(&o, size);
	return ext_header_decode(&in, &t, &window, &body);
}

TEST(ext, unknown_types_and_wrong_sizes_are_refused)
{
	EXPECT_EQ(header(0, 0), -EPROTO);
	EXPECT_EQ(header(7, 0), -EPROTO);
	EXPECT_EQ(header(EXT_CURSOR, 0), -EPROTO);
	EXPECT_EQ(header(EXT_NOTIFY, 3), -EPROTO);
	EXPECT_EQ(header(EXT_NOTIFY, 4 + EXT_NOTIFY_MAX), 0);
	EXPECT_EQ(header(EXT_NOTIFY, 5 + EXT_NOTIFY_MAX), -EPROTO);
	EXPECT_EQ(header(EXT_HELLO, 3), -EPROTO);
	EXPECT_EQ(header(EXT_HELLO, 4), 0);
	EXPECT_EQ(header(EXT_FRAME, 1), -EPROTO);
	EXPECT_EQ(header(EXT_SCROLL, 15), -EPROTO);
	EXPECT_EQ(header(EXT_KEYMAP, 0), -EPROTO);
	EXPECT_EQ(header(EXT_KEYMAP, EXT_KEYMAP_MAX), 0);
	EXPECT_EQ(header(EXT_KEYMAP, EXT_KEYMAP_MAX + 1), -EPROTO);
}

TEST(ext, a_body_that_is_shorter_than_its_header_says_is_refused)
{
	uint8_t bytes[8] = {0};
	struct wire in = wire_of(bytes, sizeof(bytes));
	struct ext_message out;

	EXPECT_EQ(ext_body_decode(EXT_SCROLL, 0, &in, 16, &out), -EPROTO);
	in = wire_of(bytes, sizeof(bytes));
	EXPECT_EQ(ext_body_decode(EXT_KEYMAP, 0, &in, 16, &out), -EPROTO);
	in = wire_of(bytes, sizeof(bytes));
	EXPECT_EQ(ext_body_decode(EXT_NOTIFY, 0, &in, 16, &out), -EPROTO);
}

TEST(ext, a_summary_longer_than_its_message_is_refused)
{
	uint8_t bytes[8] = {5, 0, 0, 0, 'a', 'b', 'c', 'd'};
	struct wire in = wire_of(bytes, sizeof(bytes));
	struct ext_message out;

	EXPECT_EQ(ext_body_decode(EXT_NOTIFY, 0, &in, 8, &out), -ERANGE);
	bytes[0] = 4;
	in = wire_of(bytes, sizeof(bytes));
	EXPECT_EQ(ext_body_decode(EXT_NOTIFY, 0, &in, 8, &out), 0);
}

TEST_MAIN()
