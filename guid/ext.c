/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/ext.h"

#include <errno.h>

static bool size_ok(uint32_t type, uint32_t size)
{
	switch (type) {
	case EXT_HELLO:
		return size == 4;
	case EXT_FRAME:
		return size == 0;
	case EXT_SCROLL:
		return size == 16;
	case EXT_KEYMAP:
		return size >= 1 && size <= EXT_KEYMAP_MAX;
	case EXT_CURSOR:
	case EXT_SCALE:
		return size == 4;
	case EXT_TOUCH:
		return size == 16;
	case EXT_NOTIFY:
		return size >= 4 && size <= 4 + EXT_NOTIFY_MAX;
	default:
		return false;
	}
}

int ext_header_decode(struct wire *in, enum ext_type *type_out, uint32_t *window_out,
		      uint32_t *size_out)
{
	uint32_t type = wire_u32le(in);
	uint32_t window = wire_u32le(in);
	uint32_t size = wire_u32le(in);

	if (!wire_at_end(in) || !size_ok(type, size)) {
		return -EPROTO;
	}
	*type_out = (enum ext_type)type;
	*window_out = window;
	*size_out = size;
	return 0;
}

static bool scroll_ok(int32_t x)
{
	return x >= -EXT_SCROLL_MAX && x <= EXT_SCROLL_MAX;
}

int ext_body_decode(enum ext_type type, uint32_t window, struct wire *in, uint32_t size_bytes,
		    struct ext_message *out)
{
	struct ext_message m = {.type = type, .window = window};
	bool is_in_range = true;

	switch (type) {
	case EXT_HELLO:
		m.version = wire_u32le(in);
		is_in_range = m.version >= 1;
		break;
	case EXT_FRAME:
		break;
	case EXT_SCROLL:
		m.scroll.x = wire_s32le(in);
		m.scroll.y = wire_s32le(in);
		m.scroll.dx = wire_s32le(in);
		m.scroll.dy = wire_s32le(in);
		is_in_range = scroll_ok(m.scroll.dx) && scroll_ok(m.scroll.dy);
		break;
	case EXT_KEYMAP:
		m.keymap.bytes = wire_bytes(in, size_bytes);
		m.keymap.size_bytes = size_bytes;
		break;
	case EXT_CURSOR:
		m.is_cursor_hidden = wire_u32le(in);
		is_in_range = m.is_cursor_hidden <= 1;
		break;
	case EXT_SCALE:
		m.scale = wire_u32le(in);
		is_in_range = m.scale >= 1 && m.scale <= EXT_SCALE_MAX;
		break;
	case EXT_TOUCH:
		m.touch.kind = wire_u32le(in);
		m.touch.finger = wire_u32le(in);
		m.touch.x = wire_s32le(in);
		m.touch.y = wire_s32le(in);
		is_in_range = m.touch.kind <= EXT_TOUCH_CANCEL && m.touch.finger < EXT_FINGERS;
		break;
	case EXT_NOTIFY:
		m.notify.summary_size = wire_u32le(in);
		is_in_range = m.notify.summary_size <= size_bytes - 4;
		if (is_in_range) {
			m.notify.text_size = size_bytes - 4 - m.notify.summary_size;
			m.notify.summary = wire_bytes(in, m.notify.summary_size);
			m.notify.text = wire_bytes(in, m.notify.text_size);
		} else {
			(void)wire_bytes(in, size_bytes - 4);
		}
		break;
	}
	if (!wire_at_end(in)) {
		return -EPROTO;
	}
	if (!is_in_range) {
		return -ERANGE;
	}
	*out = m;
	return 0;
}

uint32_t ext_body_size(const struct ext_message *m)
{
	switch (m->type) {
	case EXT_HELLO:
		return 4;
	case EXT_FRAME:
		return 0;
	case EXT_SCROLL:
		return 16;
	case EXT_KEYMAP:
		return m->keymap.size_bytes;
	case EXT_CURSOR:
	case EXT_SCALE:
		return 4;
	case EXT_TOUCH:
		return 16;
	case EXT_NOTIFY:
		return 4 + m->notify.summary_size + m->notify.text_size;
	}
	return 0;
}

void ext_encode(const struct ext_message *m, struct wire_out *out)
{
	wire_put_u32le(out, m->type);
	wire_put_u32le(out, m->window);
	wire_put_u32le(out, ext_body_size(m));
	switch (m->type) {
	case EXT_HELLO:
		wire_put_u32le(out, m->version);
		break;
	case EXT_FRAME:
		break;
	case EXT_SCROLL:
		wire_put_u32le(out, (uint32_t)m->scroll.x);
		wire_put_u32le(out, (uint32_t)m->scroll.y);
		wire_put_u32le(out, (uint32_t)m->scroll.dx);
		wire_put_u32le(out, (uint32_t)m->scroll.dy);
		break;
	case EXT_KEYMAP:
		wire_put_bytes(out, m->keymap.bytes, m->keymap.size_bytes);
		break;
	case EXT_CURSOR:
		wire_put_u32le(out, m->is_cursor_hidden);
		break;
	case EXT_SCALE:
		wire_put_u32le(out, m->scale);
		break;
	case EXT_TOUCH:
		wire_put_u32le(out, m->touch.kind);
		wire_put_u32le(out, m->touch.finger);
		wire_put_u32le(out, (uint32_t)m->touch.x);
		wire_put_u32le(out, (uint32_t)m->touch.y);
		break;
	case EXT_NOTIFY:
		wire_put_u32le(out, m->notify.summary_size);
		wire_put_bytes(out, m->notify.summary, m->notify.summary_size);
		wire_put_bytes(out, m->notify.text, m->notify.text_size);
		break;
	}
}
