/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a startup IPI lets a CPU begin: real mode, in a page below 1 MiB that this code was
 * copied to. Ends in x86_start_secondary() on its own stack and page tables.
 */
#include "asm/desc.h"
#include "asm/page.h"
#include "asm/regs.h"

#define PHYS(x) ((x) - IMAGE_BASE)

	.section .rodata.smpboot, "a", @progbits
	.code16
	.global smpboot_start, smpboot_end
smpboot_start:
	cli
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	smpboot_gdt_pointer - smpboot_start
	movl	$CR0_PE | CR0_ET, %eax
	movl	%eax, %cr0
	ljmpl	$SEL_CODE, $PHYS(secondary32)
	.balign 8
smpboot_gdt_pointer:
	.short 23
	.long PHYS(smpboot_gdt)
smpboot_end:

	.section .head, "ax", @progbits
	.balign 8
smpboot_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff	/* 32-bit code */
	.quad 0x00cf93000000ffff
	.code32
secondary32:
	movl	$SEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$PHYS(smpboot_call_stack_end), %esp
	movl	$PHYS(boot_pml4), %eax
	call	enter_long_mode
	lgdt	PHYS(secondary_gdt_pointer)
	ljmp	$SEL_CODE, $PHYS(1f)
	.code64
1:	movabs	$2f, %rax
	jmp	*%rax
2:	xorl	%eax, %eax
	movl	%eax, %ss
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	mov	smpboot_root(%rip), %rax
	mov	%rax, %cr3
	mov	smpboot_stack(%rip), %rsp
	xorl	%ebp, %ebp
	call	x86_start_secondary
	ud2
	.balign 8
secondary_gdt_pointer:
	.short 23
	.quad PHYS(boot_gdt)

	.section .bss.smpboot, "aw", @nobits
	.balign 8
	.skip 64
smpboot_call_stack_end:
	.global smpboot_root, smpboot_stack
smpboot_root:	.skip 8
smpboot_stack:	.skip 8

	.section .note.GNU-stack, "", @progbits
