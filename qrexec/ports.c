/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/ports.h"

#include <string.h>

unsigned int ports_take(struct ports *p, unsigned int domain, void *owner)
{
	unsigned int i, slot;

	for (i = 0; i < QREXEC_DATA_PORT_COUNT; i++) {
		slot = (p->next + i) % QREXEC_DATA_PORT_COUNT;
		if (p->slots[slot].is_used) {
			continue;
		}
		if (domain && (slot & 1) != (domain > p->remote)) {
			continue;
		}
		p->slots[slot].is_used = true;
		p->slots[slot].domain = domain;
		p->slots[slot].owner = owner;
		p->next = slot + 1;
		return QREXEC_DATA_PORT_FIRST + slot;
	}
	return 0;
}

bool ports_release(struct ports *p, const struct qrexec_place *place, void **owner)
{
	unsigned int slot = place->port - QREXEC_DATA_PORT_FIRST;

	*owner = NULL;
	if (slot >= QREXEC_DATA_PORT_COUNT || !p->slots[slot].is_used ||
	    p->slots[slot].domain != place->domain) {
		return false;
	}
	*owner = p->slots[slot].owner;
	p->slots[slot].is_used = false;
	p->slots[slot].owner = NULL;
	return true;
}

void ports_forget_owner(struct ports *p, const void *owner)
{
	unsigned int i;

	for (i = 0; i < QREXEC_DATA_PORT_COUNT; i++) {
		if (p->slots[i].owner == owner) {
			p->slots[i].owner = NULL;
		}
	}
}

bool ports_are_idle(const struct ports *p)
{
	unsigned int slot;

	for (slot = 0; slot < QREXEC_DATA_PORT_COUNT; slot++) {
		if (p->slots[slot].is_used) {
			return false;
		}
	}
	return true;
}

void ports_clear(struct ports *p)
{
	memset(p->slots, 0, sizeof(p->slots));
}
