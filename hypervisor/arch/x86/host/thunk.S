/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the compiler's indirect calls and jumps go (-mindirect-branch=thunk-extern,
 * -mretpoline-external-thunk): one for each register, in the order of the encoding, THUNK_SIZE
 * apart. As they are here, the only prediction is the return's, and that leads into the trap.
 */
#include "asm/thunk.h"

	.section .text.thunks, "ax", @progbits
	.balign	THUNK_SIZE
	.globl	thunks_start
thunks_start:
	.macro	thunk reg
	.balign	THUNK_SIZE
	.globl	__x86_indirect_thunk_\reg
	.type	__x86_indirect_thunk_\reg, @function
__x86_indirect_thunk_\reg:
	call	2f
1:	pause
	lfence
	jmp	1b
2:	mov	%\reg, (%rsp)
	ret
	.size	__x86_indirect_thunk_\reg, . - __x86_indirect_thunk_\reg
	.endm
	.irp	reg, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	thunk	\reg
	.endr

	.section .text.barrier_return_stack, "ax", @progbits
	.globl	barrier_return_stack
	.type	barrier_return_stack, @function
	.balign	16
barrier_return_stack:
	refill_return_stack
	ret
	.size	barrier_return_stack, . - barrier_return_stack
	.section .note.GNU-stack, "", @progbits
