/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which CPUs there are, and asking another one to do something.
 */
#pragma once

#include "arch/contract/host.h"
#include "hv/types.h"
#include "lib/bitmap.h"

static inline cpu_t smp_cpu_id(void)
{
	return arch_cpu_id();
}

cpu_t smp_cpu_count(void);	      /* online CPUs are 0 .. count-1 */
const struct cpu_set *smp_online(void);
/*
 * Runs fn(data) on each CPU of set (this one included if in it) and waits until all have
 * finished. fn runs in interrupt context. Interrupts must be on, no spinlock held.
 */
void smp_call(const struct cpu_set *set, void (*fn)(void *data), void *data);
/* Makes cpu look at its softirqs (and leave its guest). Any context. */
void smp_kick(cpu_t cpu);

/* For arch/: this CPU is ready for IPIs; a call IPI has arrived. */
void smp_set_online(void);
void smp_handle_call(void);
#ifdef HV_UNIT
void smp_forget_all(void); /* between two tests */
#endif
