/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine checks: banks are read and told; what can go on goes on. SDM 3 chapter 15.
 */
#pragma once

#include "hv/types.h"

void machine_check_setup_this_cpu(void);
/* In the exception: true when the interrupted code can go on; the report follows. Takes no lock. */
bool machine_check_handle(void);
/*
 * Errors that the hardware corrected raise no exception: from now on this CPU looks for them by itself.
 * Its first one is told, then the second, fourth, eighth: a module that fails does not fill the log.
 */
void machine_check_poll_this_cpu(void);
/* Says what this CPU's banks hold, and empties them. */
void machine_check_report(void);
