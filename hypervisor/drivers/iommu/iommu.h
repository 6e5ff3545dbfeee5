/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOMMU: which memory a device reaches, and which interrupts it may send. Vendor-neutral
 * half; VT-d and AMD-Vi are const tables behind it, one chosen at start.
 *
 * A domain with devices has one set of tables that all of them use; its RAM is in them at the
 * same frame numbers as in its p2m (which calls iommu_map and iommu_unmap). Devices of
 * nobody reach nothing. Locks: LOCK_IOMMU for a domain's tables, LOCK_IOMMU_UNIT for a unit's
 * queue and shared tables; not in interrupt context, except iommu_irq_*.
 */
#pragma once

#include "core/irq.h"
#include "domain/domain.h"
#include "domain/service.h"
#include "hv/addr.h"
#include "hv/error.h"

extern const struct domain_service iommu_service;

/* Command line, before iommu_setup(): iommu=off clears it. */
extern bool iommu_is_wanted;

bool iommu_is_on(void);		/* false only with iommu=off */
bool iommu_has_remapping(void); /* interrupts, too */
/*
 * Start, after pci_setup() and before any interrupt is routed: find, check, switch interrupt
 * remapping on; boot_refuse() without an IOMMU. DMA is confined from iommu_start() on.
 */
void iommu_setup(void);
/* dom0 has its devices and their memory: from now on everything else is refused. Start only. */
void iommu_start(void);

/* d's device view; access: bit 0 read, bit 1 write. Nothing is flushed before iommu_flush().
 * -ENOMEM. */
int iommu_map(struct domain *d, iofn_t iofn, mfn_t mfn, unsigned int order,
	      unsigned int access) MUST_CHECK;
/* -ENOMEM when a superpage cannot be split. What is not mapped is fine. */
int iommu_unmap(struct domain *d, iofn_t iofn, unsigned int order) MUST_CHECK;
/* Returns when no device uses what was unmapped. Cheap when nothing was. */
void iommu_flush(struct domain *d);
/*
 * Gives segment:bus:device.function to d, and what its requests may pretend to be; reserved
 * ranges of firmware for it are mapped. -ENODEV d has no IOMMU context, -ENOMEM, -EBUSY in use.
 */
int iommu_assign(struct domain *d, u16 segment, u8 bus, u8 devfn) MUST_CHECK;

/* Interrupt remapping: entry for a message or an I/O APIC pin to target; address/data to program.
 */
struct iommu_irq {
	u64 address;
	u32 data;
	u32 index;
};
/* io->index ~0u: a new entry; else it is changed. -ENOSPC no entry, -ERANGE a CPU that cannot be
 * named. */
int iommu_irq_map_msi(u16 segment, u8 bus, u8 devfn, struct irq_target target,
		      struct iommu_irq *io) MUST_CHECK;
void iommu_irq_unmap_msi(u16 segment, u8 bus, u8 devfn, struct iommu_irq *io);
/* The redirection entry to write for pin of I/O APIC id. */
int iommu_irq_map_ioapic(u8 ioapic_id, unsigned int pin, struct irq_target target, bool is_level,
			 bool is_low, u64 *rte) MUST_CHECK;
