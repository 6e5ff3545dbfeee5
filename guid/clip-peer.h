/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a connection between a daemon and the clipboard broker, on GLib's main
 * loop. Never blocks. A message that breaks a rule, and a full queue, end it.
 */
#pragma once

#include "guid/clip.h"

#include <glib.h>

struct clip_peer;

struct clip_peer_events {
	/* FALSE: the message is not allowed now; the connection ends. */
	gboolean (*message)(void *context, struct clip_peer *peer, const struct clip_message *m);
	/* The connection is over; the peer is freed after this returns. */
	void (*closed)(void *context, struct clip_peer *peer);
};

/* Takes over the connected socket fd. */
struct clip_peer *clip_peer_new(int fd, const struct clip_peer_events *events, void *context);
/* Closes without calling closed(). NULL is allowed. Not from within message(). */
void clip_peer_free(struct clip_peer *peer);
void clip_peer_send(struct clip_peer *peer, enum clip_type type, const void *bytes,
		    uint32_t size_bytes);

/* $XDG_RUNTIME_DIR/mullion/clipboard.sock; NULL without XDG_RUNTIME_DIR. To be freed. */
char *clip_socket_path(void);
