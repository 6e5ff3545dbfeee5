/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rights of each type in nested page tables of AMD's CPUs, see <asm/p2m.h>.
 */
#include "asm/p2m.h"

#include "arch/contract/guest.h"
#include "arch/x86/guest/hvm.h"
#include "asm/cpufeature.h"
#include "memory/p2m.h"

u64 arch_p2m_leaf(unsigned int type, mfn_t mfn, unsigned int level)
{
	/* Accessed and dirty are preset, so that the CPU never has to write to the table. */
	const u64 base = P2M_ENTRY_PRESENT | P2M_ENTRY_USER | P2M_ENTRY_ACCESSED | P2M_ENTRY_DIRTY |
			 (level ? P2M_ENTRY_LARGE : 0) | (u64)type << P2M_TYPE_SHIFT |
			 (mfn_raw(mfn) << PAGE_SHIFT & P2M_ADDRESS);

	switch ((enum p2m_type)type) {
	case P2M_RAM:
	case P2M_SHARED:
		return base | P2M_ENTRY_WRITE;
	case P2M_FOREIGN:
	case P2M_GRANT_RW:
		return base | P2M_ENTRY_WRITE | P2M_ENTRY_NX;
	case P2M_RAM_RO:
		return base;
	case P2M_GRANT_RO:
		return base | P2M_ENTRY_NX;
	case P2M_MMIO:
		/* Write-back here: the machine's MTRRs and the guest's PAT decide together. */
		return base | P2M_ENTRY_WRITE;
	case P2M_MMIO_RO:
		return base;
	case P2M_POD:
		return (u64)type << P2M_TYPE_SHIFT;
	default:
		return 0;
	}
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
