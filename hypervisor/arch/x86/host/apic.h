/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This CPU's local APIC (xAPIC or x2APIC) and the I/O APICs. SDM 3 chapter 10; 82093AA.
 */
#pragma once

#include "core/irq.h"
#include "hv/addr.h"
#include "hv/types.h"

void apic_setup_boot_cpu(void);
void apic_setup_this_cpu(void);
u32 apic_id_of(cpu_t cpu);
void apic_eoi(void);
void apic_send_init(u32 apic_id);
void apic_send_startup(u32 apic_id, u8 page);

/* I/O APICs, from acpi_info. A pin starts masked. */
void ioapic_setup(void);
/* -ENODEV: no I/O APIC has this GSI. Takes the entry from the IOMMU when it remaps. */
int ioapic_route(u32 gsi, struct irq_target target, bool is_level, bool is_low) MUST_CHECK;
void ioapic_mask(u32 gsi);
void ioapic_unmask(u32 gsi);
unsigned int ioapic_count(void);
unsigned int ioapic_pin_count(unsigned int index);
