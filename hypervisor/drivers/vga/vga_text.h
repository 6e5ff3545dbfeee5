/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 80 x 25 text screen of a VGA card, until dom0 takes the card over.
 */
#pragma once

#include "core/console.h"

extern struct console_device vga_text;
