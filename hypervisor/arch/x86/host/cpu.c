// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86/host/cpu.h"

#include "arch/contract/host.h"
#include "asm/cpufeature.h"
#include "asm/msr.h"
#include "asm/regs.h"

bool cpu_has(u64 feature)
{
	u32 leaf = FEATURE_LEAF(feature), last = cpuid_read(leaf & 0x80000000u, 0).a;
	struct cpuid_regs r;
	u32 value[4];

	if (last < leaf) {
		return false;
	}
	r = cpuid_read(leaf, FEATURE_SUBLEAF(feature));
	value[CPUID_A] = r.a;
	value[CPUID_B] = r.b;
	value[CPUID_C] = r.c;
	value[CPUID_D] = r.d;
	return value[FEATURE_REG(feature)] & FEATURE_MASK(feature);
}

unsigned int cpu_physical_bits(void)
{
	return cpuid_read(0x80000000u, 0).a >= 0x80000008u ? cpuid_read(0x80000008u, 0).a & 0xff : 36;
}

enum cpu_vendor cpu_vendor(void)
{
	struct cpuid_regs r = cpuid_read(0, 0);

	if (r.b == 0x756e6547 && r.d == 0x49656e69 && r.c == 0x6c65746e) { /* GenuineIntel */
		return CPU_VENDOR_INTEL;
	}
	/* AuthenticAMD, HygonGenuine */
	if ((r.b == 0x68747541 && r.d == 0x69746e65 && r.c == 0x444d4163) ||
	    (r.b == 0x6f677948 && r.d == 0x6e65476e && r.c == 0x656e6975)) {
		return CPU_VENDOR_AMD;
	}
	return CPU_VENDOR_OTHER;
}

/*
 * The host itself uses no vector registers, so XSAVE is switched on for guests' sake only;
 * the hypervisor saves and restores all that the machine has.
 */
void cpu_setup_this(void)
{
	unsigned long cr4 = CR4_PAE | CR4_PGE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	if (cpu_has(CPUID_XSAVE)) {
		cr4 |= CR4_OSXSAVE;
	}
	/* User pages do not exist here; SMEP and SMAP turn a stray one into a fault. */
	if (cpu_has(CPUID_SMEP)) {
		cr4 |= CR4_SMEP;
	}
	if (cpu_has(CPUID_SMAP)) {
		cr4 |= CR4_SMAP;
	}
	cr4_write(cr4);
	if (cpu_has(CPUID_XSAVE)) {
		xcr0_write((u64)cpuid_read(0xd, 0).d << 32 | cpuid_read(0xd, 0).a);
	}
	msr_write(MSR_PAT, PAT_AT_RESET);
}
