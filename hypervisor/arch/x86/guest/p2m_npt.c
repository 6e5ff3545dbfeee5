/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries of nested page tables as AMD's CPUs walk them: the long-mode format, always with
 * user access (APM 2 15.25.5). The type is kept in bits 52-55, which the CPU ignores.
 */
#include "arch/contract/guest.h"
#include "arch/x86/guest/hvm.h"
#include "asm/cpufeature.h"
#include "memory/p2m.h"

#define NPT_PRESENT    (1ull << 0)
#define NPT_WRITE      (1ull << 1)
#define NPT_USER       (1ull << 2)
#define NPT_ACCESSED   (1ull << 5)
#define NPT_DIRTY      (1ull << 6)
#define NPT_LARGE      (1ull << 7)
#define NPT_TABLE      (1ull << 9) /* ours: tells a table from an empty entry with a type */
#define NPT_NX	       (1ull << 63)
#define NPT_TYPE_SHIFT 52
#define NPT_ADDRESS    0x000ffffffffff000ull

u64 arch_p2m_leaf(unsigned int type, mfn_t mfn, unsigned int level)
{
	/* Accessed and dirty are preset, so that the CPU never has to write to the table. */
	const u64 base = NPT_PRESENT | NPT_USER | NPT_ACCESSED | NPT_DIRTY |
			 (level ? NPT_LARGE : 0) | (u64)type << NPT_TYPE_SHIFT |
			 (mfn_raw(mfn) << PAGE_SHIFT & NPT_ADDRESS);

	switch ((enum p2m_type)type) {
	case P2M_RAM:
	case P2M_SHARED:
		return base | NPT_WRITE;
	case P2M_FOREIGN:
	case P2M_GRANT_RW:
		return base | NPT_WRITE | NPT_NX;
	case P2M_RAM_RO:
		return base;
	case P2M_GRANT_RO:
		return base | NPT_NX;
	case P2M_MMIO:
		/* Write-back here: the machine's MTRRs and the guest's PAT decide together. */
		return base | NPT_WRITE;
	case P2M_MMIO_RO:
		return base;
	case P2M_POD:
		return (u64)type << NPT_TYPE_SHIFT;
	default:
		return 0;
	}
}

u64 arch_p2m_table(mfn_t table)
{
	return NPT_PRESENT | NPT_WRITE | NPT_USER | NPT_ACCESSED | NPT_TABLE |
	       mfn_raw(table) << PAGE_SHIFT;
}

bool arch_p2m_is_table(u64 entry, unsigned int level)
{
	return (entry & NPT_TABLE) != 0;
}

unsigned int arch_p2m_decode(u64 entry, mfn_t *mfn)
{
	*mfn = (entry & NPT_PRESENT) ? mfn_of((entry & NPT_ADDRESS) >> PAGE_SHIFT) : MFN_INVALID;
	return (unsigned int)(entry >> NPT_TYPE_SHIFT & 0xf);
}

unsigned int arch_p2m_max_order(void)
{
	static unsigned int order;

	if (!order) { /* always the same answer, so a race is harmless */
		order = cpu_has(CPUID_PAGE1GB) ? ORDER_1G : ORDER_2M;
	}
	return order;
}

void arch_p2m_flush(struct domain *d)
{
	hvm->flush_nested(d);
}
