/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine interrupts that belong to a guest (dom0's devices): a GSI bound by unmasking a pin
 * of its virtual I/O APIC, an MSI or MSI-X entry bound by programming it in vPCI.
 * They arrive on the CPU where the vCPU runs; level-triggered ones stay masked until its EOI.
 */
#pragma once

#include "domain/vcpu.h"
#include "hv/types.h"

extern const struct domain_service hwirq_service;

int hwirq_bind_gsi(struct domain *d, u32 gsi, bool is_level, bool is_low) MUST_CHECK;
void hwirq_eoi_gsi(struct domain *d, u32 gsi);
/* address/data are the guest's; programs of the device are returned for vPCI to write. */
struct hwirq_msi;
int hwirq_bind_msi(struct domain *d, u16 segment, u8 bus, u8 devfn, u64 guest_address, u32 guest_data,
		   struct hwirq_msi **msi, u64 *address, u32 *data) MUST_CHECK;
void hwirq_unbind_msi(struct domain *d, struct hwirq_msi *msi);
/* The vCPU moved to another CPU: interrupts follow at the next one. */
void hwirq_follow(struct vcpu *v);
