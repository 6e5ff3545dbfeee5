/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES_MAX (4u << 20)
#define BODY_BYTES_KEPT 65536u /* a larger body buffer is freed after its message */

enum channel_state {
	STATE_VERSION, /* the other end's first word is awaited */
	STATE_XCONF,   /* agent: the screen is awaited */
	STATE_HEADER,
	STATE_BODY,
	STATE_SKIP, /* the body of a message that is not known */
	STATE_OVER,
};

struct channel {
	libvchan_t *vchan;
	enum gui_sender peer;
	struct channel_handler handler;
	void *context;
	struct gui_xconf conf;
	enum channel_state state;
	bool is_hello_sent;
	uint32_t minor;
	struct gui_header header;
	uint8_t *in;
	size_t in_size, in_capacity, in_wanted;
	uint8_t *queue;
	size_t queue_start, queue_size, queue_capacity;
	int error;
	char reason[160];
};

static int fail(struct channel *ch, int error, const char *what, const char *rule)
{
	if (ch->state != STATE_OVER) {
		ch->state = STATE_OVER;
		ch->error = error;
		snprintf(ch->reason, sizeof(ch->reason), "%s: %s", what, rule);
	}
	return ch->error;
}

/* Asks for the next `size` bytes. Returns false when memory is out. */
static bool want(struct channel *ch, size_t size)
{
	if (size > ch->in_capacity) {
		uint8_t *bigger = realloc(ch->in, size);

		if (!bigger) {
			return false;
		}
		ch->in = bigger;
		ch->in_capacity = size;
	}
	ch->in_size = 0;
	ch->in_wanted = size;
	return true;
}

struct channel *channel_create(libvchan_t *vchan, enum gui_sender peer,
			       const struct gui_xconf *conf, const struct channel_handler *handler,
			       void *context)
{
	struct channel *ch = calloc(1, sizeof(*ch));

	if (!ch) {
		return NULL;
	}
	ch->peer = peer;
	ch->handler = *handler;
	ch->context = context;
	if (conf) {
		ch->conf = *conf;
	}
	ch->state = STATE_VERSION;
	if (!want(ch, 64)) {
		free(ch);
		return NULL;
	}
	ch->in_wanted = 4;
	ch->vchan = vchan;
	libvchan_set_blocking(vchan, false);
	return ch;
}

void channel_destroy(struct channel *ch)
{
	if (!ch) {
		return;
	}
	libvchan_close(ch->vchan);
	free(ch->in);
	free(ch->queue);
	free(ch);
}

libvchan_t *channel_vchan(struct channel *ch)
{
	return ch->vchan;
}

bool channel_is_open(const struct channel *ch)
{
	return ch->state == STATE_HEADER || ch->state == STATE_BODY || ch->state == STATE_SKIP;
}

uint32_t channel_minor(const struct channel *ch)
{
	return ch->minor;
}

size_t channel_queued(const struct channel *ch)
{
	return ch->queue_size;
}

const char *channel_reason(const struct channel *ch)
{
	return ch->reason;
}

/* Room for size more bytes at the end of the queue, or NULL. */
static uint8_t *queue_room(struct channel *ch, size_t size)
{
	size_t needed = ch->queue_size + size;

	if (needed > QUEUE_BYTES_MAX) {
		return NULL;
	}
	if (ch->queue_start && ch->queue_start + needed > ch->queue_capacity) {
		memmove(ch->queue, ch->queue + ch->queue_start, ch->queue_size);
		ch->queue_start = 0;
	}
	if (ch->queue_start + needed > ch->queue_capacity) {
		size_t capacity = needed < 4096 ? 4096 : needed * 2;
		uint8_t *bigger = realloc(ch->queue, capacity);

		if (!bigger) {
			return NULL;
		}
		ch->queue = bigger;
		ch->queue_capacity = capacity;
	}
	return ch->queue + ch->queue_start + ch->queue_size;
}

static int put(struct channel *ch, const void *bytes, size_t size)
{
	uint8_t *room = queue_room(ch, size);

	if (!room) {
		return fail(ch, -ENOBUFS, "queue", "the peer reads what it gets");
	}
	memcpy(room, bytes, size);
	ch->queue_size += size;
	return 0;
}

int channel_flush(struct channel *ch)
{
	if (ch->state == STATE_OVER) {
		return ch->error;
	}
	while (ch->queue_size) {
		int rc = libvchan_write(ch->vchan, ch->queue + ch->queue_start, ch->queue_size);

		if (rc < 0) {
			return fail(ch, -EPIPE, "vchan", "the peer is there");
		}
		if (rc == 0) {
			return 0;
		}
		ch->queue_start += (size_t)rc;
		ch->queue_size -= (size_t)rc;
	}
	ch->queue_start = 0;
	return 0;
}

void channel_send(struct channel *ch, const struct gui_message *msg)
{
	enum gui_sender self = ch->peer == GUI_FROM_AGENT ? GUI_FROM_DAEMON : GUI_FROM_AGENT;
	size_t size = proto_encoded_size(msg, self);
	struct wire_out out;
	uint8_t *room;

	if (!channel_is_open(ch)) {
		return;
	}
	room = queue_room(ch, size);
	if (!room) {
		fail(ch, -ENOBUFS, "queue", "the peer reads what it gets");
		return;
	}
	out = wire_out_of(room, size);
	proto_encode(msg, self, &out);
	if (!wire_out_ok(&out)) {
		return;
	}
	ch->queue_size += size;
	channel_flush(ch);
}

static int send_word(struct channel *ch, uint32_t word)
{
	uint8_t bytes[4];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));

	wire_put_u32le(&out, word);
	return put(ch, bytes, sizeof(bytes));
}

static int handshake_done(struct channel *ch)
{
	int rc;

	ch->state = STATE_HEADER;
	want(ch, GUI_HEADER_SIZE); /* cannot fail: the buffer has 64 bytes from the start */
	rc = ch->handler.connected(ch->context, ch->minor, &ch->conf);
	return rc ? fail(ch, rc, "handshake", "the session can be started") : 0;
}

/* At the daemon's end the word is the agent's version, at the agent's end the answer. */
static int version_received(struct channel *ch)
{
	struct wire in = wire_of(ch->in, 4);
	uint32_t word = wire_u32le(&in);
	uint8_t bytes[GUI_XCONF_SIZE];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));

	if (proto_negotiate(word, &ch->minor)) {
		return fail(ch, -EPROTO, "handshake", "the major version is 1");
	}
	if (ch->peer == GUI_FROM_DAEMON) {
		ch->state = STATE_XCONF;
		want(ch, GUI_XCONF_SIZE); /* cannot fail, see above */
		return 0;
	}
	if (proto_answers_version(word) && send_word(ch, proto_version(ch->minor))) {
		return ch->error;
	}
	proto_xconf_encode(&ch->conf, &out);
	if (put(ch, bytes, sizeof(bytes)) || channel_flush(ch)) {
		return ch->error;
	}
	return handshake_done(ch);
}

static int xconf_received(struct channel *ch)
{
	struct wire in = wire_of(ch->in, GUI_XCONF_SIZE);

	if (proto_xconf_decode(&in, &ch->conf)) {
		return fail(ch, -EPROTO, "handshake", "the screen has a size");
	}
	return handshake_done(ch);
}

static int body_received(struct channel *ch)
{
	struct wire in = wire_of(ch->in, ch->header.body_size);
	struct gui_message m;
	const char *rule = "it is allowed now";
	int rc = proto_body_decode(&ch->header, &in, ch->peer, ch->minor, &m, &rule);

	if (!rc) {
		rc = ch->handler.message(ch->context, &m, &rule);
	}
	if (rc) {
		return fail(ch, rc, proto_type_name(ch->header.type), rule);
	}
	if (ch->in_capacity > BODY_BYTES_KEPT) {
		free(ch->in);
		ch->in = NULL;
		ch->in_capacity = 0;
		if (!want(ch, 64)) {
			return fail(ch, -ENOMEM, "memory", "there is some");
		}
	}
	ch->state = STATE_HEADER;
	want(ch, GUI_HEADER_SIZE); /* cannot fail, the buffer has at least 64 bytes */
	return 0;
}

static int header_received(struct channel *ch)
{
	struct wire in = wire_of(ch->in, GUI_HEADER_SIZE);
	const char *rule = "it is known";
	struct wire type_of = wire_of(ch->in, 4);
	int rc = proto_header_decode(&in, ch->peer, ch->minor, &ch->header, &rule);

	if (rc < 0) {
		return fail(ch, rc, proto_type_name(wire_u32le(&type_of)), rule);
	}
	ch->state = rc ? STATE_SKIP : STATE_BODY;
	if (!want(ch, ch->header.body_size)) {
		return fail(ch, -ENOMEM, "memory", "there is some");
	}
	return 0;
}

/* The bytes that were wanted are there. */
static int received(struct channel *ch)
{
	switch (ch->state) {
	case STATE_VERSION:
		return version_received(ch);
	case STATE_XCONF:
		return xconf_received(ch);
	case STATE_HEADER:
		return header_received(ch);
	case STATE_BODY:
		return body_received(ch);
	case STATE_SKIP:
		ch->state = STATE_HEADER;
		want(ch, GUI_HEADER_SIZE); /* cannot fail, see above */
		return 0;
	case STATE_OVER:
		break;
	}
	return ch->error;
}

int channel_read(struct channel *ch, unsigned int message_count_max)
{
	unsigned int count = 0;

	if (ch->state == STATE_OVER) {
		return ch->error;
	}
	if (!ch->is_hello_sent && ch->peer == GUI_FROM_DAEMON &&
	    libvchan_is_open(ch->vchan) == VCHAN_CONNECTED) {
		ch->is_hello_sent = true;
		if (send_word(ch, proto_version(GUI_VERSION_MINOR)) || channel_flush(ch)) {
			return ch->error;
		}
	}
	while (count < message_count_max) {
		bool was_body = ch->state == STATE_BODY || ch->state == STATE_SKIP;
		int rc;

		if (ch->in_size < ch->in_wanted) {
			rc = libvchan_is_open(ch->vchan) == VCHAN_WAITING
				     ? 0
				     : libvchan_read(ch->vchan, ch->in + ch->in_size,
						     ch->in_wanted - ch->in_size);
			if (rc < 0) {
				return fail(ch, -EPIPE, "vchan", "the peer is there");
			}
			if (rc == 0) {
				return 0;
			}
			ch->in_size += (size_t)rc;
			continue;
		}
		rc = received(ch);
		if (rc) {
			return rc;
		}
		count += was_body;
	}
	return 1;
}
