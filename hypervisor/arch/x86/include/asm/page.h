/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page-table entries of the machine (SDM 3 4.5, APM 2 5.3), and the virtual address layout
 * of the hypervisor (docs/memory-layout.md). Also read by assembler and the linker script.
 */
#pragma once

#define PTE_PRESENT	  0x001
#define PTE_WRITE	  0x002
#define PTE_USER	  0x004
#define PTE_WRITE_THROUGH 0x008
#define PTE_NO_CACHE	  0x010
#define PTE_ACCESSED	  0x020
#define PTE_DIRTY	  0x040
#define PTE_LARGE	  0x080 /* 2 MiB or 1 GiB leaf */
#define PTE_PAT_LARGE	  0x1000

/* Where what lies; every region has PML4 entries of its own. */
#define IMAGE_PHYSICAL_BASE 0x200000	       /* where the loader puts the image */
#define IMAGE_BASE	    0xffffffff80000000 /* + physical address */
#define HEAP_BASE	    0xffff800000000000 /* + physical address; only the heap's chunks */
#define HEAP_LIMIT	    0xffffc00000000000 /* 64 TiB */
#define FRAME_TABLE_BASE    0xffffc00000000000
#define MMIO_BASE	    0xffffc80000000000
#define MMIO_LIMIT	    0xffffc81000000000 /* 64 GiB */
#define STACK_AREA_BASE	    0xffffc88000000000
#define WINDOW_BASE	    0xffffc90000000000 /* a page table of its own on every CPU */
#define WINDOW_TABLE	    (WINDOW_BASE + WINDOW_SLOTS * PAGE_SIZE) /* which maps itself here */

/*
 * One slot for each CPU, aligned to its size, so that the stack pointer finds the slot. From
 * below: guard, #DF stack, guard, NMI stack, guard, #MC stack, guard, main stack.
 */
#define STACK_SLOT_SIZE	   0x10000
#define STACK_DF_TOP	   0x2000
#define STACK_NMI_TOP	   0x4000
#define STACK_MC_TOP	   0x6000
#define STACK_MAIN_BOTTOM  0xb000 /* 20 KiB; everything between is guard */

#ifndef __ASSEMBLER__
#include "hv/addr.h"
#include "hv/types.h"

#define PTE_NX	     (1ull << 63)
#define PTE_ADDRESS  0x000ffffffffff000ull
#define PAGE_ENTRIES 512u
#define PTE_DATA     (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY | PTE_NX)

typedef u64 pte_t;

static inline unsigned int pte_index(unsigned long virtual_address, unsigned int level)
{
	/* level 1: page table, 4: PML4 */
	return (unsigned int)(virtual_address >> (PAGE_SHIFT + 9 * (level - 1))) % PAGE_ENTRIES;
}
static inline pte_t pte_of(mfn_t mfn, u64 flags)
{
	return mfn_raw(mfn) << PAGE_SHIFT | flags;
}
static inline mfn_t pte_mfn(pte_t pte)
{
	return mfn_of((pte & PTE_ADDRESS) >> PAGE_SHIFT);
}
#endif
