/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event channels: one-bit signals between domains (<xen/event_channel.h>).
 *
 * A port is free, unbound, or bound to exactly one peer, a virtual interrupt or a vCPU.
 * Binding and closing take both domains' locks, lower id first. Sending takes none: it reads
 * the peer under RCU, so a send that races a close is dropped, never misdelivered: a closed
 * port is given out again only after a grace period.
 */
#pragma once

#include "domain/domain.h"
#include "hv/error.h"
#include "hv/types.h"

struct vcpu;

extern const struct domain_service evtchn_service;

/* -EINVAL: no such port, or one that is not sent to (virtual interrupts). Unbound: dropped, 0. */
int evtchn_send(struct domain *d, port_t local) MUST_CHECK;
/* Virtual interrupts, <xen/xen.h> VIRQ_*. Any context; nothing happens when unbound. */
void evtchn_virq_vcpu(struct vcpu *v, unsigned int virq);
void evtchn_virq_global(unsigned int virq);	       /* to whoever bound it; dom0 by default */
/* Who gets a global virtual interrupt from now on. -EINVAL: not a global one. */
int evtchn_virq_set_handler(struct domain *d, u32 virq) MUST_CHECK;
/* evtchn_upcall_pending of vcpu_info. */
bool evtchn_is_pending_for(struct vcpu *v);

/* --- the operations of event_channel_op; errors as the ABI's header lists them --- */

/* A port of d that remote may bind. -ENOSPC: all used; -EINVAL: d dies. */
int evtchn_alloc_unbound(struct domain *d, domain_id_t remote, port_t *out) MUST_CHECK;
/* -EINVAL: remote_port is not unbound, or not for d. The new port is pending at once. */
int evtchn_bind_interdomain(struct domain *d, struct domain *remote, port_t remote_port, port_t *out) MUST_CHECK;
/* -EINVAL: no such virq, or a global one for another vCPU than 0; -ENOENT: no vCPU; -EEXIST: bound. */
int evtchn_bind_virq(struct domain *d, u32 virq, u32 vcpu, port_t *out) MUST_CHECK;
int evtchn_bind_ipi(struct domain *d, u32 vcpu, port_t *out) MUST_CHECK; /* -ENOENT: no vCPU */
int evtchn_close(struct domain *d, port_t port) MUST_CHECK;		  /* -EINVAL: not open */
/* Which vCPU is told. -ENOENT: no vCPU; -EINVAL: port, or one that is tied to its vCPU. */
int evtchn_bind_vcpu(struct domain *d, port_t port, u32 vcpu) MUST_CHECK;
int evtchn_unmask(struct domain *d, port_t port) MUST_CHECK; /* -EINVAL: port */
struct evtchn_status;
int evtchn_status(struct domain *d, port_t port, struct evtchn_status *out) MUST_CHECK; /* -EINVAL: port */
/* Closes all ports, goes back to the 2-level format. -ERESTART: call again. */
int evtchn_reset(struct domain *d) MUST_CHECK;
/* FIFO. -ENOENT: no vCPU; -EINVAL: offset, frame, or done before; -ENOMEM. */
int evtchn_fifo_init_control(struct domain *d, u32 vcpu, gfn_t gfn, u32 offset) MUST_CHECK;
int evtchn_fifo_expand_array(struct domain *d, gfn_t gfn) MUST_CHECK; /* -EOPNOTSUPP: 2-level; -ENOSPC; -EINVAL: frame */
int evtchn_set_priority(struct domain *d, port_t port, u32 priority) MUST_CHECK; /* -ENOSYS: 2-level; -EINVAL */
/* SCHEDOP_poll: 1 pending, 0 not, -EINVAL port. */
int evtchn_poll(struct domain *d, port_t port) MUST_CHECK;
/* Ports that are not free, for the debug key. */
unsigned int evtchn_count(const struct domain *d);
