/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine checks: banks are read and told; what can go on goes on. SDM 3 chapter 15.
 */
#pragma once

#include "hv/types.h"

void machine_check_setup_this_cpu(void);
/* In the exception: true when the interrupted code can go on; the report follows. Takes no lock. */
bool machine_check_handle(void);
/* Says what this CPU's banks hold, and empties them. */
void machine_check_report(void);
