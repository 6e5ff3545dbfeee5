/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What generic code needs of the real machine. Each architecture implements all of it;
 * this list is the porting guide. Used by core, mm, sched.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

#include <asm/host.h> /* what an architecture has inline of the list below */

/* --- this CPU --- */
unsigned long arch_percpu_offset(void); /* see core/percpu.h */
cpu_t arch_cpu_id(void);
unsigned long arch_irq_save(void);	/* interrupts off; returns what they were */
void arch_irq_restore(unsigned long flags);
void arch_irq_enable(void);
void arch_irq_disable(void);
bool arch_irq_is_enabled(void);
void arch_cpu_relax(void);		/* in spin loops */
/* Waits for an interrupt with interrupts on, unless softirq_is_pending(); no lost wake-up. */
void arch_cpu_idle(void);
NORETURN void arch_cpu_halt(void);

/* --- other CPUs --- */
enum arch_ipi { ARCH_IPI_KICK, ARCH_IPI_CALL, ARCH_IPI_STOP };
void arch_ipi_send(cpu_t cpu, enum arch_ipi ipi);
void arch_ipi_send_set(const void *cpu_set, enum arch_ipi ipi); /* struct cpu_set */

/* --- devices --- */
struct irq_target;
u32 arch_irq_destination(cpu_t cpu); /* how an interrupt message names cpu (x86: its APIC id) */
bool arch_irq_is_wide(void);	     /* by 32 bits instead of 8 */
/* Who makes the entries of interrupt lines from now on, see iommu_irq_map_ioapic(). Start only. */
typedef int (*arch_irq_remap_t)(u8 controller_id, unsigned int pin, struct irq_target target,
				bool is_level, bool is_low, u64 *entry);
void arch_irq_set_remap(arch_irq_remap_t remap);
/* A device that does not snoop the caches sees what was written there. */
void arch_cache_write_back(const void *p, size_t size_bytes);

/* --- time --- */
ns_t arch_clock_read(void);		/* monotonic, all CPUs agree */
void arch_timer_arm(ns_t deadline);	/* SOFTIRQ_TIMER at or shortly after deadline; NS_NEVER stops */

/* --- host page tables --- */
int arch_heap_chunk_map(mfn_t first) MUST_CHECK; /* 2 MiB of heap at their place (mm/heap), for good */
void *arch_heap_address(mfn_t mfn);
mfn_t arch_heap_mfn(const void *p);
/* One private slot of this CPU: map a frame, or MFN_INVALID to clear it. */
void *arch_window_set(unsigned int slot, mfn_t mfn);
void arch_window_move(void *p, mfn_t mfn); /* p: in a slot that is set */
unsigned int arch_window_slot(const void *p);
/* Device memory, mapped uncached for good. NULL: no room. Start only. */
void *arch_mmio_map(hpa_t base, size_t size_bytes);
/*
 * Start only, on the boot CPU: what the loader left in memory (its tables, modules), readable.
 * NULL above 4 GiB, where no loader puts anything. Gone when arch_boot_map_end() was called.
 */
const void *arch_boot_map(hpa_t base, u64 size_bytes);
void arch_boot_map_end(void);

/* --- the beginning: the architecture calls it once, on the boot CPU --- */
NORETURN void boot_main(u32 loader_magic, hpa_t loader_information);

/* --- the end --- */
NORETURN void arch_reboot(void);
NORETURN void arch_power_off(void);
/*
 * ACPI sleep with the values that dom0 wants in PM1 control. Only 5 (off), which does not return when
 * it works. -EINVAL another state, -EPERM the machine has no such registers, -EIO nothing happened.
 */
int arch_sleep(unsigned int state, u16 pm1a, u16 pm1b) MUST_CHECK;
void arch_backtrace(void); /* of the caller, into the log */
