/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * void svm_enter(u64 vmcb (rdi), u64 *gpr (rsi), u64 host_vmcb (rdx))
 *
 * Interrupts are off before and after. With GIF clear nothing arrives between CLGI and VMRUN
 * and between #VMEXIT and STGI, although IF is set: that IF is what lets a physical interrupt
 * end the guest (APM 2 15.21.1, V_INTR_MASKING). NMIs and machine checks wait for STGI, where
 * the host's FS, GS and TR are back, so their handlers find their stacks and per-CPU data.
 *
 * rax and rsp of the guest are in the VMCB; the others are gpr[] in encoding order.
 */
#include "asm/thunk.h"

	.section .text
	.globl	svm_enter
	.type	svm_enter, @function
	.balign	16
svm_enter:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdx
	push	%rsi
	mov	%rdi, %rax
	clgi
	sti
	vmload	%rax
	mov	1*8(%rsi), %rcx
	mov	2*8(%rsi), %rdx
	mov	3*8(%rsi), %rbx
	mov	5*8(%rsi), %rbp
	mov	7*8(%rsi), %rdi
	mov	8*8(%rsi), %r8
	mov	9*8(%rsi), %r9
	mov	10*8(%rsi), %r10
	mov	11*8(%rsi), %r11
	mov	12*8(%rsi), %r12
	mov	13*8(%rsi), %r13
	mov	14*8(%rsi), %r14
	mov	15*8(%rsi), %r15
	mov	6*8(%rsi), %rsi
	vmrun	%rax
	vmsave	%rax
	push	%rsi
	mov	8(%rsp), %rsi
	mov	%rcx, 1*8(%rsi)
	mov	%rdx, 2*8(%rsi)
	mov	%rbx, 3*8(%rsi)
	mov	%rbp, 5*8(%rsi)
	mov	%rdi, 7*8(%rsi)
	mov	%r8, 8*8(%rsi)
	mov	%r9, 9*8(%rsi)
	mov	%r10, 10*8(%rsi)
	mov	%r11, 11*8(%rsi)
	mov	%r12, 12*8(%rsi)
	mov	%r13, 13*8(%rsi)
	mov	%r14, 14*8(%rsi)
	mov	%r15, 15*8(%rsi)
	pop	6*8(%rsi)
	pop	%rsi
	pop	%rax
	refill_return_stack /* before the first return: the predictor has the guest's */
	vmload	%rax
	cli
	stgi
	/* what the guest left must not feed a speculative gadget of ours */
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%edi, %edi
	xor	%esi, %esi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	svm_enter, . - svm_enter
	.section .note.GNU-stack, "", @progbits
