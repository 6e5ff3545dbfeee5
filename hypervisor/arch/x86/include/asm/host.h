/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inline part of arch/contract/host.h for this architecture.
 */
#pragma once

#include "asm/cpu.h"
#include "asm/regs.h"
#include "hv/compiler.h"
#include "hv/types.h"

static ALWAYS_INLINE unsigned long arch_percpu_offset(void)
{
	return cpu_info()->percpu_offset;
}
static ALWAYS_INLINE cpu_t arch_cpu_id(void)
{
	return cpu_info()->cpu;
}
static ALWAYS_INLINE bool arch_irq_is_enabled(void)
{
	unsigned long flags;

	__asm__ volatile("pushf; pop %0" : "=r"(flags));
	return flags & RFLAGS_IF;
}
static ALWAYS_INLINE void arch_irq_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}
static ALWAYS_INLINE void arch_irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}
static ALWAYS_INLINE unsigned long arch_irq_save(void)
{
	unsigned long flags;

	__asm__ volatile("pushf; pop %0; cli" : "=r"(flags) : : "memory");
	return flags & RFLAGS_IF;
}
static ALWAYS_INLINE void arch_irq_restore(unsigned long flags)
{
	if (flags) {
		__asm__ volatile("sti" : : : "memory");
	}
}
static ALWAYS_INLINE void arch_cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}
