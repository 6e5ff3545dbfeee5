// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/contract/machine.h"

#include "arch/contract/host.h"
#include "arch/x86/host/apic.h"
#include "arch/x86/host/cpu.h"
#include "arch/x86/host/layout.h"
#include "arch/x86/host/machine_check.h"
#include "arch/x86/host/paging.h"
#include "arch/x86/host/speculation.h"
#include "arch/x86/host/time.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "lib/string.h"

/* Below 640 KiB, never given to anybody (boot/memory.c keeps the first MiB). */
#define TRAMPOLINE_PAGE 0x8

extern const char smpboot_start[], smpboot_end[];
extern u64 smpboot_root;
extern void *smpboot_stack;

static u32 last_started; /* cpu + 1 that reports for duty */
static void (*run_function)(void);

static bool prepare(cpu_t cpu, void *(*alloc)(size_t size_bytes))
{
	size_t size = (size_t)(percpu_end - percpu_start);
	struct cpu_info *info;
	hpa_t root;
	void *top;
	char *area = alloc(size);

	if (!area) {
		return false;
	}
	memcpy(area, percpu_start, size);
	percpu_offset[cpu] = (unsigned long)area - (unsigned long)percpu_start;
	if (!paging_add_cpu(cpu, &root, &top)) {
		return false;
	}
	info = top;
	info->percpu_offset = percpu_offset[cpu];
	info->cpu = cpu;
	smpboot_root = hpa_raw(root);
	smpboot_stack = top;
	return true;
}

static bool start(cpu_t cpu, u32 apic_id)
{
	unsigned int try, wait;

	apic_set_id(cpu, apic_id);
	apic_send_init(apic_id);
	/* Old hardware wants 10 ms; what can run us (SVM, EPT) needs next to nothing. */
	time_delay_us(50);
	for (try = 0; try < 2; try++) {
		apic_send_startup(apic_id, TRAMPOLINE_PAGE);
		for (wait = 0; wait < (try ? 100000u : 200u); wait++) {
			if (load_acquire(&last_started) == cpu + 1) {
				return true;
			}
			time_delay_us(10);
		}
	}
	return false;
}

void arch_cpus_start(const u32 *apic_ids, unsigned int count, unsigned int limit,
		     void *(*alloc)(size_t size_bytes))
{
	char *trampoline = (char *)(unsigned long)arch_boot_map(hpa_of(TRAMPOLINE_PAGE << PAGE_SHIFT), PAGE_SIZE);
	cpu_t cpu = 1;
	unsigned int i;

	memcpy(trampoline, smpboot_start, (size_t)(smpboot_end - smpboot_start));
	for (i = 0; i < count && cpu < MIN(limit, CPU_MAX); i++) {
		if (apic_ids[i] == apic_id_of(0)) {
			continue;
		}
		if (!apic_is_x2apic() && apic_ids[i] > 0xff) {
			log_warning("CPU with APIC id %u not used: no x2APIC\n", apic_ids[i]);
			continue;
		}
		if (!prepare(cpu, alloc)) {
			log_warning("CPU with APIC id %u not used: no memory\n", apic_ids[i]);
			return;
		}
		if (!start(cpu, apic_ids[i])) {
			log_warning("CPU with APIC id %u does not start; going on without it\n", apic_ids[i]);
			continue;
		}
		cpu++;
	}
}

void arch_cpus_release(void (*run)(void))
{
	cpu_t cpu;

	store_release(&run_function, run); /* pairs with the loop below */
	for_each_cpu(cpu, smp_online()) {
		softirq_raise_cpu(SOFTIRQ_SCHED, cpu); /* so that none begins to idle now */
	}
}

void x86_start_secondary(void)
{
	void (*run)(void);

	cpu_setup_this();
	speculation_setup_this_cpu();
	desc_setup_this_cpu();
	apic_setup_this_cpu();
	machine_check_setup_this_cpu();
	smp_set_online();
	store_release(&last_started, arch_cpu_id() + 1); /* pairs with start() */
	machine_check_poll_this_cpu();
	arch_irq_enable();
	while (!(run = load_acquire(&run_function))) {
		arch_cpu_idle();
	}
	run();
	__builtin_unreachable();
}
