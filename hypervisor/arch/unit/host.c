// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * arch/contract/host.h on a Linux process. See unit.h.
 */
#include "arch/contract/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/unit/unit.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "hv/error.h"
#include "lib/bitmap.h"

/* Absent when no object with a per-CPU variable was linked. */
extern char __start_percpu[] __attribute__((weak)), __stop_percpu[] __attribute__((weak));

ns_t unit_now;
ns_t unit_timer_deadline[CPU_MAX];
unsigned int unit_kick_count[CPU_MAX];
u32 (*unit_port_read)(u16 port, unsigned int size_bytes);
void (*unit_port_write)(u16 port, unsigned int size_bytes, u32 value);
void (*unit_mmio_written)(void *p, unsigned int size_bytes);
void (*unit_mmio_mapped)(hpa_t base, void *p, size_t size_bytes);

static cpu_t current_cpu, cpu_total;
static bool is_irq_enabled;
static char *areas[CPU_MAX];

static size_t area_size(void)
{
	return (size_t)(__stop_percpu - __start_percpu);
}

/* A copy of the template for each CPU; the template itself stays as it was linked. */
void unit_reset_cpus(cpu_t cpu_count)
{
	static char *template;
	cpu_t cpu;

	if (!template && area_size()) {
		template = malloc(area_size());
		memcpy(template, __start_percpu, area_size());
	}
	for (cpu = 0; cpu < CPU_MAX; cpu++) {
		unit_timer_deadline[cpu] = NS_NEVER;
		unit_kick_count[cpu] = 0;
	}
	smp_forget_all();
	cpu_total = cpu_count;
	is_irq_enabled = true;
	unit_now = 0;
	unit_port_read = NULL;
	unit_port_write = NULL;
	unit_mmio_written = NULL;
	unit_mmio_mapped = NULL;
	for (cpu = 0; cpu < cpu_count; cpu++) {
		if (!areas[cpu] && area_size()) {
			areas[cpu] = aligned_alloc(64, ROUND_UP(area_size(), 64));
		}
		if (area_size()) {
			memcpy(areas[cpu], template, area_size());
		}
		percpu_offset[cpu] = (unsigned long)areas[cpu] - (unsigned long)__start_percpu;
		current_cpu = cpu;
		smp_set_online();
	}
	current_cpu = 0;
}

void unit_cpu(cpu_t cpu)
{
	current_cpu = cpu;
}

unsigned long arch_percpu_offset(void)
{
	return percpu_offset[current_cpu];
}

cpu_t arch_cpu_id(void)
{
	return current_cpu;
}

unsigned long arch_irq_save(void)
{
	unsigned long flags = is_irq_enabled;

	is_irq_enabled = false;
	return flags;
}

void arch_irq_restore(unsigned long flags)
{
	is_irq_enabled = flags;
}

void arch_irq_enable(void)
{
	is_irq_enabled = true;
}

void arch_irq_disable(void)
{
	is_irq_enabled = false;
}

bool arch_irq_is_enabled(void)
{
	return is_irq_enabled;
}

/* There is nobody else who could release what is waited for. */
void arch_cpu_relax(void)
{
	fprintf(stderr, "a unit test waits for ever\n");
	abort();
}

void arch_cpu_idle(void)
{
}

void arch_cpu_halt(void)
{
	abort();
}

void arch_ipi_send(cpu_t cpu, enum arch_ipi ipi)
{
	cpu_t from = current_cpu;
	unsigned long flags;

	if (ipi == ARCH_IPI_CALL) {
		flags = arch_irq_save();
		current_cpu = cpu;
		smp_handle_call();
		current_cpu = from;
		arch_irq_restore(flags);
	} else {
		unit_kick_count[cpu]++;
	}
}

void arch_ipi_send_set(const void *cpu_set, enum arch_ipi ipi)
{
	const struct cpu_set *set = cpu_set;
	cpu_t cpu;

	for_each_cpu(cpu, set) {
		arch_ipi_send(cpu, ipi);
	}
}

ns_t arch_clock_read(void)
{
	return unit_now;
}

void arch_timer_arm(ns_t deadline)
{
	unit_timer_deadline[current_cpu] = deadline;
}

void unit_advance(ns_t ns)
{
	cpu_t cpu, from = current_cpu;

	unit_now += ns;
	for (cpu = 0; cpu < cpu_total; cpu++) {
		if (unit_timer_deadline[cpu] <= unit_now) {
			unit_timer_deadline[cpu] = NS_NEVER;
			current_cpu = cpu;
			softirq_raise(SOFTIRQ_TIMER);
		}
	}
	current_cpu = from;
}

void arch_reboot(void)
{
	abort();
}

int arch_sleep(unsigned int state, u16 pm1a, u16 pm1b)
{
	return state == 5 ? -EIO : -EINVAL;
}

void arch_power_off(void)
{
	abort();
}

void arch_backtrace(void)
{
}
