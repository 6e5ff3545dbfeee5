/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_SIZE_MAX (QREXEC_HEADER_SIZE + QREXEC_EXEC_SIZE + QREXEC_COMMAND_SIZE_MAX)

/* A peer that has this much to read and does not is as good as gone. */
#define QUEUE_SIZE_MAX (8 * 1024 * 1024)

int control_init(struct control *c, libvchan_t *vchan, enum qrexec_direction incoming)
{
	*c = (struct control){.vchan = vchan, .incoming = incoming};
	c->in = malloc(MESSAGE_SIZE_MAX);
	if (!c->in) {
		return -ENOMEM;
	}
	libvchan_set_blocking(vchan, false);
	return 0;
}

void control_fini(struct control *c)
{
	free(c->in);
	free(c->out);
	*c = (struct control){0};
}

static int say_hello(struct control *c)
{
	uint8_t bytes[QREXEC_HEADER_SIZE + 4];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));

	qrexec_hello_encode(&out, QREXEC_VERSION_MAX);
	return libvchan_write(c->vchan, bytes, sizeof(bytes)) == sizeof(bytes) ? 0 : -EPIPE;
}

static int hear_hello(struct control *c)
{
	uint8_t bytes[QREXEC_HEADER_SIZE];
	struct qrexec_header header;
	struct wire in;

	if (libvchan_recv(c->vchan, bytes, sizeof(bytes)) != sizeof(bytes)) {
		return -EPIPE;
	}
	in = wire_of(bytes, sizeof(bytes));
	if (qrexec_header_decode(&in, c->incoming, QREXEC_VERSION_MAX, &header) ||
	    header.type != MSG_HELLO) {
		return -EPROTO;
	}
	if (libvchan_recv(c->vchan, bytes, header.size) != (int)header.size) {
		return -EPIPE;
	}
	in = wire_of(bytes, header.size);
	return qrexec_hello_decode(&in, QREXEC_VERSION_MAX, &c->version);
}

int control_hello(struct control *c, bool is_first)
{
	int rc;

	libvchan_set_blocking(c->vchan, true);
	rc = is_first ? say_hello(c) : hear_hello(c);
	if (!rc) {
		rc = is_first ? hear_hello(c) : say_hello(c);
	}
	libvchan_set_blocking(c->vchan, false);
	return rc;
}

/* Reads until in_size is wanted. 1 when there, 0 not yet, -EPIPE. */
static int fill(struct control *c, size_t wanted)
{
	int n;

	while (c->in_size < wanted) {
		n = libvchan_read(c->vchan, c->in + c->in_size, wanted - c->in_size);
		if (n < 0) {
			return -EPIPE;
		}
		if (n == 0) {
			return 0;
		}
		c->in_size += (size_t)n;
	}
	return 1;
}

int control_next(struct control *c, struct qrexec_header *header, struct wire *body)
{
	struct wire in;
	int rc;

	if (!c->has_header) {
		rc = fill(c, QREXEC_HEADER_SIZE);
		if (rc <= 0) {
			return rc;
		}
		in = wire_of(c->in, QREXEC_HEADER_SIZE);
		rc = qrexec_header_decode(&in, c->incoming, c->version, &c->header);
		if (rc) {
			return rc;
		}
		if (c->header.type == MSG_HELLO) {
			return -EPROTO; /* once is enough */
		}
		c->has_header = true;
	}
	/* The decoder bounded the size by the largest message. */
	rc = fill(c, QREXEC_HEADER_SIZE + c->header.size);
	if (rc <= 0) {
		return rc;
	}
	*header = c->header;
	*body = wire_of(c->in + QREXEC_HEADER_SIZE, c->header.size);
	c->has_header = false;
	c->in_size = 0;
	return 1;
}

int control_flush(struct control *c)
{
	int n;

	while (c->out_at < c->out_end) {
		n = libvchan_write(c->vchan, c->out + c->out_at, c->out_end - c->out_at);
		if (n < 0) {
			return -EPIPE;
		}
		if (n == 0) {
			return 0;
		}
		c->out_at += (size_t)n;
	}
	c->out_at = c->out_end = 0;
	return 0;
}

int control_send(struct control *c, const void *message, size_t size)
{
	size_t capacity;
	uint8_t *bigger;

	if (c->out_at) {
		memmove(c->out, c->out + c->out_at, c->out_end - c->out_at);
		c->out_end -= c->out_at;
		c->out_at = 0;
	}
	if (size > QUEUE_SIZE_MAX - c->out_end) {
		return -ENOBUFS;
	}
	if (c->out_end + size > c->out_capacity) {
		capacity = (c->out_end + size) * 2;
		bigger = realloc(c->out, capacity);
		if (!bigger) {
			return -ENOBUFS;
		}
		c->out = bigger;
		c->out_capacity = capacity;
	}
	memcpy(c->out + c->out_end, message, size);
	c->out_end += size;
	return control_flush(c);
}

size_t control_queued(const struct control *c)
{
	return c->out_end - c->out_at;
}
