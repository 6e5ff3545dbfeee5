/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One message, any bytes: what decodes must encode to the same bytes again.
 * First byte: sender and minor version; then header and body.
 */
#include "guid/proto.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum gui_sender from;
	uint32_t minor;
	struct gui_header h;
	struct gui_message m;
	struct wire in;
	struct wire_out out;
	const char *rule = NULL;
	static uint8_t again[1 << 16];

	if (size < 1 + GUI_HEADER_SIZE) {
		return 0;
	}
	from = data[0] & 0x80 ? GUI_FROM_DAEMON : GUI_FROM_AGENT;
	minor = (data[0] & 0x7f) % 9;
	in = wire_of(data + 1, GUI_HEADER_SIZE);
	if (proto_header_decode(&in, from, minor, &h, &rule)) {
		return 0;
	}
	in = wire_of(data + 1 + GUI_HEADER_SIZE, size - 1 - GUI_HEADER_SIZE);
	if (proto_body_decode(&h, &in, from, minor, &m, &rule)) {
		if (!rule) {
			abort();
		}
		return 0;
	}
	if (proto_encoded_size(&m, from) > sizeof(again)) {
		return 0;
	}
	out = wire_out_of(again, sizeof(again));
	proto_encode(&m, from, &out);
	if (!wire_out_ok(&out) || out.size != proto_encoded_size(&m, from)) {
		abort();
	}
	return 0;
}
