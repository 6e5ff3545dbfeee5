// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86/host/apic.h"

#include "arch/contract/host.h"
#include "arch/x86/host/vectors.h"
#include "asm/cpufeature.h"
#include "asm/io.h"
#include "asm/msr.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "lib/bitmap.h"

/* Registers, SDM 3 table 10-1 (offsets of the xAPIC page). */
#define APIC_ID	      0x020
#define APIC_VERSION  0x030
#define APIC_TPR      0x080
#define APIC_EOI      0x0b0
#define APIC_LDR      0x0d0
#define APIC_DFR      0x0e0
#define APIC_SVR      0x0f0
#define APIC_ESR      0x280
#define APIC_ICR      0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER	 0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PERF	 0x340
#define APIC_LVT_LINT0	 0x350
#define APIC_LVT_LINT1	 0x360
#define APIC_LVT_ERROR	 0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE  0x3e0

#define SVR_ENABLE	  0x100
#define LVT_MASKED	  0x10000
#define LVT_NMI		  0x400
#define LVT_TIMER_DEADLINE 0x40000
#define ICR_INIT	  0x500
#define ICR_STARTUP	  0x600
#define ICR_ASSERT	  0x4000
#define ICR_PENDING	  0x1000
#define DIVIDE_BY_1	  0xb

static RO_AFTER_INIT bool is_x2apic, has_deadline;
static RO_AFTER_INIT char *registers; /* xAPIC */
static RO_AFTER_INIT u32 apic_ids[CPU_MAX];

static u32 apic_read(u32 offset)
{
	return is_x2apic ? (u32)msr_read(MSR_X2APIC(offset)) : mmio_read32(registers + offset);
}

static void apic_write(u32 offset, u32 value)
{
	if (is_x2apic) {
		msr_write(MSR_X2APIC(offset), value);
	} else {
		mmio_write32(registers + offset, value);
	}
}

u32 apic_id_of(cpu_t cpu)
{
	return apic_ids[cpu];
}

void apic_set_id(cpu_t cpu, u32 apic_id)
{
	apic_ids[cpu] = apic_id;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

bool apic_is_x2apic(void)
{
	return is_x2apic;
}

void apic_handle_error(void)
{
	u32 status;

	apic_write(APIC_ESR, 0);
	status = apic_read(APIC_ESR);
	if (status) {
		log_warning("cpu %u: local APIC error %#x\n", arch_cpu_id(), status);
	}
}

static u32 this_apic_id(void)
{
	u32 id = apic_read(APIC_ID);

	return is_x2apic ? id : id >> 24;
}

void apic_setup_boot_cpu(void)
{
	u64 base = msr_read(MSR_APIC_BASE);

	is_x2apic = cpu_has(CPUID_X2APIC);
	has_deadline = cpu_has(CPUID_TSC_DEADLINE);
	if (!is_x2apic) {
		if (base & APIC_BASE_X2APIC) {
			boot_refuse("The local APIC is in x2APIC mode, which CPUID does not have.");
		}
		registers = arch_mmio_map(hpa_of(base & PTE_ADDRESS), PAGE_SIZE);
		if (!registers) {
			boot_refuse("No address space for the local APIC.");
		}
	}
	apic_setup_this_cpu();
	apic_ids[0] = this_apic_id();
}

void apic_setup_this_cpu(void)
{
	u64 base = msr_read(MSR_APIC_BASE);
	u32 last_lvt;

	msr_write(MSR_APIC_BASE, base | APIC_BASE_ENABLE | (is_x2apic ? APIC_BASE_X2APIC : 0));
	last_lvt = apic_read(APIC_VERSION) >> 16 & 0xff;
	if (!is_x2apic) {
		apic_write(APIC_DFR, 0xffffffff);
	}
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	/* In x2APIC mode a write to an entry that is not there faults: SDM 3 10.12.1.3. */
	if (last_lvt >= 4) {
		apic_write(APIC_LVT_PERF, LVT_MASKED);
	}
	if (last_lvt >= 5) {
		apic_write(APIC_LVT_THERMAL, LVT_MASKED);
	}
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, arch_cpu_id() == 0 ? LVT_NMI : LVT_MASKED);
	apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
	apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_ESR, 0);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (has_deadline ? LVT_TIMER_DEADLINE : 0));
	/* Nothing may be left in service from before: EOI until quiet. */
	apic_eoi();
}

static void send(u32 apic_id, u32 command)
{
	unsigned long flags = arch_irq_save();

	if (is_x2apic) {
		/* WRMSR to the ICR does not wait for earlier stores: SDM 3 10.12.3. */
		__asm__ volatile("mfence; lfence" : : : "memory");
		msr_write(MSR_X2APIC(APIC_ICR), (u64)apic_id << 32 | command);
	} else {
		while (apic_read(APIC_ICR) & ICR_PENDING) {
			arch_cpu_relax();
		}
		apic_write(APIC_ICR_HIGH, apic_id << 24);
		apic_write(APIC_ICR, command);
	}
	arch_irq_restore(flags);
}

void apic_send_init(u32 apic_id)
{
	send(apic_id, ICR_INIT | ICR_ASSERT);
}

void apic_send_startup(u32 apic_id, u8 page)
{
	send(apic_id, ICR_STARTUP | page);
}

void arch_ipi_send(cpu_t cpu, enum arch_ipi ipi)
{
	static const u32 command[] = {
		[ARCH_IPI_KICK] = VECTOR_IPI_KICK,
		[ARCH_IPI_CALL] = VECTOR_IPI_CALL,
		[ARCH_IPI_STOP] = LVT_NMI,
	};

	send(apic_ids[cpu], command[ipi]);
}

void arch_ipi_send_set(const void *cpu_set, enum arch_ipi ipi)
{
	const struct cpu_set *set = cpu_set;
	cpu_t cpu;

	for_each_cpu(cpu, set) {
		arch_ipi_send(cpu, ipi);
	}
}

/* --- its timer --- */

bool apic_timer_is_deadline(void)
{
	return has_deadline;
}

void apic_timer_start(u32 ticks)
{
	apic_write(APIC_TIMER_INITIAL, ticks);
}

u32 apic_timer_count(void)
{
	return apic_read(APIC_TIMER_CURRENT);
}

void apic_timer_mask(bool is_masked)
{
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (has_deadline && !is_masked ? LVT_TIMER_DEADLINE : 0) |
					   (is_masked ? LVT_MASKED : 0));
}
