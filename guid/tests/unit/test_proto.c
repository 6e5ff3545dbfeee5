/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/proto.h"

#include "base/test.h"

#include <errno.h>
#include <stdlib.h>

static const uint8_t dump_refs[] = {1, 0, 0, 0, 2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
static const uint8_t text[] = "copied text";

struct sample {
	enum gui_sender from;
	uint32_t body_size;
	struct gui_message m;
};

/* One of every message, in each direction that it may go. */
static const struct sample samples[] = {
	{GUI_FROM_DAEMON, 20, {.type = GUI_KEYPRESS, .window = 7, .key = {2, -3, 4, 5, 38}}},
	{GUI_FROM_DAEMON, 20, {.type = GUI_KEYPRESS, .window = 7, .key = {3, 3, 4, 0, 255}}},
	{GUI_FROM_DAEMON, 20, {.type = GUI_BUTTON, .window = 7, .button = {4, -1, 2, 3, 1}}},
	{GUI_FROM_DAEMON, 20, {.type = GUI_BUTTON, .window = 7, .button = {5, 1, 2, 3, 7}}},
	{GUI_FROM_DAEMON, 16, {.type = GUI_MOTION, .window = 7, .motion = {-1, 2, 3, 1}}},
	{GUI_FROM_DAEMON,
	 28,
	 {.type = GUI_CROSSING, .window = 1, .crossing = {7, 1, 2, 3, 4, 5, 6}}},
	{GUI_FROM_DAEMON,
	 28,
	 {.type = GUI_CROSSING, .window = 1, .crossing = {8, 1, 2, 3, 4, 5, 6}}},
	{GUI_FROM_DAEMON, 12, {.type = GUI_FOCUS, .window = 1, .focus = {9, 1, 2}}},
	{GUI_FROM_DAEMON, 12, {.type = GUI_FOCUS, .window = 1, .focus = {10, 1, 2}}},
	{GUI_FROM_AGENT,
	 24,
	 {.type = GUI_CREATE, .window = 9, .create = {-5, -6, 640, 480, 3, true}}},
	{GUI_FROM_AGENT, 0, {.type = GUI_DESTROY, .window = 9}},
	{GUI_FROM_DAEMON, 0, {.type = GUI_DESTROY, .window = 9}},
	{GUI_FROM_AGENT, 8, {.type = GUI_MAP, .window = 9, .map = {2, true}}},
	{GUI_FROM_DAEMON, 8, {.type = GUI_MAP, .window = 9, .map = {0, false}}},
	{GUI_FROM_AGENT, 0, {.type = GUI_UNMAP, .window = 9}},
	{GUI_FROM_AGENT,
	 20,
	 {.type = GUI_CONFIGURE, .window = 9, .configure = {-1, 2, 16384, 6144, true}}},
	{GUI_FROM_DAEMON,
	 20,
	 {.type = GUI_CONFIGURE, .window = 9, .configure = {1, 2, 0, 0, false}}},
	{GUI_FROM_AGENT, 16, {.type = GUI_SHMIMAGE, .window = 9, .damage = {1, 2, 3, 4}}},
	{GUI_FROM_DAEMON, 0, {.type = GUI_CLOSE, .window = 9}},
	{GUI_FROM_DAEMON, 0, {.type = GUI_CLIPBOARD_REQ, .window = 9}},
	{GUI_FROM_AGENT, 11, {.type = GUI_CLIPBOARD_DATA, .clipboard = {text, 11, false}}},
	{GUI_FROM_DAEMON, 11, {.type = GUI_CLIPBOARD_DATA, .clipboard = {text, 11, false}}},
	{GUI_FROM_AGENT, 128, {.type = GUI_WMNAME, .window = 9, .title = {"a title"}}},
	{GUI_FROM_DAEMON,
	 32,
	 {.type = GUI_KEYMAP_NOTIFY, .window = 9, .keymap = {{1, 2, 3, [31] = 9}}}},
	{GUI_FROM_AGENT, 0, {.type = GUI_DOCK, .window = 9}},
	{GUI_FROM_AGENT,
	 36,
	 {.type = GUI_WINDOW_HINTS, .window = 9, .hints = {0x170, 1, 2, 3, 4, 5, 6, 7, 8}}},
	{GUI_FROM_AGENT, 8, {.type = GUI_WINDOW_FLAGS, .window = 9, .flags = {1, 2}}},
	{GUI_FROM_DAEMON, 8, {.type = GUI_WINDOW_FLAGS, .window = 9, .flags = {0, 7}}},
	{GUI_FROM_AGENT, 128, {.type = GUI_WMCLASS, .window = 9, .class_hint = {"Class", "name"}}},
	{GUI_FROM_AGENT,
	 28,
	 {.type = GUI_WINDOW_DUMP, .window = 9, .dump = {64, 33, 3, dump_refs}}},
	{GUI_FROM_AGENT, 4, {.type = GUI_CURSOR, .window = 9, .cursor = 0}},
	{GUI_FROM_AGENT, 4, {.type = GUI_CURSOR, .window = 9, .cursor = 0x199}},
	{GUI_FROM_DAEMON, 0, {.type = GUI_WINDOW_DUMP_ACK, .window = 9}},
};

#define SAMPLE_COUNT (sizeof(samples) / sizeof(samples[0]))

static const char *rule;

/* Header and body of an encoded message in a buffer of exactly its size, so that ASan sees reads
 * behind it. */
static int decode(const uint8_t *bytes, size_t size_bytes, enum gui_sender from, uint32_t minor,
		  struct gui_message *out)
{
	struct gui_header h;
	struct wire in = wire_of(bytes, GUI_HEADER_SIZE);
	int rc = proto_header_decode(&in, from, minor, &h, &rule);

	if (rc) {
		return rc;
	}
	in = wire_of(bytes + GUI_HEADER_SIZE, size_bytes - GUI_HEADER_SIZE);
	return proto_body_decode(&h, &in, from, minor, out, &rule);
}

static uint8_t *encode(const struct gui_message *m, enum gui_sender from, size_t extra,
		       size_t *size)
{
	uint8_t *bytes;
	struct wire_out out;

	*size = proto_encoded_size(m, from) + extra;
	bytes = calloc(1, *size);
	out = wire_out_of(bytes, *size);
	proto_encode(m, from, &out);
	if (!wire_out_ok(&out)) {
		abort();
	}
	return bytes;
}

static void set_body_size(uint8_t *bytes, uint32_t size)
{
	struct wire_out out = wire_out_of(bytes + 8, 4);

	wire_put_u32le(&out, size);
}

TEST(proto, every_message_survives_encode_and_decode)
{
	size_t i;

	for (i = 0; i < SAMPLE_COUNT; i++) {
		const struct sample *s = &samples[i];
		struct gui_message m;
		size_t size, again_size;
		uint8_t *bytes = encode(&s->m, s->from, 0, &size);
		uint8_t *again;

		EXPECT_EQ(size, GUI_HEADER_SIZE + s->body_size);
		EXPECT_EQ(decode(bytes, size, s->from, 8, &m), 0);
		EXPECT_EQ(m.type, s->m.type);
		EXPECT_EQ(m.window, s->m.window);
		again = encode(&m, s->from, 0, &again_size);
		EXPECT_EQ(again_size, size);
		EXPECT_EQ(memcmp(bytes, again, size), 0);
		free(bytes);
		free(again);
	}
}

TEST(proto, every_field_arrives_where_it_belongs)
{
	struct gui_message m;
	size_t size;
	uint8_t *bytes = encode(&samples[0].m, GUI_FROM_DAEMON, 0, &size);

	EXPECT_EQ(decode(bytes, size, GUI_FROM_DAEMON, 8, &m), 0);
	EXPECT_EQ(m.key.event, GUI_EVENT_PRESS_KEY);
	EXPECT_EQ(m.key.x, -3);
	EXPECT_EQ(m.key.y, 4);
	EXPECT_EQ(m.key.state, 5);
	EXPECT_EQ(m.key.keycode, 38);
	free(bytes);

	bytes = encode(&samples[9].m, GUI_FROM_AGENT, 0, &size);
	EXPECT_EQ(decode(bytes, size, GUI_FROM_AGENT, 8, &m), 0);
	EXPECT_EQ(m.create.x, -5);
	EXPECT_EQ(m.create.y, -6);
	EXPECT_EQ(m.create.width, 640);
	EXPECT_EQ(m.create.height, 480);
	EXPECT_EQ(m.create.parent, 3);
	EXPECT(m.create.is_override_redirect);
	free(bytes);
}

TEST(proto, a_wrong_length_is_refused_from_minor_6_on)
{
	size_t i;

	for (i = 0; i < SAMPLE_COUNT; i++) {
		const struct sample *s = &samples[i];
		struct gui_message m;
		size_t size;
		uint8_t *bytes;

		if (s->m.type == GUI_CLIPBOARD_DATA) {
			continue;
		}
		bytes = encode(&s->m, s->from, 1, &size);
		set_body_size(bytes, s->body_size + 1);
		EXPECT_EQ(decode(bytes, size, s->from, 6, &m), -EPROTO);
		EXPECT_EQ(decode(bytes, size, s->from, 8, &m), -EPROTO);
		if (s->body_size) {
			set_body_size(bytes, s->body_size - 1);
			EXPECT_EQ(decode(bytes, size - 2, s->from, 8, &m), -EPROTO);
			EXPECT_EQ(decode(bytes, size - 2, s->from, 0, &m), -EPROTO);
		}
		free(bytes);
	}
}

TEST(proto, an_old_peer_may_send_more_than_we_know)
{
	struct gui_message m;
	size_t size;
	uint8_t *bytes = encode(&samples[9].m, GUI_FROM_AGENT, 4, &size);

	set_body_size(bytes, 28);
	EXPECT_EQ(decode(bytes, size, GUI_FROM_AGENT, 5, &m), 0);
	EXPECT_EQ(m.create.width, 640);
	EXPECT_EQ(decode(bytes, size, GUI_FROM_AGENT, 6, &m), -EPROTO);
	free(bytes);
}

TEST(proto, a_body_that_is_shorter_than_its_header_says_is_refused)
{
	struct gui_header h = {GUI_CREATE, 1, 24};
	uint8_t bytes[20] = {0};
	struct gui_message m;
	struct wire in = wire_of(bytes, sizeof(bytes));

	EXPECT_EQ(proto_body_decode(&h, &in, GUI_FROM_AGENT, 8, &m, &rule), -EPROTO);
}

TEST(proto, unknown_and_obsolete_types_are_refused_or_skipped)
{
	static const uint32_t unknown[] = {0, 123, 129, 135, 138, 150, 0xffffffff};
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		uint8_t bytes[GUI_HEADER_SIZE];
		struct wire_out out = wire_out_of(bytes, sizeof(bytes));
		struct gui_message m;

		wire_put_u32le(&out, unknown[i]);
		wire_put_u32le(&out, 1);
		wire_put_u32le(&out, 0);
		EXPECT_EQ(decode(bytes, sizeof(bytes), GUI_FROM_AGENT, 8, &m), -EPROTO);
		EXPECT_EQ(decode(bytes, sizeof(bytes), GUI_FROM_AGENT, 5, &m), 1);
		set_body_size(bytes, GUI_BODY_IGNORED_MAX + 1);
		EXPECT_EQ(decode(bytes, sizeof(bytes), GUI_FROM_AGENT, 5, &m), -EPROTO);
	}
}

TEST(proto, a_message_in_the_wrong_direction_is_refused)
{
	size_t i;

	for (i = 0; i < SAMPLE_COUNT; i++) {
		enum gui_sender other =
			samples[i].from == GUI_FROM_AGENT ? GUI_FROM_DAEMON : GUI_FROM_AGENT;
		struct gui_message m;
		size_t size;
		uint8_t *bytes;

		switch (samples[i].m.type) {
		case GUI_DESTROY:
		case GUI_MAP:
		case GUI_CONFIGURE:
		case GUI_CLIPBOARD_DATA:
		case GUI_WINDOW_FLAGS:
			continue;
		default:
			break;
		}
		bytes = encode(&samples[i].m, samples[i].from, 0, &size);
		EXPECT_EQ(decode(bytes, size, other, 8, &m), -EPROTO);
		free(bytes);
	}
}

static int decode_changed(size_t sample, size_t word, uint32_t value)
{
	struct gui_message m;
	size_t size;
	uint8_t *bytes = encode(&samples[sample].m, samples[sample].from, 0, &size);
	struct wire_out out = wire_out_of(bytes + GUI_HEADER_SIZE + word * 4, 4);
	int rc;

	wire_put_u32le(&out, value);
	rc = decode(bytes, size, samples[sample].from, 8, &m);
	free(bytes);
	return rc;
}

static size_t sample_of(enum gui_type type, enum gui_sender from)
{
	size_t i;

	for (i = 0; i < SAMPLE_COUNT; i++) {
		if (samples[i].m.type == type && samples[i].from == from) {
			return i;
		}
	}
	abort();
}

TEST(proto, fields_out_of_range_are_refused)
{
	static const struct {
		enum gui_type type;
		enum gui_sender from;
		size_t word;
		uint32_t good, bad;
	} cases[] = {
		{GUI_KEYPRESS, GUI_FROM_DAEMON, 0, 3, 4},
		{GUI_KEYPRESS, GUI_FROM_DAEMON, 0, 2, 1},
		{GUI_KEYPRESS, GUI_FROM_DAEMON, 4, 8, 7},
		{GUI_KEYPRESS, GUI_FROM_DAEMON, 4, 255, 256},
		{GUI_BUTTON, GUI_FROM_DAEMON, 0, 5, 6},
		{GUI_BUTTON, GUI_FROM_DAEMON, 4, 1, 0},
		{GUI_BUTTON, GUI_FROM_DAEMON, 4, 255, 256},
		{GUI_CROSSING, GUI_FROM_DAEMON, 0, 8, 9},
		{GUI_FOCUS, GUI_FROM_DAEMON, 0, 10, 8},
		{GUI_CREATE, GUI_FROM_AGENT, 2, 16384, 16385},
		{GUI_CREATE, GUI_FROM_AGENT, 3, 6144, 6145},
		{GUI_CONFIGURE, GUI_FROM_AGENT, 2, 16384, 0xffffffff},
		{GUI_CONFIGURE, GUI_FROM_AGENT, 3, 6144, 6145},
		{GUI_SHMIMAGE, GUI_FROM_AGENT, 2, 16384, 16385},
		{GUI_SHMIMAGE, GUI_FROM_AGENT, 3, 6144, 0x80000000},
		{GUI_WINDOW_HINTS, GUI_FROM_AGENT, 1, 16384, 16385},
		{GUI_WINDOW_HINTS, GUI_FROM_AGENT, 6, 6144, 6145},
		{GUI_WINDOW_HINTS, GUI_FROM_AGENT, 7, 16384, 16385},
		{GUI_WINDOW_FLAGS, GUI_FROM_AGENT, 0, 7, 8},
		{GUI_WINDOW_FLAGS, GUI_FROM_AGENT, 1, 7, 0x80000000},
		{GUI_WINDOW_DUMP, GUI_FROM_AGENT, 0, 0, 1},
		{GUI_WINDOW_DUMP, GUI_FROM_AGENT, 1, 64, 0},
		{GUI_WINDOW_DUMP, GUI_FROM_AGENT, 1, 1, 16385},
		{GUI_WINDOW_DUMP, GUI_FROM_AGENT, 2, 48, 49}, /* 64 x 49 needs a fourth page */
		{GUI_WINDOW_DUMP, GUI_FROM_AGENT, 2, 1, 6145},
		{GUI_WINDOW_DUMP, GUI_FROM_AGENT, 3, 24, 32},
		{GUI_CURSOR, GUI_FROM_AGENT, 0, 0x100, 0xff},
		{GUI_CURSOR, GUI_FROM_AGENT, 0, 0x199, 0x19a},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t s = sample_of(cases[i].type, cases[i].from);

		EXPECT_EQ(decode_changed(s, cases[i].word, cases[i].good), 0);
		EXPECT_EQ(decode_changed(s, cases[i].word, cases[i].bad), -ERANGE);
	}
}

TEST(proto, a_dump_is_limited_in_references)
{
	struct gui_header h;
	uint8_t bytes[GUI_HEADER_SIZE];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	struct wire in = wire_of(bytes, sizeof(bytes));

	wire_put_u32le(&out, GUI_WINDOW_DUMP);
	wire_put_u32le(&out, 1);
	wire_put_u32le(&out, GUI_BODY_MAX);
	EXPECT_EQ(proto_header_decode(&in, GUI_FROM_AGENT, 8, &h, &rule), 0);
	set_body_size(bytes, GUI_BODY_MAX + 4);
	in = wire_of(bytes, sizeof(bytes));
	EXPECT_EQ(proto_header_decode(&in, GUI_FROM_AGENT, 8, &h, &rule), -EPROTO);
	set_body_size(bytes, 17);
	in = wire_of(bytes, sizeof(bytes));
	EXPECT_EQ(proto_header_decode(&in, GUI_FROM_AGENT, 8, &h, &rule), -EPROTO);
}

TEST(proto, references_of_a_dump_are_read_in_bounds)
{
	const struct gui_dump d = {64, 33, 3, dump_refs};

	EXPECT_EQ(proto_dump_ref(&d, 0), 1);
	EXPECT_EQ(proto_dump_ref(&d, 2), 0xffffffffu);
	EXPECT_EQ(proto_dump_ref(&d, 3), 0);
	EXPECT_EQ(proto_dump_pages(64, 16), 1);
	EXPECT_EQ(proto_dump_pages(64, 17), 2);
	EXPECT_EQ(proto_dump_pages(GUI_WIDTH_MAX, GUI_HEIGHT_MAX), GUI_DUMP_PAGES_MAX);
}

static int clipboard_of(uint32_t size, uint32_t minor, bool *is_too_large)
{
	struct gui_message m = {.type = GUI_CLIPBOARD_DATA};
	uint8_t *data = calloc(1, size + 1), *bytes;
	size_t total;
	int rc;

	m.clipboard.bytes = data;
	m.clipboard.size_bytes = size;
	bytes = encode(&m, GUI_FROM_AGENT, 0, &total);
	rc = decode(bytes, total, GUI_FROM_AGENT, minor, &m);
	*is_too_large = m.clipboard.is_too_large;
	free(bytes);
	free(data);
	return rc;
}

TEST(proto, one_clipboard_byte_over_the_limit_means_too_large_and_two_are_refused)
{
	static const struct {
		uint32_t minor, limit;
	} limits[] = {{8, 256000}, {7, 65000}, {0, 65000}};
	size_t i;
	bool is_too_large;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(clipboard_of(0, limits[i].minor, &is_too_large), 0);
		EXPECT_EQ(clipboard_of(limits[i].limit, limits[i].minor, &is_too_large), 0);
		EXPECT(!is_too_large);
		EXPECT_EQ(clipboard_of(limits[i].limit + 1, limits[i].minor, &is_too_large), 0);
		EXPECT(is_too_large);
		EXPECT_EQ(clipboard_of(limits[i].limit + 2, limits[i].minor, &is_too_large),
			  -EPROTO);
	}
}

TEST(proto, a_title_without_an_end_gets_one)
{
	struct gui_message m = {.type = GUI_WMNAME, .window = 1};
	size_t size;
	uint8_t *bytes = encode(&m, GUI_FROM_AGENT, 0, &size);

	memset(bytes + GUI_HEADER_SIZE, 'x', 128);
	EXPECT_EQ(decode(bytes, size, GUI_FROM_AGENT, 8, &m), 0);
	EXPECT_EQ(strlen(m.title.text), 127);
	free(bytes);
}

TEST(proto, a_class_without_an_end_gets_one)
{
	struct gui_message m = {.type = GUI_WMCLASS, .window = 1};
	size_t size;
	uint8_t *bytes = encode(&m, GUI_FROM_AGENT, 0, &size);

	memset(bytes + GUI_HEADER_SIZE, 'x', 128);
	EXPECT_EQ(decode(bytes, size, GUI_FROM_AGENT, 8, &m), 0);
	EXPECT_EQ(strlen(m.class_hint.class_name), 63);
	EXPECT_EQ(strlen(m.class_hint.instance), 63);
	free(bytes);
}

TEST(proto, the_lower_minor_is_used_and_another_major_refused)
{
	uint32_t minor;

	EXPECT_EQ(proto_negotiate(0x10000, &minor), 0);
	EXPECT_EQ(minor, 0);
	EXPECT_EQ(proto_negotiate(0x10008, &minor), 0);
	EXPECT_EQ(minor, 8);
	EXPECT_EQ(proto_negotiate(0x1ffff, &minor), 0);
	EXPECT_EQ(minor, 8);
	EXPECT_EQ(proto_negotiate(0x20000, &minor), -EPROTO);
	EXPECT_EQ(proto_negotiate(8, &minor), -EPROTO);
	EXPECT(!proto_answers_version(0x10003));
	EXPECT(proto_answers_version(0x10004));
}

TEST(proto, the_screen_description_survives_and_is_checked)
{
	static const struct gui_xconf c = {1920, 1080, 24, 8100};
	struct gui_xconf d;
	uint8_t bytes[GUI_XCONF_SIZE];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	struct wire in = wire_of(bytes, sizeof(bytes));

	proto_xconf_encode(&c, &out);
	EXPECT_EQ(proto_xconf_decode(&in, &d), 0);
	EXPECT_EQ(memcmp(&c, &d, sizeof(c)), 0);
	in = wire_of(bytes, sizeof(bytes) - 1);
	EXPECT_EQ(proto_xconf_decode(&in, &d), -EPROTO);
	memset(bytes, 0, 4);
	in = wire_of(bytes, sizeof(bytes));
	EXPECT_EQ(proto_xconf_decode(&in, &d), -ERANGE);
	memset(bytes, 0xff, 4);
	in = wire_of(bytes, sizeof(bytes));
	EXPECT_EQ(proto_xconf_decode(&in, &d), -ERANGE);
}

TEST(proto, every_type_has_a_name_for_the_log)
{
	EXPECT_STR(proto_type_name(GUI_WINDOW_DUMP), "WINDOW_DUMP");
	EXPECT_STR(proto_type_name(135), "unknown");
	EXPECT_STR(proto_type_name(0), "unknown");
	EXPECT_STR(proto_type_name(0xffffffff), "unknown");
}

TEST_MAIN()
