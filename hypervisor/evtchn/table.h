/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of event channels: the table of a domain's ports and the two formats in which
 * pending bits reach a guest. Only evtchn/ includes this.
 *
 * struct evtchn lives in buckets that are freed only with the domain, so a pointer to one is
 * good as long as its domain is (reference or RCU). What a sender reads without a lock is
 * written so that each state is complete before it is visible:
 *   INTERDOMAIN: peer, then state. CLOSING keeps everything until the grace period is over.
 */
#pragma once

#include "domain/domain.h"
#include "domain/vcpu.h"
#include "evtchn/evtchn.h"
#include "hv/types.h"

#include <xen/event_channel.h>

enum evtchn_state {
	EVTCHN_FREE,
	EVTCHN_RESERVED,    /* given to one caller under the lock, not open yet */
	EVTCHN_UNBOUND,	    /* waits for a bind by remote_id */
	EVTCHN_INTERDOMAIN, /* peer */
	EVTCHN_VIRQ,
	EVTCHN_IPI,
	EVTCHN_CLOSING,	    /* senders may still see it; FREE after a grace period */
};

struct evtchn {
	struct domain *domain;
	struct evtchn *peer; /* INTERDOMAIN */
	port_t port;
	u32 next_closing;    /* port, 0 ends; table lock */
	u16 vcpu;	     /* who is told */
	domain_id_t remote_id; /* UNBOUND */
	u8 state;	     /* enum evtchn_state */
	u8 virq;
	u8 priority;	     /* FIFO */
	bool is_pending;     /* FIFO: became pending before its event word existed */
	/* FIFO: the queue that it was linked into last; atomic as one word */
	u32 last_queue;	     /* vcpu << 8 | priority */
};

#define BUCKET_PORTS   64u
#define GROUP_BUCKETS  64u
#define GROUP_COUNT    (EVTCHN_FIFO_NR_CHANNELS / BUCKET_PORTS / GROUP_BUCKETS)

/* How pending bits look to the guest. All but is_masked: any context, no lock. */
struct evtchn_format {
	u32 (*port_count)(const struct domain *d); /* ports that this format can tell */
	void (*set_pending)(struct vcpu *v, struct evtchn *ch);
	void (*clear_pending)(struct domain *d, struct evtchn *ch); /* before it is given out again */
	void (*unmask)(struct domain *d, struct evtchn *ch);
	bool (*is_pending)(struct domain *d, const struct evtchn *ch);
	bool (*is_busy)(struct domain *d, const struct evtchn *ch); /* the guest has it linked */
	int (*set_priority)(struct domain *d, struct evtchn *ch, u32 priority);
};
extern const struct evtchn_format evtchn_2l, evtchn_fifo;

struct evtchn_fifo_domain;

struct evtchn_table {
	struct spinlock lock; /* LOCK_EVTCHN; interrupts on: no interrupt handler takes it */
	const struct evtchn_format *format; /* atomic; changes from 2-level to FIFO once */
	struct evtchn **groups[GROUP_COUNT]; /* atomic; grow only */
	u32 limit;	      /* highest port allowed */
	u32 allocated;	      /* ports that have a bucket: 0 .. allocated-1 */
	u32 free_hint;	      /* no port below it is free */
	u32 open_count;
	u32 closing;	      /* first of the list, 0 none */
	u32 closing_in_flight; /* list that waits for its grace period */
	struct rcu_head rcu;
	bool is_rcu_queued;
	struct evtchn_fifo_domain *fifo;
};

/* NULL: no such port. Any context. */
struct evtchn *evtchn_lookup(const struct domain *d, port_t port);
/* Makes ch pending for the vCPU that it tells. Any context, under RCU. */
void evtchn_raise(struct evtchn *ch);
/* evtchn_upcall_pending of v from 0 to 1: interrupt it. Any context. */
void evtchn_mark_events_pending(struct vcpu *v);
/* vCPUs in SCHEDOP_poll that wait for port. */
void evtchn_check_pollers(struct domain *d, port_t port);
/* Frees the FIFO structures of the guest (frames, queues); senders are gone. */
void evtchn_fifo_release(struct domain *d);
/* Reset: back to 2-level. Frees after a grace period. */
void evtchn_fifo_detach(struct domain *d);

/* virq.c */
bool evtchn_virq_is_global(u32 virq);
void evtchn_tell_shutdown(struct domain *d);	  /* domain_shutdown_notify */
void evtchn_virq_forget(struct domain *d);	  /* it handles no global one any more */
