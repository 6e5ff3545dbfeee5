/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU policy as the tools exchange it: lists of CPUID leaves and MSRs
 * (<xen/arch-x86/xen.h>). A domain's own policy can only take away from what every guest may see.
 */
#pragma once

#include "domain/domain.h"
#include "hv/error.h"
#include "hv/types.h"

#include <xen/xen.h>

#define CPU_POLICY_LEAF_MAX 96u
#define CPU_POLICY_MSR_MAX  2u

struct cpuid_regs;

/* Leaf number i of the policy that a guest gets by default (or, is_host, of this machine). -ENOENT: the end. */
int cpu_policy_default_leaf(unsigned int i, bool is_host, xen_cpuid_leaf_t *out) MUST_CHECK;
/* The same as d has it. */
int cpu_policy_domain_leaf(struct domain *d, unsigned int i, xen_cpuid_leaf_t *out) MUST_CHECK;
/* Takes over what the tools chose. -EINVAL: a leaf is twice there; -ERANGE: a leaf that no policy has. */
int cpu_policy_set(struct domain *d, const xen_cpuid_leaf_t *leaves, unsigned int count, u32 *error_leaf,
		   u32 *error_subleaf) MUST_CHECK;
/* Takes away from r what d's policy does not give. Called for each CPUID of a guest. */
void cpu_policy_filter(const struct domain *d, u32 leaf, u32 subleaf, struct cpuid_regs *r);
/* XCR0 components that the tools leave to it; all without a policy. */
u64 cpu_policy_xcr0(const struct domain *d);
void cpu_policy_free(struct domain *d);
