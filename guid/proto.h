/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GUI protocol 1.8: bytes to checked messages and back, nothing else.
 *
 * Between a daemon on the trusted desktop and an agent in a domain, over vchan
 * port 6000. Every message is a header of three little-endian words (type,
 * window, bytes in the body) and a body. Both directions are decoded here, so
 * that one file knows the format and each decoder can be tested against the
 * encoder. No state, no I/O, no allocation; any context.
 *
 * A decoded message borrows from the body it was decoded from: the bytes of a
 * clipboard and the references of a dump are pointers into it.
 *
 * Source of the numbers: the GUI protocol of Qubes OS 4.2, as observed; see
 * docs/gui.md.
 */
#pragma once

#include "base/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUI_VERSION_MAJOR    1u
#define GUI_VERSION_MINOR    8u
#define GUI_HEADER_SIZE	     12u
#define GUI_XCONF_SIZE	     16u
#define GUI_WIDTH_MAX	     16384u
#define GUI_HEIGHT_MAX	     6144u
#define GUI_DUMP_PAGES_MAX   98304u
#define GUI_PAGE_SIZE	     4096u
#define GUI_CLIPBOARD_MAX    256000u /* from minor 8 on */
#define GUI_CLIPBOARD_OLD    65000u  /* before */
#define GUI_BODY_IGNORED_MAX 65536u  /* unknown message of an agent before 1.6 */
#define GUI_CURSOR_X11	     0x100u
#define GUI_CURSOR_X11_END   (GUI_CURSOR_X11 + 0x9au)
/* The largest body that either side may send: a dump with all its references. */
#define GUI_BODY_MAX (16u + 4u * GUI_DUMP_PAGES_MAX)

enum gui_type {
	GUI_KEYPRESS = 124,
	GUI_BUTTON = 125,
	GUI_MOTION = 126,
	GUI_CROSSING = 127,
	GUI_FOCUS = 128,
	GUI_CREATE = 130,
	GUI_DESTROY = 131,
	GUI_MAP = 132,
	GUI_UNMAP = 133,
	GUI_CONFIGURE = 134,
	GUI_SHMIMAGE = 136,
	GUI_CLOSE = 137,
	GUI_CLIPBOARD_REQ = 139,
	GUI_CLIPBOARD_DATA = 140,
	GUI_WMNAME = 141,
	GUI_KEYMAP_NOTIFY = 142,
	GUI_DOCK = 143,
	GUI_WINDOW_HINTS = 144,
	GUI_WINDOW_FLAGS = 145,
	GUI_WMCLASS = 146,
	GUI_WINDOW_DUMP = 147,
	GUI_CURSOR = 148,
	GUI_WINDOW_DUMP_ACK = 149,
};

/* Event numbers inside of the input messages: those of X11 (X.h). */
enum gui_event {
	GUI_EVENT_PRESS_KEY = 2,
	GUI_EVENT_RELEASE_KEY = 3,
	GUI_EVENT_PRESS_BUTTON = 4,
	GUI_EVENT_RELEASE_BUTTON = 5,
	GUI_EVENT_ENTER = 7,
	GUI_EVENT_LEAVE = 8,
	GUI_EVENT_FOCUS_IN = 9,
	GUI_EVENT_FOCUS_OUT = 10,
};

enum gui_window_flag {
	GUI_FLAG_FULLSCREEN = 1,
	GUI_FLAG_ATTENTION = 2,
	GUI_FLAG_MINIMIZE = 4,
	GUI_FLAGS_ALL = 7,
};

/* Which members of gui_hints count: the bits of ICCCM's WM_NORMAL_HINTS. */
enum gui_hint {
	GUI_HINT_MIN_SIZE = 1 << 4,
	GUI_HINT_MAX_SIZE = 1 << 5,
	GUI_HINT_INCREMENT = 1 << 6,
	GUI_HINT_BASE_SIZE = 1 << 8,
};

enum gui_sender {
	GUI_FROM_AGENT,
	GUI_FROM_DAEMON,
};

struct gui_header {
	uint32_t type;
	uint32_t window;
	uint32_t body_size;
};

/* x and y are relative to the window's upper left corner, in its pixels. */
struct gui_key {
	uint32_t event; /* GUI_EVENT_PRESS_KEY or GUI_EVENT_RELEASE_KEY */
	int32_t x, y;
	uint32_t state;	  /* X11 modifier and button mask before the event */
	uint32_t keycode; /* X11: evdev code + 8 */
};

struct gui_button {
	uint32_t event; /* GUI_EVENT_PRESS_BUTTON or GUI_EVENT_RELEASE_BUTTON */
	int32_t x, y;
	uint32_t state;
	uint32_t button; /* 1 left, 2 middle, 3 right, 4..7 wheel up, down, left, right */
};

struct gui_motion {
	int32_t x, y;
	uint32_t state;
	uint32_t is_hint;
};

struct gui_crossing {
	uint32_t event; /* GUI_EVENT_ENTER or GUI_EVENT_LEAVE */
	int32_t x, y;
	uint32_t state;
	uint32_t mode, detail, focus;
};

struct gui_focus {
	uint32_t event; /* GUI_EVENT_FOCUS_IN or GUI_EVENT_FOCUS_OUT */
	uint32_t mode, detail;
};

struct gui_create {
	int32_t x, y;
	uint32_t width, height; /* <= GUI_WIDTH_MAX, GUI_HEIGHT_MAX; may be 0 */
	uint32_t parent;
	bool is_override_redirect;
};

struct gui_map {
	uint32_t transient_for;
	bool is_override_redirect;
};

struct gui_configure {
	int32_t x, y;
	uint32_t width, height; /* as in gui_create */
	bool is_override_redirect;
};

struct gui_damage {
	int32_t x, y;
	uint32_t width, height; /* <= GUI_WIDTH_MAX, GUI_HEIGHT_MAX */
};

struct gui_hints {
	uint32_t flags; /* gui_hint; unknown bits are dropped */
	uint32_t min_width, min_height, max_width, max_height;
	uint32_t width_increment, height_increment, base_width, base_height;
};

struct gui_flags {
	uint32_t set, unset; /* gui_window_flag */
};

struct gui_dump {
	uint32_t width, height; /* 1..GUI_WIDTH_MAX, 1..GUI_HEIGHT_MAX */
	uint32_t ref_count;	/* pages; enough for width x height x 4 bytes */
	const uint8_t *refs;	/* read with proto_dump_ref() */
};

struct gui_clipboard {
	const uint8_t *bytes;
	uint32_t size_bytes;
	bool is_too_large; /* the agent has more than the limit: bytes are not to be used */
};

/* NUL-terminated, otherwise any bytes: to be sanitised before it is shown. */
struct gui_title {
	char text[128];
};

struct gui_class {
	char class_name[64];
	char instance[64];
};

struct gui_keymap {
	uint8_t keys[32]; /* a bit for each X11 keycode that is down */
};

struct gui_message {
	enum gui_type type;
	uint32_t window;
	union {
		struct gui_key key;
		struct gui_button button;
		struct gui_motion motion;
		struct gui_crossing crossing;
		struct gui_focus focus;
		struct gui_create create;
		struct gui_map map;
		struct gui_configure configure;
		struct gui_damage damage;
		struct gui_hints hints;
		struct gui_flags flags;
		struct gui_dump dump;
		struct gui_clipboard clipboard;
		struct gui_title title;
		struct gui_class class_hint;
		struct gui_keymap keymap;
		uint32_t cursor; /* 0, or GUI_CURSOR_X11 + a number of the X cursor font */
	};
};

/* What the daemon says about its screen at the start. */
struct gui_xconf {
	uint32_t width, height; /* pixels */
	uint32_t depth;
	uint32_t memory_kib; /* of a screen; a hint */
};

/*
 * Handshake. The agent's first word, made into the minor version that both use.
 * -EPROTO: another major version.
 */
int proto_negotiate(uint32_t agent_version, uint32_t *minor_out);
static inline uint32_t proto_version(uint32_t minor)
{
	return GUI_VERSION_MAJOR << 16 | minor;
}
/* True when the daemon's answer starts with the version: agents from 1.4 on. */
bool proto_answers_version(uint32_t agent_version);
int proto_xconf_decode(struct wire *in, struct gui_xconf *out);
void proto_xconf_encode(const struct gui_xconf *conf, struct wire_out *out);

/*
 * A header, checked so far that its body may be received: -EPROTO for a body size
 * that no message of this type has. 1: the message is unknown to us, the peer is
 * older than 1.6, and its body is to be read and dropped. *rule names what was
 * violated, for the log.
 */
int proto_header_decode(struct wire *in, enum gui_sender from, uint32_t minor,
			struct gui_header *out, const char **rule);

/*
 * The body of a message whose header passed proto_header_decode(). Writes *out
 * only on success. -EPROTO: wrong length. -ERANGE: a field outside of its range.
 */
int proto_body_decode(const struct gui_header *header, struct wire *in, enum gui_sender from,
		      uint32_t minor, struct gui_message *out, const char **rule);

/*
 * Header and body. The caller gives room for proto_encoded_size(); anything else
 * shows as overflow in *out.
 */
void proto_encode(const struct gui_message *msg, enum gui_sender from, struct wire_out *out);
size_t proto_encoded_size(const struct gui_message *msg, enum gui_sender from);

/* A reference of a dump; index < ref_count. */
uint32_t proto_dump_ref(const struct gui_dump *dump, uint32_t index);

/* Pages that hold width x height pixels of 4 bytes; both within their limits. */
uint32_t proto_dump_pages(uint32_t width, uint32_t height);

uint32_t proto_clipboard_limit(uint32_t minor);

/* For the log; "unknown" for a type that is none. */
const char *proto_type_name(uint32_t type);
