/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual local APIC of a vCPU: xAPIC page and x2APIC MSRs, timer, IPIs, priorities.
 * SDM 3 chapter 10. State changes from other CPUs (incoming interrupts) are atomic on IRR.
 */
#pragma once

#include "domain/vcpu.h"
#include "hv/types.h"

/* An interrupt message for v; level: tell vioapic at EOI. Any context; wakes and kicks v. */
void vlapic_post(struct vcpu *v, u8 vector, bool is_level);
/* For the vector of HVMOP_set_evtchn_upcall_vector. */
void vlapic_post_upcall(struct vcpu *v, u8 vector);
/*
 * Delivers to destination as an MSI or an I/O APIC entry says (SDM 3 10.11): physical or
 * logical, fixed or lowest priority, NMI; INIT and SIPI only from IPIs.
 */
void vlapic_deliver(struct domain *d, u32 destination, bool is_logical, u8 delivery_mode, u8 vector, bool is_level);
/* Highest vector that the guest would take now (IRR above PPR), or -1. */
int vlapic_pending(struct vcpu *v);
/* An interrupt waits for nothing but a lower task priority (CR8). */
bool vlapic_is_held_by_tpr(struct vcpu *v);
/* The CPU took it: IRR to ISR. */
void vlapic_accept(struct vcpu *v, u8 vector);
u32 vlapic_id(const struct vcpu *v); /* 2 x vCPU id */

/* vioapic.c implements; called at EOI of a level-triggered vector. */
void vioapic_eoi(struct domain *d, u8 vector);
