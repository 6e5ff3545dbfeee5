/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console that a toolstack gives to a domain: a page shared with dom0 and an event channel. */
#pragma once

#include "guest.h"

bool console_ring_init(void); /* false: there is none, this is dom0 */
void console_ring_put(char c);
/* Wait until dom0 has read everything, for a while only: it may have stopped to read. */
void console_ring_drain(void);
