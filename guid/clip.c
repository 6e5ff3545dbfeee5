/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/clip.h"

#include <errno.h>
#include <string.h>

/* Largest and smallest body of each type. */
static const struct {
	uint32_t min, max;
} sizes[] = {
	[CLIP_HELLO] = {1, CLIP_NAME_MAX},
	[CLIP_COPY] = {1, CLIP_TEXT_MAX},
	[CLIP_PASTE] = {0, 0},
	[CLIP_TEXT] = {1, CLIP_TEXT_MAX},
	[CLIP_REFUSED] = {1, CLIP_REASON_MAX},
	[CLIP_COPIED] = {0, 0},
};

int clip_header_decode(struct wire *in, enum clip_type *type_out, uint32_t *size_out)
{
	uint32_t type = wire_u32le(in);
	uint32_t size = wire_u32le(in);

	if (!wire_at_end(in) || type < CLIP_HELLO || type > CLIP_COPIED || size < sizes[type].min ||
	    size > sizes[type].max) {
		return -EPROTO;
	}
	*type_out = (enum clip_type)type;
	*size_out = size;
	return 0;
}

static bool name_ok(const uint8_t *name, uint32_t size)
{
	uint32_t i;

	for (i = 0; i < size; i++) {
		uint8_t lower = name[i] | 0x20;
		bool is_letter = lower >= 'a' && lower <= 'z';
		bool is_other =
			(name[i] >= '0' && name[i] <= '9') || name[i] == '-' || name[i] == '_';

		if (!is_letter && (i == 0 || !is_other)) {
			return false;
		}
	}
	return true;
}

/* The length of the well-formed UTF-8 character at p, or 0 (Unicode 15, table 3-7). */
static uint32_t character_length(const uint8_t *p, uint32_t left)
{
	static const struct {
		uint8_t first, last, second_min, second_max, length;
	} forms[] = {
		{0x20, 0x7e, 0, 0, 1},	     {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	size_t i;
	uint32_t k;

	if (p[0] == '\t' || p[0] == '\n' || p[0] == '\r') {
		return 1;
	}
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (p[0] < forms[i].first || p[0] > forms[i].last) {
			continue;
		}
		if (forms[i].length == 1) {
			return 1;
		}
		if (left < forms[i].length || p[1] < forms[i].second_min ||
		    p[1] > forms[i].second_max) {
			return 0;
		}
		for (k = 2; k < forms[i].length; k++) {
			if ((p[k] & 0xc0) != 0x80) {
				return 0;
			}
		}
		/* U+0080..U+009F are control characters too. */
		return p[0] == 0xc2 && p[1] < 0xa0 ? 0 : forms[i].length;
	}
	return 0;
}

static bool text_ok(const uint8_t *text, uint32_t size)
{
	uint32_t at = 0;

	while (at < size) {
		uint32_t length = character_length(text + at, size - at);

		if (!length) {
			return false;
		}
		at += length;
	}
	return true;
}

int clip_body_decode(enum clip_type type, struct wire *in, uint32_t size_bytes,
		     struct clip_message *out)
{
	struct clip_message m = {.type = type, .size_bytes = size_bytes};

	m.bytes = wire_bytes(in, size_bytes);
	if (!wire_at_end(in)) {
		return -EPROTO;
	}
	if (type == CLIP_HELLO ? !name_ok(m.bytes, size_bytes) : !text_ok(m.bytes, size_bytes)) {
		return -EINVAL;
	}
	*out = m;
	return 0;
}

void clip_encode(const struct clip_message *m, struct wire_out *out)
{
	wire_put_u32le(out, m->type);
	wire_put_u32le(out, m->size_bytes);
	wire_put_bytes(out, m->bytes, m->size_bytes);
}
