/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages between the daemons of domains and the clipboard broker: format only.
 *
 * A header of two little-endian words (type, bytes in the body) and a body. A daemon
 * says who it is once, before it gives up its rights; the broker believes that and
 * nothing later. Text is UTF-8 without control characters other than tab and line
 * ends. No state, no I/O.
 */
#pragma once

#include "base/wire.h"

#define CLIP_HEADER_SIZE 8u
#define CLIP_NAME_MAX	 31u
#define CLIP_TEXT_MAX	 256000u
#define CLIP_REASON_MAX	 200u

enum clip_type {
	CLIP_HELLO = 1, /* daemon: name of its domain */
	CLIP_COPY,	/* daemon: the user copied this text */
	CLIP_PASTE,	/* daemon: the user wants to paste; no body */
	CLIP_TEXT,	/* broker: here it is, once */
	CLIP_REFUSED,	/* broker: a sentence for the user */
	CLIP_COPIED,	/* broker: it has the text; no body */
};

struct clip_message {
	enum clip_type type;
	const uint8_t *bytes; /* of the body; not terminated */
	uint32_t size_bytes;
};

/* -EPROTO: unknown type, or a body of a size that this type does not have. */
int clip_header_decode(struct wire *in, enum clip_type *type_out, uint32_t *size_out);

/*
 * The body of a checked header. *out borrows from it. -EPROTO: not the size of the header.
 * -EINVAL: a name that no domain has, or text that is not text.
 */
int clip_body_decode(enum clip_type type, struct wire *in, uint32_t size_bytes,
		     struct clip_message *out);

void clip_encode(const struct clip_message *m, struct wire_out *out);
