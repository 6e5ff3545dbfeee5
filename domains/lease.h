/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a disposable is needed: as long as its qrexec daemon runs, which ends with its last
 * call.
 *
 * The lease is a connection to that daemon's socket. It breaks when the daemon ends, in whatever
 * way; a daemon that does not come up in time counts as ended, too. Main thread only.
 */
#pragma once

#include <glib.h>

#define LEASE_SOCKET_FOLDER "/run/qubes"

struct lease;
typedef void (*lease_ended_t)(const char *name, void *data);

/* ended() is called once, unless lease_free() comes first; the lease is the caller's to free. */
struct lease *lease_new(const char *socket_folder, const char *name, lease_ended_t ended,
			void *data);
void lease_free(struct lease *lease);
