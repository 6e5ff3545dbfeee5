/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the start in which the machine's interrupts, clock and CPUs are switched on.
 * Only boot/ calls it, with what it read from the firmware's tables.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

struct machine_description {
	hpa_t hpet;	   /* 0: none */
	u32 pm_timer_port; /* 0: none */
	bool is_pm_timer_32bit;
	/* ACPI 6.4 4.8.3.6 and 4.8.3.2 */
	bool has_reset, is_reset_port;
	u16 reset_port;
	u8 reset_value;
	u16 pm1a_control, pm1b_control; /* 0: none */
	bool has_s5;
	u8 s5_type_a, s5_type_b; /* SLP_TYP of \_S5 */
};

/* Measures against leaks by speculation, and what the command line says of each. */
enum speculation_measure {
	SPECULATION_IBPB,	   /* between domains: branch predictors */
	SPECULATION_RETURN_STACK,  /* after each exit and between domains */
	SPECULATION_VERW,	   /* between domains: buffers */
	SPECULATION_L1D_FLUSH,	   /* between domains */
	SPECULATION_AUTO_IBRS,	   /* predictors keep guests' entries from the hypervisor */
	SPECULATION_GUEST_CONTROL, /* guests may have SPEC_CTRL */
	SPECULATION_COUNT,
};
enum speculation_wish { SPECULATION_AUTO, SPECULATION_OFF, SPECULATION_ON };
enum speculation_thunk { SPECULATION_THUNK_AUTO, SPECULATION_THUNK_RETPOLINE, SPECULATION_THUNK_LFENCE,
			 SPECULATION_THUNK_JMP };
struct speculation_options {
	enum speculation_wish wish[SPECULATION_COUNT]; /* AUTO: as this CPU needs; ON: if it is able to */
	enum speculation_thunk thunk;
};
/* Decides, tells, and makes the code fit; before another CPU runs. */
void arch_speculation_setup(const struct speculation_options *options);

/* Interrupt controller of this CPU, clock, machine checks; interrupts stay off. */
void arch_machine_setup(const struct machine_description *m);
void arch_machine_add_ioapic(u8 id, hpa_t address, u32 gsi_base);
/* A handler for a line, on the boot CPU, unmasked. -ENODEV no such line, -ENOSPC no vector. */
int arch_machine_route(u32 gsi, bool is_level, bool is_low, void (*handler)(void *data),
		       void *data) MUST_CHECK;

/*
 * Starts all others of count CPUs (this one is in the list, too), so that at most limit are
 * online. alloc gives zeroed memory. One that does not start is told and left out.
 */
void arch_cpus_start(const u32 *hardware_ids, unsigned int count, unsigned int limit,
		     void *(*alloc)(size_t size_bytes));
/* Lets the others, which wait with interrupts on, go on into run(). */
void arch_cpus_release(void (*run)(void));

/* Guests can run: virtualization is switched on, on all CPUs, or boot_refuse(). */
void arch_guest_setup(void);
