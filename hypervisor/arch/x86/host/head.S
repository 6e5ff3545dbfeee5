/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the boot loader (multiboot 1 or 2: 32-bit protected mode, paging off, eax magic, ebx
 * information) to x86_start() in long mode at the linked address.
 */
#include "asm/desc.h"
#include "asm/msr.h"
#include "asm/page.h"
#include "asm/regs.h"

#define PHYS(x) ((x) - IMAGE_BASE)

#define MB1_MAGIC 0x1badb002
#define MB1_FLAGS 0x00000003 /* modules on page boundaries, memory map wanted */
#define MB2_MAGIC 0xe85250d6

	.section .head, "ax", @progbits
	.code32

	.balign 4
	.long MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)

	.balign 8
mb2_header:
	.long MB2_MAGIC, 0, mb2_end - mb2_header, -(MB2_MAGIC + (mb2_end - mb2_header))
	/* modules on page boundaries */
	.balign 8
	.short 6, 0
	.long 8
	/* entry point: a 32-bit physical address, whatever the ELF header says */
	.balign 8
	.short 3, 0
	.long 12
	.long PHYS(start32)
	/* text console wanted if there is one */
	.balign 8
	.short 4, 1
	.long 12
	.long 2
	/* end */
	.balign 8
	.short 0, 0
	.long 8
mb2_end:

	.global start32
start32:
	cli
	cld
	movl	$PHYS(boot_stack_slot + STACK_SLOT_SIZE - 16), %esp
	movl	%eax, %ebp
	movl	%ebx, %esi

	/* Long mode and NX, or a sentence. */
	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	no_long_mode
	movl	$0x80000001, %eax
	cpuid
	andl	$(1 << 29 | 1 << 20), %edx
	cmpl	$(1 << 29 | 1 << 20), %edx
	jne	no_long_mode

	/*
	 * Boot tables: the low 4 GiB at their physical addresses (2 MiB pages), and the first
	 * GiB of them at IMAGE_BASE. paging.c replaces them.
	 */
	movl	$PHYS(boot_pml4), %edi
	movl	$PHYS(boot_pdpt_low) + 3, (%edi)
	movl	$PHYS(boot_pdpt_high) + 3, 511 * 8(%edi)
	movl	$PHYS(boot_pd) + 3, PHYS(boot_pdpt_high) + 510 * 8
	movl	$PHYS(boot_pdpt_low), %edi
	movl	$PHYS(boot_pd) + 3, (%edi)
	movl	$PHYS(boot_pd) + 0x1003, 8(%edi)
	movl	$PHYS(boot_pd) + 0x2003, 16(%edi)
	movl	$PHYS(boot_pd) + 0x3003, 24(%edi)
	movl	$PHYS(boot_pd), %edi
	movl	$(PTE_PRESENT | PTE_WRITE | PTE_LARGE), %eax
	movl	$2048, %ecx
1:	movl	%eax, (%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	decl	%ecx
	jnz	1b

	movl	$PHYS(boot_pml4), %eax
	call	enter_long_mode
	lgdt	PHYS(boot_gdt_pointer)
	ljmp	$SEL_CODE, $PHYS(1f)
	.code64
1:	movabs	$2f, %rax
	jmp	*%rax
2:	lgdt	boot_gdt_pointer_high(%rip)
	xorl	%eax, %eax
	movl	%eax, %ss
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	lea	boot_stack_slot + STACK_SLOT_SIZE - 16(%rip), %rsp
	lea	percpu_boot_area(%rip), %rax
	lea	percpu_start(%rip), %rcx
	sub	%rcx, %rax
	mov	%rax, (%rsp)		/* struct cpu_info */
	movq	$0, 8(%rsp)
	movl	%ebp, %edi
	movl	%esi, %esi
	xorl	%ebp, %ebp		/* backtraces end here */
	call	x86_start
	ud2

/*
 * eax: PML4. Turns on paging and long mode; returns to 32-bit compatibility code. Every CPU
 * comes through here, the later ones from smpboot.S. Clobbers eax, ecx, edx.
 */
	.code32
	.global enter_long_mode
enter_long_mode:
	movl	%eax, %cr3
	movl	$(CR4_PAE | CR4_PGE | CR4_MCE), %eax
	movl	%eax, %cr4
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$(EFER_LME | EFER_NXE | EFER_SCE), %eax
	wrmsr
	movl	$(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG), %eax
	movl	%eax, %cr0
	ret

no_long_mode:
	movl	$PHYS(no_long_mode_text), %esi
	movl	$0xb8000, %edi
1:	lodsb
	testb	%al, %al
	jz	3f
	movb	$0x4f, %ah
	movw	%ax, (%edi)
	addl	$2, %edi
	movb	%al, %bl
	movw	$0x3fd, %dx
	movl	$0x10000, %ecx
2:	inb	%dx, %al
	testb	$0x20, %al
	loopz	2b
	movb	%bl, %al
	movw	$0x3f8, %dx
	outb	%al, %dx
	jmp	1b
3:	hlt
	jmp	3b
no_long_mode_text:
	.asciz "Mullion: this CPU has no 64-bit mode with NX. It cannot run here.\r\n"

	.balign 8
	.global boot_gdt
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* 64-bit code */
	.quad 0x00cf93000000ffff	/* data */
boot_gdt_pointer:
	.short 23
	.long PHYS(boot_gdt)
	.balign 8
boot_gdt_pointer_high:
	.short 23
	.quad boot_gdt

	.section .bss.boot_tables, "aw", @nobits
	.balign 4096
	.global boot_pml4
boot_pml4:	.skip 4096
boot_pdpt_low:	.skip 4096
boot_pdpt_high:	.skip 4096
boot_pd:	.skip 4 * 4096

	.section .bss.boot_stack, "aw", @nobits
	.balign STACK_SLOT_SIZE
	.global boot_stack_slot
boot_stack_slot:
	.skip STACK_SLOT_SIZE

	.section .note.GNU-stack, "", @progbits
