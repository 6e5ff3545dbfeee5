/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end: print, stop the other CPUs, dump this one, then halt or reboot as the command
 * line says. Any context, also without a stack worth trusting.
 */
#pragma once

#include "hv/compiler.h"

NORETURN COLD void panic(const char *fmt, ...) FORMAT_PRINTF(1, 2);
/* For refusals at start: a sentence for the user without registers. */
NORETURN COLD void boot_refuse(const char *fmt, ...) FORMAT_PRINTF(1, 2);
