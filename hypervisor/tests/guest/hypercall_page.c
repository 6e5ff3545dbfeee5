/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both ways to issue a hypercall: the page that an MSR fills, and the instruction itself. */
#include "lib/guest.h"

#include <xen/version.h>

static uint8_t page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static long call_page(unsigned nr, unsigned long a, unsigned long b)
{
	long ret;

	__asm__ volatile("call *%[target]"
			 : "=a"(ret), "+D"(a), "+S"(b)
			 : [target] "r"(page + nr * 32)
			 : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory");
	return ret;
}

TEST(leaves_name_the_page_msr)
{
	struct cpuid r = cpuid(xen_leaf + 2, 0);

	EXPECT(xen_leaf != 0);
	EXPECT_EQ(r.eax, 1);
	EXPECT_EQ(r.ebx, 0x40000000);
}

TEST(msr_fills_the_page)
{
	uint32_t msr = cpuid(xen_leaf + 2, 0).ebx;
	bool is_filled = false;

	EXPECT_EQ(wrmsr_safe(msr, (uint64_t)page), -1);
	for (unsigned i = 0; i < sizeof(page); i++) {
		is_filled |= page[i] != 0;
	}
	EXPECT(is_filled);
}

TEST(page_and_instruction_agree)
{
	long direct = hypercall2(__HYPERVISOR_xen_version, XENVER_version, 0);

	EXPECT_EQ(direct, 4 << 16 | 17);
	EXPECT_EQ(call_page(__HYPERVISOR_xen_version, XENVER_version, 0), direct);
}

TEST(unknown_numbers_are_enosys)
{
	EXPECT_EQ(hypercall(63, 0, 0, 0, 0, 0), -ENOSYS);
	EXPECT_EQ(hypercall(64, 0, 0, 0, 0, 0), -ENOSYS);
	EXPECT_EQ(hypercall(0xffffffff, 0, 0, 0, 0, 0), -ENOSYS);
	EXPECT_EQ(hypercall(__HYPERVISOR_set_trap_table, 0, 0, 0, 0, 0), -ENOSYS);
	EXPECT_EQ(hypercall(__HYPERVISOR_mmu_update, 0, 0, 0, 0, 0), -ENOSYS);
	EXPECT_EQ(hypercall(__HYPERVISOR_iret, 0, 0, 0, 0, 0), -ENOSYS);
}

static void user_hypercall(void *arg)
{
	*(long *)arg = hypercall2(__HYPERVISOR_xen_version, XENVER_version, 0);
}

TEST(many_in_a_row)
{
	long ret = 0;

	for (unsigned i = 0; i < 1000; i++) {
		user_hypercall(&ret);
		if (!EXPECT_EQ(ret, 4 << 16 | 17)) {
			break;
		}
	}
}

/* The registers that the ABI does not name as clobbered keep their values. */
TEST(other_registers_survive)
{
	uint64_t rbx = 0x1111, r12 = 0x2222, r13 = 0x3333, r14 = 0x4444, r15 = 0x5555;
	long rax = __HYPERVISOR_xen_version;

	__asm__ volatile("mov $0x1111, %%rbx; mov $0x2222, %%r12; mov $0x3333, %%r13\n"
			 "mov $0x4444, %%r14; mov $0x5555, %%r15\n"
			 "xor %%edi, %%edi; xor %%esi, %%esi\n"
			 "vmmcall\n"
			 "mov %%rbx, %[b]; mov %%r12, %[c]; mov %%r13, %[d]\n"
			 "mov %%r14, %[e]; mov %%r15, %[f]\n"
			 : "+a"(rax), [b] "=m"(rbx), [c] "=m"(r12), [d] "=m"(r13), [e] "=m"(r14),
			   [f] "=m"(r15)
			 :
			 : "rbx", "rdi", "rsi", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12",
			   "r13", "r14", "r15", "memory");
	EXPECT_EQ(rax, 4 << 16 | 17);
	EXPECT_EQ(rbx, 0x1111);
	EXPECT_EQ(r12, 0x2222);
	EXPECT_EQ(r13, 0x3333);
	EXPECT_EQ(r14, 0x4444);
	EXPECT_EQ(r15, 0x5555);
}
