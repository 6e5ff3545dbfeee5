/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI configuration space as a guest sees it: BARs (mapped when decoding is on), MSI and MSI-X
 * trapped, the rest passed through for dom0. Ports 0xcf8/0xcfc and MMCFG both come here.
 *
 * Guest addresses of device memory are the machine's: the domain that owns the devices has
 * holes below 4 GiB identity-mapped from the start, and BARs above when their decoding is on.
 * Memory that is RAM, an interrupt controller or an IOMMU is never mapped, wherever a
 * BAR points. Functions that the hypervisor keeps (AMD's IOMMU) look absent.
 * Lock: LOCK_VPCI of the function. Called without locks, interrupts on.
 */
#pragma once

#include "domain/service.h"
#include "hv/addr.h"
#include "hv/error.h"
#include "hv/types.h"

extern const struct domain_service vpci_service;

/* All ones where there is nothing; any offset and size 1, 2 or 4. */
u32 vpci_read(struct domain *d, u16 segment, u8 bus, u8 devfn, u16 offset, unsigned int size_bytes);
void vpci_write(struct domain *d, u16 segment, u8 bus, u8 devfn, u16 offset,
		unsigned int size_bytes, u32 value);
/* Pages with MSI-X tables: the table is emulated, its neighbours reach the device. False: nobody's.
 */
bool vpci_memory_read(struct domain *d, gpa_t address, unsigned int size_bytes, u64 *value);
bool vpci_memory_write(struct domain *d, gpa_t address, unsigned int size_bytes, u64 value);
/* What was last written to port 0xcf8. */
u32 *vpci_port_latch(struct domain *d);

/* dom0 starts with every function found on the host; its p2m has its holes mapped already. */
int vpci_give_all(struct domain *dom0) MUST_CHECK;
/* A function that the hypervisor uses itself: nobody sees it. Start only, before vpci_give_all().
 */
void vpci_hide(u16 segment, u8 bus, u8 devfn);
/*
 * PHYSDEVOP_pci_device_add, _remove. Adding one that is known is fine. -ENODEV nothing answers
 * there, -ENOMEM, or the IOMMU's error. Removing one that is not known: -ENODEV.
 */
int vpci_device_add(struct domain *dom0, u16 segment, u8 bus, u8 devfn) MUST_CHECK;
int vpci_device_remove(struct domain *dom0, u16 segment, u8 bus, u8 devfn) MUST_CHECK;
