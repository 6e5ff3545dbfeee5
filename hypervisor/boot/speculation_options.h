/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spec-ctrl=, a comma-separated list as Xen has it: "no" (nothing at all), "ibpb", "rsb", "verw",
 * "l1d-flush", "auto-ibrs", "msr-sc" (SPEC_CTRL for guests), each alone, with =yes or =no or
 * behind "no-"; and "bti-thunk=" retpoline, lfence or jmp. What is not said the CPU decides. Pure.
 */
#pragma once

#include "arch/contract/machine.h"
#include "hv/types.h"

/* Calls report for each word that is none of these, as cmdline_unknown() does. */
void speculation_options_parse(const char *command_line, struct speculation_options *out,
			       void (*report)(void *context, const char *word, size_t length),
			       void *context);
