/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What GUI protocol 1.8 lacks, on a vchan of its own: format only.
 *
 * Port 6001, agent is the server. Only peers that both know it have it: a daemon that does
 * not find a server there goes on without, and so does an agent that nobody connects to;
 * port 6000 stays as it is. After both said HELLO (the lower version counts) each sends what
 * is its own; CURSOR and NOTIFY only when that version is 2 or more, TOUCH and SCALE from 3 on.
 * Messages have the header of port 6000. No state, no I/O.
 */
#pragma once

#include "base/wire.h"

#define EXT_PORT	6001
#define EXT_VERSION	3u
#define EXT_HEADER_SIZE 12u
#define EXT_KEYMAP_MAX	262144u
#define EXT_NOTIFY_MAX	1024u /* summary and text together, in bytes */
#define EXT_SCROLL_ONE	256   /* one click of a wheel */
#define EXT_SCROLL_MAX	(1000 * EXT_SCROLL_ONE)
#define EXT_FINGERS	10u
#define EXT_SCALE_MAX	4u

enum ext_type {
	EXT_HELLO = 1, /* both: version */
	EXT_FRAME,     /* daemon: the window's changes are on the screen: it may draw again */
	EXT_SCROLL,    /* daemon: smooth scrolling, in place of wheel buttons */
	EXT_KEYMAP,    /* daemon: the user's keyboard, as XKB text */
	EXT_CURSOR,    /* agent: the pointer is hidden over this window, or no longer */
	EXT_NOTIFY,    /* agent: a program wants to tell the user something */
	EXT_TOUCH,     /* daemon: a finger on the window */
	/*
	 * Daemon, window 0: the desktop's finest monitor has so many pixels a unit, each way.
	 * Agent: from its next dump on, this window's picture has so many; its size, places and
	 * damage stay in units.
	 */
	EXT_SCALE,
};

struct ext_scroll {
	int32_t x, y;	/* of the pointer, in the window */
	int32_t dx, dy; /* in 1/EXT_SCROLL_ONE clicks, within EXT_SCROLL_MAX */
};

enum ext_touch_kind {
	EXT_TOUCH_DOWN,
	EXT_TOUCH_MOTION,
	EXT_TOUCH_UP,
	EXT_TOUCH_CANCEL, /* all fingers: what they did counts for nothing */
};

struct ext_touch {
	uint32_t kind;	 /* enum ext_touch_kind */
	uint32_t finger; /* below EXT_FINGERS */
	int32_t x, y;	 /* in the window */
};

/* Any bytes; whoever shows them makes them harmless. Borrowed from the body. */
struct ext_notify {
	const uint8_t *summary, *text;
	uint32_t summary_size, text_size;
};

struct ext_message {
	enum ext_type type;
	uint32_t window; /* 0 where a message is about none */
	union {
		uint32_t version;
		struct ext_scroll scroll;
		struct ext_notify notify;
		struct ext_touch touch;
		uint32_t scale;		   /* 1..EXT_SCALE_MAX */
		uint32_t is_cursor_hidden; /* 0 or 1 */
		struct {
			const uint8_t *bytes; /* borrowed from the body */
			uint32_t size_bytes;
		} keymap;
	};
};

/* -EPROTO: unknown type, or a body that this type does not have. */
int ext_header_decode(struct wire *in, enum ext_type *type_out, uint32_t *window_out,
		      uint32_t *size_out);
/* -EPROTO: not the size of the header. -ERANGE: a field outside of its range. */
int ext_body_decode(enum ext_type type, uint32_t window, struct wire *in, uint32_t size_bytes,
		    struct ext_message *out);
void ext_encode(const struct ext_message *m, struct wire_out *out);
uint32_t ext_body_size(const struct ext_message *m);
