/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOMMU: which memory a device reaches, and which interrupts it may send. Vendor-neutral
 * half; VT-d and AMD-Vi are const tables behind it, one chosen at start.
 */
#pragma once

#include "core/irq.h"
#include "domain/domain.h"
#include "hv/addr.h"
#include "hv/error.h"

extern const struct domain_service iommu_service;

bool iommu_is_on(void);		   /* false only with iommu=off */
bool iommu_has_remapping(void);	   /* interrupts, too */
void iommu_setup(void);		   /* start: find, check, switch on; boot_refuse() without one */
/* d's device view; flags: bit 0 read, bit 1 write. Nothing is flushed before iommu_flush(). */
int iommu_map(struct domain *d, iofn_t iofn, mfn_t mfn, unsigned int order, unsigned int access) MUST_CHECK;
int iommu_unmap(struct domain *d, iofn_t iofn, unsigned int order) MUST_CHECK;
void iommu_flush(struct domain *d); /* returns when no device uses what was unmapped */
/* All functions of a segment:bus:device.function to d. */
int iommu_assign(struct domain *d, u16 segment, u8 bus, u8 devfn) MUST_CHECK;
/* Interrupt remapping: entry for a message or an I/O APIC pin to target; address/data to program. */
struct iommu_irq { u64 address; u32 data; u32 index; };
int iommu_irq_map_msi(u16 segment, u8 bus, u8 devfn, struct irq_target target, struct iommu_irq *io) MUST_CHECK; /* io->index ~0u: new */
void iommu_irq_unmap_msi(u16 segment, u8 bus, u8 devfn, struct iommu_irq *io);
/* The redirection entry to write for pin of I/O APIC id. */
int iommu_irq_map_ioapic(u8 ioapic_id, unsigned int pin, struct irq_target target, bool is_level, bool is_low, u64 *rte) MUST_CHECK;
