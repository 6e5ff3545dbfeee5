/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layout of the image; see docs/memory-layout.md. Every section group starts on a page of its own, because
 * paging.c gives each its rights. The symbol table is the last read-only part: with it or
 * without it, no function has another address.
 */
#include "asm/page.h"

OUTPUT_FORMAT(elf64-x86-64)
ENTRY(start32)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
}

/*
 * Files whose code nobody needs once dom0 runs: what reads the boot loader's information and
 * the firmware's tables, and builds dom0. Its pages are taken out of the page tables then
 * (paging_protect_after_init()), so it is no part of what a guest can reach; tools/core_lines.py
 * reads this list.
 */
#define AT_START(object) *object(.text .text.*)

SECTIONS
{
	. = IMAGE_BASE + IMAGE_PHYSICAL_BASE;
	image_start = .;
	.text : AT(ADDR(.text) - IMAGE_BASE) {
		text_start = .;
		*(.head)
		*(.text.entry)
		. = ALIGN(4096);
		start_text_start = .;
		AT_START(boot_dom0.c.o)
		AT_START(boot_dom0_options.c.o)
		AT_START(boot_memory.c.o)
		AT_START(boot_memory_map.c.o)
		AT_START(boot_modules.c.o)
		AT_START(boot_multiboot.c.o)
		AT_START(drivers_acpi_acpi.c.o)
		AT_START(drivers_acpi_dmar.c.o)
		AT_START(drivers_acpi_ivrs.c.o)
		AT_START(drivers_acpi_madt.c.o)
		AT_START(drivers_acpi_mcfg.c.o)
		AT_START(arch_x86_guest_dom0_acpi.c.o)
		AT_START(arch_x86_guest_dom0_plan.c.o)
		AT_START(arch_x86_guest_dom0_pvh.c.o)
		*(.init.text .init.text.*)
		. = ALIGN(4096);
		start_text_end = .;
		*(.text.hot .text.hot.*)
		*(.text .text.*)
		. = ALIGN(4096);
		text_end = .;
	} :text
	.rodata : AT(ADDR(.rodata) - IMAGE_BASE) {
		rodata_start = .;
		start_rodata_start = .;
		KEEP(*(.rodata.start))
		. = ALIGN(4096);
		start_rodata_end = .;
		. = ALIGN(8);
		refill_sites_start = .;
		KEEP(*(.rodata.refill_sites))
		refill_sites_end = .;
		*(.rodata .rodata.*)
		. = ALIGN(64);
		percpu_start = .;
		KEEP(*(percpu))
		. = ALIGN(64);
		percpu_end = .;
		KEEP(*(.symbols))
		. = ALIGN(4096);
		rodata_end = .;
	} :rodata
	.data : AT(ADDR(.data) - IMAGE_BASE) {
		ro_after_init_start = .;
		*(.data.ro_after_init .data.ro_after_init.*)
		. = ALIGN(4096);
		ro_after_init_end = .;
		data_start = .;
		*(.data .data.*)
	} :data
	.bss (NOLOAD) : AT(ADDR(.bss) - IMAGE_BASE) {
		. = ALIGN(STACK_SLOT_SIZE);
		*(.bss.boot_stack)
		. = ALIGN(64);
		percpu_boot_area = .;
		. += percpu_end - percpu_start;
		. = ALIGN(4096);
		ro_after_init_bss_start = .;
		*(.bss.ro_after_init .bss.ro_after_init.*)
		. = ALIGN(4096);
		ro_after_init_bss_end = .;
		*(.bss.boot_tables)
		*(.bss .bss.* COMMON)
		. = ALIGN(4096);
	} :data
	data_end = .;
	image_end = .;
	/DISCARD/ : { *(.comment) *(.note*) *(.eh_frame*) }
}
ASSERT(image_end - image_start <= 0x200000, "the image must fit into one page table (2 MiB)")
