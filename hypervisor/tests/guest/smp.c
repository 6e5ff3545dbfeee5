/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Application processors: INIT and SIPI, their state, IPIs between them, events to them. */
#include "lib/event.h"

#include <xen/vcpu.h>

#define VECTOR 0x60
#define CPUS   4

static volatile unsigned ipis[MAX_CPUS];
static volatile unsigned long shared_count;

static void on_ipi(struct trap_frame *frame)
{
	(void)frame;
	ipis[this_cpu()->index]++;
	apic_eoi();
}

static void add(void *arg)
{
	for (unsigned i = 0; i < 100000; i++) {
		__atomic_fetch_add(&shared_count, 1, __ATOMIC_SEQ_CST);
	}
	(void)arg;
}

static void wait_for_ipis(void *arg)
{
	unsigned wanted = *(unsigned *)arg;

	WAIT_FOR(ipis[this_cpu()->index] >= wanted, 3000);
}

static void send_to_boot_cpu(void *arg)
{
	(void)arg;
	apic_ipi(0, VECTOR);
}

static void read_ids(void *arg)
{
	uint32_t *ids = arg;

	ids[0] = apic_id();
	ids[1] = cpuid(1, 0).ebx >> 24;
	ids[2] = cpuid(0x40000004, 0).ebx;
	ids[3] = (uint32_t)(rdmsr(0x1b) >> 8 & 1);
}

TEST(others_are_down_until_they_are_started)
{
	apic_enable();
	trap_set_handler(VECTOR, on_ipi);
	for (unsigned i = 1; i < CPUS; i++) {
		EXPECT_EQ(hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, i, 0), 0);
	}
	EXPECT_EQ(hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, CPUS, 0), -ENOENT);
}

TEST(init_and_sipi_start_them)
{
	for (unsigned i = 1; i < CPUS; i++) {
		if (!EXPECT(cpu_start(i))) {
			finish("FAIL", "a vCPU does not start");
		}
		EXPECT_EQ(hypercall3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, i, 0), 1);
	}
}

TEST(each_has_its_own_ids)
{
	for (unsigned i = 1; i < CPUS; i++) {
		uint32_t ids[4] = {0};

		cpu_call(i, read_ids, ids);
		EXPECT(cpu_wait(i));
		EXPECT_EQ(ids[0], i * 2);
		EXPECT_EQ(ids[1], i * 2);
		EXPECT_EQ(ids[2], i);
		EXPECT_EQ(ids[3], 0); /* none is the bootstrap processor */
	}
}

TEST(they_run_at_the_same_time_on_the_same_memory)
{
	for (unsigned i = 1; i < CPUS; i++) {
		cpu_call(i, add, NULL);
	}
	add(NULL);
	for (unsigned i = 1; i < CPUS; i++) {
		EXPECT(cpu_wait(i));
	}
	EXPECT_EQ(shared_count, CPUS * 100000);
}

TEST(ipis_go_to_one)
{
	for (unsigned i = 1; i < CPUS; i++) {
		unsigned wanted = ipis[i] + 1;

		cpu_call(i, wait_for_ipis, &wanted);
		apic_ipi(cpu_apic_id(i), VECTOR);
		EXPECT(cpu_wait(i));
		EXPECT_EQ(ipis[i], wanted);
	}
}

TEST(ipis_go_to_all_others)
{
	unsigned wanted = 2;
	unsigned own = ipis[0];

	for (unsigned i = 1; i < CPUS; i++) {
		cpu_call(i, wait_for_ipis, &wanted);
	}
	apic_ipi(0, 0xc0000 | VECTOR);
	for (unsigned i = 1; i < CPUS; i++) {
		EXPECT(cpu_wait(i));
		EXPECT_EQ(ipis[i], 2);
	}
	EXPECT_EQ(ipis[0], own);
}

TEST(ipis_come_back)
{
	for (unsigned i = 1; i < CPUS; i++) {
		unsigned before = ipis[0];

		cpu_call(i, send_to_boot_cpu, NULL);
		EXPECT(WAIT_FOR(ipis[0] == before + 1, 3000));
		EXPECT(cpu_wait(i));
	}
}

TEST(a_second_sipi_is_ignored)
{
	apic_ipi(cpu_apic_id(1), 0x4600 | AP_TRAMPOLINE >> 12);
	cpu_call(1, add, NULL);
	EXPECT(cpu_wait(1));
}

TEST(ipis_to_nobody_go_nowhere)
{
	apic_ipi(0x77, VECTOR);
	apic_ipi(0x77, 0x4500);
	apic_ipi(0x77, 0x4608);
	delay_us(1000);
}

static volatile unsigned events_on;
static evtchn_port_t port;

static void on_event(struct trap_frame *frame)
{
	(void)frame;
	shared_info->vcpu_info[this_cpu()->index].evtchn_upcall_pending = 0;
	__atomic_fetch_or(&events_on, 1U << this_cpu()->index, __ATOMIC_SEQ_CST);
}

static void wait_for_event(void *arg)
{
	WAIT_FOR(events_on & 1U << this_cpu()->index, 3000);
	(void)arg;
}

TEST(event_channels_can_move_to_another_vcpu)
{
	struct evtchn_bind_vcpu bind = {.vcpu = 2};
	evtchn_port_t other;

	event_init();
	trap_set_handler(EVENT_VECTOR, on_event);
	EXPECT_EQ(event_bind_loop(&port, &other), 0);
	event_clear(other);
	WAIT_FOR(false, 2);
	events_on = 0;
	bind.port = port;
	EXPECT_EQ(event_op(EVTCHNOP_bind_vcpu, &bind), 0);
	shared_info->vcpu_info[2].evtchn_upcall_mask = 0;
	cpu_call(2, wait_for_event, NULL);
	EXPECT_EQ(event_send(other), 0);
	EXPECT(cpu_wait(2));
	EXPECT_EQ(events_on, 1U << 2);
}

TEST(ipi_ports_reach_their_vcpu)
{
	events_on = 0;
	EXPECT_EQ(event_bind_ipi(1, &port), 0);
	cpu_call(1, wait_for_event, NULL);
	EXPECT_EQ(event_send(port), 0);
	EXPECT(cpu_wait(1));
	EXPECT_EQ(events_on, 1U << 1);
}

static void check_time(void *arg)
{
	volatile uint64_t *last = arg;

	for (unsigned i = 0; i < 2000; i++) {
		*last = rdtsc();
	}
}

TEST(the_tsc_is_the_same_everywhere)
{
	uint64_t there = 0;

	for (unsigned i = 1; i < CPUS; i++) {
		uint64_t before = rdtsc();

		cpu_call(i, check_time, &there);
		EXPECT(cpu_wait(i));
		EXPECT(there >= before && there <= rdtsc());
	}
}
