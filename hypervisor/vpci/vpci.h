/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI configuration space as a guest sees it: BARs (mapped when decoding is on), MSI and MSI-X
 * trapped, the rest passed through for dom0. Ports 0xcf8/0xcfc and MMCFG both come here.
 * Lock: LOCK_VPCI of the function.
 */
#pragma once

#include "domain/domain.h"
#include "hv/types.h"

extern const struct domain_service vpci_service;

u32 vpci_read(struct domain *d, u16 segment, u8 bus, u8 devfn, u16 offset, unsigned int size_bytes);
void vpci_write(struct domain *d, u16 segment, u8 bus, u8 devfn, u16 offset, unsigned int size_bytes, u32 value);
/* dom0 starts with every function found on the host. */
int vpci_give_all(struct domain *dom0) MUST_CHECK;
/* PHYSDEVOP_pci_device_add, _remove, _reset. */
int vpci_device_add(struct domain *dom0, u16 segment, u8 bus, u8 devfn) MUST_CHECK;
int vpci_device_remove(struct domain *dom0, u16 segment, u8 bus, u8 devfn) MUST_CHECK;
