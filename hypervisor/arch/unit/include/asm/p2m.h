/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries of nested page tables that no CPU walks: type, frame, and whether it is a table.
 */
#pragma once

#include "arch/contract/host.h"
#include "hv/addr.h"

#define P2M_UNIT_TABLE	 1ull
#define P2M_UNIT_MAPPED	 2ull
#define P2M_UNIT_ADDRESS 0x000ffffffffff000ull

static inline u64 arch_p2m_leaf(unsigned int type, mfn_t mfn, unsigned int level)
{
	u64 frame =
		mfn_raw(mfn) == MFN_INVALID.v ? 0 : mfn_raw(mfn) << PAGE_SHIFT | P2M_UNIT_MAPPED;

	return (u64)type << 52 | frame;
}
static inline unsigned int arch_p2m_max_order(void)
{
	return ORDER_1G;
}
static inline u64 arch_p2m_table(mfn_t table)
{
	return mfn_raw(table) << PAGE_SHIFT | P2M_UNIT_TABLE;
}
static inline bool arch_p2m_is_table(u64 entry)
{
	return (entry & P2M_UNIT_TABLE) != 0;
}
static inline u64 *arch_p2m_next(u64 entry)
{
	return arch_heap_address(mfn_of((entry & P2M_UNIT_ADDRESS) >> PAGE_SHIFT));
}
static inline unsigned int arch_p2m_decode(u64 entry, mfn_t *mfn)
{
	*mfn = (entry & P2M_UNIT_MAPPED) ? mfn_of((entry & P2M_UNIT_ADDRESS) >> PAGE_SHIFT)
					 : MFN_INVALID;
	return (unsigned int)(entry >> 52);
}
