/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the PVH entry to 64-bit mode and back.
 *
 * The image runs at LOADER_VIRTUAL, wherever its block is; the first 4 GiB are mapped to themselves.
 * EBP (RBP) is the block's address. Nothing is left behind that the kernel could notice but
 * memory: control registers, EFER, segments and flags are as at the entry.
 */
#include "loader/interface.h"

#define SEL_CODE32 0x08
#define SEL_CODE64 0x10
#define SEL_DATA   0x18
#define SEL_TASK   0x20
#define MSR_EFER   0xc0000080
#define EFER_LME   0x100
#define CR0_START  0x11		/* PE, ET */
#define CR0_LONG   0x80010033	/* PG, WP, NE, ET, MP, PE */
#define CR4_PAE    0x20
#define PTE_TABLE  0x003	/* present, writable */
#define PTE_PAGE   0x083	/* and large */

/* Where something is in the block; the linker script defines these. */
#define AT(symbol) offset_##symbol(%ebp)

	.section .head, "ax", @progbits
	.code32
	.globl start32
start32:
	cld
	mov %ebx, %ebp
	and $~(LOADER_ALIGN - 1), %ebp

	lea AT(bss_start), %edi
	mov $bss_words, %ecx
	xor %eax, %eax
	rep stosl
	lea AT(stack_end), %esp

	/* 4 GiB in pages of 2 MiB */
	lea AT(page_directory), %edi
	mov $PTE_PAGE, %eax
	mov $2048, %ecx
1:	mov %eax, (%edi)
	add $8, %edi
	add $0x200000, %eax
	loop 1b
	lea AT(page_directory), %eax
	or $PTE_TABLE, %eax
	lea AT(pdpt_low), %edi
	mov $4, %ecx
1:	mov %eax, (%edi)
	add $8, %edi
	add $0x1000, %eax
	loop 1b
	/* the block once more at LOADER_VIRTUAL */
	lea PTE_PAGE(%ebp), %eax
	mov %eax, AT(page_directory_high)
	lea AT(page_directory_high), %eax
	or $PTE_TABLE, %eax
	mov %eax, 510 * 8 + AT(pdpt_high)
	lea AT(pdpt_high), %eax
	or $PTE_TABLE, %eax
	mov %eax, 511 * 8 + AT(pml4)
	lea AT(pdpt_low), %eax
	or $PTE_TABLE, %eax
	mov %eax, AT(pml4)

	lea AT(gdt), %eax
	mov %eax, 2 + AT(gdt_pointer)
	lgdt AT(gdt_pointer)
	mov $CR4_PAE, %eax
	mov %eax, %cr4
	lea AT(pml4), %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	mov $EFER_LME, %eax
	xor %edx, %edx
	wrmsr
	mov $CR0_LONG, %eax
	mov %eax, %cr0
	lea AT(start64), %eax
	push $SEL_CODE64
	push %eax
	lret

	.code64
start64:
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov $stack_end, %rsp
	mov %ebp, %ebp
	mov %ebp, %r12d
	mov %ebx, %edi
	mov %ebp, %esi
	mov $loader_main, %rax
	call *%rax

	/* EAX is the kernel's entry, what is above it its EBX. The way back is at its physical address. */
	mov %rax, %rbx
	shr $32, %rbx
	mov %r12, %rbp
	lea offset_stack_end(%rbp), %rsp
	lea offset_leave64(%rbp), %rcx
	jmp *%rcx
leave64:
	lea offset_leave32(%rbp), %rcx
	push $SEL_CODE32
	push %rcx
	lretq

	.code32
leave32:
	mov %eax, %esi
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov $CR0_START, %eax
	mov %eax, %cr0
	mov $MSR_EFER, %ecx
	xor %eax, %eax
	xor %edx, %edx
	wrmsr
	mov %eax, %cr4
	mov %eax, %cr3
	mov $SEL_TASK, %eax
	ltr %ax
	push $2
	popf
	lgdt AT(gdt_none)
	mov $0, %eax	/* not xor: the flags stay as they are */
	mov %eax, %ecx
	mov %eax, %edi
	mov %eax, %ebp
	mov %eax, %esp
	jmp *%esi

	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff	/* 32-bit code */
	.quad 0x00af9b000000ffff	/* 64-bit code */
	.quad 0x00cf93000000ffff	/* data */
	.quad 0x0000890000000067	/* task state at 0, which is what the PVH entry has */
gdt_end:
gdt_pointer:
	.short gdt_end - gdt - 1
	.long 0
gdt_none:
	.short 0
	.long 0

	.section .bss
	.balign 4096
	.globl hypercall_page
hypercall_page:
	.skip 4096
pml4:	.skip 4096
pdpt_low:
	.skip 4096
pdpt_high:
	.skip 4096
page_directory_high:
	.skip 4096
page_directory:
	.skip 4 * 4096
	.skip 16384
stack_end:

	/* The linker script has these names for offsets. */
	.globl stack_end, page_directory, pdpt_low, page_directory_high, pdpt_high, pml4
	.globl gdt, gdt_pointer, gdt_none, start64, leave64, leave32
	.section .note.GNU-stack, "", @progbits
