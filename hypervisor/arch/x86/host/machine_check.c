// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86/host/machine_check.h"

#include "arch/contract/host.h"
#include "asm/cpufeature.h"
#include "asm/msr.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "core/timer.h"

#define MCG_CAP_BANKS	   0xff
#define MCG_CAP_CTL	   BIT(8)
#define MCG_STATUS_RIPV	   BIT(0)
#define MCG_STATUS_MCIP	   BIT(2)
#define MC_STATUS_VALID	   BIT(63)
#define MC_STATUS_UC	   BIT(61)
#define MC_STATUS_ADDRV	   BIT(58)
#define MC_STATUS_PCC	   BIT(57)

#define POLL_NS		   (10 * NS_PER_SEC)

struct poll {
	struct timer timer;
	u64 corrected_count;
};
static DEFINE_PER_CPU(struct poll, poll);

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

static void tell_bank(unsigned int i, u64 bank)
{
	log_error("machine check: cpu %u bank %u status %016lx address %016lx\n", arch_cpu_id(), i, bank,
		  bank & MC_STATUS_ADDRV ? msr_read(MSR_MC_ADDR(i)) : 0);
}

static void tell_corrected(unsigned int i, u64 bank)
{
	u64 count = ++this_cpu_ptr(poll)->corrected_count;

	if ((count & (count - 1)) == 0) {
		log_warning("hardware corrected an error, %lu times on this CPU so far\n", count);
		tell_bank(i, bank);
	}
}

void machine_check_report(void)
{
	unsigned int i, count = bank_count();

	for (i = 0; i < count; i++) {
		u64 bank = msr_read(MSR_MC_STATUS(i));

		if (bank & MC_STATUS_VALID) {
			tell_bank(i, bank);
			msr_write(MSR_MC_STATUS(i), 0);
		}
	}
}

static void handle_poll(void *data)
{
	struct poll *p = data;
	unsigned int i, count = bank_count();

	for (i = 0; i < count; i++) {
		u64 bank = msr_read(MSR_MC_STATUS(i));

		if (!(bank & MC_STATUS_VALID)) {
			continue;
		}
		if (bank & MC_STATUS_UC) {
			tell_bank(i, bank); /* nobody has used what is lost */
		} else {
			tell_corrected(i, bank);
		}
		msr_write(MSR_MC_STATUS(i), 0);
	}
	timer_set(&p->timer, clock_now() + POLL_NS);
}

void machine_check_poll_this_cpu(void)
{
	struct poll *p = this_cpu_ptr(poll);

	if (bank_count()) {
		timer_init(&p->timer, handle_poll, p, smp_cpu_id());
		timer_set(&p->timer, clock_now() + POLL_NS);
	}
}
