/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of the extension's vchan: whole messages in and out, never blocking.
 *
 * Its failure is never the session's: whoever uses it goes on without. What does not fit
 * is queued up to a limit, then the extension ends. Not thread-safe.
 */
#pragma once

#include "guid/ext.h"
#include "vchan/libvchan.h"

struct ext_channel;

/* Takes over the vchan. NULL: no memory, the vchan is closed. */
struct ext_channel *ext_channel_create(libvchan_t *vchan);
void ext_channel_destroy(struct ext_channel *ch);
libvchan_t *ext_channel_vchan(struct ext_channel *ch);

/*
 * The next message, borrowed until the next call: 1. 0: none yet. -EPROTO, -EPIPE, -ENOMEM:
 * the extension is over.
 */
int ext_channel_read(struct ext_channel *ch, struct ext_message *out);
/* 0, or -EPIPE, -ENOBUFS, -ENOMEM: the extension is over. */
int ext_channel_send(struct ext_channel *ch, const struct ext_message *m);
int ext_channel_flush(struct ext_channel *ch);
