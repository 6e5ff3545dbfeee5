/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's time: TSC calibrated once against HPET, ACPI PM timer or PIT; the local APIC's
 * timer for deadlines. The scale has pvclock's form, so that guests compute as we do:
 * ns = ((ticks << shift or >> -shift) * multiplier) >> 32.
 */
#pragma once

#include "hv/types.h"

struct clock_scale {
	u32 multiplier;
	s8 shift;
};
extern struct clock_scale clock_scale; /* TSC to ns */
extern u64 clock_tsc_start;	       /* TSC at time 0 */
extern u64 clock_tsc_khz;

struct machine_description;
void time_setup(const struct machine_description *m); /* boot CPU, APIC set up */
u64 clock_scale_ticks(const struct clock_scale *scale, u64 ticks);
void clock_scale_set(struct clock_scale *scale, u64 ticks_per_second);
/* Busy waiting, for start-up protocols only. */
void time_delay_us(unsigned int us);
