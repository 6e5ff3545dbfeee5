/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual I/O APICs of the domain that owns the devices: as many as the machine has, at
 * the same addresses, with the same pins. 82093AA; version 0x20 with its EOI register.
 *
 * Unmasking a pin binds the machine's GSI. A level-triggered interrupt sets remote IRR and
 * leaves the machine's pin masked until the guest's EOI. Locks: LOCK_HWIRQ around each register
 * write, LOCK_VIOAPIC (interrupts off) around the state that interrupts touch.
 */
#pragma once

#include "domain/domain.h"
#include "hv/types.h"

struct vioapic_domain;

/* For a hardware domain: makes the mirrors and takes over their pages. Others get none. */
int vioapic_init(struct domain *d, struct vioapic_domain **out) MUST_CHECK;
void vioapic_fini(struct vioapic_domain *all); /* NULL does nothing */
/*
 * The machine's GSI fired. Interrupt context. The caller has masked the machine's pin when it
 * is level-triggered.
 */
void vioapic_assert(struct domain *d, u32 gsi);
