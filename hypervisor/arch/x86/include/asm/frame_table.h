/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the frame table lies.
 */
#pragma once

#include "asm/page.h"

struct frame;
#define FRAME_TABLE ((struct frame *)FRAME_TABLE_BASE)
