/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial ports of a PC: 16550-compatible UARTs at the ports of COM1 and COM2.
 */
#pragma once

#include "core/console.h"
#include "hv/types.h"

extern struct console_device ns16550_com1, ns16550_com2;
/*
 * Input by interrupt from now on. route() connects an ISA line with its handler. Without it input stays dead.
 */
void ns16550_start_input(bool (*route)(unsigned int isa_irq, void (*handler)(void *data), void *data));
/* True for ports of a UART that the console uses: no guest gets them. */
bool ns16550_owns_port(u16 port);
