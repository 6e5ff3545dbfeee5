// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/contract/host.h"
#include "arch/contract/machine.h"
#include "arch/x86/host/apic.h"
#include "arch/x86/host/cpu.h"
#include "arch/x86/host/layout.h"
#include "arch/x86/host/machine_check.h"
#include "arch/x86/host/power.h"
#include "arch/x86/host/time.h"
#include "asm/cpufeature.h"
#include "asm/regs.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "lib/string.h"

void x86_start(u32 magic, u64 information)
{
	memcpy(percpu_boot_area, percpu_start, (size_t)(percpu_end - percpu_start));
	percpu_offset[0] = cpu_info()->percpu_offset;
	cpu_setup_this();
	desc_setup_this_cpu();
	smp_set_online();
	boot_main(magic, hpa_of(information));
}

void arch_machine_setup(const struct machine_description *m)
{
	traps_setup();
	machine_check_setup_this_cpu();
	power_setup(m);
	apic_setup_boot_cpu();
	time_setup(m);
	machine_check_poll_this_cpu();
}

void arch_machine_add_ioapic(u8 id, hpa_t address, u32 gsi_base)
{
	ioapic_add(id, address, gsi_base);
}

int arch_machine_route(u32 gsi, bool is_level, bool is_low, void (*handler)(void *data), void *data)
{
	struct irq_target target;
	int rc;

	rc = ioapic_keep(gsi);
	if (rc) {
		return rc;
	}
	rc = irq_alloc(0, handler, data, &target);
	if (rc) {
		return rc;
	}
	rc = ioapic_route(gsi, target, is_level, is_low);
	if (rc) {
		irq_free(target);
		return rc;
	}
	ioapic_unmask(gsi);
	return 0;
}

/*
 * STI takes effect after the next instruction, so no interrupt comes between the question and HLT.
 */
void arch_cpu_idle(void)
{
	arch_irq_disable();
	if (softirq_is_pending()) {
		arch_irq_enable();
		return;
	}
	__asm__ volatile("sti\n\thlt" : : : "memory");
}

void arch_cpu_halt(void)
{
	for (;;) {
		__asm__ volatile("cli\n\thlt");
	}
}
