/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debug keys that look at more than one layer. Start only.
 */
#pragma once

void debug_keys_register(void);
