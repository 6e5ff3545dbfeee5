/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How this machine is reset and switched off: what ACPI's FADT says (ACPI 6.4 4.8.3.6, 4.8.3.2),
 * and the ways that have always worked on PCs.
 */
#pragma once

struct machine_description;
void power_setup(const struct machine_description *m);
