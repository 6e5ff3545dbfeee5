/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages as a hostile agent would make them: valid to the decoder, senseless in order. */
#pragma once

#include "guid/proto.h"

#include <string.h>

static inline uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Small, huge, negative, and at the limits. */
static inline uint32_t random_number(uint32_t *state, uint32_t limit)
{
	static const uint32_t edges[] = {0, 1, 2, 100, 1023, 0x7fffffff, 0x80000000, 0xffffffff};
	uint32_t kind = random_next(state) % 4;
	uint32_t n = kind == 0	 ? edges[random_next(state) % 8]
		     : kind == 1 ? limit
				 : random_next(state) % 700;

	return limit && n > limit ? n % (limit + 1) : n;
}

/* refs: room for 64 references of a dump. Fills *m with a message for one of few windows. */
static inline void random_message(uint32_t *state, uint8_t refs[256], struct gui_message *m)
{
	static const enum gui_type types[] = {
		GUI_CREATE,
		GUI_CREATE,
		GUI_MAP,
		GUI_MAP,
		GUI_DESTROY,
		GUI_UNMAP,
		GUI_CONFIGURE,
		GUI_CONFIGURE,
		GUI_SHMIMAGE,
		GUI_SHMIMAGE,
		GUI_WMNAME,
		GUI_WINDOW_HINTS,
		GUI_WINDOW_FLAGS,
		GUI_WINDOW_DUMP,
		GUI_WINDOW_DUMP,
		GUI_WMCLASS,
		GUI_CURSOR,
		GUI_DOCK,
		GUI_CLIPBOARD_DATA,
	};
	size_t i;

	memset(m, 0, sizeof(*m));
	m->type = types[random_next(state) % (sizeof(types) / sizeof(types[0]))];
	m->window = random_next(state) % 8;
	switch (m->type) {
	case GUI_CREATE:
	case GUI_CONFIGURE:
	case GUI_SHMIMAGE:
		m->create.x = (int32_t)random_number(state, 0);
		m->create.y = (int32_t)random_number(state, 0);
		m->create.width = random_number(state, GUI_WIDTH_MAX);
		m->create.height = random_number(state, GUI_HEIGHT_MAX);
		if (m->type == GUI_CREATE) {
			m->create.parent = random_next(state) % 8;
			m->create.is_override_redirect = random_next(state) & 1;
		} else if (m->type == GUI_CONFIGURE) {
			m->configure.is_override_redirect = random_next(state) & 1;
		}
		break;
	case GUI_MAP:
		m->map.transient_for = random_next(state) % 8;
		m->map.is_override_redirect = random_next(state) & 1;
		break;
	case GUI_WMNAME:
	case GUI_WMCLASS:
		for (i = 0; i < sizeof(m->title.text) - 1; i++) {
			m->title.text[i] = (char)random_next(state);
		}
		break;
	case GUI_WINDOW_HINTS:
		m->hints.flags = random_next(state);
		m->hints.min_width = random_number(state, GUI_WIDTH_MAX);
		m->hints.min_height = random_number(state, GUI_HEIGHT_MAX);
		m->hints.max_width = random_number(state, 0);
		break;
	case GUI_WINDOW_FLAGS:
		m->flags.set = random_next(state) % 8;
		m->flags.unset = random_next(state) % 8;
		break;
	case GUI_WINDOW_DUMP:
		m->dump.width = 1 + random_next(state) % 256;
		m->dump.height = 1 + random_next(state) % 256;
		m->dump.ref_count = proto_dump_pages(m->dump.width, m->dump.height);
		m->dump.refs = refs;
		break;
	case GUI_CURSOR:
		m->cursor = GUI_CURSOR_X11 + random_next(state) % 0x9a;
		break;
	case GUI_CLIPBOARD_DATA:
		m->clipboard.bytes = refs;
		m->clipboard.size_bytes = random_next(state) % 64;
		break;
	default:
		break;
	}
}
