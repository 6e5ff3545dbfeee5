/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The start of configuration access, for pci_setup() alone.
 */
#pragma once

/* Maps what the MCFG names. Before the first access; start only. */
void pci_config_setup(void);
