/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end: print, stop the other CPUs, dump this one, then halt or reboot as the command
 * line says. Any context, also without a stack worth trusting.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

NORETURN COLD void panic(const char *fmt, ...) FORMAT_PRINTF(1, 2);
/* For refusals at start: a sentence for the user without registers. */
NORETURN COLD void boot_refuse(const char *fmt, ...) FORMAT_PRINTF(1, 2);

/*
 * For dumps that need more than a sentence: panic_begin() makes this CPU the only one (others
 * stop; a second panic of ours halts at once), panic_end() halts or reboots.
 */
COLD void panic_begin(void);
NORETURN COLD void panic_end(void);
bool panic_is_under_way(void);
/* "noreboot": wait instead of rebooting, so that the screen can be read. */
void panic_set_noreboot(bool is_noreboot);
