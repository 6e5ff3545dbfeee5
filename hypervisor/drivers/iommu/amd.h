/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD-Vi: registers and what its three files share. AMD I/O Virtualization Technology (IOMMU)
 * Specification 3.07: device table, version 1 page tables, command buffer, event log,
 * interrupt remapping tables (one a requester).
 *
 * All units share the device table, so every invalidation goes to all of them. PCI segment 0 only.
 */
#pragma once

#include "arch/contract/host.h"
#include "asm/io.h"
#include "core/spinlock.h"
#include "drivers/iommu/backend.h"
#include "hv/addr.h"

/* Registers, chapter 3.4. */
enum {
	AMD_DEVICE_TABLE = 0x00,
	AMD_COMMAND_BASE = 0x08,
	AMD_EVENT_BASE = 0x10,
	AMD_CONTROL = 0x18,
	AMD_FEATURES = 0x30,
	AMD_COMMAND_HEAD = 0x2000,
	AMD_COMMAND_TAIL = 0x2008,
	AMD_EVENT_HEAD = 0x2010,
	AMD_EVENT_TAIL = 0x2018,
	AMD_STATUS = 0x2020,
};
#define AMD_REGISTER_BYTES	0x4000u
#define AMD_CONTROL_ENABLE	BIT(0)
#define AMD_CONTROL_HT_TUNNEL	BIT(1)
#define AMD_CONTROL_EVENT_LOG	BIT(2)
#define AMD_CONTROL_EVENT_IRQ	BIT(3)
#define AMD_CONTROL_PASS_PW	BIT(8)
#define AMD_CONTROL_RES_PASS_PW BIT(9)
#define AMD_CONTROL_COHERENT	BIT(10)
#define AMD_CONTROL_ISOC	BIT(11)
#define AMD_CONTROL_COMMANDS	BIT(12)
#define AMD_CONTROL_GUEST_IRQ	BIT(25) /* 16-byte interrupt entries */
#define AMD_CONTROL_X2APIC	BIT(50)
#define AMD_STATUS_OVERFLOW	BIT(0)
#define AMD_STATUS_EVENT	BIT(1)
#define AMD_FEATURE_X2APIC	BIT(2)
#define AMD_FEATURE_GUEST_IRQ	BIT(7)

/* Device table entry, section 2.2.2.1. */
struct amd_device {
	u64 translation; /* V, TV, levels, root, IR, IW */
	u64 domain;
	u64 interrupts; /* IV, length, table, control */
	u64 reserved;
};
_Static_assert(sizeof(struct amd_device) == 32, "section 2.2.2.1");
#define AMD_DEVICE_VALID	 BIT(0)
#define AMD_DEVICE_TRANSLATED	 BIT(1)
#define AMD_DEVICE_LEVELS(l)	 ((u64)(l) << 9)
#define AMD_DEVICE_READ		 BIT(61)
#define AMD_DEVICE_WRITE	 BIT(62)
#define AMD_DEVICE_IRQ_VALID	 BIT(0)
#define AMD_DEVICE_IRQ_LENGTH(n) ((u64)(n) << 1) /* 2^n entries */
#define AMD_DEVICE_IRQ_REMAP	 (2ull << 60)

struct amd_unit {
	u8 *registers;
	struct pci_bdf bdf; /* its own PCI function */
	u64 features;
	u64 control;
	struct spinlock lock; /* LOCK_IOMMU_UNIT, interrupts off: command buffer */
	u64 *commands;
	unsigned int tail;
	u64 *status; /* written by the unit when a wait command is reached */
	u64 ticket;
	u64 *events;
	unsigned int event_head;
};
extern struct amd_unit amd_units[];
extern unsigned int amd_unit_count;

/* NULL: past the table. */
struct amd_device *amd_device_of(u16 requester);
/* Whose entry a requester uses: firmware's aliases. */
u16 amd_alias_of(u16 requester);
/* After entries changed: all units forget what they know of it. */
void amd_device_changed(u16 requester, u16 domain_id);

/* --- amd_cmd.c: commands and events, sections 2.4 and 2.5. Commands wait until the unit is done.
 * --- */
bool amd_cmd_setup(struct amd_unit *unit);
void amd_cmd_flush_device(struct amd_unit *unit, u16 requester, u16 domain_id);
void amd_cmd_flush_domain(struct amd_unit *unit, u16 domain_id);
void amd_cmd_flush_interrupts(struct amd_unit *unit, u16 requester);
void amd_events_setup(struct amd_unit *unit);

/* --- amd_remap.c: interrupt remapping, section 2.2.5 --- */
bool amd_remap_setup(const char **why); /* before the units are on */
bool amd_remap_is_wide(void);
/* Gives the requester a table if it has none. */
int amd_remap_add(u16 requester) MUST_CHECK;
int amd_irq_map_msi(struct pci_bdf requester, struct irq_target target, struct iommu_irq *io);
void amd_irq_unmap_msi(struct pci_bdf requester, struct iommu_irq *io);
int amd_irq_map_ioapic(u8 ioapic_id, unsigned int pin, struct irq_target target, bool is_level,
		       bool is_low, u64 *rte);
