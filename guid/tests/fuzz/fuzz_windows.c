/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole hostile session: handshake byte, then a stream of messages through the
 * decoder into the windows, mixed with what a user does. After each message the
 * promises of windows.h are checked.
 */
#include "guid/input.h"
#include "guid/tests/random_message.h"
#include "guid/windows.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_COUNT_MAX 16u
#define PAGE_COUNT_MAX	 64u
#define INPUT_MAX	 700 /* some twenty messages: more executions find more than longer ones */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct session {
	struct windows *ws;
	struct input input;
	int mapped;
	int shown;
	int64_t now_us;
};

static void check(bool is_true)
{
	if (!is_true) {
		abort();
	}
}

static int view_dump_map(void *context, const struct gui_dump *dump, void **out)
{
	struct session *s = context;

	if (proto_dump_ref(dump, 0) == 0xffffffff) {
		return -2;
	}
	check(dump->ref_count >= proto_dump_pages(dump->width, dump->height));
	s->mapped++;
	*out = malloc(1);
	return 0;
}

static void view_dump_unmap(void *context, void *pages)
{
	struct session *s = context;

	s->mapped--;
	free(pages);
}

static void view_shown(void *context, struct window *w)
{
	struct session *s = context;

	check(!w->view);
	w->view = s;
	s->shown++;
}

static void view_hidden(void *context, struct window *w)
{
	struct session *s = context;

	check(w->view == s);
	w->view = NULL;
	s->shown--;
	input_forget(&s->input, w->id);
}

static void view_changed(void *context, struct window *w, unsigned int what)
{
	check(w->view == context);
}

static void view_docked(void *context, struct window *w)
{
}

static void view_clipboard(void *context, const uint8_t *bytes, uint32_t size_bytes)
{
	check(size_bytes <= GUI_CLIPBOARD_MAX);
}

static void view_notice(void *context, enum windows_notice notice)
{
}

static void view_send(void *context, const struct gui_message *msg)
{
	uint8_t bytes[512];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));

	proto_encode(msg, GUI_FROM_DAEMON, &out);
	check(wire_out_ok(&out) && out.size > 0);
}

static const struct windows_view view = {
	view_dump_map, view_dump_unmap, view_shown,	view_hidden, view_changed,
	view_docked,   view_docked,	view_clipboard, view_notice, view_send,
};

static void check_window(struct session *s, struct window *w)
{
	struct dump d;
	struct rect part;
	const char *p;

	check(w->rect.width >= 1 && w->rect.width <= (int)GUI_WIDTH_MAX);
	check(w->rect.height >= 1 && w->rect.height <= (int)GUI_HEIGHT_MAX);
	check(w->damage.count <= DAMAGE_RECTS_MAX);
	check(!w->is_override_redirect || w->wants_override_redirect);
	if (windows_content(s->ws, w, &d, &part)) {
		check(d.pages && part.x >= 0 && part.y >= 0);
		check(d.scale >= 1 && d.scale <= 4);
		check((uint32_t)(part.x + part.width) <= d.width);
		check((uint32_t)(part.y + part.height) <= d.height);
		check((uint64_t)d.width * d.height * 4 <= (uint64_t)d.page_count * GUI_PAGE_SIZE);
	}
	for (p = w->title; *p; p++) {
		check(*p >= 0x20 && *p < 0x7f);
	}
	check(windows_anchor(s->ws, w) != w);
}

static void user_act(struct session *s, uint8_t what, uint8_t which)
{
	struct window *w = windows_find(s->ws, which % 8);
	struct damage d;

	s->now_us += what * 10000;
	windows_tick(s->ws, s->now_us);
	input_flush(&s->input);
	if (!w || !w->is_mapped) {
		return;
	}
	switch (what % 13) {
	case 0:
		windows_user_resize(s->ws, w, which * 37, which * 11, s->now_us);
		break;
	case 1:
		windows_user_close(s->ws, w);
		break;
	case 2:
		windows_answer_fullscreen(s->ws, which & 1);
		break;
	case 3:
		windows_user_copy(s->ws, w);
		break;
	case 4:
		windows_user_left_fullscreen(s->ws, w);
		break;
	case 5:
		windows_user_minimize(s->ws, w, which & 8);
		break;
	case 6:
		windows_take_damage(w, &d);
		break;
	case 7:
		input_focus(&s->input, w->id, which & 8);
		break;
	case 8:
		input_key(&s->input, w->id, which, which & 8, 0);
		break;
	case 9:
		input_motion(&s->input, w->id, which, which, 0);
		break;
	case 10:
		input_button(&s->input, w->id, which % 12, which & 8, 1, 1, 0);
		break;
	case 11:
		input_leave(&s->input, w->id, 0);
		break;
	case 12:
		windows_set_scale(s->ws, w, 1 + which % 4);
		break;
	}
}

/* Reads one message; 0 to go on. The body may be shorter than its header says: then it ends. */
static int step(struct session *s, struct wire *in, uint32_t minor)
{
	struct gui_header h;
	struct gui_message m;
	const uint8_t *head, *body;
	struct wire one;
	const char *rule = NULL;
	int rc;

	if (wire_left(in) < GUI_HEADER_SIZE + 2) {
		return -1;
	}
	user_act(s, wire_u8(in), wire_u8(in));
	head = wire_bytes(in, GUI_HEADER_SIZE);
	one = wire_of(head, GUI_HEADER_SIZE);
	rc = proto_header_decode(&one, GUI_FROM_AGENT, minor, &h, &rule);
	if (rc < 0) {
		check(rule != NULL);
		return rc;
	}
	body = wire_bytes(in, h.body_size);
	if (rc > 0) {
		return body || !h.body_size ? 0 : -1;
	}
	if (!body) {
		return -1;
	}
	one = wire_of(body, h.body_size);
	rc = proto_body_decode(&h, &one, GUI_FROM_AGENT, minor, &m, &rule);
	if (!rc) {
		rc = windows_handle(s->ws, &m, &rule);
	}
	check(!rc || rule);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct windows_config config = {
		.limits = {.window_count_max = WINDOW_COUNT_MAX, .page_count_max = PAGE_COUNT_MAX},
		.work_area = {0, 0, 1280, 1024},
	};
	struct session s = {.mapped = 0};
	struct wire in = wire_of(data, size);
	struct window *w;

	if (size > INPUT_MAX) {
		return -1;
	}
	config.minor = wire_u8(&in) % 9;
	s.ws = windows_create(&config, &view, &s);
	if (!s.ws) {
		return 0;
	}
	input_init(&s.input, view_send, &s);
	while (step(&s, &in, config.minor) == 0) {
		check(windows_count(s.ws) <= WINDOW_COUNT_MAX);
		check(windows_page_count(s.ws) <= PAGE_COUNT_MAX);
		check(s.mapped <= (int)WINDOW_COUNT_MAX);
	}
	for (w = windows_first(s.ws); w; w = w->next) {
		check_window(&s, w);
	}
	windows_destroy(s.ws);
	check(s.mapped == 0 && s.shown == 0);
	return 0;
}

/* Half of the time a well-formed message is added, or else random bytes seldom get far. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	static uint8_t refs[256];
	uint32_t state = seed | 1;
	struct gui_message m;
	struct wire_out out;

	random_next(&state);
	if (size && random_next(&state) % 2) {
		return LLVMFuzzerMutate(data, size, max_size);
	}
	if (!size) {
		data[0] = 8;
		size = 1;
	}
	random_message(&state, refs, &m);
	out = wire_out_of(data + size, max_size - size);
	wire_put_u16le(&out, (uint16_t)random_next(&state)); /* what the user does */
	proto_encode(&m, GUI_FROM_AGENT, &out);
	return wire_out_ok(&out) ? size + out.size : size;
}
