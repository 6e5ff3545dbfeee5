/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 256 gates. Each pushes an error code if the CPU did not, and its number; struct
 * trap_frame (asm/regs.h) is what lies on the stack then.
 */
	.section .text.entry, "ax", @progbits

	.macro push_all
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	.endm

	.balign 16
	.global trap_stubs
trap_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if vector == 8 || vector == 10 || vector == 11 || vector == 12 || vector == 13 || \
	    vector == 14 || vector == 17 || vector == 21
	.else
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.set vector, vector + 1
	.endr

	.balign 16
trap_common:
	push_all
	cld
	mov	%rsp, %rdi
	/* rbp stays: a backtrace goes on in what was interrupted */
	call	trap_dispatch
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	add	$16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
