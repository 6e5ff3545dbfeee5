/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One piece, entered at its first byte. The offset_ names are for code that runs before the
 * page tables do: places in the block instead of addresses.
 */
#include "loader/interface.h"

OUTPUT_FORMAT(elf64-x86-64)
ENTRY(start32)

PHDRS
{
	image PT_LOAD FLAGS(7);
}

#define OFFSET(symbol) offset_##symbol = symbol - LOADER_VIRTUAL;

SECTIONS
{
	. = LOADER_VIRTUAL;
	.image : {
		KEEP(*(.head))
		*(.text .text.*)
		*(.rodata .rodata.*)
		*(.data .data.*)
		. = ALIGN(8);
	} :image
	.bss (NOLOAD) : {
		. = ALIGN(4096);
		bss_start = .;
		*(.bss .bss.* COMMON)
		. = ALIGN(4096);
		bss_end = .;
	} :image
	bss_words = (bss_end - bss_start) / 4;
	OFFSET(bss_start)
	OFFSET(stack_end)
	OFFSET(page_directory)
	OFFSET(page_directory_high)
	OFFSET(pdpt_low)
	OFFSET(pdpt_high)
	OFFSET(pml4)
	OFFSET(gdt)
	OFFSET(gdt_pointer)
	OFFSET(gdt_none)
	OFFSET(start64)
	OFFSET(leave64)
	OFFSET(leave32)
	/DISCARD/ : { *(.comment) *(.note*) *(.eh_frame*) }
}
ASSERT(bss_end - LOADER_VIRTUAL <= LOADER_SCRATCH, "the loader must fit in front of its scratch memory")
