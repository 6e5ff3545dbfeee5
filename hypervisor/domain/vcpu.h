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
#include "hv/types.h"

struct arch_vcpu;
struct sched_vcpu;
struct evtchn_fifo_vcpu;

struct vcpu {
	struct domain *domain;
	vcpu_id_t id;
	struct arch_vcpu *arch;
	struct sched_vcpu *sched;

	struct spinlock lock;	/* LOCK_VCPU */
	bool is_initialised;	/* VCPUOP_initialise or INIT/SIPI gave it a state */
	bool is_up;		/* not VCPU_down (VPF_down) */
	u32 pause_count;	/* atomic */
	bool is_blocked;	/* in SCHEDOP_block/HLT/poll; cleared by vcpu_wake_event() */
	bool is_waiting_io;	/* for an I/O request server */
	bool is_polling;	/* SCHEDOP_poll */
	u32 poll_port;		/* the one port, or 0: any of several */
	bool is_running;	/* on a CPU now; cpu says which */
	cpu_t cpu;		/* where it runs or ran last */

	/* runstate, <xen/vcpu.h>; times in ns */
	int runstate;
	ns_t runstate_since;
	u64 runstate_time[4];
	gpa_t runstate_area;	/* guest physical, with has_runstate_area; may cross a page */
	bool has_runstate_area;

	/* where vcpu_info is: in shared_info (id < 32), or a registered frame (referenced) */
	mfn_t info_mfn;		/* MFN_INVALID: none */
	u16 info_offset;
	mfn_t time_mfn;		/* VCPUOP_register_vcpu_time_memory_area */
	u16 time_offset;

	struct timer singleshot;
	struct timer poll_timer;
	struct evtchn_fifo_vcpu *evtchn_fifo;
	u64 virq_port[24];	/* 0: unbound; NR_VIRQS, under LOCK_EVTCHN */
};

/* The vCPU that this physical CPU runs, NULL when idle. */
struct vcpu *vcpu_current(void);

int vcpu_create(struct domain *d, unsigned int id, struct vcpu **out) MUST_CHECK;
void vcpu_pause(struct vcpu *v); /* returns when it does not run; not for the current one */
void vcpu_pause_nosync(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
void vcpu_up(struct vcpu *v);
void vcpu_down(struct vcpu *v);
/* The current vCPU waits for an event (unless one is pending already). */
void vcpu_block(struct vcpu *v);
/* Something happened that ends a block. Any context. */
void vcpu_wake_event(struct vcpu *v);
bool vcpu_is_runnable(const struct vcpu *v);
/* Called by the scheduler at each change; writes the guest's runstate area when it can. */
void vcpu_runstate_change(struct vcpu *v, int runstate, ns_t now);

/* The guest's vcpu_info through a window: short, not nested in itself. NULL: none is set. */
struct vcpu_info *vcpu_info_map(struct vcpu *v);
void vcpu_info_unmap(struct vcpu_info *info);
