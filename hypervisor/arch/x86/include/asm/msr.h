/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model-specific registers: numbers (SDM 4; APM 2 appendix A) and access.
 */
#pragma once

#define MSR_TSC		       0x00000010
#define MSR_PLATFORM_ID	       0x00000017
#define MSR_APIC_BASE	       0x0000001b
#define MSR_SPEC_CTRL	       0x00000048
#define MSR_PRED_CMD	       0x00000049
#define MSR_BIOS_SIGN_ID       0x0000008b
#define MSR_MTRRCAP	       0x000000fe
#define MSR_ARCH_CAPABILITIES  0x0000010a
#define MSR_FLUSH_CMD	       0x0000010b
#define MSR_SYSENTER_CS	       0x00000174
#define MSR_SYSENTER_ESP       0x00000175
#define MSR_SYSENTER_EIP       0x00000176
#define MSR_MCG_CAP	       0x00000179
#define MSR_MCG_STATUS	       0x0000017a
#define MSR_MCG_CTL	       0x0000017b
#define MSR_DEBUGCTL	       0x000001d9
#define MSR_MTRR_PHYS_BASE(n)  (0x00000200 + 2 * (n))
#define MSR_MTRR_PHYS_MASK(n)  (0x00000201 + 2 * (n))
#define MSR_MTRR_FIX_64K_00000 0x00000250
#define MSR_MTRR_FIX_16K_80000 0x00000258
#define MSR_MTRR_FIX_16K_A0000 0x00000259
#define MSR_MTRR_FIX_4K_C0000  0x00000268
#define MSR_MTRR_FIX_4K_F8000  0x0000026f
#define MSR_PAT		       0x00000277
#define MSR_MTRR_DEF_TYPE      0x000002ff
#define MSR_MC_CTL(n)	       (0x00000400 + 4 * (n))
#define MSR_MC_STATUS(n)       (0x00000401 + 4 * (n))
#define MSR_MC_ADDR(n)	       (0x00000402 + 4 * (n))
#define MSR_TSC_DEADLINE       0x000006e0
#define MSR_X2APIC_FIRST       0x00000800
#define MSR_X2APIC_LAST	       0x000008ff
#define MSR_X2APIC(offset)     (0x00000800 + ((offset) >> 4)) /* xAPIC register offset */
#define MSR_EFER	       0xc0000080
#define MSR_STAR	       0xc0000081
#define MSR_LSTAR	       0xc0000082
#define MSR_CSTAR	       0xc0000083
#define MSR_SFMASK	       0xc0000084
#define MSR_FS_BASE	       0xc0000100
#define MSR_GS_BASE	       0xc0000101
#define MSR_KERNEL_GS_BASE     0xc0000102
#define MSR_TSC_AUX	       0xc0000103
#define MSR_AMD_SYSCFG	       0xc0010010
#define MSR_AMD_HWCR	       0xc0010015
#define MSR_AMD_TOP_MEM	       0xc001001a
#define MSR_AMD_TOP_MEM2       0xc001001d
#define MSR_AMD_VM_CR	       0xc0010114
#define MSR_AMD_VM_HSAVE_PA    0xc0010117
#define MSR_AMD_LS_CFG	       0xc0011020
#define MSR_AMD_DE_CFG	       0xc0011029

#define EFER_SCE   0x0001
#define EFER_LME   0x0100
#define EFER_LMA   0x0400
#define EFER_NXE   0x0800
#define EFER_SVME  0x1000
#define EFER_FFXSR 0x4000
#define EFER_AUTO_IBRS 0x200000

#define SPEC_CTRL_IBRS	0x01
#define SPEC_CTRL_STIBP 0x02
#define SPEC_CTRL_SSBD	0x04
#define SPEC_CTRL_PSFD	0x80
#define PRED_CMD_IBPB	0x01
#define FLUSH_CMD_L1D	0x01

#define APIC_BASE_BSP	 0x100
#define APIC_BASE_X2APIC 0x400
#define APIC_BASE_ENABLE 0x800

#define VM_CR_SVM_DISABLE 0x10

#define PAT_AT_RESET 0x0007040600070406 /* APM 2 7.8.2 */

#ifndef __ASSEMBLER__
#include "hv/types.h"

static inline u64 msr_read(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}
static inline void msr_write(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 tsc_read(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}
/* No earlier load is still under way when it is read; SDM 2 RDTSC, APM 3 RDTSC. */
static inline u64 tsc_read_ordered(void)
{
	__asm__ volatile("lfence" : : : "memory");
	return tsc_read();
}
#endif
