/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What CPUID tells a guest: the machine's answer, filtered. A bit that is not listed here
 * is not shown, so a new CPU's features stay hidden until somebody has looked at them.
 * APM 3 appendix E; SDM 2 CPUID; the hypervisor's leaves are <xen/arch-x86/cpuid.h>.
 */
#include "arch/x86/guest/hvm_arch.h"

#include <xen/arch-x86/cpuid.h>
#include <xen/version.h>

#include "arch/x86/guest/cpu_policy.h"
#include "arch/x86/guest/cpuid_host.h"
#include "arch/x86/guest/vlapic.h"
#include "asm/msr.h"
#include "asm/regs.h"

#define LEAF_BASIC_MAX	  0xdu
#define LEAF_EXTENDED_MAX 0x8000001cu
#define LEAF_XEN_MAX	  XEN_CPUID_LEAF(5)

/* Leaf 1: everything but VMX, SMX, MONITOR, thermal, debug store and performance. */
#define LEAF1_C_HIDDEN                                                                    \
	(1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 10 | \
	 1u << 11 | 1u << 14 | 1u << 15 | 1u << 16 | 1u << 18 | 1u << 21 | 1u << 24 | 1u << 27)
#define LEAF1_C_X2APIC	   (1u << 21)
#define LEAF1_C_OSXSAVE	   (1u << 27)
#define LEAF1_C_HYPERVISOR (1u << 31)
#define LEAF1_D_HIDDEN                                                                           \
	(1u << 10 | 1u << 18 | 1u << 20 | 1u << 21 | 1u << 22 | 1u << 28 | 1u << 29 | 1u << 30 | \
	 1u << 31)
#define LEAF1_D_APIC (1u << 9)
#define LEAF1_D_HTT  (1u << 28)
/*
 * Leaf 7: FSGSBASE TSC_ADJUST BMI1 AVX2 SMEP BMI2 ERMS INVPCID FDP_EXCPTN AVX512F/DQ RDSEED ADX
 * SMAP IFMA CLFLUSHOPT CLWB AVX512PF/ER/CD SHA AVX512BW/VL.
 */
#define LEAF7_B_SHOWN                                                                            \
	(1u << 0 | 1u << 3 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 10 |        \
	 1u << 13 | 1u << 16 | 1u << 17 | 1u << 18 | 1u << 19 | 1u << 20 | 1u << 21 | 1u << 23 | \
	 1u << 24 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 29 | 1u << 30 | 1u << 31)
/* AVX512VBMI UMIP PKU VBMI2 GFNI VAES VPCLMULQDQ VNNI BITALG VPOPCNTDQ RDPID */
#define LEAF7_C_SHOWN                                                                      \
	(1u << 1 | 1u << 2 | 1u << 3 | 1u << 6 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 11 | \
	 1u << 12 | 1u << 14 | 1u << 22)
#define LEAF7_C_OSPKE (1u << 4)
/* AVX512_4VNNIW 4FMAPS FSRM VP2INTERSECT SERIALIZE */
#define LEAF7_D_SHOWN (1u << 2 | 1u << 3 | 1u << 4 | 1u << 8 | 1u << 14)
/* XSAVEOPT XSAVEC XGETBV1; not XSAVES, because no supervisor state is switched */
#define LEAFD_1_A_SHOWN	 (1u << 0 | 1u << 1 | 1u << 2)
#define XSAVE_HEADER_END 576u
/* LAHF CMP_LEGACY(not) CR8 ABM SSE4A MISALIGNSSE 3DNOWPREFETCH XOP FMA4 TBM */
#define EXT1_C_SHOWN \
	(1u << 0 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 11 | 1u << 16 | 1u << 21)
#define EXT7_D_INVTSC (1u << 8)
/* CLZERO XSAVEERPTR IBPB SSB_NO BTC_NO IBPB_RET */
#define EXT8_B_SHOWN (1u << 0 | 1u << 2 | 1u << 12 | 1u << 26 | 1u << 29 | 1u << 30)
/* IBRS STIBP IBRS_ALWAYS STIBP_ALWAYS IBRS_PREFERRED IBRS_SAME_MODE SSBD PSFD */
#define EXT8_B_SPEC_CTRL \
	(1u << 14 | 1u << 15 | 1u << 16 | 1u << 17 | 1u << 18 | 1u << 19 | 1u << 24 | 1u << 28)

static unsigned int bits_for(unsigned int count)
{
	unsigned int bits = 0;

	while ((1u << bits) < count) {
		bits++;
	}
	return bits;
}

static void leaf_1(struct vcpu *v, struct cpuid_regs *r)
{
	unsigned int ids = v ? MIN(2 * v->domain->vcpu_count, 255u) : 0;

	r->b = (r->b & 0xff00u) | ids << 16 | (v ? (vlapic_id(v) & 0xff) << 24 : 0);
	r->c = (r->c & ~LEAF1_C_HIDDEN) | LEAF1_C_X2APIC | LEAF1_C_HYPERVISOR;
	if (v && hvm->get_control(v, HVM_CR4) & CR4_OSXSAVE) {
		r->c |= LEAF1_C_OSXSAVE;
	}
	r->d &= ~LEAF1_D_HIDDEN;
	if (v && v->domain->vcpu_count > 1) {
		r->d |= LEAF1_D_HTT;
	}
	if (v && !vlapic_is_enabled(v)) {
		r->d &= ~LEAF1_D_APIC;
	}
}

static void leaf_7(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	if (subleaf != 0) {
		*r = (struct cpuid_regs){0, 0, 0, 0};
		return;
	}
	r->a = 0;
	r->b &= LEAF7_B_SHOWN;
	r->c &= LEAF7_C_SHOWN;
	r->d &= LEAF7_D_SHOWN;
	if (v && (r->c & (1u << 3)) && (hvm->get_control(v, HVM_CR4) & CR4_PKE)) {
		r->c |= LEAF7_C_OSPKE;
	}
}

/* Topology: one package of single-threaded cores, whose ids are even (SDM 3 8.9). */
static void leaf_b(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	*r = (struct cpuid_regs){.c = subleaf & 0xff, .d = v ? vlapic_id(v) : 0};
	if (subleaf == 0) {
		r->a = 1;
		r->b = 1;
		r->c |= 1u << 8;
	} else if (subleaf == 1) {
		r->a = v ? bits_for(2 * v->domain->vcpu_count) : 1;
		r->b = v ? v->domain->vcpu_count : 1;
		r->c |= 2u << 8;
	}
}

u64 cpuid_guest_xcr0(const struct domain *d)
{
	return hvm_xcr0_mask & cpu_policy_xcr0(d);
}

/* The size of an area that has all of these components in their places (SDM 1 13.4.2). */
static u32 xsave_size(u64 components)
{
	u32 end = XSAVE_HEADER_END;

	for (components &= ~3ull; components; components &= components - 1) {
		struct cpuid_regs r;

		r = cpuid_host(0xd, (u32)__builtin_ctzll(components));
		end = MAX(end, r.b + r.a);
	}
	return end;
}

static void leaf_d(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	u64 offered = v ? cpuid_guest_xcr0(v->domain) : hvm_xcr0_mask;

	if (subleaf > 62 || (subleaf < 2 ? !offered : !(offered >> subleaf & 1))) {
		*r = (struct cpuid_regs){0, 0, 0, 0};
	} else if (subleaf == 0) {
		/* ebx is the size for the XCR0 that is loaded, which is the guest's. */
		r->a = (u32)offered;
		r->c = xsave_size(offered);
		r->d = (u32)(offered >> 32);
	} else if (subleaf == 1) {
		r->a &= LEAFD_1_A_SHOWN;
		r->c = r->d = 0;
	}
}

static void leaf_xen(struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_regs *r)
{
	*r = (struct cpuid_regs){0, 0, 0, 0};
	switch (leaf - XEN_CPUID_FIRST_LEAF) {
	case 0:
		*r = (struct cpuid_regs){LEAF_XEN_MAX, XEN_CPUID_SIGNATURE_EBX,
					   XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX};
		break;
	case 1:
		r->a = 4u << 16 | 17u; /* the version whose ABI this is */
		break;
	case 2:
		r->a = 1; /* hypercall pages */
		r->b = MSR_XEN_HYPERCALL;
		break;
	case 3:
		cpuid_host_time(v, subleaf, r);
		break;
	case 4:
		r->a = XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT |
		       XEN_HVM_CPUID_UPCALL_VECTOR;
		/* Says that grants are mapped for devices, too, not that there are any devices. */
		r->a |= XEN_HVM_CPUID_IOMMU_MAPPINGS;
		r->b = vcpu_id_raw(v->id);
		r->c = domain_id_raw(v->domain->id);
		break;
	default:
		break;
	}
}

static void leaf_extended(struct vcpu *v, u32 leaf, struct cpuid_regs *r)
{
	switch (leaf) {
	case 0x80000000u:
		r->a = MIN(r->a, LEAF_EXTENDED_MAX);
		break;
	case 0x80000001u:
		r->c &= EXT1_C_SHOWN;
		/* The low half repeats leaf 1 on AMD. */
		r->d &= ~(1u << 10 | 1u << 18 | 1u << 21);
		if (v && !vlapic_is_enabled(v)) {
			r->d &= ~LEAF1_D_APIC;
		}
		break;
	case 0x80000002u:
	case 0x80000003u:
	case 0x80000004u:
	case 0x80000005u:
	case 0x80000006u:
	case 0x80000019u:
	case 0x8000001au:
		break;
	case 0x80000007u:
		*r = (struct cpuid_regs){.d = r->d & EXT7_D_INVTSC};
		break;
	case 0x80000008u:
		*r = (struct cpuid_regs){.a = r->a & 0xffff, .b = r->b & (EXT8_B_SHOWN | (cpuid_host_has_spec_ctrl() ? EXT8_B_SPEC_CTRL : 0))};
		break;
	default:
		*r = (struct cpuid_regs){0, 0, 0, 0};
		break;
	}
}

/* The machine's leaf, filtered; v NULL: without what depends on the vCPU. */
static void filter(struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_regs *r)
{
	*r = cpuid_host(leaf, subleaf);
	if (leaf >= 0x80000000u) {
		leaf_extended(v, leaf, r);
		return;
	}
	switch (leaf) {
	case 0:
		r->a = MIN(r->a, LEAF_BASIC_MAX);
		break;
	case 1:
		leaf_1(v, r);
		break;
	case 2:
		break;
	case 4:
		/* Caches, without the ids of the machine's own cores that share them. */
		r->a &= 0x3fffu & ~0x3e00u;
		break;
	case 6:
		*r = (struct cpuid_regs){.a = 1u << 2}; /* the APIC timer never stops */
		break;
	case 7:
		leaf_7(v, subleaf, r);
		break;
	case 0xb:
		leaf_b(v, subleaf, r);
		break;
	case 0xd:
		leaf_d(v, subleaf, r);
		break;
	default:
		*r = (struct cpuid_regs){0, 0, 0, 0};
		break;
	}
}

void cpuid_guest(struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_regs *r)
{
	if ((leaf & 0xffff0000u) == XEN_CPUID_FIRST_LEAF) {
		leaf_xen(v, leaf, subleaf, r);
		return;
	}
	filter(v, leaf, subleaf, r);
	cpu_policy_filter(v->domain, leaf, subleaf, r);
}

void cpuid_guest_default(u32 leaf, u32 subleaf, struct cpuid_regs *r)
{
	filter(NULL, leaf, subleaf, r);
}
