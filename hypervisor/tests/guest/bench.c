/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The costs that bench/run prints. Under QEMU's instruction counting the TSC counts instructions,
 * so that these are instructions for each operation, of hypervisor and emulated guest together,
 * less the empty loop. As a test it only checks that every operation works and costs something.
 */
#include "lib/event.h"

#include <xen/sched.h>
#include <xen/version.h>

#define LOOPS 2000

static evtchn_port_t self;

static void do_nothing(void)
{
	barrier();
}

static void do_hypercall(void)
{
	hypercall2(__HYPERVISOR_xen_version, XENVER_version, 0);
}

static void do_unknown(void)
{
	hypercall(63, 0, 0, 0, 0, 0);
}

static void do_cpuid(void)
{
	cpuid(1, 0);
}

static void do_rdmsr(void)
{
	rdmsr(0x1b);
}

static void do_apic_read(void)
{
	(void)*(volatile uint32_t *)0xfee00020UL;
}

static void do_x2apic_read(void)
{
	rdmsr(0x802);
}

static void do_event(void)
{
	event_send(self);
	event_clear(self);
}

static void do_yield(void)
{
	hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

static void do_port(void)
{
	inb(0x21);
}

static uint64_t measure(void (*fn)(void))
{
	uint64_t start;

	for (unsigned i = 0; i < LOOPS / 10; i++) {
		fn();
	}
	start = rdtsc();
	for (unsigned i = 0; i < LOOPS; i++) {
		fn();
	}
	return (rdtsc() - start) / LOOPS;
}

static void report(const char *name, void (*fn)(void))
{
	uint64_t empty = measure(do_nothing);
	uint64_t cost = measure(fn);

	EXPECT(cost > empty);
	print("bench %s %lu\n", name, cost - empty);
}

TEST(costs)
{
	evtchn_port_t b;

	/* From reset: firmware, loader and hypervisor. bench/run takes the loader's part off. */
	print("bench tsc-at-start %lu\n", rdtsc());
	apic_enable();
	event_init();
	EXPECT_EQ(event_bind_loop(&self, &b), 0);
	event_mask(self);
	event_mask(b);
	report("null-hypercall", do_hypercall);
	report("unknown-hypercall", do_unknown);
	report("cpuid", do_cpuid);
	report("rdmsr", do_rdmsr);
	report("apic-read", do_apic_read);
	report("port-read", do_port);
	report("event-send", do_event);
	report("yield", do_yield);
	EXPECT_EQ(event_bind_ipi(0, &self), 0);
	event_unmask_locally(self);
	report("event-to-itself", do_event);
	apic_enable_x2apic();
	report("x2apic-read", do_x2apic_read);
}
