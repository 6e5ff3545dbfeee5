/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every CPU switches on in itself, and the table of its segments and gates.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

struct trap_frame;

void cpu_setup_this(void);
/* GDT, TSS and IDT of this CPU, whose stack slot ends at slot_end. */
void desc_setup_this_cpu(void);

/* traps.c: NMIs and machine checks are told from now on. */
void traps_setup(void);

/* entry.S */
void trap_dispatch(struct trap_frame *frame);
NORETURN void x86_start(u32 magic, u64 information);
NORETURN void x86_start_secondary(void);
