/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's half of speculation.h: facts, barriers, and code that is made to fit once.
 */
#include "arch/contract/host.h"
#include "arch/x86/host/layout.h"
#include "arch/x86/host/speculation.h"
#include "asm/cpufeature.h"
#include "asm/msr.h"
#include "asm/regs.h"
#include "asm/thunk.h"
#include "core/log.h"
#include "lib/string.h"

#define LEAF7_D_ARCH_CAPABILITIES BIT(29)

static struct cpuid_regs leaf(u32 number)
{
	if (cpuid_read(number & 0x80000000u, 0).a < number) {
		return (struct cpuid_regs){0, 0, 0, 0};
	}
	return cpuid_read(number, 0);
}

static struct speculation_facts read_facts(void)
{
	struct speculation_facts f = {
		.is_amd = cpu_vendor() == CPU_VENDOR_AMD,
		.leaf7_d = leaf(7).d,
		.ext8_b = leaf(0x80000008u).b,
		.ext21_a = leaf(0x80000021u).a,
		.ext21_c = leaf(0x80000021u).c,
	};

	if (f.leaf7_d & LEAF7_D_ARCH_CAPABILITIES) {
		f.capabilities = msr_read(MSR_ARCH_CAPABILITIES);
	}
	return f;
}

/*
 * Code is never writable; one CPU runs, with interrupts off, and goes through a serialising
 * instruction before it comes to what it wrote (SDM 3 8.1.3).
 */
static void write_code(void *to, const u8 *code, unsigned int length)
{
	unsigned long flags = arch_irq_save(), cr0 = cr0_read();

	cr0_write(cr0 & ~(unsigned long)CR0_WP);
	memcpy(to, code, length);
	cr0_write(cr0);
	(void)cpuid_read(0, 0);
	arch_irq_restore(flags);
}

static void fit_thunks(enum thunk thunk)
{
	u8 code[THUNK_CODE_MAX];
	unsigned int reg, length;

	for (reg = 0; reg < 16 && thunk != THUNK_RETPOLINE; reg++) {
		length = speculation_thunk_code(thunk, reg, code);
		write_code(thunks_start + reg * THUNK_SIZE, code, length);
	}
}

/* A place that refills the return stack begins with a jump over itself when that is not wanted. */
static void skip_refills(void)
{
	const struct refill_site *site;
	u8 code[5] = {0xe9};
	u32 distance;

	for (site = refill_sites_start; site < refill_sites_end; site++) {
		distance = (u32)(site->end - site->start) - sizeof(code);
		memcpy(&code[1], &distance, sizeof(distance));
		write_code(site->start, code, sizeof(code));
	}
}

void arch_speculation_setup(const struct speculation_options *options)
{
	static const char *const names[] = {"retpoline", "lfence", "jmp"};
	struct speculation_facts facts = read_facts();
	const bool *is_on = speculation.is_on;

	speculation_choose(&facts, options, &speculation);
	fit_thunks(speculation.thunk);
	if (!is_on[SPECULATION_RETURN_STACK]) {
		skip_refills();
	}
	speculation_setup_this_cpu();
	log_info("speculation: indirect branches by %s;%s%s%s%s%s%s\n", names[speculation.thunk],
		 is_on[SPECULATION_IBPB] ? " IBPB" : "",
		 is_on[SPECULATION_RETURN_STACK] ? " return-stack" : "",
		 is_on[SPECULATION_VERW] ? " VERW" : "",
		 is_on[SPECULATION_L1D_FLUSH] ? " L1D-flush" : "",
		 is_on[SPECULATION_AUTO_IBRS] ? " automatic-IBRS" : "",
		 is_on[SPECULATION_GUEST_CONTROL] ? " SPEC_CTRL-for-guests" : "");
}

void speculation_setup_this_cpu(void)
{
	if (speculation.is_on[SPECULATION_AUTO_IBRS]) {
		msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_AUTO_IBRS);
	}
}

/* --- barriers --- */

void barrier_branch_predictors(void)
{
	msr_write(MSR_PRED_CMD, PRED_CMD_IBPB);
}

void barrier_l1_data(void)
{
	msr_write(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
}

void barrier_buffers(void)
{
	static const u16
		selector; /* null; only the form with a memory operand clears the buffers */

	__asm__ volatile("verw %0" : : "m"(selector) : "cc");
}
