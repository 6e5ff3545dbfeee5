/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The symbol table of the first link: empty. link/make_symbols.py makes the one of the second.
 */
	.section .symbols, "a", @progbits
	.global symbol_count, symbol_offsets, symbol_name_at, symbol_names
	.balign 4
symbol_count:
	.long 0
symbol_offsets:
symbol_name_at:
symbol_names:

	.section .note.GNU-stack, "", @progbits
