/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual CPUs: run states, pausing, waking.
 *
 * A vCPU runs when it is up, not blocked, and nobody pauses it. Waiting is a state, not a
 * stack: a vCPU that waits for an event, a device model or a pause is simply not picked.
 */
#pragma once

#include <stdint.h>
#include <xen/xen.h>
#include <xen/vcpu.h>

#include "core/spinlock.h"
#include "core/timer.h"
#include "domain/domain.h"
#include "domain/guest_area.h"
#include "hv/types.h"
#include "lib/bitmap.h"

struct arch_vcpu;
struct sched_vcpu;
struct evtchn_fifo_vcpu;

struct vcpu {
	struct domain *domain;
	vcpu_id_t id;
	struct arch_vcpu *arch;
	struct sched_vcpu *sched;

	struct spinlock lock;	/* LOCK_VCPU */
	struct cpu_set hard_affinity, soft_affinity; /* where it may, and likes to, run; LOCK_DOMAIN */
	struct cpu_set unpinned_affinity; /* while is_pinned: SCHEDOP_pin_override */
	bool is_pinned;
	bool is_initialised;	/* VCPUOP_initialise or INIT/SIPI gave it a state */
	bool is_up;		/* not VCPU_down (VPF_down) */
	u32 pause_count;	/* atomic */
	bool is_blocked;	/* in SCHEDOP_block/HLT/poll; cleared by vcpu_wake_event() */
	bool is_waiting_io;	/* for an I/O request server */
	u32 poll_port;		/* SCHEDOP_poll (d->poll_mask says whether): the one port, or 0: any of several */
	bool is_running;	/* on a CPU now; cpu says which */
	cpu_t cpu;		/* where it runs or ran last */

	/* runstate, <xen/vcpu.h>; times in ns; changed by vcpu_runstate_change() only */
	u32 runstate_version;	/* odd while it changes */
	int runstate;
	ns_t runstate_since;
	u64 runstate_time[4];
	struct guest_area runstate_area; /* 48 bytes, VCPUOP_register_runstate_memory_area */

	struct guest_area info_area;	 /* VCPUOP_register_vcpu_info; unset: in shared_info */
	struct frame *info_dying;	 /* its frame after teardown, until no sender uses it */
	struct rcu_head rcu;
	struct guest_area time_area;	 /* VCPUOP_register_vcpu_time_memory_area */
	u32 time_version;		 /* of what is written there, even */
	bool is_time_stale;		 /* the time pages want a new version at the next load */

	struct timer singleshot;
	struct timer periodic;
	ns_t periodic_ns;	/* 0: off */
	struct timer poll_timer;
	struct evtchn_fifo_vcpu *evtchn_fifo;
	u32 virq_port[NR_VIRQS]; /* 0: unbound; written under LOCK_EVTCHN, read by anybody */
};

/* The vCPU that this physical CPU runs, NULL when idle. */
struct vcpu *vcpu_current(void);

int vcpu_create(struct domain *d, unsigned int id, struct vcpu **out) MUST_CHECK;
void vcpu_teardown(struct vcpu *v); /* its domain dies: stops timers, drops the guest's areas */
void vcpu_destroy(struct vcpu *v);  /* after the grace period that follows the last reference */
void vcpu_pause(struct vcpu *v); /* returns when it does not run; not for the current one */
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
void vcpu_up(struct vcpu *v);
void vcpu_down(struct vcpu *v);
/* The guest stops it for good; with the last one the domain has powered off. */
void vcpu_halt(struct vcpu *v);
/* The current vCPU waits for an event (unless one is pending already). */
void vcpu_block(struct vcpu *v);
/* Something happened that ends a block. Any context. */
void vcpu_wake_event(struct vcpu *v);
bool vcpu_is_runnable(const struct vcpu *v);
/* Called by the scheduler at each change; one caller at a time. */
void vcpu_runstate_change(struct vcpu *v, int runstate, ns_t now);

/* A consistent copy of the run state with the time since the last change added. Any context. */
void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out);
/*
 * Writes the guest's runstate area: by the scheduler when v begins or ceases to run, and when the area is
 * registered. v is on this CPU, or paused.
 */
void vcpu_runstate_publish(struct vcpu *v, ns_t now);
/* Ends a SCHEDOP_poll of v: it was in one. */
bool vcpu_poll_end(struct vcpu *v);

/* The guest's vcpu_info, through a window if registered: short, not nested in itself. NULL: none is set. */
struct vcpu_info *vcpu_info_map(struct vcpu *v);
void vcpu_info_unmap(struct vcpu *v, struct vcpu_info *info);
/* evtchn_upcall_pending, read at the moment. */
bool vcpu_has_event(struct vcpu *v);
/* Moves vcpu_info to area (taken over), with its contents and everything pending. -EINVAL: was moved already. */
int vcpu_info_move(struct vcpu *v, const struct guest_area *area) MUST_CHECK;
