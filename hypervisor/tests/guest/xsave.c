/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XSAVE: what CPUID leaf 0xd says about sizes follows XCR0 (SDM 1 13.2), XCR0 takes only what the
 * manual allows (SDM 1 13.3), and the state of a vCPU is its own and stays.
 */
#include "lib/event.h"

#include <xen/sched.h>

#define GP	     13
#define UD	     6
#define CR4_OSXSAVE  (1UL << 18)
#define CR4_OSFXSR   (1UL << 9)
#define X87	     1UL
#define SSE	     2UL
#define AVX	     4UL
#define PKRU	     (1UL << 9)
#define HEADER_END   576U
#define AREA_SIZE    16384U
#define MXCSR_AT     24
#define XMM_AT	     160
#define XSTATE_BV_AT 512
#define MS	     1000000UL

static uint8_t area[AREA_SIZE] __attribute__((aligned(64)));
static uint64_t offered;

static bool begin(void)
{
	struct cpuid r;
	uint64_t cr4;

	if (!(cpuid(1, 0).ecx >> 26 & 1)) {
		return false;
	}
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_OSXSAVE | CR4_OSFXSR));
	r = cpuid(0xd, 0);
	offered = r.eax | (uint64_t)r.edx << 32;
	return true;
}

static uint64_t xgetbv(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low | (uint64_t)high << 32;
}

static void do_xsetbv(uint32_t index, uint64_t value)
{
	__asm__ volatile("xsetbv"
			 :
			 : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void try_xcr0(void *arg)
{
	do_xsetbv(0, *(uint64_t *)arg);
}

static void try_xcr1(void *arg)
{
	do_xsetbv(1, *(uint64_t *)arg);
}

static int xcr0_set(uint64_t value)
{
	return probe(try_xcr0, &value).vector;
}

static void xsave(uint64_t mask)
{
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
			 : "memory");
}

static void xrstor(uint64_t mask)
{
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
			 : "memory");
}

/* Where the standard form of the area ends with these components. */
static uint32_t end_of(uint64_t components)
{
	uint32_t end = HEADER_END;

	for (unsigned i = 2; i < 63; i++) {
		struct cpuid r = cpuid(0xd, i);

		if ((components >> i & 1) && r.ebx + r.eax > end) {
			end = r.ebx + r.eax;
		}
	}
	return end;
}

/* The first test: nobody has touched the state yet. */
TEST(the_state_is_that_of_reset)
{
	if (!begin()) {
		return;
	}
	EXPECT_EQ(xgetbv() & ~SSE, X87); /* Xen has SSE on from the start */
	EXPECT_EQ(xcr0_set(X87 | SSE), -1);
	xsave(X87 | SSE);
	EXPECT_EQ(*(uint16_t *)area, 0x37f);
	EXPECT_EQ(*(uint16_t *)(area + 2), 0);
	EXPECT_EQ(*(uint32_t *)(area + MXCSR_AT), 0x1f80);
	for (unsigned i = 0; i < 256; i++) {
		EXPECT_EQ(area[XMM_AT + i], 0);
	}
	if (offered & PKRU) {
		EXPECT_EQ(xcr0_set(X87 | SSE | PKRU), -1);
		xsave(PKRU);
		EXPECT_EQ(*(uint32_t *)(area + cpuid(0xd, 9).ebx), 0);
	}
}

TEST(sizes_follow_xcr0)
{
	if (!begin()) {
		return;
	}
	EXPECT_EQ(offered & (X87 | SSE), X87 | SSE);
	EXPECT_EQ(cpuid(0xd, 0).ecx, end_of(offered));
	EXPECT_EQ(xcr0_set(X87), -1);
	EXPECT_EQ(cpuid(0xd, 0).ebx, HEADER_END);
	EXPECT_EQ(xcr0_set(X87 | SSE), -1);
	EXPECT_EQ(cpuid(0xd, 0).ebx, HEADER_END);
	if (offered & AVX) {
		EXPECT_EQ(xcr0_set(X87 | SSE | AVX), -1);
		EXPECT_EQ(cpuid(0xd, 0).ebx, end_of(AVX));
		EXPECT(end_of(AVX) > HEADER_END);
	}
	EXPECT_EQ(xcr0_set(offered), -1);
	EXPECT_EQ(cpuid(0xd, 0).ebx, end_of(offered));
	EXPECT_EQ(cpuid(0xd, 0).ecx, end_of(offered)); /* the same as ever */
	EXPECT_EQ(xgetbv(), offered);
}

TEST(subleaves_are_those_of_what_is_offered)
{
	if (!begin()) {
		return;
	}
	for (unsigned i = 2; i < 63; i++) {
		struct cpuid r = cpuid(0xd, i);

		EXPECT_EQ(r.eax != 0, offered >> i & 1);
		EXPECT_EQ(r.edx, 0);
	}
	EXPECT_EQ((offered & AVX) != 0, cpuid(1, 0).ecx >> 28 & 1);
	EXPECT_EQ((offered & PKRU) != 0, cpuid(7, 0).ecx >> 3 & 1);
	EXPECT_EQ(cpuid(0xd, 1).eax & 8, 0); /* no XSAVES without supervisor state */
}

TEST(xcr0_takes_what_the_manual_allows)
{
	const uint64_t refused[] = {
		0, /* x87 is always on */
		SSE,
		AVX, /* needs SSE */
		X87 | AVX,
		X87 | SSE | 1UL << 63,
		offered | 1UL << 62,
		X87 | SSE | 1UL << 3,	    /* half of MPX */
		X87 | SSE | AVX | 1UL << 5, /* a third of AVX-512 */
	};
	uint64_t value = X87;

	if (!begin()) {
		return;
	}
	EXPECT_EQ(xcr0_set(offered), -1);
	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		EXPECT_EQ(xcr0_set(refused[i]), GP);
		EXPECT_EQ(xgetbv(), offered);
	}
	EXPECT_EQ(probe(try_xcr1, &value).vector, GP);
}

TEST(xsetbv_without_osxsave_is_undefined)
{
	uint64_t cr4, value = X87;

	if (!begin()) {
		return;
	}
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 & ~CR4_OSXSAVE));
	EXPECT_EQ(probe(try_xcr0, &value).vector, UD);
	EXPECT_EQ(cpuid(1, 0).ecx >> 27 & 1, 0);
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
	EXPECT_EQ(cpuid(1, 0).ecx >> 27 & 1, 1);
}

/* The vCPU leaves its CPU meanwhile. */
static void sleep_a_while(void)
{
	static evtchn_port_t timer;

	if (!timer) {
		event_init();
		EXPECT_EQ(event_bind_virq(VIRQ_TIMER, 0, &timer), 0);
	}
	event_seen[timer] = 0;
	EXPECT_EQ(hypercall1(__HYPERVISOR_set_timer_op, system_ns() + 5 * MS), 0);
	irq_on();
	for (unsigned i = 0; i < 1000 && !event_seen[timer]; i++) {
		EXPECT_EQ(hypercall2(__HYPERVISOR_sched_op, SCHEDOP_block, 0), 0);
	}
	irq_off();
	EXPECT_EQ(event_seen[timer], 1);
}

/* A pattern in every byte of the components that take any value. */
static void fill(uint64_t components)
{
	for (unsigned i = 0; i < 256; i++) {
		area[XMM_AT + i] = (uint8_t)(i * 7 + 1);
	}
	for (unsigned k = 0; k < 8; k++) {
		for (unsigned i = 0; i < 10; i++) {
			area[32 + k * 16 + i] = (uint8_t)(k * 10 + i + 1);
		}
	}
	*(uint16_t *)area = 0x27f;			  /* 53 bits */
	area[4] = 0xff;					  /* all eight in use */
	*(uint32_t *)(area + MXCSR_AT) = 0x1f80 | 0x6000; /* towards zero */
	for (unsigned c = 2; c < 63; c++) {
		struct cpuid r = cpuid(0xd, c);

		for (unsigned i = 0; (components >> c & 1) && i < r.eax; i++) {
			area[r.ebx + i] = c == 9 ? (i < 4 ? 0x54 : 0) : (uint8_t)(i * 5 + c);
		}
	}
	*(uint64_t *)(area + XSTATE_BV_AT) = components;
}

TEST(the_state_stays_while_the_vcpu_sleeps)
{
	static uint8_t before[AREA_SIZE];
	uint64_t small;

	if (!begin()) {
		return;
	}
	EXPECT_EQ(xcr0_set(offered), -1);
	fill(offered & (X87 | SSE | AVX | 0xe0 | PKRU));
	xrstor(~0UL);
	for (unsigned i = 0; i < AREA_SIZE; i++) {
		before[i] = area[i];
	}
	/* What XCR0 leaves out stays as well. */
	small = X87;
	EXPECT_EQ(xcr0_set(small), -1);
	sleep_a_while();
	EXPECT_EQ(xgetbv(), small);
	EXPECT_EQ(cpuid(0xd, 0).ebx, HEADER_END);
	EXPECT_EQ(xcr0_set(offered), -1);
	sleep_a_while();
	EXPECT_EQ(xgetbv(), offered);
	for (unsigned i = 0; i < AREA_SIZE; i++) {
		area[i] = 0;
	}
	xsave(~0UL);
	EXPECT_EQ(*(uint16_t *)area, *(uint16_t *)before);
	EXPECT_EQ(*(uint32_t *)(area + MXCSR_AT), *(uint32_t *)(before + MXCSR_AT));
	for (unsigned i = 32; i < XMM_AT + 256; i++) {
		EXPECT_EQ(area[i], before[i]);
	}
	for (unsigned c = 2; c < 63; c++) {
		struct cpuid r = cpuid(0xd, c);

		for (unsigned i = 0; (offered >> c & 1) && i < r.eax; i++) {
			EXPECT_EQ(area[r.ebx + i], before[r.ebx + i]);
		}
	}
}
