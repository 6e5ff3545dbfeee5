/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the frame table lies: an array that unit_reset() fills.
 */
#pragma once

struct frame;
extern struct frame *unit_frame_table;
#define FRAME_TABLE unit_frame_table
