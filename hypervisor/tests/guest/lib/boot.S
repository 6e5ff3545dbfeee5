/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry of every guest test: records the state that the hypervisor gave, maps the first 4 GiB to
 * themselves, goes to 64-bit mode. The application processors come in below, through a copy of
 * ap_trampoline at AP_TRAMPOLINE.
 */
#include "layout.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18

	.section .note.Xen, "a", @note
	.align 4
	.long 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.long guest_entry

	.section .text.entry, "ax", @progbits
	.code32
	.globl guest_entry
guest_entry:
	mov %eax, entry_state + 0
	mov %ebx, entry_state + 4
	mov %ecx, entry_state + 8
	mov %edx, entry_state + 12
	mov %esi, entry_state + 16
	mov %edi, entry_state + 20
	mov %ebp, entry_state + 24
	mov %esp, entry_state + 28
	mov $boot_stack_end, %esp
	pushfl
	pop entry_state + 32
	mov %cr0, %eax
	mov %eax, entry_state + 36
	mov %cr4, %eax
	mov %eax, entry_state + 40
	mov %cs, %eax
	mov %eax, entry_state + 44
	mov %ds, %eax
	mov %eax, entry_state + 48
	mov %ss, %eax
	mov %eax, entry_state + 52
	str %eax
	mov %eax, entry_state + 56
	mov $0xc0000080, %ecx
	rdmsr
	mov %eax, entry_state + 60
	mov %edx, entry_state + 64
	cld

	/* 4 GiB in pages of 2 MiB. */
	mov $boot_pd, %edi
	mov $0x83, %eax
1:	mov %eax, (%edi)
	movl $0, 4(%edi)
	add $8, %edi
	add $0x200000, %eax
	jnc 1b
	movl $boot_pd + 0x0003, boot_pdpt
	movl $boot_pd + 0x1003, boot_pdpt + 8
	movl $boot_pd + 0x2003, boot_pdpt + 16
	movl $boot_pd + 0x3003, boot_pdpt + 24
	movl $boot_pdpt + 3, boot_pml4
	mov $boot_stack_end, %esp
	call go_long
	.code64
	xor %ebp, %ebp
	call guest_start
0:	cli
	hlt
	jmp 0b

	/* To 64-bit mode with flat segments; returns there. Clobbers eax, ecx, edx. */
	.code32
go_long:
	pop %esi
	lgdt gdt_pointer
	mov $0x20, %eax			/* PAE */
	mov %eax, %cr4
	mov $boot_pml4, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or $0x900, %eax			/* LME, NXE */
	wrmsr
	mov $0x80010033, %eax		/* PG, WP, NE, ET, MP, PE */
	mov %eax, %cr0
	ljmp $SEL_CODE64, $1f
	.code64
1:	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	mov %esi, %eax
	jmp *%rax

	/* An application processor starts here in real mode, CS = AP_TRAMPOLINE >> 4. */
	.code16
	.globl ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lgdtl AP_TRAMPOLINE + (ap_gdt_pointer - ap_trampoline)
	mov %cr0, %eax
	or $1, %eax
	and $0x9fffffff, %eax		/* caches on */
	mov %eax, %cr0
	ljmpl $SEL_CODE32, $ap_protected
ap_gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt
ap_trampoline_end:

	.code32
ap_protected:
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov ap_stack, %esp
	call go_long
	.code64
	xor %ebp, %ebp
	call ap_start
0:	cli
	hlt
	jmp 0b

	.section .data
	.align 16
gdt:	.quad 0
	.quad 0x00cf9b000000ffff	/* SEL_CODE32 */
	.quad 0x00af9b000000ffff	/* SEL_CODE64 */
	.quad 0x00cf93000000ffff	/* SEL_DATA */
gdt_end:
gdt_pointer:
	.word gdt_end - gdt - 1
	.long gdt
	.globl entry_state, ap_stack
	.align 8
entry_state:
	.fill 72, 1, 0
ap_stack:
	.quad 0

	.section .bss
	.align 4096
	.globl boot_pml4, boot_pd, boot_stack_end
boot_pml4:
	.fill 4096, 1, 0
boot_pdpt:
	.fill 4096, 1, 0
boot_pd:
	.fill 16384, 1, 0
	.align STACK_SIZE
boot_stack:
	.fill STACK_SIZE, 1, 0
boot_stack_end:
	.section .note.GNU-stack, "", @progbits
