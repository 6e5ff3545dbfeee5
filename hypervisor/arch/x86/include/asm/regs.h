/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control registers, flags, exception vectors, and what an exception saves on the stack.
 * SDM 3 2.5, 6.3; APM 2 3.1, 8.2.
 */
#pragma once

#define CR0_PE 0x00000001
#define CR0_MP 0x00000002
#define CR0_ET 0x00000010
#define CR0_NE 0x00000020
#define CR0_WP 0x00010000
#define CR0_NW 0x20000000
#define CR0_CD 0x40000000
#define CR0_PG 0x80000000

#define CR4_PSE	       0x00000010
#define CR4_PAE	       0x00000020
#define CR4_MCE	       0x00000040
#define CR4_PGE	       0x00000080
#define CR4_OSFXSR     0x00000200
#define CR4_OSXMMEXCPT 0x00000400
#define CR4_OSXSAVE    0x00040000
#define CR4_SMEP       0x00100000
#define CR4_SMAP       0x00200000
#define CR4_PKE	       0x00400000

#define RFLAGS_CF	  0x00000001
#define RFLAGS_ALWAYS	  0x00000002
#define RFLAGS_PF	  0x00000004
#define RFLAGS_AF	  0x00000010
#define RFLAGS_ZF	  0x00000040
#define RFLAGS_SF	  0x00000080
#define RFLAGS_TF	  0x00000100
#define RFLAGS_IF	  0x00000200
#define RFLAGS_DF	  0x00000400
#define RFLAGS_OF	  0x00000800
#define RFLAGS_RF	  0x00010000
#define RFLAGS_VM	  0x00020000
#define RFLAGS_ARITHMETIC (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

#define TRAP_DE	 0
#define TRAP_DB	 1
#define TRAP_NMI 2
#define TRAP_BP	 3
#define TRAP_OF	 4
#define TRAP_BR	 5
#define TRAP_UD	 6
#define TRAP_NM	 7
#define TRAP_DF	 8
#define TRAP_TS	 10
#define TRAP_NP	 11
#define TRAP_SS	 12
#define TRAP_GP	 13
#define TRAP_PF	 14
#define TRAP_MF	 16
#define TRAP_AC	 17
#define TRAP_MC	 18
#define TRAP_XM	 19

#define PF_WRITE 0x02
#define PF_USER	 0x04

#ifndef __ASSEMBLER__
#include "hv/types.h"

/* What the exception and interrupt stubs push (host/entry.S), lowest address first. */
struct trap_frame {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 vector;
	u64 error;
	u64 rip, cs, rflags, rsp, ss;
};

static inline unsigned long cr0_read(void)
{
	unsigned long x;
	__asm__ volatile("mov %%cr0, %0" : "=r"(x));
	return x;
}
static inline void cr0_write(unsigned long x)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(x) : "memory");
}
static inline unsigned long cr2_read(void)
{
	unsigned long x;
	__asm__ volatile("mov %%cr2, %0" : "=r"(x));
	return x;
}
static inline unsigned long cr3_read(void)
{
	unsigned long x;
	__asm__ volatile("mov %%cr3, %0" : "=r"(x));
	return x;
}
static inline void cr3_write(unsigned long x)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(x) : "memory");
}
static inline unsigned long cr4_read(void)
{
	unsigned long x;
	__asm__ volatile("mov %%cr4, %0" : "=r"(x));
	return x;
}
static inline void cr4_write(unsigned long x)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(x) : "memory");
}
static inline u64 xcr0_read(void)
{
	u32 low, high;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (u64)high << 32 | low;
}
static inline void xcr0_write(u64 x)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((u32)x), "d"((u32)(x >> 32)) : "memory");
}
static inline void page_invalidate(unsigned long virtual_address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(virtual_address) : "memory");
}
#define dr_read(n)                                                    \
	({                                                            \
		u64 dr_x_;                                            \
		__asm__ volatile("mov %%dr" #n ", %0" : "=r"(dr_x_)); \
		dr_x_;                                                \
	})
#define dr_write(n, x) __asm__ volatile("mov %0, %%dr" #n : : "r"((u64)(x)) : "memory")
#endif
