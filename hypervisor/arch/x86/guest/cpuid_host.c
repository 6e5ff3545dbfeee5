/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/cpuid_host.h"

#include "arch/x86/host/speculation.h"
#include "arch/x86/host/time.h"
#include "asm/msr.h"

struct cpuid_regs cpuid_host(u32 leaf, u32 subleaf)
{
	return cpuid_read(leaf, subleaf);
}

bool cpuid_host_has_spec_ctrl(void)
{
	return speculation.is_on[SPECULATION_GUEST_CONTROL];
}

void cpuid_host_ibpb(void)
{
	barrier_branch_predictors();
}

u64 cpuid_host_tsc(void)
{
	return tsc_read();
}

void cpuid_host_tsc_aux(u64 value)
{
	msr_write(MSR_TSC_AUX, value);
}

void cpuid_host_time(struct vcpu *v, u32 subleaf, struct cpuid_regs *out)
{
	switch (subleaf) {
	case 0:
		out->b = 0; /* TSC mode: default */
		out->c = (u32)clock_tsc_khz;
		break;
	case 1:
		out->a = (u32)v->arch->tsc_offset;
		out->b = (u32)(v->arch->tsc_offset >> 32);
		out->c = clock_scale.multiplier;
		out->d = (u32)(s32)clock_scale.shift;
		break;
	case 2:
		out->a = (u32)clock_tsc_khz;
		break;
	default:
		break;
	}
}
