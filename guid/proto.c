/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/proto.h"

#include <errno.h>
#include <string.h>

/* Which side may send a message, and how long its body is. */
enum body_kind {
	BODY_FIXED,
	BODY_DUMP,
	BODY_CLIPBOARD,
};

struct type_info {
	const char *name;
	bool is_from_agent, is_from_daemon;
	enum body_kind kind;
	uint32_t agent_size, daemon_size; /* BODY_FIXED: exact size */
};

#define TYPE_FIRST GUI_KEYPRESS
#define TYPE_LAST  GUI_WINDOW_DUMP_ACK

static const struct type_info types[TYPE_LAST - TYPE_FIRST + 1] = {
	[GUI_KEYPRESS - TYPE_FIRST] = {"KEYPRESS", false, true, BODY_FIXED, 0, 20},
	[GUI_BUTTON - TYPE_FIRST] = {"BUTTON", false, true, BODY_FIXED, 0, 20},
	[GUI_MOTION - TYPE_FIRST] = {"MOTION", false, true, BODY_FIXED, 0, 16},
	[GUI_CROSSING - TYPE_FIRST] = {"CROSSING", false, true, BODY_FIXED, 0, 28},
	[GUI_FOCUS - TYPE_FIRST] = {"FOCUS", false, true, BODY_FIXED, 0, 12},
	[GUI_CREATE - TYPE_FIRST] = {"CREATE", true, false, BODY_FIXED, 24, 0},
	[GUI_DESTROY - TYPE_FIRST] = {"DESTROY", true, true, BODY_FIXED, 0, 0},
	[GUI_MAP - TYPE_FIRST] = {"MAP", true, true, BODY_FIXED, 8, 8},
	[GUI_UNMAP - TYPE_FIRST] = {"UNMAP", true, false, BODY_FIXED, 0, 0},
	[GUI_CONFIGURE - TYPE_FIRST] = {"CONFIGURE", true, true, BODY_FIXED, 20, 20},
	[GUI_SHMIMAGE - TYPE_FIRST] = {"SHMIMAGE", true, false, BODY_FIXED, 16, 0},
	[GUI_CLOSE - TYPE_FIRST] = {"CLOSE", false, true, BODY_FIXED, 0, 0},
	[GUI_CLIPBOARD_REQ - TYPE_FIRST] = {"CLIPBOARD_REQ", false, true, BODY_FIXED, 0, 0},
	[GUI_CLIPBOARD_DATA - TYPE_FIRST] = {"CLIPBOARD_DATA", true, true, BODY_CLIPBOARD, 0, 0},
	[GUI_WMNAME - TYPE_FIRST] = {"WMNAME", true, false, BODY_FIXED, 128, 0},
	[GUI_KEYMAP_NOTIFY - TYPE_FIRST] = {"KEYMAP_NOTIFY", false, true, BODY_FIXED, 0, 32},
	[GUI_DOCK - TYPE_FIRST] = {"DOCK", true, false, BODY_FIXED, 0, 0},
	[GUI_WINDOW_HINTS - TYPE_FIRST] = {"WINDOW_HINTS", true, false, BODY_FIXED, 36, 0},
	[GUI_WINDOW_FLAGS - TYPE_FIRST] = {"WINDOW_FLAGS", true, true, BODY_FIXED, 8, 8},
	[GUI_WMCLASS - TYPE_FIRST] = {"WMCLASS", true, false, BODY_FIXED, 128, 0},
	[GUI_WINDOW_DUMP - TYPE_FIRST] = {"WINDOW_DUMP", true, false, BODY_DUMP, 0, 0},
	[GUI_CURSOR - TYPE_FIRST] = {"CURSOR", true, false, BODY_FIXED, 4, 0},
	[GUI_WINDOW_DUMP_ACK - TYPE_FIRST] = {"WINDOW_DUMP_ACK", false, true, BODY_FIXED, 0, 0},
};

static const struct type_info *type_find(uint32_t type, enum gui_sender from)
{
	const struct type_info *t;

	if (type < TYPE_FIRST || type > TYPE_LAST) {
		return NULL;
	}
	t = &types[type - TYPE_FIRST];
	return (from == GUI_FROM_AGENT ? t->is_from_agent : t->is_from_daemon) ? t : NULL;
}

static uint32_t fixed_size(const struct type_info *t, enum gui_sender from)
{
	return from == GUI_FROM_AGENT ? t->agent_size : t->daemon_size;
}

const char *proto_type_name(uint32_t type)
{
	if (type < TYPE_FIRST || type > TYPE_LAST || !types[type - TYPE_FIRST].name) {
		return "unknown";
	}
	return types[type - TYPE_FIRST].name;
}

uint32_t proto_clipboard_limit(uint32_t minor)
{
	return minor >= 8 ? GUI_CLIPBOARD_MAX : GUI_CLIPBOARD_OLD;
}

uint32_t proto_dump_pages(uint32_t width, uint32_t height)
{
	uint64_t size_bytes = (uint64_t)width * height * 4;

	return (uint32_t)((size_bytes + GUI_PAGE_SIZE - 1) / GUI_PAGE_SIZE);
}

uint32_t proto_dump_ref(const struct gui_dump *dump, uint32_t index)
{
	struct wire in = wire_of(dump->refs, (size_t)dump->ref_count * 4);

	if (index >= dump->ref_count) {
		return 0;
	}
	in.position = (size_t)index * 4;
	return wire_u32le(&in);
}

int proto_negotiate(uint32_t agent_version, uint32_t *minor_out)
{
	uint32_t minor = agent_version & 0xffff;

	if (agent_version >> 16 != GUI_VERSION_MAJOR) {
		return -EPROTO;
	}
	*minor_out = minor < GUI_VERSION_MINOR ? minor : GUI_VERSION_MINOR;
	return 0;
}

bool proto_answers_version(uint32_t agent_version)
{
	return (agent_version & 0xffff) >= 4;
}

int proto_xconf_decode(struct wire *in, struct gui_xconf *out)
{
	struct gui_xconf c;

	c.width = wire_u32le(in);
	c.height = wire_u32le(in);
	c.depth = wire_u32le(in);
	c.memory_kib = wire_u32le(in);
	if (!wire_at_end(in)) {
		return -EPROTO;
	}
	if (!c.width || c.width > GUI_WIDTH_MAX || !c.height || c.height > GUI_HEIGHT_MAX) {
		return -ERANGE;
	}
	*out = c;
	return 0;
}

void proto_xconf_encode(const struct gui_xconf *conf, struct wire_out *out)
{
	wire_put_u32le(out, conf->width);
	wire_put_u32le(out, conf->height);
	wire_put_u32le(out, conf->depth);
	wire_put_u32le(out, conf->memory_kib);
}

/* Whether a body of this size may follow; peers before 1.6 may send more than we know. */
static bool body_size_ok(const struct type_info *t, const struct gui_header *h,
			 enum gui_sender from, uint32_t minor)
{
	switch (t->kind) {
	case BODY_DUMP:
		return h->body_size >= 16 && h->body_size <= GUI_BODY_MAX && h->body_size % 4 == 0;
	case BODY_CLIPBOARD:
		return h->body_size <= proto_clipboard_limit(minor) + 1;
	case BODY_FIXED:
		break;
	}
	if (h->body_size == fixed_size(t, from)) {
		return true;
	}
	return minor < 6 && h->body_size > fixed_size(t, from) &&
	       h->body_size <= GUI_BODY_IGNORED_MAX;
}

int proto_header_decode(struct wire *in, enum gui_sender from, uint32_t minor,
			struct gui_header *out, const char **rule)
{
	const struct type_info *t;
	struct gui_header h;

	h.type = wire_u32le(in);
	h.window = wire_u32le(in);
	h.body_size = wire_u32le(in);
	if (!wire_at_end(in)) {
		*rule = "a header has 12 bytes";
		return -EPROTO;
	}

	t = type_find(h.type, from);
	if (!t) {
		if (minor < 6 && h.body_size <= GUI_BODY_IGNORED_MAX) {
			*out = h;
			return 1;
		}
		*rule = "the type is unknown";
		return -EPROTO;
	}
	if (!body_size_ok(t, &h, from, minor)) {
		*rule = "the length is wrong for this type";
		return -EPROTO;
	}
	*out = h;
	return 0;
}

static bool event_ok(uint32_t event, uint32_t first)
{
	return event == first || event == first + 1;
}

static bool size_ok(uint32_t width, uint32_t height)
{
	return width <= GUI_WIDTH_MAX && height <= GUI_HEIGHT_MAX;
}

static const char *key_decode(struct wire *in, struct gui_key *k)
{
	k->event = wire_u32le(in);
	k->x = wire_s32le(in);
	k->y = wire_s32le(in);
	k->state = wire_u32le(in);
	k->keycode = wire_u32le(in);
	if (!event_ok(k->event, GUI_EVENT_PRESS_KEY)) {
		return "the event is a key press or release";
	}
	return k->keycode >= 8 && k->keycode <= 255 ? NULL : "a keycode is 8 to 255";
}

static const char *button_decode(struct wire *in, struct gui_button *b)
{
	b->event = wire_u32le(in);
	b->x = wire_s32le(in);
	b->y = wire_s32le(in);
	b->state = wire_u32le(in);
	b->button = wire_u32le(in);
	if (!event_ok(b->event, GUI_EVENT_PRESS_BUTTON)) {
		return "the event is a button press or release";
	}
	return b->button >= 1 && b->button <= 255 ? NULL : "a button is 1 to 255";
}

static const char *motion_decode(struct wire *in, struct gui_motion *m)
{
	m->x = wire_s32le(in);
	m->y = wire_s32le(in);
	m->state = wire_u32le(in);
	m->is_hint = wire_u32le(in);
	return NULL;
}

static const char *crossing_decode(struct wire *in, struct gui_crossing *c)
{
	c->event = wire_u32le(in);
	c->x = wire_s32le(in);
	c->y = wire_s32le(in);
	c->state = wire_u32le(in);
	c->mode = wire_u32le(in);
	c->detail = wire_u32le(in);
	c->focus = wire_u32le(in);
	return event_ok(c->event, GUI_EVENT_ENTER) ? NULL : "the event is enter or leave";
}

static const char *focus_decode(struct wire *in, struct gui_focus *f)
{
	f->event = wire_u32le(in);
	f->mode = wire_u32le(in);
	f->detail = wire_u32le(in);
	return event_ok(f->event, GUI_EVENT_FOCUS_IN) ? NULL : "the event is focus in or out";
}

static const char *create_decode(struct wire *in, struct gui_create *c)
{
	c->x = wire_s32le(in);
	c->y = wire_s32le(in);
	c->width = wire_u32le(in);
	c->height = wire_u32le(in);
	c->parent = wire_u32le(in);
	c->is_override_redirect = wire_u32le(in) != 0;
	return size_ok(c->width, c->height) ? NULL : "a window is at most 16384 x 6144";
}

static const char *map_decode(struct wire *in, struct gui_map *m)
{
	m->transient_for = wire_u32le(in);
	m->is_override_redirect = wire_u32le(in) != 0;
	return NULL;
}

static const char *configure_decode(struct wire *in, struct gui_configure *c)
{
	c->x = wire_s32le(in);
	c->y = wire_s32le(in);
	c->width = wire_u32le(in);
	c->height = wire_u32le(in);
	c->is_override_redirect = wire_u32le(in) != 0;
	return size_ok(c->width, c->height) ? NULL : "a window is at most 16384 x 6144";
}

static const char *damage_decode(struct wire *in, struct gui_damage *d)
{
	d->x = wire_s32le(in);
	d->y = wire_s32le(in);
	d->width = wire_u32le(in);
	d->height = wire_u32le(in);
	return size_ok(d->width, d->height) ? NULL : "a changed part is at most 16384 x 6144";
}

static const char *hints_decode(struct wire *in, struct gui_hints *h)
{
	h->flags = wire_u32le(in) & (GUI_HINT_MIN_SIZE | GUI_HINT_MAX_SIZE | GUI_HINT_INCREMENT |
				     GUI_HINT_BASE_SIZE);
	h->min_width = wire_u32le(in);
	h->min_height = wire_u32le(in);
	h->max_width = wire_u32le(in);
	h->max_height = wire_u32le(in);
	h->width_increment = wire_u32le(in);
	h->height_increment = wire_u32le(in);
	h->base_width = wire_u32le(in);
	h->base_height = wire_u32le(in);
	if ((h->flags & GUI_HINT_MIN_SIZE) && !size_ok(h->min_width, h->min_height)) {
		return "a minimum size is at most 16384 x 6144";
	}
	if ((h->flags & GUI_HINT_BASE_SIZE) && !size_ok(h->base_width, h->base_height)) {
		return "a base size is at most 16384 x 6144";
	}
	if ((h->flags & GUI_HINT_INCREMENT) && !size_ok(h->width_increment, h->height_increment)) {
		return "an increment is at most 16384 x 6144";
	}
	return NULL;
}

static const char *flags_decode(struct wire *in, struct gui_flags *f)
{
	f->set = wire_u32le(in);
	f->unset = wire_u32le(in);
	return ((f->set | f->unset) & ~(uint32_t)GUI_FLAGS_ALL) ? "a window flag is 1, 2 or 4"
								: NULL;
}

static const char *dump_decode(struct wire *in, struct gui_dump *d)
{
	uint32_t dump_type = wire_u32le(in);
	uint32_t bits_per_pixel;

	d->width = wire_u32le(in);
	d->height = wire_u32le(in);
	bits_per_pixel = wire_u32le(in);
	d->ref_count = (uint32_t)(wire_left(in) / 4);
	d->refs = wire_bytes(in, wire_left(in));
	if (dump_type != 0) {
		return "a dump is of type 0, grant references";
	}
	if (bits_per_pixel != 24) {
		return "a dump has 24 bits in a pixel";
	}
	if (!d->width || !d->height || !size_ok(d->width, d->height)) {
		return "a dump is at least 1 x 1 and at most 16384 x 6144";
	}
	if (d->ref_count < proto_dump_pages(d->width, d->height)) {
		return "a dump has references for all its pixels";
	}
	return NULL;
}

static const char *clipboard_decode(struct wire *in, uint32_t minor, struct gui_clipboard *c)
{
	c->size_bytes = (uint32_t)wire_left(in);
	c->bytes = wire_bytes(in, c->size_bytes);
	c->is_too_large = c->size_bytes > proto_clipboard_limit(minor);
	return NULL;
}

static const char *title_decode(struct wire *in, struct gui_title *t)
{
	const uint8_t *p = wire_bytes(in, sizeof(t->text));

	if (p) {
		memcpy(t->text, p, sizeof(t->text));
		t->text[sizeof(t->text) - 1] = '\0';
	}
	return NULL;
}

static const char *class_decode(struct wire *in, struct gui_class *c)
{
	const uint8_t *p = wire_bytes(in, sizeof(c->class_name) + sizeof(c->instance));

	if (p) {
		memcpy(c->class_name, p, sizeof(c->class_name));
		memcpy(c->instance, p + sizeof(c->class_name), sizeof(c->instance));
		c->class_name[sizeof(c->class_name) - 1] = '\0';
		c->instance[sizeof(c->instance) - 1] = '\0';
	}
	return NULL;
}

static const char *cursor_decode(struct wire *in, uint32_t *cursor)
{
	*cursor = wire_u32le(in);
	if (*cursor != 0 && (*cursor < GUI_CURSOR_X11 || *cursor >= GUI_CURSOR_X11_END)) {
		return "a cursor is 0 or 0x100 to 0x199";
	}
	return NULL;
}

/* NULL or the rule that a field breaks; the caller checks the length. */
static const char *fields_decode(struct wire *in, uint32_t minor, struct gui_message *m)
{
	const uint8_t *p;

	switch (m->type) {
	case GUI_KEYPRESS:
		return key_decode(in, &m->key);
	case GUI_BUTTON:
		return button_decode(in, &m->button);
	case GUI_MOTION:
		return motion_decode(in, &m->motion);
	case GUI_CROSSING:
		return crossing_decode(in, &m->crossing);
	case GUI_FOCUS:
		return focus_decode(in, &m->focus);
	case GUI_CREATE:
		return create_decode(in, &m->create);
	case GUI_MAP:
		return map_decode(in, &m->map);
	case GUI_CONFIGURE:
		return configure_decode(in, &m->configure);
	case GUI_SHMIMAGE:
		return damage_decode(in, &m->damage);
	case GUI_CLIPBOARD_DATA:
		return clipboard_decode(in, minor, &m->clipboard);
	case GUI_WMNAME:
		return title_decode(in, &m->title);
	case GUI_KEYMAP_NOTIFY:
		p = wire_bytes(in, sizeof(m->keymap.keys));
		if (p) {
			memcpy(m->keymap.keys, p, sizeof(m->keymap.keys));
		}
		return NULL;
	case GUI_WINDOW_HINTS:
		return hints_decode(in, &m->hints);
	case GUI_WINDOW_FLAGS:
		return flags_decode(in, &m->flags);
	case GUI_WMCLASS:
		return class_decode(in, &m->class_hint);
	case GUI_WINDOW_DUMP:
		return dump_decode(in, &m->dump);
	case GUI_CURSOR:
		return cursor_decode(in, &m->cursor);
	case GUI_DESTROY:
	case GUI_UNMAP:
	case GUI_CLOSE:
	case GUI_CLIPBOARD_REQ:
	case GUI_DOCK:
	case GUI_WINDOW_DUMP_ACK:
		return NULL;
	}
	return "the type is unknown";
}

int proto_body_decode(const struct gui_header *header, struct wire *in, enum gui_sender from,
		      uint32_t minor, struct gui_message *out, const char **rule)
{
	const char *broken;
	struct gui_message m;

	if (!type_find(header->type, from)) {
		*rule = "the type is unknown";
		return -EPROTO;
	}
	memset(&m, 0, sizeof(m));
	m.type = (enum gui_type)header->type;
	m.window = header->window;
	broken = fields_decode(in, minor, &m);

	/* Before 1.6 a body may be longer than what we know of it; never shorter. */
	if (minor < 6 ? !wire_ok(in) : !wire_at_end(in)) {
		*rule = "the length is wrong for this type";
		return -EPROTO;
	}
	if (broken) {
		*rule = broken;
		return -ERANGE;
	}
	*out = m;
	return 0;
}

size_t proto_encoded_size(const struct gui_message *msg, enum gui_sender from)
{
	const struct type_info *t = type_find(msg->type, from);

	if (!t) {
		return GUI_HEADER_SIZE;
	}
	switch (t->kind) {
	case BODY_DUMP:
		return GUI_HEADER_SIZE + 16 + (size_t)msg->dump.ref_count * 4;
	case BODY_CLIPBOARD:
		return GUI_HEADER_SIZE + msg->clipboard.size_bytes;
	case BODY_FIXED:
		break;
	}
	return GUI_HEADER_SIZE + fixed_size(t, from);
}

static void put_words(struct wire_out *out, const uint32_t *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		wire_put_u32le(out, words[i]);
	}
}

#define PUT(out, ...)                                                    \
	do {                                                             \
		const uint32_t put_w[] = {__VA_ARGS__};                  \
		put_words(out, put_w, sizeof(put_w) / sizeof(put_w[0])); \
	} while (0)

static void body_encode(const struct gui_message *m, struct wire_out *out)
{
	switch (m->type) {
	case GUI_KEYPRESS:
		PUT(out, m->key.event, (uint32_t)m->key.x, (uint32_t)m->key.y, m->key.state,
		    m->key.keycode);
		break;
	case GUI_BUTTON:
		PUT(out, m->button.event, (uint32_t)m->button.x, (uint32_t)m->button.y,
		    m->button.state, m->button.button);
		break;
	case GUI_MOTION:
		PUT(out, (uint32_t)m->motion.x, (uint32_t)m->motion.y, m->motion.state,
		    m->motion.is_hint);
		break;
	case GUI_CROSSING:
		PUT(out, m->crossing.event, (uint32_t)m->crossing.x, (uint32_t)m->crossing.y,
		    m->crossing.state, m->crossing.mode, m->crossing.detail, m->crossing.focus);
		break;
	case GUI_FOCUS:
		PUT(out, m->focus.event, m->focus.mode, m->focus.detail);
		break;
	case GUI_CREATE:
		PUT(out, (uint32_t)m->create.x, (uint32_t)m->create.y, m->create.width,
		    m->create.height, m->create.parent, m->create.is_override_redirect);
		break;
	case GUI_MAP:
		PUT(out, m->map.transient_for, m->map.is_override_redirect);
		break;
	case GUI_CONFIGURE:
		PUT(out, (uint32_t)m->configure.x, (uint32_t)m->configure.y, m->configure.width,
		    m->configure.height, m->configure.is_override_redirect);
		break;
	case GUI_SHMIMAGE:
		PUT(out, (uint32_t)m->damage.x, (uint32_t)m->damage.y, m->damage.width,
		    m->damage.height);
		break;
	case GUI_CLIPBOARD_DATA:
		wire_put_bytes(out, m->clipboard.bytes, m->clipboard.size_bytes);
		break;
	case GUI_WMNAME:
		wire_put_bytes(out, m->title.text, sizeof(m->title.text));
		break;
	case GUI_KEYMAP_NOTIFY:
		wire_put_bytes(out, m->keymap.keys, sizeof(m->keymap.keys));
		break;
	case GUI_WINDOW_HINTS:
		PUT(out, m->hints.flags, m->hints.min_width, m->hints.min_height,
		    m->hints.max_width, m->hints.max_height, m->hints.width_increment,
		    m->hints.height_increment, m->hints.base_width, m->hints.base_height);
		break;
	case GUI_WINDOW_FLAGS:
		PUT(out, m->flags.set, m->flags.unset);
		break;
	case GUI_WMCLASS:
		wire_put_bytes(out, m->class_hint.class_name, sizeof(m->class_hint.class_name));
		wire_put_bytes(out, m->class_hint.instance, sizeof(m->class_hint.instance));
		break;
	case GUI_WINDOW_DUMP:
		PUT(out, 0, m->dump.width, m->dump.height, 24);
		wire_put_bytes(out, m->dump.refs, (size_t)m->dump.ref_count * 4);
		break;
	case GUI_CURSOR:
		wire_put_u32le(out, m->cursor);
		break;
	case GUI_DESTROY:
	case GUI_UNMAP:
	case GUI_CLOSE:
	case GUI_CLIPBOARD_REQ:
	case GUI_DOCK:
	case GUI_WINDOW_DUMP_ACK:
		break;
	}
}

void proto_encode(const struct gui_message *msg, enum gui_sender from, struct wire_out *out)
{
	wire_put_u32le(out, msg->type);
	wire_put_u32le(out, msg->window);
	wire_put_u32le(out, (uint32_t)(proto_encoded_size(msg, from) - GUI_HEADER_SIZE));
	body_encode(msg, out);
}
