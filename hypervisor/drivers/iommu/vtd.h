/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel VT-d: registers and what its three files share. Intel Virtualization Technology for
 * Directed I/O, revision 4.0; legacy mode (section 3.4.2): root and context tables,
 * second-level translation, queued invalidation.
 *
 * All units share the root table of a segment, the tables of a domain and the one interrupt
 * remapping table; so an entry means the same everywhere and every invalidation goes to all.
 */
#pragma once

#include "arch/contract/host.h"
#include "asm/io.h"
#include "core/spinlock.h"
#include "drivers/iommu/backend.h"
#include "hv/addr.h"

/* Registers, chapter 11. */
enum {
	VTD_CAP = 0x08,
	VTD_ECAP = 0x10,
	VTD_GCMD = 0x18,
	VTD_GSTS = 0x1c,
	VTD_RTADDR = 0x20,
	VTD_FSTS = 0x34,
	VTD_FECTL = 0x38,
	VTD_FEDATA = 0x3c,
	VTD_FEADDR = 0x40,
	VTD_FEUADDR = 0x44,
	VTD_PMEN = 0x64,
	VTD_IQT = 0x88,
	VTD_IQA = 0x90,
	VTD_IRTA = 0xb8,
};
/* GCMD and GSTS have the same bits for what stays. */
#define VTD_TRANSLATION	    BIT(31)
#define VTD_SET_ROOT	    BIT(30)
#define VTD_FLUSH_WRITE	    BIT(27)
#define VTD_QUEUE	    BIT(26)
#define VTD_REMAPPING	    BIT(25)
#define VTD_SET_REMAP_TABLE BIT(24)
#define VTD_COMPATIBLE	    BIT(23)

#define VTD_CAP_WRITE_FLUSH(c)	((c) >> 4 & 1)
#define VTD_CAP_PROTECTED(c)	((c) >> 5 & 3)
#define VTD_CAP_CACHING_MODE(c) ((c) >> 7 & 1)
#define VTD_CAP_SAGAW(c)	((c) >> 8 & 0x1f)
#define VTD_CAP_FAULT_OFFSET(c) (((c) >> 24 & 0x3ff) * 16)
#define VTD_CAP_LARGE(c)	((c) >> 34 & 3)
#define VTD_CAP_FAULT_COUNT(c)	(((c) >> 40 & 0xff) + 1)
#define VTD_CAP_DRAIN_WRITE(c)	((c) >> 54 & 1)
#define VTD_CAP_DRAIN_READ(c)	((c) >> 55 & 1)
#define VTD_CAP_DOMAINS(c)	(1u << (4 + 2 * ((c)&7)))
#define VTD_ECAP_COHERENT(e)	((e)&1)
#define VTD_ECAP_QUEUE(e)	((e) >> 1 & 1)
#define VTD_ECAP_REMAPPING(e)	((e) >> 3 & 1)
#define VTD_ECAP_EXTENDED(e)	((e) >> 4 & 1)
#define VTD_SAGAW_39		BIT(1)
#define VTD_SAGAW_48		BIT(2)

struct vtd_descriptor {
	u64 low, high;
};
struct vtd_unit {
	u8 *registers;
	u16 segment;
	u64 cap, ecap;
	struct spinlock lock; /* LOCK_IOMMU_UNIT, interrupts off: queue */
	struct vtd_descriptor *queue;
	unsigned int tail;
	u32 *status; /* written by the unit when a wait descriptor is reached */
	u32 ticket;
};
extern struct vtd_unit vtd_units[];
extern unsigned int vtd_unit_count;

/* Sets a bit of the global command and waits for its status. Start only. */
bool vtd_command(struct vtd_unit *unit, u64 bit, bool is_on);
static inline void vtd_write_back(const struct vtd_unit *unit, const void *p, size_t size_bytes)
{
	if (!VTD_ECAP_COHERENT(unit->ecap)) {
		arch_cache_write_back(p, size_bytes);
	}
}

/* --- vtd_qi.c: queued invalidation, section 6.5.2. All wait until the unit is done. --- */
bool vtd_queue_setup(struct vtd_unit *unit);
void vtd_flush_contexts(struct vtd_unit *unit); /* all; then all translations */
void vtd_flush_context(struct vtd_unit *unit, u16 id, u16 requester);
void vtd_flush_domain(struct vtd_unit *unit, u16 id);
void vtd_flush_interrupts(struct vtd_unit *unit, bool is_all, u16 index);

/* --- vtd_remap.c: interrupt remapping, section 5 --- */
bool vtd_remap_setup(const char **why);
int vtd_irq_map_msi(struct pci_bdf requester, struct irq_target target, struct iommu_irq *io);
void vtd_irq_unmap_msi(struct pci_bdf requester, struct iommu_irq *io);
int vtd_irq_map_ioapic(u8 ioapic_id, unsigned int pin, struct irq_target target, bool is_level,
		       bool is_low, u64 *rte);
