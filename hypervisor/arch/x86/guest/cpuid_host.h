/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine below cpuid_policy.c: apart, so that the policy runs in a unit test.
 */
#pragma once

#include "arch/x86/guest/hvm_arch.h"

/* SPEC_CTRL is there and guests may have it. */
bool cpuid_host_has_spec_ctrl(void);
void cpuid_host_ibpb(void);
struct cpuid_regs cpuid_host(u32 leaf, u32 subleaf);
/* Leaf 0x40000003: TSC offset and scale as <xen/arch-x86/cpuid.h> describes them. */
void cpuid_host_time(struct vcpu *v, u32 subleaf, struct cpuid_regs *out);
u64 cpuid_host_tsc(void);
/* The guest's RDTSCP reads the register itself: load it now, v runs here. */
void cpuid_host_tsc_aux(u64 value);
