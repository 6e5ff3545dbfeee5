/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages over a vchan: the handshake, then whole messages in and out.
 *
 * Used by both ends. Never blocks: what does not fit into the ring waits in a queue
 * of bounded size, and a peer that does not read for so long that the queue is full
 * loses the connection. Knows no event loop: call channel_read() and channel_flush()
 * when the vchan's descriptor is readable, after libvchan_wait().
 *
 * Not thread-safe. The vchan belongs to the channel once channel_create() succeeded.
 */
#pragma once

#include "guid/proto.h"
#include "vchan/libvchan.h"

struct channel;

struct channel_handler {
	/*
	 * The handshake is done. At the agent's end conf is what the daemon said, at
	 * the daemon's end it is what was given to channel_create().
	 */
	int (*connected)(void *context, uint32_t minor, const struct gui_xconf *conf);
	/* A checked message. Negative: the connection ends; *rule says why. */
	int (*message)(void *context, const struct gui_message *msg, const char **rule);
};

/*
 * `peer` is the side that is listened to. conf: the daemon's screen; NULL at the agent's
 * end. NULL with errno when memory is out.
 */
struct channel *channel_create(libvchan_t *vchan, enum gui_sender peer,
			       const struct gui_xconf *conf, const struct channel_handler *handler,
			       void *context);
/* Closes the vchan as well. NULL is allowed. */
void channel_destroy(struct channel *ch);

/*
 * Handles at most `message_count_max` messages that are there. 0: no more now. 1: there is
 * more, call again without waiting. Negative: the connection is over; channel_reason()
 * tells why in words.
 */
int channel_read(struct channel *ch, unsigned int message_count_max);

/* -EPIPE: the peer is gone; -ENOBUFS: it does not read. */
int channel_flush(struct channel *ch);

/* Queues a message and sends what fits. Errors show at the next channel_flush(). */
void channel_send(struct channel *ch, const struct gui_message *msg);

/* For the log: message, rule. Valid until the next call. */
const char *channel_reason(const struct channel *ch);
/* Bytes that wait for the peer to read. */
size_t channel_queued(const struct channel *ch);
bool channel_is_open(const struct channel *ch);
uint32_t channel_minor(const struct channel *ch);
libvchan_t *channel_vchan(struct channel *ch);
