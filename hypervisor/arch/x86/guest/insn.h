/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The privileged instructions that running a guest takes, one inline each. Real machine
 * only: nothing that is unit-tested includes this.
 */
#pragma once

#include "hv/types.h"

static inline u64 insn_rdmsr(u32 index)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
	return low | (u64)high << 32;
}
static inline void insn_wrmsr(u32 index, u64 value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(index), "a"((u32)value), "d"((u32)(value >> 32))
			 : "memory");
}
static inline void insn_cpuid(u32 leaf, u32 subleaf, u32 out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(subleaf));
}
static inline u64 insn_rdtsc(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | (u64)high << 32;
}
static inline u64 insn_read_cr4(void)
{
	u64 value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}
static inline void insn_write_cr4(u64 value)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}
static inline void insn_xsetbv(u64 value)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((u32)value), "d"((u32)(value >> 32)));
}
static inline u64 insn_xgetbv(void)
{
	u32 low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low | (u64)high << 32;
}
static inline void insn_xsave(void *area, u64 mask)
{
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(area), "a"((u32)mask), "d"((u32)(mask >> 32))
			 : "memory");
}
static inline void insn_xrstor(const void *area, u64 mask)
{
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(area), "a"((u32)mask), "d"((u32)(mask >> 32))
			 : "memory");
}
static inline void insn_fxsave(void *area)
{
	__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}
static inline void insn_fxrstor(const void *area)
{
	__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}
static inline void insn_vmsave(u64 physical)
{
	__asm__ volatile("vmsave %0" : : "a"(physical) : "memory");
}
static inline void insn_vmload(u64 physical)
{
	__asm__ volatile("vmload %0" : : "a"(physical) : "memory");
}
static inline void insn_wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

static inline u32 insn_in(u16 port, unsigned int size_bytes)
{
	u32 value = 0;

	switch (size_bytes) {
	case 1:
		__asm__ volatile("inb %1, %b0" : "+a"(value) : "Nd"(port));
		break;
	case 2:
		__asm__ volatile("inw %1, %w0" : "+a"(value) : "Nd"(port));
		break;
	default:
		__asm__ volatile("inl %1, %0" : "+a"(value) : "Nd"(port));
		break;
	}
	return value;
}
static inline void insn_out(u16 port, unsigned int size_bytes, u32 value)
{
	switch (size_bytes) {
	case 1:
		__asm__ volatile("outb %b0, %1" : : "a"(value), "Nd"(port));
		break;
	case 2:
		__asm__ volatile("outw %w0, %1" : : "a"(value), "Nd"(port));
		break;
	default:
		__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
		break;
	}
}

#define INSN_DEBUG_REGISTER(n)                                        \
	static inline u64 insn_read_dr##n(void)                       \
	{                                                             \
		u64 value;                                            \
		__asm__ volatile("mov %%dr" #n ", %0" : "=r"(value)); \
		return value;                                         \
	}                                                             \
	static inline void insn_write_dr##n(u64 value)                \
	{                                                             \
		__asm__ volatile("mov %0, %%dr" #n : : "r"(value));   \
	}
INSN_DEBUG_REGISTER(0)
INSN_DEBUG_REGISTER(1)
INSN_DEBUG_REGISTER(2)
INSN_DEBUG_REGISTER(3)
