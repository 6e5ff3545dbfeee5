/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An interrupt arrives once, and not while interrupts are off, also while another CPU changes the
 * machine's memory map: QEMU calls all its threads away for that, see svm.c.
 */
#include "lib/guest.h"
#include "lib/pci.h"

#define VECTOR 0x61

#define HANDLER_TICKS  400000 /* of the TSC: long, so that nearly every disturbance meets it */
#define APIC_TICKS     200000
#define CHANGES	       2000
#define COMMAND	       4
#define COMMAND_MEMORY 2
#define HEADER_TYPE    0xe

static volatile unsigned inside, nested, count, stop;

static void on_timer(struct trap_frame *frame)
{
	uint64_t start = rdtsc();

	(void)frame;
	if (inside) {
		nested++;
		return;
	}
	inside = 1;
	count++;
	while (rdtsc() - start < HANDLER_TICKS) {
	}
	apic_eoi();
	inside = 0;
}

static void take_interrupts(void *arg)
{
	(void)arg;
	apic_enable();
	apic_write(0x3e0, 0xb);
	apic_write(0x320, 0x20000 | VECTOR);
	apic_write(0x380, APIC_TICKS);
	__asm__ volatile("sti");
	while (!stop) {
		__asm__ volatile("pause");
	}
	__asm__ volatile("cli");
	apic_write(0x380, 0);
}

/* The first device that is no bridge, after the host's own at 0. */
static unsigned find_device(void)
{
	for (unsigned devfn = 8; devfn < 256; devfn += 8) {
		if (pci_read16(devfn, 0) != 0xffff && pci_read8(devfn, HEADER_TYPE) == 0) {
			return devfn;
		}
	}
	skip("there is no PCI device");
}

TEST_DOM0(nothing_comes_twice)
{
	unsigned devfn = find_device();
	uint16_t command = pci_read16(devfn, COMMAND);

	apic_enable();
	trap_set_handler(VECTOR, on_timer);
	EXPECT(cpu_start(1));
	cpu_call(1, take_interrupts, NULL);
	for (unsigned i = 0; i < CHANGES; i++) {
		pci_write16(devfn, COMMAND, command ^ COMMAND_MEMORY);
		pci_write16(devfn, COMMAND, command);
	}
	stop = 1;
	EXPECT(cpu_wait(1));
	print("%u interrupts, %u nested\n", count, nested);
	EXPECT(count > 10);
	EXPECT_EQ(nested, 0);
}
