/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What drivers of generic code need of this architecture: arch/contract/host.h, "devices". */
#include "arch/contract/host.h"
#include "arch/x86/host/apic.h"

#define CACHE_LINE 64u /* SDM 1 11.4.4.1: CLFLUSH takes any address of the line; all have 64 */

u32 arch_irq_destination(cpu_t cpu)
{
	return apic_id_of(cpu);
}

bool arch_irq_is_wide(void)
{
	return apic_is_x2apic();
}

void arch_irq_set_remap(arch_irq_remap_t remap)
{
	ioapic_set_remap(remap);
}

void arch_cache_write_back(const void *p, size_t size_bytes)
{
	const char *line = (const char *)((unsigned long)p & ~(CACHE_LINE - 1ul));

	for (; line < (const char *)p + size_bytes; line += CACHE_LINE) {
		__asm__ volatile("clflush %0" : : "m"(*line) : "memory");
	}
	__asm__ volatile("mfence" : : : "memory");
}
