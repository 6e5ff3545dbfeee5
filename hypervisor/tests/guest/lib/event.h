/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels of a test: the upcall through a vector, and the calls by name.
 *
 * The 2-level upcall handler collects the ports that are pending into event_seen[] and counts.
 */
#pragma once

#include "guest.h"

#include <xen/event_channel.h>

#define EVENT_VECTOR 0xf0
#define EVENT_PORTS  1024

extern volatile unsigned event_upcalls;
extern volatile unsigned event_seen[EVENT_PORTS];

/* Map the shared info, take upcalls of this vCPU on EVENT_VECTOR through the domain's parameter. */
void event_init(void);
struct vcpu_info *event_vcpu_info(void);
/* Where the vcpu_info of vCPU 0 is, when it has been moved. */
extern struct vcpu_info *event_moved_info;

static inline long event_op(unsigned cmd, void *arg)
{
	return hypercall2(__HYPERVISOR_event_channel_op, cmd, arg);
}

long event_alloc_self(evtchn_port_t *port); /* an interdomain pair inside this domain */
long event_bind_loop(evtchn_port_t *a, evtchn_port_t *b);
long event_bind_ipi(unsigned vcpu, evtchn_port_t *port);
long event_bind_virq(unsigned virq, unsigned vcpu, evtchn_port_t *port);
long event_close(evtchn_port_t port);
long event_send(evtchn_port_t port);
long event_unmask(evtchn_port_t port);
void event_mask(evtchn_port_t port);
bool event_is_pending(evtchn_port_t port);
void event_clear(evtchn_port_t port);
/* Let the upcall in: the mask bit in the shared page starts set. */
void event_unmask_locally(evtchn_port_t port);
