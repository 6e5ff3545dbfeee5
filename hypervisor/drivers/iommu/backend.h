/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vendor's IOMMU offers the neutral half.
 */
#pragma once

#include "core/spinlock.h"
#include "drivers/iommu/iommu.h"
#include "drivers/iommu/iommu_table.h"
#include "drivers/pci/pci.h"

#define IOMMU_DOMAIN_MAX 256u /* domains with devices at one time */

struct iommu_domain {
	struct domain *domain;
	struct spinlock lock; /* LOCK_IOMMU: table */
	struct iommu_table table;
	u16 id;		 /* in the unit's caches, 1 .. IOMMU_DOMAIN_MAX - 1 */
	u32 needs_flush; /* atomic: a unit may have cached what changed */
};

struct iommu_backend {
	const char *name;
	/*
	 * Looks at acpi_info and the units, sets levels and so on in *template, switches interrupt
	 * remapping on when all units have it (*has_remapping). false: why is a sentence.
	 */
	bool (*setup)(struct iommu_table *template, bool *has_remapping, const char **why);
	void (*start)(void); /* DMA confined from now on */
	/* The device's requests go through d's table; all caches know when it returns. */
	int (*assign)(struct iommu_domain *d, struct pci_bdf requester);
	void (*flush)(struct iommu_domain *d); /* waits until done */
	/* is_new: allocate io->index. Requests of that entry must come from requester. */
	int (*irq_map_msi)(struct pci_bdf requester, struct irq_target target,
			   struct iommu_irq *io);
	void (*irq_unmap_msi)(struct pci_bdf requester, struct iommu_irq *io);
	int (*irq_map_ioapic)(u8 ioapic_id, unsigned int pin, struct irq_target target,
			      bool is_level, bool is_low, u64 *rte);
};
#ifdef HV_UNIT
void iommu_forget_all(void); /* tests start a machine many times */
void vtd_forget_all(void);
void vtd_remap_forget_all(void);
void amd_forget_all(void);
void amd_remap_forget_all(void);
#endif
extern const struct iommu_backend vtd_backend;
extern const struct iommu_backend amd_backend;

/* A device was refused something: counted, the first of each second logged. Any context. */
void iommu_report_fault(u16 segment, u16 requester, u64 address, bool is_write, const char *what,
			unsigned int reason);
/* Does the reserved range r of firmware concern this function? */
struct acpi_reserved_range;
bool iommu_range_is_for(const struct acpi_reserved_range *r, struct pci_bdf bdf);
