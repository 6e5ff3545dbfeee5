/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done against leaks by speculation, and where (docs/threat-model.md). speculation.c
 * decides from the CPU's facts and the command line, and is pure but for the barriers that it
 * calls; speculation_cpu.c reads the facts, and makes the code fit: it is built as for the worst
 * CPU.
 */
#pragma once

#include "arch/contract/machine.h"
#include "hv/types.h"

/* CPUID and IA32_ARCH_CAPABILITIES, as far as they matter here. */
struct speculation_facts {
	bool is_amd;
	u32 leaf7_d, ext8_b, ext21_a, ext21_c;
	u64 capabilities;
};

enum thunk { THUNK_RETPOLINE, THUNK_LFENCE, THUNK_JMP };

struct speculation {
	bool is_on[SPECULATION_COUNT];
	enum thunk thunk;
};
extern struct speculation speculation; /* RO_AFTER_INIT */

void speculation_choose(const struct speculation_facts *facts,
			const struct speculation_options *options, struct speculation *out);

/* This CPU is about to run another domain than it last did. Interrupts off or the vCPU not yet
 * entered. */
void speculation_switch_domain(void);
/* What each CPU switches on in itself, after the choice. */
void speculation_setup_this_cpu(void);

/*
 * The code of one thunk, jump through register reg (in the order of the encoding) in one of its
 * forms other than the retpoline, which is there already. Returns its length.
 */
#define THUNK_CODE_MAX 8u
unsigned int speculation_thunk_code(enum thunk thunk, unsigned int reg, u8 out[THUNK_CODE_MAX]);

/* --- the barriers themselves (speculation_cpu.c, thunk.S) --- */
void barrier_branch_predictors(void); /* IBPB */
void barrier_return_stack(void);      /* 32 entries that lead nowhere */
void barrier_l1_data(void);
void barrier_buffers(void); /* VERW */
