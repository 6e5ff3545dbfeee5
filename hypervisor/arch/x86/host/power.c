// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86/host/power.h"

#include "arch/contract/host.h"
#include "arch/contract/machine.h"
#include "asm/desc.h"
#include "asm/io.h"
#include "hv/compiler.h"
#include "hv/error.h"

#define SLP_EN 0x2000

static RO_AFTER_INIT struct machine_description ports;

void power_setup(const struct machine_description *m)
{
	ports = *m;
}

static void wait_a_bit(void)
{
	unsigned int i;

	for (i = 0; i < 100000; i++) {
		port_in8(0x80);
	}
}

/* Each way gets some time to work before the next one is tried; the triple fault always does. */
void arch_reboot(void)
{
	static const struct descriptor_pointer no_idt = {0, 0};

	arch_irq_disable();
	if (ports.has_reset && ports.is_reset_port) {
		port_out8(ports.reset_port, ports.reset_value);
		wait_a_bit();
	}
	port_out8(0xcf9, 0x02);
	port_out8(0xcf9, 0x06); /* PCI reset control */
	wait_a_bit();
	port_out8(0x64, 0xfe); /* keyboard controller */
	wait_a_bit();
	__asm__ volatile("lidt %0\n\tint3" : : "m"(no_idt));
	arch_cpu_halt();
}

int arch_sleep(unsigned int state, u16 pm1a, u16 pm1b)
{
	unsigned long flags;

	if (state != 5) {
		return -EINVAL;
	}
	if (!ports.pm1a_control) {
		return -EPERM;
	}
	flags = arch_irq_save();
	port_out16(ports.pm1a_control, pm1a | SLP_EN);
	if (ports.pm1b_control) {
		port_out16(ports.pm1b_control, pm1b | SLP_EN);
	}
	wait_a_bit();
	arch_irq_restore(flags);
	return -EIO;
}

void arch_power_off(void)
{
	arch_irq_disable();
	if (ports.has_s5 && ports.pm1a_control) {
		port_out16(ports.pm1a_control, (u16)(ports.s5_type_a << 10 | SLP_EN));
		if (ports.pm1b_control) {
			port_out16(ports.pm1b_control, (u16)(ports.s5_type_b << 10 | SLP_EN));
		}
		wait_a_bit();
	}
	/* Nothing is left to try: the machine stays as it is, and no guest runs. */
	arch_cpu_halt();
}
