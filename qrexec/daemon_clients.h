/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of dom0 on the daemon's socket: HELLO, one message, then the connection stays as
 * long as the call does. They wait, in order, while the agent is away or no port is free.
 */
#pragma once

#include "qrexec/daemon.h"

struct client;

void clients_accept(void);
/* Something came from a client. */
void clients_read(struct source *s);
/* A port was freed, or the agent came. */
void clients_run_waiting(void);
void clients_end(struct client *c);
void clients_end_all(void);
