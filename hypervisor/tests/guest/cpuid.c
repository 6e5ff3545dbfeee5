/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID: Xen's leaves (xen/arch-x86/cpuid.h) and what a PVH guest may see of the CPU. */
#include "lib/guest.h"

#include <xen/arch-x86/cpuid.h>

TEST(hypervisor_bit_is_set)
{
	EXPECT_EQ(cpuid(1, 0).ecx >> 31, 1);
}

TEST(signature_is_at_0x40000000)
{
	EXPECT_EQ(xen_leaf, 0x40000000);
	EXPECT(cpuid(xen_leaf, 0).eax >= xen_leaf + 4);
	EXPECT(cpuid(xen_leaf, 0).eax <= xen_leaf + 0xff);
}

TEST(version_leaf)
{
	EXPECT_EQ(cpuid(xen_leaf + 1, 0).eax, 4 << 16 | 17);
}

TEST(time_leaf)
{
	struct cpuid flags = cpuid(xen_leaf + 3, 0);
	struct cpuid scale = cpuid(xen_leaf + 3, 1);
	struct cpuid khz = cpuid(xen_leaf + 3, 2);

	EXPECT_EQ(flags.ecx > 100000, true); /* guest TSC frequency in kHz */
	EXPECT(scale.ecx != 0);
	EXPECT_EQ(khz.eax > 100000, true);
	shared_info_map();
	if (EXPECT(shared_info != NULL)) {
		EXPECT_EQ(scale.ecx, shared_info->vcpu_info[0].time.tsc_to_system_mul);
		EXPECT_EQ((int8_t)scale.edx, shared_info->vcpu_info[0].time.tsc_shift);
	}
}

TEST(hvm_leaf)
{
	struct cpuid r = cpuid(xen_leaf + 4, 0);

	EXPECT_EQ(r.eax & XEN_HVM_CPUID_IOMMU_MAPPINGS, XEN_HVM_CPUID_IOMMU_MAPPINGS);
	EXPECT_EQ(r.eax & XEN_HVM_CPUID_VCPU_ID_PRESENT, XEN_HVM_CPUID_VCPU_ID_PRESENT);
	EXPECT_EQ(r.eax & XEN_HVM_CPUID_DOMID_PRESENT, XEN_HVM_CPUID_DOMID_PRESENT);
	EXPECT_EQ(r.eax & XEN_HVM_CPUID_UPCALL_VECTOR, XEN_HVM_CPUID_UPCALL_VECTOR);
	EXPECT_EQ(r.ebx, 0);		  /* vCPU 0 */
	EXPECT_EQ(r.ecx == 0, is_dom0()); /* the domain's number */
}

TEST(apic_ids_are_those_of_the_apic)
{
	apic_enable();
	EXPECT_EQ(cpuid(1, 0).ebx >> 24, 0);
	EXPECT_EQ(apic_id(), 0);
}

TEST(virtualization_is_hidden)
{
	EXPECT_EQ(cpuid(1, 0).ecx >> 5 & 1, 0);		 /* VMX */
	EXPECT_EQ(cpuid(0x80000001, 0).ecx >> 2 & 1, 0); /* SVM */
}

TEST(what_every_64_bit_kernel_needs)
{
	struct cpuid basic = cpuid(1, 0);
	struct cpuid extended = cpuid(0x80000001, 0);
	uint32_t wanted = 1U << 0 | 1U << 4 | 1U << 5 | 1U << 6 | 1U << 8 | 1U << 9 | 1U << 15 |
			  1U << 23 | 1U << 24 | 1U << 25 | 1U << 26;

	EXPECT_EQ(basic.edx & wanted, wanted); /* FPU TSC MSR PAE CX8 APIC CMOV MMX FXSR SSE SSE2 */
	EXPECT_EQ(extended.edx >> 29 & 1, 1);  /* long mode */
	EXPECT_EQ(extended.edx >> 20 & 1, 1);  /* NX */
	EXPECT_EQ(extended.edx >> 11 & 1, 1);  /* SYSCALL */
	EXPECT(has_x2apic());
}

/* Intel's rule for VMX-less guests and AMD's: a leaf above the highest is zero on AMD. */
TEST(leaves_beyond_the_last_are_zero)
{
	uint32_t last = cpuid(0x80000000, 0).eax;
	struct cpuid r = cpuid(last + 0x20, 0);

	EXPECT_EQ(r.eax | r.ebx | r.ecx | r.edx, 0);
	r = cpuid(0x40000100, 0);
	EXPECT_EQ(r.eax | r.ebx | r.ecx | r.edx, 0);
}

TEST(xsave_leaf_is_consistent)
{
	struct cpuid r;

	if (!(cpuid(1, 0).ecx >> 26 & 1)) {
		return;
	}
	r = cpuid(0xd, 0);
	EXPECT_EQ(r.eax & 3, 3);
	EXPECT(r.ebx >= 576);
	EXPECT(r.ecx >= r.ebx);
}

TEST(osxsave_follows_cr4)
{
	uint64_t cr4;

	if (!(cpuid(1, 0).ecx >> 26 & 1)) {
		return;
	}
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	EXPECT_EQ(cpuid(1, 0).ecx >> 27 & 1, 0);
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 1UL << 18));
	EXPECT_EQ(cpuid(1, 0).ecx >> 27 & 1, 1);
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
	EXPECT_EQ(cpuid(1, 0).ecx >> 27 & 1, 0);
}
