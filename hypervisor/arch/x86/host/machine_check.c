// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86/host/machine_check.h"

#include "arch/contract/host.h"
#include "asm/cpufeature.h"
#include "asm/msr.h"
#include "core/log.h"
#include "core/softirq.h"

#define MCG_CAP_BANKS	   0xff
#define MCG_CAP_CTL	   BIT(8)
#define MCG_STATUS_RIPV	   BIT(0)
#define MCG_STATUS_MCIP	   BIT(2)
#define MC_STATUS_VALID	   BIT(63)
#define MC_STATUS_UC	   BIT(61)
#define MC_STATUS_ADDRV	   BIT(58)
#define MC_STATUS_PCC	   BIT(57)

static unsigned int bank_count(void)
{
	return cpu_has(CPUID_MCA) ? (unsigned int)(msr_read(MSR_MCG_CAP) & MCG_CAP_BANKS) : 0;
}

void machine_check_setup_this_cpu(void)
{
	unsigned int i, count = bank_count();

	if (count && (msr_read(MSR_MCG_CAP) & MCG_CAP_CTL)) {
		msr_write(MSR_MCG_CTL, ~0ull);
	}
	for (i = 0; i < count; i++) {
		msr_write(MSR_MC_CTL(i), ~0ull);
		msr_write(MSR_MC_STATUS(i), 0);
	}
}

bool machine_check_handle(void)
{
	u64 status = msr_read(MSR_MCG_STATUS);
	bool is_lost = !(status & MCG_STATUS_RIPV);
	unsigned int i, count = bank_count();

	for (i = 0; i < count; i++) {
		u64 bank = msr_read(MSR_MC_STATUS(i));

		is_lost |= (bank & MC_STATUS_VALID) && (bank & (MC_STATUS_PCC | MC_STATUS_UC));
	}
	if (!is_lost) {
		msr_write(MSR_MCG_STATUS, status & ~MCG_STATUS_MCIP);
		softirq_raise(SOFTIRQ_HARDWARE);
	}
	return !is_lost;
}

void machine_check_report(void)
{
	unsigned int i, count = bank_count();

	for (i = 0; i < count; i++) {
		u64 bank = msr_read(MSR_MC_STATUS(i));

		if (!(bank & MC_STATUS_VALID)) {
			continue;
		}
		log_error("machine check: cpu %u bank %u status %016lx address %016lx\n", arch_cpu_id(), i,
			  bank, bank & MC_STATUS_ADDRV ? msr_read(MSR_MC_ADDR(i)) : 0);
		msr_write(MSR_MC_STATUS(i), 0);
	}
}
