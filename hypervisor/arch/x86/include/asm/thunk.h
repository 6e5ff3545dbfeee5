/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code that is built for the CPU that needs most and changed at start for one that needs less
 * (arch/x86/host/speculation_cpu.c): thunks for indirect branches, refills of the return stack.
 */
#pragma once

#define THUNK_SIZE     32
#define REFILL_ENTRIES 32

/* clang-format off */
#ifdef __ASSEMBLER__
/*
 * Calls that do not return fill the return predictor with entries that lead into a trap for
 * speculation. Clobbers flags; uses 256 bytes of the stack.
 */
	.macro refill_return_stack
	.pushsection .rodata.refill_sites, "a", @progbits
	.balign	8
	.quad	768f, 771f
	.popsection
768:
	.rept	REFILL_ENTRIES
	call	770f
769:	pause
	lfence
	jmp	769b
770:
	.endr
	add	$REFILL_ENTRIES * 8, %rsp
771:
	.endm
#else
extern char thunks_start[];
struct refill_site {
	char *start, *end;
};
extern const struct refill_site refill_sites_start[], refill_sites_end[]; /* image.lds.S */
#endif
