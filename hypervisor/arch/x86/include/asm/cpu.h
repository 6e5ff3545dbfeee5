/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few things that every path needs inline: who am I, interrupts on and off.
 * What a CPU must know about itself lies at the top of its stack slot, so it is found from
 * the stack pointer and no segment register needs to be the host's while a guest's is loaded.
 */
#pragma once

#include "asm/page.h"
#include "hv/compiler.h"
#include "hv/types.h"

struct cpu_info {
	unsigned long percpu_offset;
	u32 cpu;
	u32 pad;
};
_Static_assert(sizeof(struct cpu_info) == 16, "the stack starts below it, 16-byte aligned");

static ALWAYS_INLINE struct cpu_info *cpu_info(void)
{
	unsigned long sp;

	/* Not volatile: the answer is the same in every function that runs on this stack slot. */
	__asm__("mov %%rsp, %0" : "=r"(sp));
	return (struct cpu_info *)((sp | (STACK_SLOT_SIZE - 1)) + 1) - 1;
}
