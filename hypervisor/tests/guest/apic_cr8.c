/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An interrupt that CR8 holds back arrives when CR8 goes down. */
#include "lib/guest.h"

#define IPI_VECTOR 0x50

static volatile unsigned ipi_count;

static void on_ipi(struct trap_frame *frame)
{
	(void)frame;
	ipi_count++;
	apic_eoi();
}

static void set_cr8(uint64_t value)
{
	__asm__ volatile("mov %0, %%cr8" : : "r"(value));
}

TEST(cr8_holds_an_interrupt_back)
{
	apic_enable();
	trap_set_handler(IPI_VECTOR, on_ipi);
	set_cr8(5);
	apic_ipi(apic_id(), IPI_VECTOR);
	EXPECT(!WAIT_FOR(ipi_count, 5));
}

TEST(lower_cr8_lets_it_in)
{
	set_cr8(4);
	EXPECT(WAIT_FOR(ipi_count == 1, 100));
	set_cr8(0);
}

TEST(cr8_of_the_next_class_does_not_matter)
{
	set_cr8(4);
	apic_ipi(apic_id(), IPI_VECTOR);
	EXPECT(WAIT_FOR(ipi_count == 2, 100));
	set_cr8(0);
}
