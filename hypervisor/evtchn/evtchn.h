/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels: one-bit signals between domains (<xen/event_channel.h>).
 *
 * A port is free, unbound, or bound to exactly one peer, a virtual or a physical interrupt.
 * Binding and closing take both domains' locks, lower id first. Sending takes none: it reads
 * the peer under RCU, so a send that races a close is dropped, never misdelivered.
 */
#pragma once

#include "domain/domain.h"
#include "hv/error.h"
#include "hv/types.h"

struct vcpu;

extern const struct domain_service evtchn_service;

int evtchn_send(struct domain *d, port_t local) MUST_CHECK;
/* Virtual interrupts, <xen/xen.h> VIRQ_*. Any context; nothing happens when unbound. */
void evtchn_virq_vcpu(struct vcpu *v, unsigned int virq);
void evtchn_virq_global(unsigned int virq);	       /* to whoever bound it; dom0 by default */
/* A port that the hypervisor's own code raises (I/O request servers, xenstore of a new domain). */
bool evtchn_is_pending_for(struct vcpu *v); /* evtchn_upcall_pending and not masked */
