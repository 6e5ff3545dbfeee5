/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/svm.h"

#include <xen/xen.h>

#include "arch/x86/guest/vlapic.h"
#include "asm/cpufeature.h"
#include "asm/msr.h"
#include "asm/regs.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "lib/string.h"
#include "memory/p2m.h"
#include "mm/heap.h"
#include "mm/window.h"

/* What a physical CPU keeps for VMRUN. */
struct svm_cpu {
	void *host_save;	/* VM_HSAVE_PA: private to the CPU's microcode */
	struct vmcb *host_vmcb; /* VMSAVE of the host's FS, GS, TR, LDTR and syscall MSRs */
	u64 host_save_address, host_vmcb_address;
	u64 asid_generation; /* grows when the ASIDs are used up */
	u32 asid_next;
	bool is_enabled;
};
static DEFINE_PER_CPU(struct svm_cpu, svm_cpu);

struct svm_features svm_features RO_AFTER_INIT;

static bool is_svm_usable(void)
{
	return cpu_has(CPUID_SVM) && !(msr_read(MSR_AMD_VM_CR) & VM_CR_SVM_DISABLE);
}

/*
 * QEMU's emulation (seen in 7.2) leaves an interrupt that EVENTINJ delivered noted as the next
 * exception of its CPU until the next exit, exception or interrupt. When its thread is called
 * away before, as it is whenever another CPU changes the machine's memory map, the guest gets
 * the interrupt once more, with interrupts off: Linux does not survive that for long. Virtual
 * interrupts (V_IRQ) go another way there.
 */
static bool is_emulator_injecting_twice(void)
{
	struct cpuid_regs r;

	if (!cpu_has(CPUID_HYPERVISOR)) {
		return false;
	}
	r = cpuid_read(0x40000000u, 0);
	return r.b == 0x54474354 && r.c == 0x43544743 && r.d == 0x47435447; /* TCGTCGTCGTCG */
}

static bool svm_detect(void)
{
	if (!is_svm_usable()) {
		if (cpu_has(CPUID_SVM)) {
			log_error(
				"AMD SVM is switched off in the firmware's setup: switch it on there\n");
		}
		return false;
	}
	if (!cpu_has(CPUID_SVM_NPT)) {
		log_error("this CPU has AMD SVM without nested paging, which is needed\n");
		return false;
	}
	svm_features.has_nrips = cpu_has(CPUID_SVM_NRIPS);
	svm_features.injects_twice = is_emulator_injecting_twice();
	svm_features.asid_count = cpuid_read(0x8000000au, 0).b;
	return svm_features.asid_count >= 2;
}

static bool svm_setup(void)
{
	return svm_detect() && svm_msrpm_create() == 0;
}

static bool svm_cpu_prepare(cpu_t which)
{
	struct svm_cpu *cpu = per_cpu_ptr(svm_cpu, which);

	cpu->host_save = heap_alloc_pages(0);
	cpu->host_vmcb = heap_alloc_pages(0);
	if (!cpu->host_save || !cpu->host_vmcb) {
		return false;
	}
	cpu->host_save_address = hpa_raw(mfn_to_hpa(heap_to_mfn(cpu->host_save)));
	cpu->host_vmcb_address = hpa_raw(mfn_to_hpa(heap_to_mfn(cpu->host_vmcb)));
	return true;
}

static bool svm_cpu_enable(void)
{
	struct svm_cpu *cpu = this_cpu_ptr(svm_cpu);

	if (!is_svm_usable()) {
		return false;
	}
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_AMD_VM_HSAVE_PA, cpu->host_save_address);
	/* The host's TR and syscall MSRs do not change after this, because nothing writes them. */
	__asm__ volatile("vmsave %0" : : "a"(cpu->host_vmcb_address) : "memory");
	cpu->asid_generation = 1;
	cpu->asid_next = 1;
	cpu->is_enabled = true;
	return true;
}

static void svm_cpu_disable(void)
{
	struct svm_cpu *cpu = this_cpu_ptr(svm_cpu);

	if (!cpu->is_enabled) {
		return;
	}
	cpu->is_enabled = false;
	/* INIT and firmware must find the machine without SVM (APM 2 15.30). */
	__asm__ volatile("stgi" : : : "memory");
	msr_write(MSR_AMD_VM_HSAVE_PA, 0);
	msr_write(MSR_EFER, msr_read(MSR_EFER) & ~EFER_SVME);
}

/*
 * A vCPU gets a fresh ASID when it comes to this CPU, when its domain's nested tables were
 * flushed, or when this CPU began a new generation because all numbers were used.
 */
static void svm_assign_asid(struct vcpu *v, struct svm_cpu *cpu)
{
	struct arch_vcpu *a = v->arch;
	cpu_t here = smp_cpu_id();

	a->vmcb->tlb_control = VMCB_TLB_NOTHING;
	if (likely(load_relaxed(&a->asid_generation) == cpu->asid_generation &&
		   a->asid_cpu == here)) {
		return;
	}
	if (cpu->asid_next >= svm_features.asid_count) {
		cpu->asid_generation++;
		cpu->asid_next = 1;
	}
	if (cpu->asid_next == 1) {
		a->vmcb->tlb_control = VMCB_TLB_ALL; /* numbers are used again */
	}
	a->asid = cpu->asid_next++;
	a->asid_cpu = here;
	store_relaxed(&a->asid_generation, cpu->asid_generation);
	a->vmcb->asid = a->asid;
}

static void flush_nothing(void *data)
{
}

/*
 * Each vCPU of d loses its ASID; those in the guest now are interrupted, and the interrupt is
 * served only after #VMEXIT. Pairs with in_guest in svm_run(): either it sees generation 0, or
 * we see in_guest.
 */
static void svm_flush_nested(struct domain *d)
{
	struct cpu_set set;
	struct vcpu *v;
	bool is_needed = false;

	memset(&set, 0, sizeof(set));
	for_each_vcpu(v, d) {
		struct arch_vcpu *a = v->arch;

		if (!a) {
			continue;
		}
		__atomic_store_n(&a->asid_generation, 0, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&a->in_guest, __ATOMIC_SEQ_CST)) {
			bitmap_set(set.words, load_relaxed(&v->cpu));
			is_needed = true;
		}
	}
	if (is_needed) {
		smp_call(&set, flush_nothing, NULL);
	}
}

static u64 event_encode(const struct hvm_event *event)
{
	return event->vector | (u64)event->type << 8 | VMCB_EVENT_VALID |
	       (event->has_error ? VMCB_EVENT_HAS_ERROR | (u64)event->error << 32 : 0);
}

/* The window: an exit at the first moment that the guest would take an interrupt. */
static void window_set(struct vmcb *vmcb, bool is_open)
{
	if (is_open) {
		vmcb->vintr |= VMCB_VINTR_IRQ | VMCB_VINTR_PRIO_MAX | VMCB_VINTR_IGNORE_TPR;
		vmcb->intercept1 |= VMCB_INTERCEPT_VINTR;
	} else {
		vmcb->vintr &= ~(VMCB_VINTR_IRQ | VMCB_VINTR_PRIO_MAX | VMCB_VINTR_IGNORE_TPR);
		vmcb->intercept1 &= ~VMCB_INTERCEPT_VINTR;
	}
}

/*
 * The guest takes it now: its interrupts are on, and nothing else goes in. It counts as delivered,
 * like one of EVENTINJ; take_back_offer() finds the one that an exit came before.
 */
static void give_interrupt(struct arch_vcpu *a, u8 vector)
{
	if (svm_features.injects_twice) {
		window_set(a->vmcb, true);
		a->vmcb->intercept1 &= ~VMCB_INTERCEPT_VINTR;
		a->vmcb->vintr = (a->vmcb->vintr & ~VMCB_VINTR_VECTOR_MASK) |
				 (u64)vector << VMCB_VINTR_VECTOR_SHIFT;
		a->is_offered = true;
	} else {
		a->vmcb->event_inject = vector | (u64)HVM_EVENT_INTR << 8 | VMCB_EVENT_VALID;
	}
}

static void take_back_offer(struct arch_vcpu *a)
{
	if (!a->is_offered) {
		return;
	}
	a->is_offered = false;
	/*
	 * The emulator notes a virtual interrupt in a word where other threads note the machine's, and
	 * not atomically: one of those may be gone. A write of the task priority makes it look again.
	 */
	__asm__ volatile("mov %0, %%cr8" : : "r"(0ul));
	if (a->vmcb->vintr & VMCB_VINTR_IRQ) {
		a->held = (struct hvm_event){
			.is_valid = true,
			.type = HVM_EVENT_INTR,
			.vector = (u8)(a->vmcb->vintr >> VMCB_VINTR_VECTOR_SHIFT),
		};
		window_set(a->vmcb, false);
	}
}

/* A held interrupt goes out when the guest can take it, everything else now. */
static void inject_held(struct vcpu *v, bool may_interrupt)
{
	struct arch_vcpu *a = v->arch;

	if (a->held.type != HVM_EVENT_INTR) {
		a->vmcb->event_inject = event_encode(&a->held);
	} else if (may_interrupt) {
		give_interrupt(a, a->held.vector);
	} else {
		return;
	}
	a->held.is_valid = false;
}

/* The upcall vector of the whole domain goes in without the local APIC (<xen/hvm/params.h>). */
static bool inject_upcall(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;
	struct vcpu_info *info;
	bool is_pending;

	store_relaxed(&a->event_pending, 0);
	info = vcpu_info_map(v);
	if (!info) {
		return false;
	}
	is_pending = load_relaxed(&info->evtchn_upcall_pending) != 0;
	vcpu_info_unmap(v, info);
	if (!is_pending) {
		return false; /* the guest saw it by itself */
	}
	give_interrupt(a, load_relaxed(&v->domain->arch->callback_vector));
	return true;
}

static void inject_interrupt(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;
	int vector;

	if (load_relaxed(&a->event_pending) && v->domain->arch->callback_vector &&
	    inject_upcall(v)) {
		return;
	}
	vector = vlapic_pending(v);
	if (vector >= 0) {
		vlapic_accept(v, (u8)vector);
		give_interrupt(a, (u8)vector);
	}
}

/*
 * At most one event goes in with VMRUN, and an interrupt only when the guest would take it
 * now: interrupts on, no shadow (QEMU does not load the shadow, so never trust it to hold one
 * back). What has to wait asks for an exit at the first moment that the guest can take it.
 */
static void svm_prepare_events(struct vcpu *v, u8 tpr)
{
	struct arch_vcpu *a = v->arch;
	struct vmcb *vmcb = a->vmcb;
	bool is_waiting;
	bool may_interrupt = (a->rflags & RFLAGS_IF) && !(vmcb->interrupt_shadow & 1);

	if (unlikely(a->next.is_valid)) {
		vmcb->event_inject = event_encode(&a->next);
		a->next.is_valid = false;
	} else if (unlikely(a->held.is_valid)) {
		inject_held(v, may_interrupt);
	} else if (unlikely(load_relaxed(&a->nmi_pending)) && !a->nmi_masked &&
		   !(vmcb->interrupt_shadow & 1)) {
		store_relaxed(&a->nmi_pending, 0);
		a->nmi_masked = true;
		vmcb->intercept1 |= VMCB_INTERCEPT_IRET;
		vmcb->event_inject = (u64)HVM_EVENT_NMI << 8 | TRAP_NMI | VMCB_EVENT_VALID;
	} else if (may_interrupt) {
		inject_interrupt(v);
	}

	is_waiting = a->held.is_valid || (load_relaxed(&a->nmi_pending) && !a->nmi_masked) ||
		     (load_relaxed(&a->event_pending) && v->domain->arch->callback_vector) ||
		     vlapic_pending(v) >= 0;
	if (a->is_offered) {
		/* The window is taken; the end of the interrupt's handler is the next occasion. */
		vmcb->intercept1 |= is_waiting ? VMCB_INTERCEPT_IRET : 0;
	} else if (unlikely(is_waiting != ((vmcb->vintr & VMCB_VINTR_IRQ) != 0))) {
		window_set(vmcb, is_waiting);
	}
	/*
	 * A virtual interrupt with that priority would do for this on paper, but QEMU lets one
	 * of the same class as the task priority through.
	 */
	if (unlikely(tpr != 0) && vlapic_is_held_by_tpr(v)) {
		vmcb->intercept_cr_write |= 1u << 8;
	} else {
		vmcb->intercept_cr_write &= (u16) ~(1u << 8);
	}
}

static void registers_to_vmcb(struct arch_vcpu *a)
{
	a->vmcb->rax = a->gpr[GPR_RAX];
	a->vmcb->rsp = a->gpr[GPR_RSP];
	a->vmcb->rip = a->rip;
	a->vmcb->rflags = a->rflags;
}

static void registers_from_vmcb(struct arch_vcpu *a)
{
	a->gpr[GPR_RAX] = a->vmcb->rax;
	a->gpr[GPR_RSP] = a->vmcb->rsp;
	a->rip = a->vmcb->rip;
	a->rflags = a->vmcb->rflags;
	svm_note_mode(a);
}

/*
 * An event whose delivery the exit interrupted has to be delivered again (APM 2 15.7.2).
 * Software interrupts and the traps of INT3 and INTO are not: rip is still at the instruction,
 * which does it itself.
 */
static void collect_interrupted_event(struct arch_vcpu *a)
{
	u64 info = a->vmcb->exit_int_info;
	u8 type = (u8)(info >> 8 & 7), vector = (u8)info;

	if (likely(!(info & VMCB_EVENT_VALID))) {
		return;
	}
	if (type == HVM_EVENT_SOFT_INT ||
	    (type == HVM_EVENT_EXCEPTION && (vector == TRAP_BP || vector == TRAP_OF))) {
		return;
	}
	/* QEMU calls a virtual interrupt an exception; above 31 there are none. */
	if (type == HVM_EVENT_EXCEPTION && vector > 31) {
		type = HVM_EVENT_INTR;
	}
	a->held = (struct hvm_event){
		.is_valid = true,
		.type = type,
		.vector = vector,
		.has_error = (info & VMCB_EVENT_HAS_ERROR) != 0,
		.error = (u32)(info >> 32),
	};
}

static void svm_run(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;
	struct svm_cpu *cpu;
	struct vmcb *vmcb = a->vmcb;
	u8 tpr;

	arch_irq_disable();
	/* Pairs with arch_vcpu_kick() and svm_flush_nested(): they store, then look here. */
	__atomic_store_n(&a->in_guest, 1, __ATOMIC_SEQ_CST);
	if (softirq_is_pending() || hvm_handle_startup(v)) {
		store_release(&a->in_guest, 0);
		arch_irq_enable();
		return;
	}
	cpu = this_cpu_ptr(svm_cpu);
	tpr = vlapic_tpr(v);
	svm_prepare_events(v, tpr);
	svm_assign_asid(v, cpu);
	vmcb->vintr = (vmcb->vintr & ~VMCB_VINTR_TPR_MASK) | tpr >> 4;
	registers_to_vmcb(a);
	ASSERT(window_is_idle());

	if (unlikely(a->spec_ctrl)) {
		msr_write(MSR_SPEC_CTRL, a->spec_ctrl);
	}
	svm_enter(hpa_raw(a->vmcb_address), a->gpr, cpu->host_vmcb_address);
	if (unlikely(a->spec_ctrl)) {
		msr_write(MSR_SPEC_CTRL, 0); /* all writes of the guest exit, so it has no other value */
	}

	registers_from_vmcb(a);
	store_release(&a->in_guest, 0);
	a->exits[a->exit_count++ % ARRAY_SIZE(a->exits)] =
		(struct hvm_exit){a->rip, (u32)vmcb->exit_code, v->cpu};
	vmcb->event_inject = 0;
	take_back_offer(a);
	collect_interrupted_event(a);
	if (unlikely((vmcb->vintr & VMCB_VINTR_TPR_MASK) != (u64)tpr >> 4)) {
		vlapic_tpr_set(v, (u8)((vmcb->vintr & VMCB_VINTR_TPR_MASK) << 4));
	}
	if (unlikely((u32)vmcb->exit_code == VMEXIT_EXCEPTION_FIRST + TRAP_MC)) {
		__asm__ volatile("int $18"); /* the host's own handler, before anything else */
	}
	arch_irq_enable();
	svm_handle_exit(v);
}

static void svm_inject(struct vcpu *v, enum hvm_event_type type, u8 vector, bool has_error,
		       u32 error)
{
	v->arch->next = (struct hvm_event){
		.is_valid = true,
		.type = (u8)type,
		.vector = vector,
		.has_error = has_error,
		.error = error,
	};
}

static void svm_load(struct vcpu *v)
{
	if (v->arch->is_dr_live) {
		svm_debug_registers_give(v);
	}
}

static void svm_save(struct vcpu *v)
{
	svm_debug_registers_take(v);
}

static void svm_tsc_offset_set(struct vcpu *v, u64 offset)
{
	v->arch->tsc_offset = offset;
	v->arch->vmcb->tsc_offset = offset;
}

static void svm_end_shadow(struct vcpu *v)
{
	v->arch->vmcb->interrupt_shadow &= ~1ull;
}

static void svm_single_stepped(struct vcpu *v)
{
	v->arch->vmcb->dr6 |= 1u << 14; /* BS */
	hvm_inject_exception(v, TRAP_DB, false, 0);
}

static void svm_ports_changed(struct domain *d)
{
	/* No VMCB clean bits are used: each entry reads the bitmap anew. */
}

const struct hvm_backend svm_backend = {
	.name = "AMD SVM with nested paging",
	.setup = svm_setup,
	.cpu_prepare = svm_cpu_prepare,
	.cpu_enable = svm_cpu_enable,
	.cpu_disable = svm_cpu_disable,
	.vcpu_init = svm_vcpu_init,
	.vcpu_fini = svm_vcpu_fini,
	.get_state = svm_get_state,
	.set_state = svm_set_state,
	.run = svm_run,
	.load = svm_load,
	.save = svm_save,
	.inject = svm_inject,
	.flush_nested = svm_flush_nested,
	.tsc_offset_set = svm_tsc_offset_set,
	.get_segment = svm_get_segment,
	.get_control = svm_get_control,
	.set_control = svm_set_control,
	.get_cpl = svm_get_cpl,
	.get_paging = svm_get_paging,
	.end_shadow = svm_end_shadow,
	.single_stepped = svm_single_stepped,
	.ports_changed = svm_ports_changed,
};
