/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a guest reaches vPCI: ports 0xcf8-0xcff, the memory-mapped configuration space, and the
 * ranges of MSI-X tables.
 */
#pragma once

#include "domain/domain.h"
#include "hv/error.h"

/* For a hardware domain; others get no PCI bus. Errors of trap_ports(), trap_memory(). */
int pci_access_init(struct domain *d) MUST_CHECK;
