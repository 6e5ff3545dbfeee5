/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One-shot timers on the monotonic clock, a queue for each CPU.
 *
 * The callback runs as a softirq on the timer's CPU. timer_set() re-arms, from any CPU;
 * after timer_stop() returns the callback is not running and will not run (unless called
 * from the callback itself). Lock: LOCK_TIMER of the CPU, interrupts off.
 */
#pragma once

#include "hv/types.h"
#include "lib/rbtree.h"

struct timer {
	struct rb_node node;
	ns_t deadline; /* NS_NEVER: not armed */
	void (*callback)(void *data);
	void *data;
	cpu_t cpu;
	bool is_queued;
};

ns_t clock_now(void); /* since start; never goes back, same on all CPUs to within ipi latency */
void timer_init(struct timer *t, void (*callback)(void *data), void *data, cpu_t cpu);
void timer_set(struct timer *t, ns_t deadline);
void timer_stop(struct timer *t);
void timer_migrate(struct timer *t, cpu_t cpu); /* keeps the deadline */
void timer_setup(void);
