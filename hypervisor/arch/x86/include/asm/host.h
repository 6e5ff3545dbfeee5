/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inline part of arch/contract/host.h for this architecture.
 */
#pragma once

#include "asm/cpu.h"
#include "asm/regs.h"
#include "hv/addr.h"
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

/* --- windows: entries of this CPU's own table --- */
static ALWAYS_INLINE void *arch_window_set(unsigned int slot, mfn_t mfn)
{
	unsigned long address = WINDOW_BASE + slot * PAGE_SIZE;
	pte_t *entry = (pte_t *)WINDOW_TABLE + slot;

	if (mfn_equal(mfn, MFN_INVALID)) {
		*entry = 0;
		page_invalidate(address);
		return NULL;
	}
	/* Not present before, so no stale translation can be cached (SDM 3 4.10.2.3). */
	*entry = pte_of(mfn, PTE_DATA);
	barrier();
	return (void *)address;
}
static ALWAYS_INLINE unsigned int arch_window_slot(const void *p)
{
	return (unsigned int)(((unsigned long)p - WINDOW_BASE) >> PAGE_SHIFT);
}
static ALWAYS_INLINE void arch_window_move(void *p, mfn_t mfn)
{
	((pte_t *)WINDOW_TABLE)[arch_window_slot(p)] = pte_of(mfn, PTE_DATA);
	page_invalidate((unsigned long)p);
}
