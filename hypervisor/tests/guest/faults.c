/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nested page faults and exceptions: accesses outside the memory map, and the guest's own faults.
 */
#include "lib/guest.h"

#include <xen/memory.h>

#define UD 6
#define GP 13
#define PF 14
#define DE 0
#define BP 3

static uint8_t victim[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static void undefined(void *arg)
{
	(void)arg;
	__asm__ volatile("ud2");
}

static void divide(void *arg)
{
	(void)arg;
	__asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; xor %%edx, %%edx; div %%ecx"
			 :
			 :
			 : "eax", "ecx", "edx");
}

static void breakpoint(void *arg)
{
	(void)arg;
	__asm__ volatile("int3");
}

static void read_at(void *arg)
{
	(void)*(volatile uint8_t *)arg;
}

static void write_at(void *arg)
{
	*(volatile uint8_t *)arg = 1;
}

static void call_at(void *arg)
{
	((void (*)(void))arg)();
}

static void vmrun(void *arg)
{
	(void)arg;
	__asm__ volatile("xor %%eax, %%eax; vmrun" : : : "eax", "memory");
}

static void skinit(void *arg)
{
	(void)arg;
	__asm__ volatile("xor %%eax, %%eax; .byte 0x0f, 0x01, 0xde" : : : "eax", "memory");
}

static void clgi(void *arg)
{
	(void)arg;
	__asm__ volatile("clgi");
}

static void xsetbv(void *arg)
{
	(void)arg;
	__asm__ volatile("xor %%ecx, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; xsetbv"
			 :
			 :
			 : "eax", "ecx", "edx");
}

static void bad_cr4(void *arg)
{
	(void)arg;
	__asm__ volatile("mov %0, %%cr4" : : "r"(1UL << 40));
}

static void bad_cr0(void *arg)
{
	(void)arg;
	__asm__ volatile("mov %0, %%cr0" : : "r"(1UL << 31)); /* PG without PE */
}

TEST(exceptions_of_the_guest_are_its_own)
{
	EXPECT_EQ(probe(undefined, NULL).vector, UD);
	EXPECT_EQ(probe(divide, NULL).vector, DE);
	EXPECT_EQ(probe(breakpoint, NULL).vector, BP);
}

TEST(page_faults_have_address_and_code)
{
	struct probe p;

	map_page((uint64_t)victim, 0);
	p = probe(read_at, victim + 5);
	EXPECT_EQ(p.vector, PF);
	EXPECT_EQ(p.cr2, (uint64_t)victim + 5);
	EXPECT_EQ(p.error, 0);
	p = probe(write_at, victim + 7);
	EXPECT_EQ(p.vector, PF);
	EXPECT_EQ(p.cr2, (uint64_t)victim + 7);
	EXPECT_EQ(p.error, 2);
	map_page((uint64_t)victim, (uint64_t)victim | PTE_P);
	p = probe(write_at, victim);
	EXPECT_EQ(p.error, 3);
	map_page((uint64_t)victim, (uint64_t)victim | PTE_P | PTE_W | PTE_NX);
	p = probe(call_at, victim);
	EXPECT_EQ(p.vector, PF);
	EXPECT_EQ(p.error, 0x11);
	map_page((uint64_t)victim, (uint64_t)victim | PTE_P | PTE_W);
	EXPECT_EQ(probe(write_at, victim).vector, -1);
}

TEST(svm_instructions_are_undefined)
{
	EXPECT_EQ(probe(vmrun, NULL).vector, UD);
	EXPECT_EQ(probe(clgi, NULL).vector, UD);
	EXPECT_EQ(probe(skinit, NULL).vector, UD);
}

TEST(bad_control_registers_raise_gp)
{
	EXPECT_EQ(probe(bad_cr4, NULL).vector, GP);
	EXPECT_EQ(probe(bad_cr0, NULL).vector, GP);
}

TEST(xsetbv_without_osxsave_is_undefined_and_zero_is_refused)
{
	uint64_t cr4;

	EXPECT_EQ(probe(xsetbv, NULL).vector, UD);
	if (!(cpuid(1, 0).ecx >> 26 & 1)) {
		return;
	}
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 1UL << 18));
	EXPECT_EQ(probe(xsetbv, NULL).vector, GP);
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
}

/*
 * Xen answers with ones itself; Mullion maps holes below 4 GiB to the machine's, where QEMU's bus
 * answers with zeros. Neither keeps what is written.
 */
TEST(a_hole_swallows_writes)
{
	volatile uint32_t *hole = (uint32_t *)0xd0000000UL;
	uint32_t before = *hole;

	EXPECT(before == 0xffffffff || before == 0);
	*hole = 0x12345678;
	EXPECT_EQ(*hole, before);
}

/* The same through other shapes of instruction, which the hypervisor has to decode. */
TEST(a_ballooned_page_reads_as_ones)
{
	uint64_t frame = (uint64_t)victim / PAGE_SIZE;
	struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
	volatile uint8_t *byte = victim;

	set_xen_guest_handle(r.extent_start, &frame);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r), 1);
	EXPECT_EQ(*byte, 0xff);
	EXPECT_EQ(*(volatile uint16_t *)byte, 0xffff);
	EXPECT_EQ(*(volatile uint32_t *)byte, 0xffffffff);
	EXPECT_EQ(*(volatile uint64_t *)byte, ~0UL);
	*byte = 0;
	*(volatile uint64_t *)byte = 0;
	EXPECT_EQ(*byte, 0xff);
	frame = (uint64_t)victim / PAGE_SIZE;
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &r), 1);
	*byte = 0x42;
	EXPECT_EQ(*byte, 0x42);
}

TEST(the_local_apic_page_takes_the_usual_instructions)
{
	volatile uint32_t *tpr = (uint32_t *)0xfee00080UL;
	uint32_t value;

	apic_enable();
	*tpr = 0x30;
	EXPECT_EQ(*tpr, 0x30);
	__asm__ volatile("movl $0x40, (%0)" : : "r"(tpr) : "memory");
	EXPECT_EQ(*tpr, 0x40);
	__asm__ volatile("movl (%1), %0" : "=r"(value) : "r"(tpr) : "memory");
	EXPECT_EQ(value, 0x40);
	__asm__ volatile("movl 0x10(%1), %0" : "=r"(value) : "r"((uint8_t *)tpr - 0x10) : "memory");
	EXPECT_EQ(value, 0x40);
	__asm__ volatile("movl (%1, %2, 4), %0"
			 : "=r"(value)
			 : "r"(0xfee00000UL), "r"(0x20UL)
			 : "memory");
	EXPECT_EQ(value, 0x40);
	__asm__ volatile("orl $0x10, (%0)" : : "r"(tpr) : "memory");
	EXPECT_EQ(*tpr, 0x50);
	__asm__ volatile("andl $0x20, (%0)" : : "r"(tpr) : "memory");
	EXPECT_EQ(*tpr, 0x00);
	value = 0x20;
	__asm__ volatile("xchgl %0, (%1)" : "+r"(value) : "r"(tpr) : "memory");
	EXPECT_EQ(value, 0);
	EXPECT_EQ(*tpr, 0x20);
	*tpr = 0;
}
