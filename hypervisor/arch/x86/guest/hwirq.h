/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine interrupts that belong to a guest (dom0's devices): a GSI bound by unmasking a pin
 * of its virtual I/O APIC, an MSI or MSI-X entry bound by programming it in vPCI.
 *
 * They arrive on the CPU where the vCPU runs; level-triggered ones stay masked until its EOI.
 * A GSI is placed when its pin is unmasked. When a message finds that its vCPU runs elsewhere by
 * now, it asks for a move, which a softirq makes: the next one arrives there. Without interrupt
 * remapping MSIs stay where they were bound. Lock: LOCK_HWIRQ of the domain, never in interrupt
 * context.
 */
#pragma once

#include "domain/service.h"
#include "domain/vcpu.h"
#include "hv/error.h"
#include "hv/types.h"

struct vioapic_domain;

struct vioapic_domain *hwirq_vioapic(struct domain *d); /* NULL: it has none */

/*
 * Routes the machine's GSI to d, masked. Bound already: nothing, or routed anew when trigger or
 * polarity differ. destination is the guest's, for where to send it. -EPERM d owns no devices,
 * -ENODEV no such GSI, -ENOSPC no vector, -ENOMEM.
 */
int hwirq_bind_gsi(struct domain *d, u32 gsi, u32 destination, bool is_logical, bool is_level,
		   bool is_low) MUST_CHECK;
/* Messages: arch_msi_bind() and arch_msi_unbind() of the contract. */
