/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that an interrupt leaves for the moment before the guest is entered again.
 * Handlers run with interrupts on, on the CPU that they were raised for, in the run
 * loop or the idle loop; they do not nest.
 */
#pragma once

#include "core/percpu.h"
#include "hv/types.h"

enum softirq {
	SOFTIRQ_TIMER,	/* expired timers of this CPU */
	SOFTIRQ_RCU,
	SOFTIRQ_SCHED,	/* pick another vCPU */
	SOFTIRQ_HARDWARE, /* an NMI or a machine check came, which may come at any instruction */
	SOFTIRQ_DEBUG_KEY,
	SOFTIRQ_COUNT,
};

void softirq_register(enum softirq nr, void (*handler)(void)); /* start only */
void softirq_raise(enum softirq nr);			       /* this CPU; any context */
void softirq_raise_cpu(enum softirq nr, cpu_t cpu);	       /* any CPU; sends an IPI if needed */
void softirq_run(void); /* until none is pending */

DECLARE_PER_CPU(u32, softirq_pending);

static inline bool softirq_is_pending(void)
{
	return load_relaxed(this_cpu_ptr(softirq_pending)) != 0;
}
