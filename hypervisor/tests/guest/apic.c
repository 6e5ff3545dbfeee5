/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC through its page and through MSRs: identity, timer, IPIs to itself, errors. */
#include "lib/guest.h"

#define TIMER_VECTOR 0x40
#define IPI_VECTOR   0x50
#define LVT_TIMER    0x320
#define INITIAL	     0x380
#define CURRENT	     0x390
#define DIVIDE	     0x3e0
#define MASKED	     0x10000
#define PERIODIC     0x20000

static volatile unsigned timer_count, ipi_count, order_count;
static volatile unsigned order[8];

static void on_timer(struct trap_frame *frame)
{
	(void)frame;
	timer_count++;
	apic_eoi();
}

static void on_ipi(struct trap_frame *frame)
{
	order[order_count++ % 8] = (unsigned)frame->vector;
	ipi_count++;
	apic_eoi();
}

static void check_timer(void)
{
	unsigned before = timer_count;
	uint32_t now;

	apic_write(DIVIDE, 0xb); /* by 1 */
	apic_write(LVT_TIMER, TIMER_VECTOR);
	apic_write(INITIAL, 20000000);
	delay_us(1000);
	now = apic_read(CURRENT);
	EXPECT(now > 0 && now < 20000000);
	EXPECT(WAIT_FOR(timer_count == before + 1, 5000));
	EXPECT_EQ(apic_read(CURRENT), 0);
	EXPECT(!WAIT_FOR(timer_count != before + 1, 5));

	apic_write(LVT_TIMER, TIMER_VECTOR | PERIODIC);
	apic_write(INITIAL, 2000000);
	EXPECT(WAIT_FOR(timer_count >= before + 4, 5000));
	apic_write(INITIAL, 0);
	WAIT_FOR(false, 10);
	before = timer_count;
	EXPECT(!WAIT_FOR(timer_count != before, 30));

	apic_write(LVT_TIMER, TIMER_VECTOR | MASKED);
	apic_write(INITIAL, 100000);
	EXPECT(!WAIT_FOR(timer_count != before, 20));
	EXPECT_EQ(apic_read(CURRENT), 0);
	apic_write(INITIAL, 0);
}

static void check_self_ipi(void)
{
	unsigned before = ipi_count;

	apic_ipi(apic_id(), IPI_VECTOR);
	EXPECT(WAIT_FOR(ipi_count == before + 1, 100));
	apic_ipi(0, 0x40000 | IPI_VECTOR); /* shorthand: self */
	EXPECT(WAIT_FOR(ipi_count == before + 2, 100));
	apic_ipi(0, 0x80000 | IPI_VECTOR); /* all including self */
	EXPECT(WAIT_FOR(ipi_count == before + 3, 100));
}

TEST(starts_enabled_at_the_usual_address)
{
	uint64_t base = rdmsr(0x1b);

	EXPECT_EQ(base & 0xfffff000, 0xfee00000);
	EXPECT_EQ(base >> 11 & 1, 1); /* enabled */
	EXPECT_EQ(base >> 8 & 1, 1);  /* bootstrap processor */
	EXPECT_EQ(base >> 10 & 1, 0); /* not in x2APIC mode */
}

TEST(registers_after_reset)
{
	EXPECT_EQ(apic_read(0xf0), 0xff);	 /* spurious: software-disabled */
	EXPECT_EQ(apic_read(0x30) & 0xff, 0x14); /* version */
	EXPECT(((apic_read(0x30) >> 16) & 0xff) >= 3);
	EXPECT_EQ(apic_read(0x80), 0);
	EXPECT_EQ(apic_read(LVT_TIMER), MASKED);
	EXPECT_EQ(apic_read(0x350), MASKED);
	EXPECT_EQ(apic_read(0x360), MASKED);
	EXPECT_EQ(apic_read(0x370), MASKED);
	EXPECT_EQ(apic_read(0xd0), 0);
	EXPECT_EQ(apic_read(0xe0), 0xffffffff);
	EXPECT_EQ(apic_read(INITIAL), 0);
}

TEST(xapic_timer)
{
	apic_enable();
	trap_set_handler(TIMER_VECTOR, on_timer);
	trap_set_handler(IPI_VECTOR, on_ipi);
	trap_set_handler(IPI_VECTOR + 0x10, on_ipi);
	check_timer();
}

TEST(xapic_self_ipi)
{
	check_self_ipi();
}

TEST(higher_vectors_come_first)
{
	order_count = 0;
	apic_ipi(apic_id(), IPI_VECTOR);
	apic_ipi(apic_id(), IPI_VECTOR + 0x10);
	EXPECT(WAIT_FOR(order_count == 2, 100));
	EXPECT_EQ(order[0], IPI_VECTOR + 0x10);
	EXPECT_EQ(order[1], IPI_VECTOR);
}

TEST(task_priority_holds_interrupts_back)
{
	unsigned before = ipi_count;

	apic_write(0x80, 0x60);
	apic_ipi(apic_id(), IPI_VECTOR);
	EXPECT(!WAIT_FOR(ipi_count != before, 5));
	EXPECT_EQ(apic_read(0x200 + 0x10 * (IPI_VECTOR / 32)) >> (IPI_VECTOR % 32) & 1, 1);
	apic_write(0x80, 0);
	EXPECT(WAIT_FOR(ipi_count == before + 1, 100));
}

TEST(cr8_is_the_task_priority)
{
	uint64_t cr8 = 5;

	__asm__ volatile("mov %0, %%cr8" : : "r"(cr8));
	EXPECT_EQ(apic_read(0x80), 0x50);
	apic_write(0x80, 0x20);
	__asm__ volatile("mov %%cr8, %0" : "=r"(cr8));
	EXPECT_EQ(cr8, 2);
	apic_write(0x80, 0);
}

TEST(interrupt_after_sti_shadow)
{
	unsigned before = ipi_count;

	apic_ipi(apic_id(), IPI_VECTOR);
	__asm__ volatile("sti; hlt; cli" : : : "memory"); /* must not sleep for ever */
	EXPECT_EQ(ipi_count, before + 1);
}

TEST(x2apic_mode)
{
	if (!EXPECT(has_x2apic())) {
		return;
	}
	apic_enable_x2apic();
	EXPECT_EQ(rdmsr(0x1b) >> 10 & 3, 3);
	EXPECT_EQ(apic_id(), 0);
	EXPECT_EQ(rdmsr(0x80d), 1); /* logical: cluster 0, bit 0 */
}

TEST(x2apic_timer)
{
	check_timer();
}

TEST(x2apic_self_ipi)
{
	unsigned before = ipi_count;

	check_self_ipi();
	wrmsr(0x83f, IPI_VECTOR);
	EXPECT(WAIT_FOR(ipi_count == before + 4, 100));
}

TEST(x2apic_refuses_what_is_not_there)
{
	uint64_t value;

	EXPECT_EQ(rdmsr_safe(0x80b, &value), 13); /* EOI is write-only */
	EXPECT_EQ(wrmsr_safe(0x802, 1), 13);	  /* the id is read-only */
	EXPECT_EQ(wrmsr_safe(0x80b, 1), 13);	  /* EOI takes zero only */
	EXPECT_EQ(rdmsr_safe(0x804, &value), 13); /* reserved */
	EXPECT_EQ(rdmsr_safe(0x80e, &value), 13); /* no DFR in this mode */
	EXPECT_EQ(wrmsr_safe(0x80f, 1UL << 40), 13);
}

TEST(x2apic_does_not_go_back_to_xapic)
{
	EXPECT_EQ(wrmsr_safe(0x1b, (rdmsr(0x1b) & ~0x400UL)), 13);
}
