/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/vlapic.h"

#include "arch/unit/unit.h"
#include "arch/x86/guest/hvm_arch.h"
#include "arch/x86/guest/trap.h"
#include "base/test.h"
#include "core/softirq.h"
#include "hv/error.h"
#include "lib/string.h"
#include "mm/heap.h"

#define VCPUS 4

static struct domain d;
static struct vcpu vcpus[VCPUS], *vcpu_table[VCPUS];
static struct arch_vcpu archs[VCPUS];
static unsigned int wakes, nmis, inits, sipis;
static int eoi_vector, sipi_page;
static const struct trap_ops *page;

void vcpu_wake_event(struct vcpu *v)
{
	wakes++;
}
void arch_vcpu_kick(struct vcpu *v)
{
}
void hvm_post_nmi(struct vcpu *v)
{
	nmis++;
}
void hvm_send_init(struct vcpu *v)
{
	inits++;
}
void hvm_send_sipi(struct vcpu *v, u8 which)
{
	sipis++;
	sipi_page = which;
}
void vioapic_eoi(struct domain *who, u8 vector)
{
	eoi_vector = vector;
}
int trap_memory(struct domain *who, gpa_t first, u64 size_bytes, const struct trap_ops *ops,
		void *data)
{
	page = ops;
	return 0;
}

static void write_page(unsigned int offset, u32 value)
{
	EXPECT_EQ(page->write(&vcpus[0], NULL, 0xfee00000u + offset, 4, value), 0);
}

static u32 read_page(unsigned int offset)
{
	u64 value;

	EXPECT_EQ(page->read(&vcpus[0], NULL, 0xfee00000u + offset, 4, &value), 0);
	return (u32)value;
}

static void start(void)
{
	static bool is_set_up;
	unsigned int i;

	unit_reset(1);
	if (!is_set_up) {
		is_set_up = true;
		timer_setup();
	}
	memset(&d, 0, sizeof(d));
	memset(vcpus, 0, sizeof(vcpus));
	memset(archs, 0, sizeof(archs));
	d.vcpu_count = VCPUS;
	d.vcpus = vcpu_table;
	for (i = 0; i < VCPUS; i++) {
		vcpus[i].domain = &d;
		vcpus[i].id = vcpu_id_of((u16)i);
		vcpus[i].arch = &archs[i];
		vcpu_table[i] = &vcpus[i];
		EXPECT_EQ(vlapic_create(&vcpus[i]), 0);
	}
	EXPECT_EQ(vlapic_mmio_setup(&d), 0);
	write_page(0xf0, 0x1ff);
	wakes = nmis = inits = sipis = 0;
	eoi_vector = sipi_page = -1;
}

static void end(void)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++) {
		vlapic_destroy(&vcpus[i]);
	}
}

static void to_x2apic(struct vcpu *v)
{
	EXPECT_EQ(vlapic_base_set(v, vlapic_base(v) | 0xc00), 0);
	EXPECT_EQ(vlapic_msr_write(v, 0x80f, 0x1ff), 0);
}

TEST(vlapic, higher_classes_interrupt_lower_ones)
{
	start();
	vlapic_post(&vcpus[0], 0x40, false);
	EXPECT_EQ(vlapic_pending(&vcpus[0]), 0x40);
	vlapic_accept(&vcpus[0], 0x40);
	vlapic_post(&vcpus[0], 0x4f, false); /* same class: waits */
	EXPECT_EQ(vlapic_pending(&vcpus[0]), -1);
	vlapic_post(&vcpus[0], 0x50, false);
	EXPECT_EQ(vlapic_pending(&vcpus[0]), 0x50);
	vlapic_accept(&vcpus[0], 0x50);
	EXPECT_EQ(read_page(0xa0), 0x50); /* PPR */
	write_page(0xb0, 0);
	EXPECT_EQ(vlapic_pending(&vcpus[0]), -1);
	write_page(0xb0, 0);
	EXPECT_EQ(vlapic_pending(&vcpus[0]), 0x4f);
	end();
}

TEST(vlapic, the_task_priority_holds_back)
{
	start();
	vlapic_tpr_set(&vcpus[0], 0x50);
	vlapic_post(&vcpus[0], 0x5f, false);
	EXPECT_EQ(vlapic_pending(&vcpus[0]), -1);
	EXPECT(vlapic_is_held_by_tpr(&vcpus[0]));
	vlapic_tpr_set(&vcpus[0], 0x40);
	EXPECT(!vlapic_is_held_by_tpr(&vcpus[0]));
	EXPECT_EQ(vlapic_pending(&vcpus[0]), 0x5f);
	end();
}

TEST(vlapic, only_level_triggered_vectors_tell_the_io_apic)
{
	start();
	vlapic_post(&vcpus[0], 0x61, false);
	vlapic_accept(&vcpus[0], 0x61);
	write_page(0xb0, 0);
	EXPECT_EQ(eoi_vector, -1);
	vlapic_post(&vcpus[0], 0x62, true);
	vlapic_accept(&vcpus[0], 0x62);
	write_page(0xb0, 0);
	EXPECT_EQ(eoi_vector, 0x62);
	write_page(0xb0, 0); /* nothing is in service */
	end();
}

TEST(vlapic, an_apic_that_is_off_takes_upcalls_only)
{
	start();
	vlapic_post(&vcpus[1], 0x40, false);
	vlapic_post_upcall(&vcpus[1], 0xf3);
	EXPECT_EQ(vlapic_pending(&vcpus[1]), -1);
	to_x2apic(&vcpus[1]);
	EXPECT_EQ(vlapic_pending(&vcpus[1]), 0xf3);
	end();
}

TEST(vlapic, vectors_below_16_are_errors)
{
	start();
	vlapic_post(&vcpus[0], 15, false);
	EXPECT_EQ(vlapic_pending(&vcpus[0]), -1);
	write_page(0x280, 0);
	EXPECT_EQ(read_page(0x280), 1u << 6);
	write_page(0x310, 2u << 24);
	write_page(0x300, 0x0f); /* sending one */
	write_page(0x280, 0);
	EXPECT_EQ(read_page(0x280), 1u << 5);
	end();
}

TEST(vlapic, x2apic_comes_only_from_xapic_and_goes_through_off)
{
	struct vcpu *v = &vcpus[0];
	u64 base, value;

	start();
	base = vlapic_base(v);
	EXPECT_EQ(vlapic_msr_read(v, 0x802, &value), -EFAULT);
	EXPECT_EQ(vlapic_base_set(v, (base & ~0x800ull) | 0x400), -EFAULT);
	EXPECT_EQ(vlapic_base_set(v, base + 0x1000), -EFAULT);
	EXPECT_EQ(vlapic_base_set(v, base | 1ull << 52), -EFAULT);
	to_x2apic(v);
	EXPECT_EQ(vlapic_base_set(v, base), -EFAULT);
	EXPECT_EQ(page->read(v, NULL, 0xfee00020u, 4, &value), -EAGAIN);
	EXPECT_EQ(vlapic_base_set(v, base & ~0xc00ull), 0);
	EXPECT_EQ(vlapic_base_set(v, base | 0x400), -EFAULT);
	EXPECT_EQ(vlapic_base_set(v, base), 0);
	end();
}

TEST(vlapic, x2apic_refuses_reserved_bits_and_registers)
{
	struct vcpu *v = &vcpus[1];
	u64 value;

	start();
	to_x2apic(v);
	EXPECT_EQ(vlapic_msr_write(v, 0x808, 0x100), -EFAULT); /* TPR */
	EXPECT_EQ(vlapic_msr_write(v, 0x80b, 1), -EFAULT);     /* EOI takes 0 only */
	EXPECT_EQ(vlapic_msr_write(v, 0x802, 1), -EFAULT);     /* the id is fixed */
	EXPECT_EQ(vlapic_msr_read(v, 0x831, &value), -EFAULT); /* no ICR2 */
	EXPECT_EQ(vlapic_msr_read(v, 0x80e, &value), -EFAULT); /* no DFR */
	EXPECT_EQ(vlapic_msr_read(v, 0x8ff, &value), -EFAULT);
	EXPECT_EQ(vlapic_msr_write(v, 0x838, 1ull << 32), -EFAULT);
	EXPECT_EQ(vlapic_msr_read(v, 0x802, &value), 0);
	EXPECT_EQ(value, 2);
	EXPECT_EQ(vlapic_msr_read(v, 0x80d, &value), 0);
	EXPECT_EQ(value, 1u << 2); /* cluster 0, bit 2 */
	end();
}

TEST(vlapic, ipis_reach_who_they_name)
{
	start();
	to_x2apic(&vcpus[1]);
	to_x2apic(&vcpus[2]);
	write_page(0x310, 4u << 24);
	write_page(0x300, 0x71); /* physical 4: vCPU 2 */
	EXPECT_EQ(vlapic_pending(&vcpus[2]), 0x71);
	EXPECT_EQ(vlapic_pending(&vcpus[1]), -1);
	EXPECT_EQ(vlapic_msr_write(&vcpus[1], 0x830, 0xc0000 | 0x72), 0); /* all but itself */
	EXPECT_EQ(vlapic_pending(&vcpus[0]), 0x72);
	EXPECT_EQ(vlapic_pending(&vcpus[1]), -1);
	EXPECT_EQ(vlapic_pending(&vcpus[2]), 0x72);
	EXPECT_EQ(vlapic_msr_write(&vcpus[1], 0x83f, 0x73), 0);
	EXPECT_EQ(vlapic_pending(&vcpus[1]), 0x73);
	/* logical: cluster 0, bit 4 is id 4 */
	EXPECT_EQ(vlapic_msr_write(&vcpus[1], 0x830, 1ull << 36 | 1u << 11 | 0x74), 0);
	EXPECT_EQ(vlapic_pending(&vcpus[2]), 0x74);
	end();
}

TEST(vlapic, init_sipi_and_nmi_are_passed_on)
{
	start();
	write_page(0x310, 2u << 24);
	write_page(0x300, 0x4500);
	EXPECT_EQ(inits, 1);
	write_page(0x300, 0x8500); /* deassert */
	EXPECT_EQ(inits, 1);
	write_page(0x300, 0x4699);
	EXPECT_EQ(sipis, 1);
	EXPECT_EQ(sipi_page, 0x99);
	write_page(0x300, 0x4400);
	EXPECT_EQ(nmis, 1);
	write_page(0x310, 0);
	write_page(0x300, 0x4500); /* not to itself */
	EXPECT_EQ(inits, 1);
	end();
}

TEST(vlapic, lowest_priority_goes_to_one)
{
	unsigned int i, count = 0;

	start();
	for (i = 1; i < VCPUS; i++) {
		to_x2apic(&vcpus[i]);
	}
	vlapic_tpr_set(&vcpus[0], 0x20);
	vlapic_tpr_set(&vcpus[1], 0x10);
	vlapic_deliver(&d, 0xff, false, 1, 0x80, false);
	for (i = 0; i < VCPUS; i++) {
		count += vlapic_pending(&vcpus[i]) == 0x80;
	}
	EXPECT_EQ(count, 1);
	EXPECT_EQ(vlapic_pending(&vcpus[2]), 0x80);
	end();
}

TEST(vlapic, the_timer_counts_down_and_fires)
{
	start();
	write_page(0x3e0, 0xb); /* divide by 1: 10 ns */
	write_page(0x320, 0x90);
	write_page(0x380, 1000);
	unit_advance(5000);
	EXPECT_EQ(read_page(0x390), 500);
	EXPECT_EQ(vlapic_pending(&vcpus[0]), -1);
	unit_advance(5000);
	softirq_run();
	EXPECT_EQ(vlapic_pending(&vcpus[0]), 0x90);
	EXPECT_EQ(read_page(0x390), 0);
	end();
}

TEST(vlapic, a_periodic_timer_goes_on_until_it_is_stopped)
{
	start();
	write_page(0x3e0, 0xb);
	write_page(0x320, 0x20000 | 0x91);
	write_page(0x380, 100000); /* 1 ms */
	unit_advance(NS_PER_MS);
	softirq_run();
	EXPECT_EQ(vlapic_pending(&vcpus[0]), 0x91);
	vlapic_accept(&vcpus[0], 0x91);
	write_page(0xb0, 0);
	unit_advance(NS_PER_MS);
	softirq_run();
	EXPECT_EQ(vlapic_pending(&vcpus[0]), 0x91);
	vlapic_accept(&vcpus[0], 0x91);
	write_page(0xb0, 0);
	write_page(0x380, 0);
	unit_advance(10 * NS_PER_MS);
	softirq_run();
	EXPECT_EQ(vlapic_pending(&vcpus[0]), -1);
	end();
}

TEST(vlapic, no_memory_is_reported)
{
	start();
	end();
	unit_fail_allocation(1);
	EXPECT_EQ(vlapic_create(&vcpus[0]), -ENOMEM);
	unit_fail_allocation(0);
	vlapic_destroy(&vcpus[0]);
}

TEST_MAIN()
