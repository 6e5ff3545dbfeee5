/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One 8-byte entry of a nested page table, as memory/p2m.c and lock-free readers see it: the
 * long-mode format of AMD's CPUs, always with user access (APM 2 15.25.5). The type (enum
 * p2m_type) is kept in bits 52-55, which the CPU ignores; P2M_NONE is all zeroes.
 * level 0 maps 4 KiB, 1 2 MiB, 2 1 GiB; 3 is the root and has tables only.
 */
#pragma once

#include "asm/page.h"
#include "hv/addr.h"
#include "hv/compiler.h"

#define P2M_ENTRY_PRESENT  (1ull << 0)
#define P2M_ENTRY_WRITE	   (1ull << 1)
#define P2M_ENTRY_USER	   (1ull << 2)
#define P2M_ENTRY_ACCESSED (1ull << 5)
#define P2M_ENTRY_DIRTY	   (1ull << 6)
#define P2M_ENTRY_LARGE	   (1ull << 7)
#define P2M_ENTRY_TABLE	   (1ull << 9) /* ours: tells a table from an empty entry with a type */
#define P2M_ENTRY_NX	   (1ull << 63)
#define P2M_TYPE_SHIFT	   52
#define P2M_ADDRESS	   0x000ffffffffff000ull

/* The entry for a frame of this type; cold, in p2m_npt.c. */
u64 arch_p2m_leaf(unsigned int type, mfn_t mfn, unsigned int level);
unsigned int arch_p2m_max_order(void); /* ORDER_2M or ORDER_1G */

static inline u64 arch_p2m_table(mfn_t table)
{
	return P2M_ENTRY_PRESENT | P2M_ENTRY_WRITE | P2M_ENTRY_USER | P2M_ENTRY_ACCESSED |
	       P2M_ENTRY_TABLE | mfn_raw(table) << PAGE_SHIFT;
}
static inline bool arch_p2m_is_table(u64 entry)
{
	return (entry & P2M_ENTRY_TABLE) != 0;
}
/* Where the table is that the entry names. */
static inline u64 *arch_p2m_next(u64 entry)
{
	return (u64 *)(HEAP_BASE + (entry & P2M_ADDRESS));
}
/* Type and frame of an entry that is no table; MFN_INVALID when it maps nothing. */
static inline unsigned int arch_p2m_decode(u64 entry, mfn_t *mfn)
{
	*mfn = (entry & P2M_ENTRY_PRESENT) ? mfn_of((entry & P2M_ADDRESS) >> PAGE_SHIFT)
					   : MFN_INVALID;
	return (unsigned int)(entry >> P2M_TYPE_SHIFT & 0xf);
}
