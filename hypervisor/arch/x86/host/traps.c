// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/contract/host.h"
#include "arch/x86/host/apic.h"
#include "arch/x86/host/backtrace.h"
#include "arch/x86/host/cpu.h"
#include "arch/x86/host/machine_check.h"
#include "arch/x86/host/vectors.h"
#include "asm/io.h"
#include "asm/msr.h"
#include "asm/regs.h"
#include "core/irq_dispatch.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "lib/string.h"

#define PORT_SYSTEM_CONTROL 0x61 /* bit 7 SERR#, bit 6 IOCHK# (chipset manuals, "NMI status") */

static DEFINE_PER_CPU(bool, nmi_came);

static const char *const trap_names[32] = {
	[TRAP_DE] = "divide error",
	[TRAP_DB] = "debug",
	[TRAP_NMI] = "NMI",
	[TRAP_BP] = "breakpoint",
	[TRAP_OF] = "overflow",
	[TRAP_BR] = "bound range",
	[TRAP_UD] = "invalid opcode",
	[TRAP_NM] = "device not available",
	[TRAP_DF] = "double fault",
	[TRAP_TS] = "invalid TSS",
	[TRAP_NP] = "segment not present",
	[TRAP_SS] = "stack fault",
	[TRAP_GP] = "general protection",
	[TRAP_PF] = "page fault",
	[TRAP_MF] = "x87 error",
	[TRAP_AC] = "alignment check",
	[TRAP_MC] = "machine check",
	[TRAP_XM] = "SIMD error",
};

static void trap_frame_print(const struct trap_frame *f)
{
	log_error("cpu %u rip %016lx cs %04lx rflags %08lx\n", arch_cpu_id(), f->rip, f->cs, f->rflags);
	log_error("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
	log_error("rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", f->rsi, f->rdi, f->rbp, f->rsp);
	log_error("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", f->r8, f->r9, f->r10, f->r11);
	log_error("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", f->r12, f->r13, f->r14, f->r15);
	log_error("cr0 %08lx cr2 %016lx cr3 %012lx cr4 %08lx\n", cr0_read(), cr2_read(), cr3_read(),
		  cr4_read());
}

static void fatal(const struct trap_frame *frame)
{
	const char *name = frame->vector < 32 ? trap_names[frame->vector] : NULL;

	panic_begin();
	if (frame->vector == TRAP_MC) {
		machine_check_report();
	}
	log_error("\nException %lu (%s), error code %#lx\n", frame->vector, name ? name : "reserved",
		  frame->error);
	trap_frame_print(frame);
	backtrace_print(frame->rip, frame->rbp, frame->rsp);
	panic_end();
}

/*
 * An NMI stops this CPU when another one panics; of a real one the hardware is the cause, and what
 * it says is told when that is safe. It may come at any instruction: no lock may be taken.
 */
static void handle_nmi(void)
{
	if (panic_is_under_way()) {
		arch_cpu_halt();
	}
	store_relaxed(this_cpu_ptr(nmi_came), true);
	softirq_raise(SOFTIRQ_HARDWARE);
}

static void report_hardware(void)
{
	if (__atomic_exchange_n(this_cpu_ptr(nmi_came), false, __ATOMIC_RELAXED)) {
		u8 why = port_in8(PORT_SYSTEM_CONTROL);

		log_error("NMI on cpu %u: %s%s(port 0x61 says %#x)\n", arch_cpu_id(),
			  why & 0x80 ? "memory or bus error " : "", why & 0x40 ? "I/O check " : "", why);
	}
	machine_check_report();
}

void traps_setup(void)
{
	softirq_register(SOFTIRQ_HARDWARE, report_hardware);
}

static void handle_ipi(u64 vector)
{
	apic_eoi();
	if (vector == VECTOR_IPI_CALL) {
		smp_handle_call();
	}
	/* VECTOR_IPI_KICK: coming here was all that was wanted. */
}

void trap_dispatch(struct trap_frame *frame)
{
	if (frame->vector >= VECTOR_FIRST_IRQ) {
		switch (frame->vector) {
		case VECTOR_TIMER:
			apic_eoi();
			softirq_raise(SOFTIRQ_TIMER);
			return;
		case VECTOR_IPI_CALL:
		case VECTOR_IPI_KICK:
			handle_ipi(frame->vector);
			return;
		case VECTOR_SPURIOUS:
			return; /* no EOI: SDM 3 10.9 */
		case VECTOR_ERROR:
			apic_handle_error();
			apic_eoi();
			return;
		default:
			irq_dispatch((u8)frame->vector);
			apic_eoi();
			return;
		}
	}
	switch (frame->vector) {
	case TRAP_NMI:
		handle_nmi();
		return;
	case TRAP_MC:
		if (machine_check_handle()) {
			return;
		}
		break;
	default:
		break;
	}
	fatal(frame);
}
