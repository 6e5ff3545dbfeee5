/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guid/ext_channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES_MAX (2u << 20)

struct ext_channel {
	libvchan_t *vchan;
	uint8_t *in, *out;
	uint32_t in_size;
	bool has_header;
	enum ext_type type;
	uint32_t window, body_size;
	size_t out_size, out_capacity;
};

struct ext_channel *ext_channel_create(libvchan_t *vchan)
{
	struct ext_channel *ch = calloc(1, sizeof(*ch));

	if (ch) {
		ch->in = malloc(EXT_HEADER_SIZE);
	}
	if (!ch || !ch->in) {
		free(ch);
		libvchan_close(vchan);
		return NULL;
	}
	ch->vchan = vchan;
	libvchan_set_blocking(vchan, false);
	return ch;
}

void ext_channel_destroy(struct ext_channel *ch)
{
	if (ch) {
		libvchan_close(ch->vchan);
		free(ch->in);
		free(ch->out);
		free(ch);
	}
}

libvchan_t *ext_channel_vchan(struct ext_channel *ch)
{
	return ch->vchan;
}

static int header_received(struct ext_channel *ch)
{
	struct wire in = wire_of(ch->in, EXT_HEADER_SIZE);
	uint8_t *room;

	if (ext_header_decode(&in, &ch->type, &ch->window, &ch->body_size)) {
		return -EPROTO;
	}
	room = realloc(ch->in, EXT_HEADER_SIZE + ch->body_size);
	if (!room) {
		return -ENOMEM;
	}
	ch->in = room;
	ch->in_size = 0;
	ch->has_header = true;
	return 0;
}

int ext_channel_read(struct ext_channel *ch, struct ext_message *out)
{
	for (;;) {
		uint32_t wanted = ch->has_header ? ch->body_size : EXT_HEADER_SIZE;
		struct wire in;
		int rc;

		if (ch->in_size < wanted) {
			if (libvchan_is_open(ch->vchan) == VCHAN_WAITING) {
				return 0;
			}
			rc = libvchan_read(ch->vchan, ch->in + ch->in_size, wanted - ch->in_size);
			if (rc <= 0) {
				return rc < 0 ? -EPIPE : 0;
			}
			ch->in_size += (uint32_t)rc;
			continue;
		}
		if (!ch->has_header) {
			rc = header_received(ch);
			if (rc) {
				return rc;
			}
			continue;
		}
		in = wire_of(ch->in, ch->body_size);
		ch->has_header = false;
		ch->in_size = 0;
		rc = ext_body_decode(ch->type, ch->window, &in, ch->body_size, out);
		return rc ? -EPROTO : 1;
	}
}

int ext_channel_flush(struct ext_channel *ch)
{
	while (ch->out_size) {
		int rc = libvchan_write(ch->vchan, ch->out, ch->out_size);

		if (rc < 0) {
			return -EPIPE;
		}
		if (rc == 0) {
			return 0;
		}
		memmove(ch->out, ch->out + rc, ch->out_size - (size_t)rc);
		ch->out_size -= (size_t)rc;
	}
	return 0;
}

int ext_channel_send(struct ext_channel *ch, const struct ext_message *m)
{
	size_t size = EXT_HEADER_SIZE + ext_body_size(m), needed = ch->out_size + size;
	struct wire_out out;

	if (needed > QUEUE_BYTES_MAX) {
		return -ENOBUFS;
	}
	if (needed > ch->out_capacity) {
		uint8_t *room = realloc(ch->out, needed);

		if (!room) {
			return -ENOMEM;
		}
		ch->out = room;
		ch->out_capacity = needed;
	}
	out = wire_out_of(ch->out + ch->out_size, size);
	ext_encode(m, &out);
	ch->out_size = needed;
	return ext_channel_flush(ch);
}
