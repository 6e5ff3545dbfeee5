/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSRs: what is there works, what is not raises #GP, nothing of the host shows. */
#include "lib/guest.h"

#define GP 13

static uint64_t value;

TEST(efer_has_long_mode)
{
	uint64_t efer = rdmsr(0xc0000080);

	EXPECT_EQ(efer >> 8 & 1, 1);			 /* LME */
	EXPECT_EQ(efer >> 10 & 1, 1);			 /* LMA */
	EXPECT_EQ(efer >> 12 & 1, 0);			 /* SVME is the host's */
	EXPECT_EQ(wrmsr_safe(0xc0000080, efer | 1), -1); /* SCE */
	EXPECT_EQ(rdmsr(0xc0000080) & 1, 1);
	EXPECT_EQ(wrmsr_safe(0xc0000080, efer), -1);
	EXPECT_EQ(wrmsr_safe(0xc0000080, efer | 1UL << 12), GP);
	EXPECT_EQ(wrmsr_safe(0xc0000080, efer | 1UL << 40), GP);
	EXPECT_EQ(wrmsr_safe(0xc0000080, efer & ~0x100UL), GP); /* LME while paging */
}

TEST(segment_bases_hold_values)
{
	static const uint32_t msrs[] = {0xc0000100, 0xc0000101, 0xc0000102};

	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++) {
		uint64_t before = rdmsr(msrs[i]);

		EXPECT_EQ(wrmsr_safe(msrs[i], 0x123456789000UL), -1);
		EXPECT_EQ(rdmsr(msrs[i]), 0x123456789000UL);
		EXPECT_EQ(wrmsr_safe(msrs[i], before), -1);
	}
}

TEST(syscall_registers_hold_values)
{
	static const uint32_t msrs[] = {0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
					0x174,	    0x175,	0x176};

	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++) {
		uint64_t before = rdmsr(msrs[i]);

		EXPECT_EQ(wrmsr_safe(msrs[i], 0x12345000), -1);
		EXPECT_EQ(rdmsr(msrs[i]), 0x12345000);
		EXPECT_EQ(wrmsr_safe(msrs[i], before), -1);
	}
}

/* QEMU has one PAT for host and guest, so neither the first value nor refusals can be asked. */
TEST(pat_holds_a_value)
{
	uint64_t before = rdmsr(0x277);

	EXPECT_EQ(wrmsr_safe(0x277, 0x0007010600070406UL), -1);
	EXPECT_EQ(rdmsr(0x277), 0x0007010600070406UL);
	EXPECT_EQ(wrmsr_safe(0x277, before), -1);
}

TEST(the_tsc_can_be_read_and_runs)
{
	uint64_t first = rdmsr(0x10);

	EXPECT(rdmsr(0x10) > first);
	EXPECT_EQ(rdmsr(0x10) - rdtsc() > 1UL << 40, true); /* the first is not later */
}

TEST(apic_base_is_there)
{
	EXPECT_EQ(rdmsr_safe(0x1b, &value), -1);
	EXPECT_EQ(wrmsr_safe(0x1b, value | 1UL << 52), GP);
}

TEST(mtrrs_can_be_read)
{
	EXPECT_EQ(rdmsr_safe(0xfe, &value), -1);
	EXPECT_EQ(rdmsr_safe(0x2ff, &value), -1);
	EXPECT_EQ(rdmsr_safe(0x200, &value), -1);
	EXPECT_EQ(rdmsr_safe(0x250, &value), -1);
}

TEST(machine_check_banks_can_be_read)
{
	EXPECT_EQ(rdmsr_safe(0x179, &value), -1);
	EXPECT_EQ(rdmsr_safe(0x17a, &value), -1);
}

TEST(unknown_msrs_raise_gp)
{
	static const uint32_t msrs[] = {0x12345, 0xffffffff, 0x40000ff0, 0xc0012345, 0x3f00};

	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++) {
		EXPECT_EQ(rdmsr_safe(msrs[i], &value), GP);
		EXPECT_EQ(wrmsr_safe(msrs[i], 0), GP);
	}
}

TEST(vmx_is_hidden)
{
	EXPECT_EQ(rdmsr_safe(0x480, &value), GP); /* VMX_BASIC */
}

TEST(rdmsr_leaves_upper_halves_clear)
{
	uint64_t rax, rdx;

	__asm__ volatile("mov $-1, %%rax; mov $-1, %%rdx; rdmsr"
			 : "=&a"(rax), "=&d"(rdx)
			 : "c"(0xc0000080));
	EXPECT_EQ(rax >> 32, 0);
	EXPECT_EQ(rdx >> 32, 0);
}

TEST(cpuid_leaves_upper_halves_clear)
{
	uint64_t rax = ~0UL << 32 | 1, rbx, rcx = ~0UL << 32, rdx;

	__asm__ volatile("cpuid" : "+a"(rax), "=b"(rbx), "+c"(rcx), "=d"(rdx));
	EXPECT_EQ((rax | rbx | rcx | rdx) >> 32, 0);
}
