/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The timers that a vCPU gets from the hypervisor: one shot and periodic, each raising
 * VIRQ_TIMER. Set by the vCPU itself; they fire on the CPU where it was set.
 */
#pragma once

#include "domain/vcpu.h"
#include "hv/types.h"

void vtimer_init(struct vcpu *v);
/* NS_NEVER stops it. A deadline that has passed fires at once. */
void vtimer_set_singleshot(struct vcpu *v, ns_t deadline);
void vtimer_set_periodic(struct vcpu *v, ns_t period_ns); /* 0 stops it */
