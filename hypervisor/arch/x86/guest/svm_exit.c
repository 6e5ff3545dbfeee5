/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From SVM's exit codes (APM 2 appendix C) to what happened.
 */
#include "arch/x86/guest/svm.h"

#include "arch/x86/guest/decode.h"
#include "asm/regs.h"
#include "core/log.h"
#include "memory/p2m.h"

static void handle_exception(struct vcpu *v, u8 vector)
{
	struct vmcb *vmcb = v->arch->vmcb;

	switch (vector) {
	case TRAP_MC:
		break; /* the host's handler ran before interrupts came on */
	case TRAP_AC:
		hvm_inject_exception(v, TRAP_AC, true, (u32)vmcb->exit_info1);
		break;
	default:
		hvm_inject_exception(v, vector, false, 0);
		break;
	}
}

static void handle_iret(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;

	/*
	 * The IRET has not run yet. Another NMI before it would nest, so the shadow holds
	 * injection back for the one instruction.
	 */
	a->nmi_masked = false;
	a->vmcb->intercept1 &= ~VMCB_INTERCEPT_IRET;
	a->vmcb->interrupt_shadow |= 1;
}

static void handle_io(struct vcpu *v)
{
	struct vmcb *vmcb = v->arch->vmcb;
	u32 info = (u32)vmcb->exit_info1;
	struct exit_io io = {
		.port = (u16)(info >> VMCB_IOIO_PORT_SHIFT),
		.size_bytes = (u8)(info >> VMCB_IOIO_SIZE_SHIFT & 7),
		.is_in = (info & VMCB_IOIO_IN) != 0,
		.is_string = (info & VMCB_IOIO_STRING) != 0,
		.is_rep = (info & VMCB_IOIO_REP) != 0,
	};

	if (io.is_string) {
		exit_io(v, &io);
		return;
	}
	exit_io(v, &io);
	hvm_skip_instruction(v, (unsigned int)(vmcb->exit_info2 - v->arch->rip));
}

static void handle_nested_fault(struct vcpu *v)
{
	struct vmcb *vmcb = v->arch->vmcb;
	u64 info = vmcb->exit_info1;

	exit_nested_fault(v, gpa_of(vmcb->exit_info2), (info & VMCB_NPF_WRITE) != 0,
			  (info & VMCB_NPF_PRESENT) != 0, (info & VMCB_NPF_FETCH) != 0,
			  (info & VMCB_NPF_GUEST_TABLE) != 0);
}

/*
 * VMRUN refuses the state. QEMU says the same when a guest writes reserved bits to CR4, where a
 * CPU raises #GP; then rip is at that instruction, and the state itself is good: the second
 * time in the same place it is not that.
 */
static bool is_bad_cr4_write(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;
	struct decoded insn;

	if (a->refused_rip == a->rip || decode_current(v, &insn) != 0) {
		return false;
	}
	a->refused_rip = a->rip;
	return insn.map == 1 && insn.opcode == 0x22 && insn.reg == 4;
}

static void handle_unknown(struct vcpu *v)
{
	struct vmcb *vmcb = v->arch->vmcb;

	log_guest(v->domain, "vcpu %u: exit %#llx (%#llx, %#llx) at %#llx cannot be handled\n",
		  vcpu_id_raw(v->id), (unsigned long long)vmcb->exit_code,
		  (unsigned long long)vmcb->exit_info1, (unsigned long long)vmcb->exit_info2,
		  (unsigned long long)v->arch->rip);
	hvm_crash_guest(v, "unexpected exit");
}

void svm_handle_exit(struct vcpu *v)
{
	struct vmcb *vmcb = v->arch->vmcb;
	u32 code = (u32)vmcb->exit_code;

	switch (code) {
	case VMEXIT_INTR:
	case VMEXIT_NMI:
	case VMEXIT_SMI:
	case VMEXIT_INIT:
		break; /* served by the host when GIF came back */
	case VMEXIT_VINTR:
		break; /* the window is open: the next entry injects */
	case VMEXIT_VMMCALL:
		exit_hypercall(v);
		break;
	case VMEXIT_MSR:
		exit_msr(v, vmcb->exit_info1 & 1);
		break;
	case VMEXIT_CPUID:
		exit_cpuid(v);
		break;
	case VMEXIT_HLT:
		exit_hlt(v);
		break;
	case VMEXIT_IOIO:
		handle_io(v);
		break;
	case VMEXIT_NPF:
		handle_nested_fault(v);
		break;
	case VMEXIT_IRET:
		handle_iret(v);
		break;
	case VMEXIT_XSETBV:
		exit_xsetbv(v);
		break;
	case VMEXIT_WBINVD:
	case VMEXIT_INVD:
		exit_wbinvd(v);
		break;
	case VMEXIT_RDPMC:
		hvm_inject_gp0(v);
		break;
	case VMEXIT_INVLPGA:
	case VMEXIT_VMRUN:
	case VMEXIT_VMMCALL + 1: /* VMLOAD, VMSAVE, STGI, CLGI */
	case VMEXIT_VMMCALL + 2:
	case VMEXIT_VMMCALL + 3:
	case VMEXIT_VMMCALL + 4:
	case VMEXIT_SKINIT:
	case VMEXIT_MONITOR:
	case VMEXIT_MWAIT:
	case VMEXIT_MWAIT_ARMED:
	case VMEXIT_RDPRU:
		/* CPUID offers none of these. */
		hvm_inject_exception(v, TRAP_UD, false, 0);
		break;
	case VMEXIT_SHUTDOWN:
		hvm_crash_guest(v, "triple fault");
		break;
	case VMEXIT_TASK:
		/* Hardware task switches need the whole TSS protocol in software; nothing uses
		 * them. */
		hvm_crash_guest(v, "hardware task switch");
		break;
	case VMEXIT_CR0_SEL:
		if (emulate_cr0_write(v) == -EOPNOTSUPP) {
			hvm_inject_exception(v, TRAP_UD, false, 0);
		}
		break;
	case VMEXIT_CR8_WRITE:
		exit_cr8_write(v);
		break;
	case VMEXIT_INVALID_LOW:
		if (is_bad_cr4_write(v)) {
			hvm_inject_gp0(v);
		} else {
			handle_unknown(v);
		}
		break;
	default:
		if (code >= VMEXIT_DR_READ_FIRST && code <= VMEXIT_DR_WRITE_LAST) {
			svm_debug_registers_give(v);
		} else if (code >= VMEXIT_EXCEPTION_FIRST && code <= VMEXIT_EXCEPTION_LAST) {
			handle_exception(v, (u8)(code - VMEXIT_EXCEPTION_FIRST));
		} else {
			handle_unknown(v);
		}
		break;
	}
}
