/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the code was: chains of frame pointers, with names from the symbol table that the
 * second link puts into the image (link/make_symbols.py).
 */
#pragma once

#include "hv/types.h"

/* Name of the function that address lies in and its distance from the start; NULL: none. */
const char *symbol_find(u64 address, u64 *offset);
void backtrace_print(u64 rip, u64 rbp, u64 rsp);
