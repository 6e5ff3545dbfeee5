/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of vpci/ share: one function as its domain sees it.
 */
#pragma once

#include "core/rcu.h"
#include "core/spinlock.h"
#include "drivers/pci/pci.h"
#include "vpci/vpci.h"

struct arch_msi;

struct vpci_bar {
	u64 address;
	u64 size_bytes;
	bool is_mapped;
};
struct vpci_msi {
	u8 at; /* capability offset, 0: none */
	bool is_64bit;
	bool is_enabled;
	u64 address;
	u32 data;
	struct arch_msi *irq;
};
struct vpci_msix_entry {
	u64 address;
	u32 data;
	bool is_masked;
	struct arch_msi *irq;
};
struct vpci_msix {
	struct rcu_head rcu;
	u8 at; /* capability offset */
	bool is_enabled, is_masked;
	u8 table_bar;
	u32 table_offset;
	unsigned int entry_count;
	u64 table; /* guest physical while its BAR is decoded, else 0 */
	struct vpci_msix_entry entries[];
};
struct vpci_function {
	struct vpci_function *next; /* written under vpci_domain.lock, read without */
	struct domain *domain;
	struct pci_function *host;
	struct spinlock lock; /* LOCK_VPCI: all below */
	bool is_memory_on;
	struct vpci_bar bars[PCI_BAR_COUNT];
	struct vpci_msi msi;
	struct vpci_msix *msix; /* NULL: none; RCU, for vpci_msix_has_page() without the lock */
};

/*
 * A naturally aligned 32-bit register. Reads get the whole; writes get value and mask in
 * place, so that handlers know nothing of access sizes. False: not mine, pass it through.
 */
struct vpci_write {
	u16 at;	   /* offset of the register, a multiple of 4 */
	u32 value; /* valid where mask is set */
	u32 mask;
};
static inline u32 vpci_merge(const struct vpci_write *w, u32 old)
{
	return (old & ~w->mask) | (w->value & w->mask);
}

/* Command register and BARs. LOCK_VPCI held for all of these. */
bool vpci_header_write(struct vpci_function *f, const struct vpci_write *w);
void vpci_header_init(struct vpci_function *f);
void vpci_header_fini(struct vpci_function *f);

int vpci_msi_init(struct vpci_function *f) MUST_CHECK;
void vpci_msi_fini(struct vpci_function *f);
bool vpci_msi_read(struct vpci_function *f, u16 at, u32 *value);
bool vpci_msi_write(struct vpci_function *f, const struct vpci_write *w);

int vpci_msix_init(struct vpci_function *f) MUST_CHECK;
void vpci_msix_fini(struct vpci_function *f);
bool vpci_msix_read(struct vpci_function *f, u16 at, u32 *value);
bool vpci_msix_write(struct vpci_function *f, const struct vpci_write *w);
/* The BAR is decoded at that address (0: no longer): the table's pages are trapped there. */
void vpci_msix_bar_changed(struct vpci_function *f, unsigned int bar, u64 address);
/* The device answers at its BARs now: its table gets what the guest set meanwhile. */
void vpci_msix_decoding_on(struct vpci_function *f);
/* A glance without the lock: may this function want the access? */
bool vpci_msix_has_page(const struct vpci_function *f, u64 address);
bool vpci_msix_memory_read(struct vpci_function *f, u64 address, unsigned int size_bytes,
			   u64 *value);
bool vpci_msix_memory_write(struct vpci_function *f, u64 address, unsigned int size_bytes,
			    u64 value);

/* May the domain reach this machine memory? No RAM, no interrupt controller, no IOMMU. */
bool vpci_may_map(u64 address, u64 size_bytes);
