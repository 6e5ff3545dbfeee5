/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPUID: leaves, and the bits that this hypervisor looks at. SDM 2 CPUID; APM 3 appendix E.
 * A feature's name encodes leaf, subleaf, register and bit, so that one function asks for it.
 */
#pragma once

#include "hv/types.h"

struct cpuid_regs {
	u32 a, b, c, d;
};
enum cpuid_reg { CPUID_A, CPUID_B, CPUID_C, CPUID_D };

static inline struct cpuid_regs cpuid_read(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r;

	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

/* leaf: bit 31 extended, bits 8-30 the rest; subleaf 0 or 1; register; bit. */
#define FEATURE(leaf, subleaf, reg, bit) \
	((u64)(leaf) << 32 | (u64)(subleaf) << 16 | (u64)(reg) << 8 | (u64)(bit))
#define FEATURE_LEAF(f)	   ((u32)((f) >> 32))
#define FEATURE_SUBLEAF(f) ((u32)((f) >> 16) & 0xffff)
#define FEATURE_REG(f)	   ((enum cpuid_reg)((f) >> 8 & 0xff))
#define FEATURE_BIT(f)	   ((unsigned int)(f)&0xff)
#define FEATURE_MASK(f)	   (1u << FEATURE_BIT(f))

#define CPUID_MCA	   FEATURE(0x1, 0, CPUID_D, 14)
#define CPUID_X2APIC	   FEATURE(0x1, 0, CPUID_C, 21)
#define CPUID_TSC_DEADLINE FEATURE(0x1, 0, CPUID_C, 24)
#define CPUID_XSAVE	   FEATURE(0x1, 0, CPUID_C, 26)
#define CPUID_HYPERVISOR   FEATURE(0x1, 0, CPUID_C, 31)
#define CPUID_SMEP	   FEATURE(0x7, 0, CPUID_B, 7)
#define CPUID_SMAP	   FEATURE(0x7, 0, CPUID_B, 20)
#define CPUID_SVM	   FEATURE(0x80000001, 0, CPUID_C, 2)
#define CPUID_PAGE1GB	   FEATURE(0x80000001, 0, CPUID_D, 26)
#define CPUID_RDTSCP	   FEATURE(0x80000001, 0, CPUID_D, 27)
#define CPUID_SVM_NPT	   FEATURE(0x8000000a, 0, CPUID_D, 0)
#define CPUID_SVM_NRIPS	   FEATURE(0x8000000a, 0, CPUID_D, 3)

/* One-bit question to the real CPU; false when the leaf does not exist. Executes CPUID. */
bool cpu_has(u64 feature);
/* Physical address bits of this machine (CPUID 0x80000008). */
unsigned int cpu_physical_bits(void);
enum cpu_vendor { CPU_VENDOR_OTHER, CPU_VENDOR_INTEL, CPU_VENDOR_AMD };
enum cpu_vendor cpu_vendor(void);
