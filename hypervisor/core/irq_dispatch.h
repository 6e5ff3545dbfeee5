/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the architecture's interrupt entry hands over to core/irq.c. Interrupts off.
 */
#pragma once

#include "hv/types.h"

void irq_dispatch(u8 vector); /* runs the handler; the caller acknowledges afterwards */
