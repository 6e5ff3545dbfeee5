/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who runs where, and the run loop of each physical CPU.
 *
 * Lock: LOCK_SCHED, one for all; interrupts are off while it is held. The decisions are fair.h's,
 * sets of CPUs are pool.h's.
 *
 * vcpu_current() is implemented here. vcpu_is_runnable() and vcpu_runstate_change() are called
 * with LOCK_SCHED held and interrupts off: they take no lock of a lower rank and touch no guest's memory.
 */
#pragma once

#include "domain/vcpu.h"
#include "lib/bitmap.h"

extern const struct domain_service sched_service;

/* Start, once, before any domain: the softirq and the run queues of all online CPUs. */
void sched_setup(void);
/* The run loop of this CPU: softirqs, pick, run; never returns. */
NORETURN void sched_run_cpu(void);
void sched_wake(struct vcpu *v);    /* it became runnable; any context */
void sched_sleep(struct vcpu *v);   /* it is no longer runnable (pause, down); any context */
void sched_sleep_sync(struct vcpu *v); /* and it has left its CPU when this returns */
void sched_yield(struct vcpu *v);   /* current */
/* v's affinity, or d's weight and cap, have other values now. */
void sched_affinity_changed(struct vcpu *v);
void sched_weight_changed(struct domain *d);
ns_t sched_idle_time(cpu_t cpu); /* since start */
