/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug keys: one letter, one report. Typed at the console after three Ctrl-A, or sent by
 * XEN_SYSCTL_debug_keys. Handlers run as a softirq, interrupts on.
 */
#pragma once

#include "hv/types.h"

/* Start only. A second registration of one key is a mistake of ours and panics. */
void debug_key_register(char key, const char *what, void (*handler)(void));
/* Any context; the handler runs soon. Unknown keys are named in the log. */
void debug_key_press(char key);
void debug_key_setup(void);
