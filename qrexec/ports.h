/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which data ports of one domain are in use, and for whom. Pure; one thread.
 *
 * A call between two guests has a port in the table of the daemon of its target. The agent of the
 * caller reports the end to its own daemon, too, with the same port number: so that this never
 * frees a call in the other direction, the domain with the larger number takes odd offsets in
 * the other one's table, the smaller one even offsets.
 */
#pragma once

#include "qrexec/proto.h"

struct ports {
	unsigned int remote; /* the domain whose daemon this is */
	unsigned int next;   /* ports are used in turn, so that a late message finds none */
	struct {
		bool is_used;
		unsigned int domain; /* the other end */
		void *owner;	     /* NULL when it has left */
	} slots[QREXEC_DATA_PORT_COUNT];
};

/* A free port for a call with `domain` (0: this dom0), or 0. */
unsigned int ports_take(struct ports *p, unsigned int domain, void *owner);

/* Frees it when it was taken for this domain. True then; *owner as given, or NULL. */
bool ports_release(struct ports *p, const struct qrexec_place *place, void **owner);

/* The owner has left; its ports stay in use until the agent says otherwise. */
void ports_forget_owner(struct ports *p, const void *owner);

/* No port is in use. */
bool ports_are_idle(const struct ports *p);

/* The agent is a new one. */
void ports_clear(struct ports *p);
