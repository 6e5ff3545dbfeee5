/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first domain: created, built (arch_dom0_build) and made runnable. Start only, on the
 * boot CPU, after everything else; ends in boot_refuse() with a sentence when it cannot.
 */
#pragma once

void dom0_create(void);
