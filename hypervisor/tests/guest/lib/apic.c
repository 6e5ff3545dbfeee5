/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC in both its modes; registers as in AMD's APM volume 2, chapter 16. */
#include "guest.h"

#define APIC_BASE_MSR 0x1b
#define APIC_ADDRESS  0xfee00000UL

bool is_x2apic;

uint32_t apic_read(unsigned reg)
{
	if (is_x2apic) {
		return (uint32_t)rdmsr(0x800 + reg / 16);
	}
	return *(volatile uint32_t *)(APIC_ADDRESS + reg);
}

void apic_write(unsigned reg, uint32_t value)
{
	if (is_x2apic) {
		wrmsr(0x800 + reg / 16, value);
		return;
	}
	*(volatile uint32_t *)(APIC_ADDRESS + reg) = value;
}

bool has_x2apic(void)
{
	return cpuid(1, 0).ecx >> 21 & 1;
}

void apic_enable(void)
{
	is_x2apic = rdmsr(APIC_BASE_MSR) >> 10 & 1;
	apic_write(0xf0, 0x1ff);
}

void apic_enable_x2apic(void)
{
	wrmsr(APIC_BASE_MSR, rdmsr(APIC_BASE_MSR) | 0xc00);
	is_x2apic = true;
	apic_write(0xf0, 0x1ff);
}

uint32_t apic_id(void)
{
	return is_x2apic ? apic_read(0x20) : apic_read(0x20) >> 24;
}

void apic_eoi(void)
{
	apic_write(0xb0, 0);
}

void apic_ipi(uint32_t id, uint32_t command)
{
	if (is_x2apic) {
		wrmsr(0x830, (uint64_t)id << 32 | command);
		return;
	}
	apic_write(0x310, id << 24);
	apic_write(0x300, command);
	while (apic_read(0x300) & 0x1000) {
		pause();
	}
}
