/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#define ICR_INIT    0x4500
#define ICR_STARTUP 0x4600

extern uint8_t ap_trampoline[], ap_trampoline_end[];
extern uint64_t ap_stack;

struct cpu cpus[MAX_CPUS];
static uint8_t stacks[MAX_CPUS][STACK_SIZE] __attribute__((aligned(STACK_SIZE)));
static struct cpu *starting;

void ap_start(void);

/* The stack tells: the first vCPU is the one that is on none of the others' stacks. */
struct cpu *this_cpu(void)
{
	uint64_t rsp;
	uint64_t offset;

	__asm__("mov %%rsp, %0" : "=r"(rsp));
	offset = rsp - (uint64_t)stacks;
	return &cpus[offset < sizeof(stacks) ? offset / STACK_SIZE : 0];
}

/* A PVH vCPU's local APIC id is twice its number (CPUID 1 and the MADT say the same). */
uint32_t cpu_apic_id(unsigned index)
{
	return index * 2;
}

void ap_start(void)
{
	struct cpu *cpu = this_cpu();

	trap_load();
	apic_enable();
	cpu->is_up = true;
	for (;;) {
		while (!cpu->work) {
			pause();
		}
		cpu->work(cpu->work_arg);
		cpu->work = NULL;
		barrier();
		cpu->is_done = true;
	}
}

bool cpu_start(unsigned index)
{
	struct cpu *cpu = &cpus[index];

	cpu->index = index;
	cpu->apic_id = cpu_apic_id(index);
	cpu->is_up = false;
	starting = cpu;
	ap_stack = (uint64_t)stacks[index] + STACK_SIZE;
	memcpy((void *)AP_TRAMPOLINE, ap_trampoline, ap_trampoline_end - ap_trampoline);
	apic_ipi(cpu->apic_id, ICR_INIT);
	delay_us(10000);
	apic_ipi(cpu->apic_id, ICR_STARTUP | AP_TRAMPOLINE >> 12);
	for (unsigned i = 0; i < 20 && !cpu->is_up; i++) {
		delay_us(10000);
	}
	if (!cpu->is_up) {
		apic_ipi(cpu->apic_id, ICR_STARTUP | AP_TRAMPOLINE >> 12);
	}
	for (unsigned i = 0; i < 200 && !cpu->is_up; i++) {
		delay_us(10000);
	}
	return cpu->is_up;
}

void cpu_call(unsigned index, void (*fn)(void *), void *arg)
{
	cpus[index].is_done = false;
	cpus[index].work_arg = arg;
	barrier();
	cpus[index].work = fn;
}

bool cpu_wait(unsigned index)
{
	uint64_t end = now_ns() + 10000000000UL;

	while (!cpus[index].is_done && now_ns() < end) {
		pause();
	}
	return cpus[index].is_done;
}
