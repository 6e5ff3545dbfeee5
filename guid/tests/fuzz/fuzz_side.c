/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two small formats beside the GUI protocol: clipboard broker and extension. */
#include "guid/clip.h"
#include "guid/ext.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_clip(const uint8_t *data, size_t size)
{
	static uint8_t again[CLIP_HEADER_SIZE + CLIP_TEXT_MAX];
	struct wire in = wire_of(data, CLIP_HEADER_SIZE);
	struct wire_out out = wire_out_of(again, sizeof(again));
	struct clip_message m;
	enum clip_type type;
	uint32_t body;

	if (size < CLIP_HEADER_SIZE || clip_header_decode(&in, &type, &body)) {
		return;
	}
	in = wire_of(data + CLIP_HEADER_SIZE, size - CLIP_HEADER_SIZE);
	if (clip_body_decode(type, &in, body, &m)) {
		return;
	}
	clip_encode(&m, &out);
	if (out.size != size || memcmp(again, data, size) != 0) {
		abort();
	}
}

static void try_ext(const uint8_t *data, size_t size)
{
	static uint8_t again[EXT_HEADER_SIZE + EXT_KEYMAP_MAX];
	struct wire in = wire_of(data, EXT_HEADER_SIZE);
	struct wire_out out = wire_out_of(again, sizeof(again));
	struct ext_message m;
	enum ext_type type;
	uint32_t window, body;

	if (size < EXT_HEADER_SIZE || ext_header_decode(&in, &type, &window, &body)) {
		return;
	}
	in = wire_of(data + EXT_HEADER_SIZE, size - EXT_HEADER_SIZE);
	if (ext_body_decode(type, window, &in, body, &m)) {
		return;
	}
	ext_encode(&m, &out);
	if (out.size != size || memcmp(again, data, size) != 0) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size) {
		if (data[0] & 1) {
			try_clip(data + 1, size - 1);
		} else {
			try_ext(data + 1, size - 1);
		}
	}
	return 0;
}
