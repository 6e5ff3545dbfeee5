/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bits and numbers of the architecture as a guest sees it: control registers, MSRs,
 * exception vectors. AMD64 APM 2 chapters 3 and 8, appendix A; Intel SDM 4.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

#define X86_CR0_PE 0x1ull
#define X86_CR0_MP 0x2ull
#define X86_CR0_EM 0x4ull
#define X86_CR0_TS 0x8ull
#define X86_CR0_ET 0x10ull
#define X86_CR0_NE 0x20ull
#define X86_CR0_WP 0x10000ull
#define X86_CR0_NW 0x20000000ull
#define X86_CR0_CD 0x40000000ull
#define X86_CR0_PG 0x80000000ull

#define X86_CR4_PSE	0x10ull
#define X86_CR4_PAE	0x20ull
#define X86_CR4_MCE	0x40ull
#define X86_CR4_OSFXSR	0x200ull
#define X86_CR4_OSXMM	0x400ull
#define X86_CR4_OSXSAVE 0x40000ull
#define X86_CR4_PKE	0x400000ull

#define X86_EFER_SCE   0x1ull
#define X86_EFER_LME   0x100ull
#define X86_EFER_LMA   0x400ull
#define X86_EFER_NXE   0x800ull
#define X86_EFER_SVME  0x1000ull
#define X86_EFER_FFXSR 0x4000ull

#define X86_RFLAGS_CF	0x1ull
#define X86_RFLAGS_ONE	0x2ull /* always set */
#define X86_RFLAGS_PF	0x4ull
#define X86_RFLAGS_AF	0x10ull
#define X86_RFLAGS_ZF	0x40ull
#define X86_RFLAGS_SF	0x80ull
#define X86_RFLAGS_TF	0x100ull
#define X86_RFLAGS_IF	0x200ull
#define X86_RFLAGS_DF	0x400ull
#define X86_RFLAGS_OF	0x800ull
#define X86_RFLAGS_IOPL 0x3000ull
#define X86_RFLAGS_RF	0x10000ull
#define X86_RFLAGS_VM	0x20000ull
#define X86_RFLAGS_ARITHMETIC                                                            \
	(X86_RFLAGS_CF | X86_RFLAGS_PF | X86_RFLAGS_AF | X86_RFLAGS_ZF | X86_RFLAGS_SF | \
	 X86_RFLAGS_OF)

enum x86_exception {
	X86_DE = 0,
	X86_DB = 1,
	X86_NMI = 2,
	X86_BP = 3,
	X86_OF = 4,
	X86_UD = 6,
	X86_NM = 7,
	X86_DF = 8,
	X86_TS = 10,
	X86_NP = 11,
	X86_SS = 12,
	X86_GP = 13,
	X86_PF = 14,
	X86_AC = 17,
	X86_MC = 18,
};

#define X86_PF_PRESENT 0x1u
#define X86_PF_WRITE   0x2u
#define X86_PF_USER    0x4u

/* Guest page-table entries, all formats. */
#define X86_PTE_PRESENT	 0x1ull
#define X86_PTE_WRITE	 0x2ull
#define X86_PTE_USER	 0x4ull
#define X86_PTE_ACCESSED 0x20ull
#define X86_PTE_DIRTY	 0x40ull
#define X86_PTE_LARGE	 0x80ull
#define X86_PTE_NX	 (1ull << 63)

#define X86_MSR_TSC		     0x10u
#define X86_MSR_PLATFORM_ID	     0x17u
#define X86_MSR_APIC_BASE	     0x1bu
#define X86_MSR_FEATURE_CONTROL	     0x3au
#define X86_MSR_TSC_ADJUST	     0x3bu
#define X86_MSR_SPEC_CTRL	     0x48u
#define X86_MSR_PRED_CMD	     0x49u
#define X86_MSR_UCODE_REV	     0x8bu
#define X86_MSR_MTRR_CAP	     0xfeu
#define X86_MSR_SYSENTER_CS	     0x174u
#define X86_MSR_SYSENTER_ESP	     0x175u
#define X86_MSR_SYSENTER_EIP	     0x176u
#define X86_MSR_MCG_CAP		     0x179u
#define X86_MSR_MCG_STATUS	     0x17au
#define X86_MSR_MCG_CTL		     0x17bu
#define X86_MSR_MISC_ENABLE	     0x1a0u
#define X86_MSR_DEBUGCTL	     0x1d9u
#define X86_MSR_MTRR_PHYS_FIRST	     0x200u /* base and mask in turn, 8 pairs */
#define X86_MSR_MTRR_PHYS_LAST	     0x20fu
#define X86_MSR_MTRR_FIX64K	     0x250u
#define X86_MSR_MTRR_FIX16K_80000    0x258u
#define X86_MSR_MTRR_FIX16K_A0000    0x259u
#define X86_MSR_MTRR_FIX4K_FIRST     0x268u
#define X86_MSR_MTRR_FIX4K_LAST	     0x26fu
#define X86_MSR_PAT		     0x277u
#define X86_MSR_MTRR_DEF_TYPE	     0x2ffu
#define X86_MSR_TSC_DEADLINE	     0x6e0u
#define X86_MSR_X2APIC_FIRST	     0x800u
#define X86_MSR_X2APIC_LAST	     0x8ffu
#define X86_MSR_XSS		     0xda0u
#define X86_MSR_XEN_HYPERCALL	     0x40000000u
#define X86_MSR_EFER		     0xc0000080u
#define X86_MSR_STAR		     0xc0000081u
#define X86_MSR_LSTAR		     0xc0000082u
#define X86_MSR_CSTAR		     0xc0000083u
#define X86_MSR_SFMASK		     0xc0000084u
#define X86_MSR_FS_BASE		     0xc0000100u
#define X86_MSR_GS_BASE		     0xc0000101u
#define X86_MSR_KERNEL_GS_BASE	     0xc0000102u
#define X86_MSR_TSC_AUX		     0xc0000103u
#define X86_MSR_K8_SYSCFG	     0xc0010010u
#define X86_MSR_K8_HWCR		     0xc0010015u
#define X86_MSR_K8_TOP_MEM1	     0xc001001au
#define X86_MSR_K8_TOP_MEM2	     0xc001001du
#define X86_MSR_VM_CR		     0xc0010114u
#define X86_MSR_VM_HSAVE_PA	     0xc0010117u
#define X86_MSR_AMD_PATCHLEVEL	     0x8bu
#define X86_MSR_AMD_CPUID_7_FEATURES 0xc0011002u
#define X86_MSR_AMD_LS_CFG	     0xc0011020u
#define X86_MSR_AMD_DE_CFG	     0xc0011029u

#define X86_PAT_RESET 0x0007040600070406ull /* APM 2 7.8.2 */
