/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine interrupts. A line (GSI) or a message (MSI) gets a vector on one CPU; its
 * handler runs there with interrupts off. Vectors are acknowledged by the caller of the
 * handler; a level-triggered line stays masked until irq_unmask().
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

typedef void (*irq_handler_t)(void *data);

/* What the IOMMU, the I/O APIC or a device must be given so that the interrupt arrives. */
struct irq_target {
	u8 vector;
	cpu_t cpu;
};

/* Allocates a vector on cpu for handler(data). -ENOSPC: no vector is free on that CPU. */
int irq_alloc(cpu_t cpu, irq_handler_t handler, void *data, struct irq_target *out) MUST_CHECK;
/* After it returns the handler is not running on any CPU. Interrupts on, no spinlock held. */
void irq_free(struct irq_target target);
