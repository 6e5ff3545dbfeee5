/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This CPU's local APIC (xAPIC or x2APIC) and the I/O APICs. SDM 3 chapter 10; 82093AA.
 */
#pragma once

#include "core/irq.h"
#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

void apic_setup_boot_cpu(void);
void apic_setup_this_cpu(void);
u32 apic_id_of(cpu_t cpu);
void apic_set_id(cpu_t cpu, u32 apic_id); /* before it starts */
bool apic_is_x2apic(void);
void apic_eoi(void);
void apic_send_init(u32 apic_id);
void apic_send_startup(u32 apic_id, u8 page);
void apic_handle_error(void);

/* The timer counts its bus clock down to 0, or compares the TSC (deadline). */
bool apic_timer_is_deadline(void);
void apic_timer_start(u32 ticks);
u32 apic_timer_count(void);
void apic_timer_mask(bool is_masked); /* masked: count mode, for calibration */

/* I/O APICs as the firmware lists them. A pin starts masked. Lock: LOCK_IOAPIC. */
void ioapic_add(u8 id, hpa_t address, u32 gsi_base);
/*
 * Who makes redirection entries when interrupts are remapped (iommu_irq_map_ioapic); without
 * it they are in the plain format. Set by the IOMMU's start, before any route.
 */
typedef int (*ioapic_remap_t)(u8 ioapic_id, unsigned int pin, struct irq_target target, bool is_level,
			      bool is_low, u64 *rte);
void ioapic_set_remap(ioapic_remap_t remap);
/* Routes masked. -ENODEV: no I/O APIC has this GSI. */
int ioapic_route(u32 gsi, struct irq_target target, bool is_level, bool is_low) MUST_CHECK;
/* Start: the line is the hypervisor's own; no guest gets it. -ENODEV as above. */
int ioapic_keep(u32 gsi) MUST_CHECK;
bool ioapic_is_kept(u32 gsi);
void ioapic_mask(u32 gsi);
void ioapic_unmask(u32 gsi);
unsigned int ioapic_count(void);
unsigned int ioapic_pin_count(unsigned int index);
