/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/cpuid_host.h"

#include "arch/x86/guest/cpu_bits.h"
#include "arch/x86/guest/insn.h"
#include "arch/x86/host/time.h"

void cpuid_host(u32 leaf, u32 subleaf, struct cpuid_result *out)
{
	u32 r[4];

	insn_cpuid(leaf, subleaf, r);
	*out = (struct cpuid_result){r[0], r[1], r[2], r[3]};
}

u64 cpuid_host_tsc(void)
{
	return insn_rdtsc();
}

void cpuid_host_tsc_aux(u64 value)
{
	insn_wrmsr(X86_MSR_TSC_AUX, value);
}

void cpuid_host_time(struct vcpu *v, u32 subleaf, struct cpuid_result *out)
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
