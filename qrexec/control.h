/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages over a control vchan, without blocking: whole messages in, a bounded queue out.
 *
 * Used by the agent, and by the process of the daemon that reads the agent. One thread.
 */
#pragma once

#include "qrexec/proto.h"
#include "vchan/libvchan.h"

struct control {
	libvchan_t *vchan; /* non-blocking; the owner closes it */
	enum qrexec_direction incoming;
	unsigned int version;
	uint8_t *in; /* one message, header first */
	size_t in_size;
	bool has_header;
	struct qrexec_header header;
	uint8_t *out;
	size_t out_at, out_end, out_capacity;
};

/* Takes over nothing. 0 or -ENOMEM. */
int control_init(struct control *c, libvchan_t *vchan, enum qrexec_direction incoming);
void control_fini(struct control *c);

/*
 * HELLO, blocking: the agent's side sends first, the daemon's answers. -EPROTO, or -EPIPE when the
 * peer left; sets the version.
 */
int control_hello(struct control *c, bool is_first);

/*
 * The next message: 1 (body valid until the next call), 0 when it is not complete yet, -EPIPE when
 * the peer left, -EPROTO or -EMSGSIZE when it broke the rules (*header then holds nothing).
 */
int control_next(struct control *c, struct qrexec_header *header, struct wire *body);

/* Queues one encoded message and sends what fits. -ENOBUFS: the peer does not read; -EPIPE. */
int control_send(struct control *c, const void *message, size_t size);
int control_flush(struct control *c);

/* Bytes waiting to be sent. */
size_t control_queued(const struct control *c);
