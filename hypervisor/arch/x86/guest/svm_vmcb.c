/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMCB of a vCPU: what is intercepted, and the guest state in it.
 */
#include "arch/x86/guest/svm.h"

#include "asm/msr.h"
#include "asm/regs.h"
#include "lib/string.h"
#include "memory/p2m.h"
#include "mm/heap.h"

/* Three ranges of 8,192 MSRs, two bits each: read, write. APM 2 15.11. */
#define MSRPM_ORDER 1

static void msrpm_allow(u8 *map, u32 msr, bool is_read, bool is_write)
{
	u32 base, bit;

	if (msr < 0x2000) {
		base = 0;
	} else if (msr >= 0xc0000000u && msr < 0xc0002000u) {
		base = 0x800;
	} else {
		base = 0x1000;
	}
	bit = (msr & 0x1fff) * 2;
	if (is_read) {
		map[base + bit / 8] &= (u8) ~(1u << (bit % 8));
	}
	if (is_write) {
		map[base + bit / 8] &= (u8) ~(2u << (bit % 8));
	}
}

int svm_msrpm_create(void)
{
	/*
	 * All of these live in the VMCB or are switched with VMLOAD and VMSAVE. Not the TSC, which
	 * reads as 0 through RDMSR in QEMU, nor SYSENTER_CS, of which QEMU keeps 16 bits.
	 */
	static const u32 direct[] = {
		MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_STAR,		MSR_LSTAR,
		MSR_CSTAR,   MSR_SFMASK,  MSR_SYSENTER_ESP,   MSR_SYSENTER_EIP,
	};
	u8 *map = heap_alloc_pages(MSRPM_ORDER);
	unsigned int i;

	if (!map) {
		return -ENOMEM;
	}
	memset(map, 0xff, PAGE_SIZE << MSRPM_ORDER);
	for (i = 0; i < ARRAY_SIZE(direct); i++) {
		msrpm_allow(map, direct[i], true, true);
	}
	svm_features.msrpm_address = hpa_raw(mfn_to_hpa(heap_to_mfn(map)));
	return 0;
}

int svm_vcpu_init(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;
	struct arch_domain *d = v->domain->arch;
	struct vmcb *vmcb;

	vmcb = heap_alloc_pages_for(v->domain, 0);
	if (!vmcb) {
		return -ENOMEM;
	}
	a->vmcb = vmcb;
	a->vmcb_address = mfn_to_hpa(heap_to_mfn(vmcb));

	/* Debug registers exit until they are used for the first time, then belong to the guest. */
	vmcb->intercept_dr_read = 0xffff;
	vmcb->intercept_dr_write = 0xffff;
	/*
	 * #DB and #AC may repeat for ever inside one delivery (CVE-2015-8104, CVE-2015-5307);
	 * the exit lets the host's interrupts in. #MC is the host's.
	 */
	vmcb->intercept_exceptions = 1u << TRAP_DB | 1u << TRAP_AC | 1u << TRAP_MC;
	vmcb->intercept1 = VMCB_INTERCEPT_INTR | VMCB_INTERCEPT_NMI | VMCB_INTERCEPT_SMI |
			   VMCB_INTERCEPT_INIT | VMCB_INTERCEPT_CR0_SEL | VMCB_INTERCEPT_RDPMC |
			   VMCB_INTERCEPT_CPUID | VMCB_INTERCEPT_INVD | VMCB_INTERCEPT_HLT |
			   VMCB_INTERCEPT_INVLPGA | VMCB_INTERCEPT_IOIO | VMCB_INTERCEPT_MSR |
			   VMCB_INTERCEPT_TASK | VMCB_INTERCEPT_SHUTDOWN;
	vmcb->intercept2 = VMCB_INTERCEPT_VMRUN | VMCB_INTERCEPT_VMMCALL | VMCB_INTERCEPT_VMLOAD |
			   VMCB_INTERCEPT_VMSAVE | VMCB_INTERCEPT_STGI | VMCB_INTERCEPT_CLGI |
			   VMCB_INTERCEPT_SKINIT | VMCB_INTERCEPT_WBINVD | VMCB_INTERCEPT_MONITOR |
			   VMCB_INTERCEPT_MWAIT | VMCB_INTERCEPT_XSETBV | VMCB_INTERCEPT_RDPRU;
	vmcb->iopm_base = hpa_raw(mfn_to_hpa(heap_to_mfn(d->iopm)));
	vmcb->msrpm_base = svm_features.msrpm_address;
	vmcb->vintr = VMCB_VINTR_MASKING;
	vmcb->nested_control = 1;
	vmcb->nested_cr3 = hpa_raw(mfn_to_hpa(p2m_root(v->domain)));
	vmcb->pat = PAT_AT_RESET;
	vmcb->efer = EFER_SVME;
	return 0;
}

void svm_vcpu_fini(struct vcpu *v)
{
	if (v->arch->vmcb) {
		heap_free_pages_for(v->domain, v->arch->vmcb, 0);
		v->arch->vmcb = NULL;
	}
}

void svm_get_segment(struct vcpu *v, enum hvm_segment_index index, struct hvm_segment *out)
{
	*out = v->arch->vmcb->segment[index];
}

u8 svm_get_cpl(struct vcpu *v)
{
	return v->arch->vmcb->cpl;
}

void svm_get_paging(struct vcpu *v, struct hvm_paging *out)
{
	const struct vmcb *vmcb = v->arch->vmcb;

	out->cr0 = vmcb->cr0;
	out->cr3 = vmcb->cr3;
	out->cr4 = vmcb->cr4;
	out->efer = vmcb->efer;
	out->cpl = vmcb->cpl;
}

void svm_note_mode(struct arch_vcpu *a)
{
	a->is_64bit = (a->vmcb->efer & EFER_LMA) &&
		      (a->vmcb->segment[SEG_CS].attributes & HVM_SEGMENT_LONG);
}

static u64 *control_of(struct vmcb *vmcb, enum hvm_control which)
{
	switch (which) {
	case HVM_CR0:
		return &vmcb->cr0;
	case HVM_CR2:
		return &vmcb->cr2;
	case HVM_CR3:
		return &vmcb->cr3;
	case HVM_CR4:
		return &vmcb->cr4;
	case HVM_EFER:
		return &vmcb->efer;
	case HVM_PAT:
		return &vmcb->pat;
	case HVM_FS_BASE:
		return &vmcb->segment[SEG_FS].base;
	case HVM_GS_BASE:
		return &vmcb->segment[SEG_GS].base;
	case HVM_DEBUGCTL:
		return &vmcb->debugctl;
	case HVM_SYSENTER_CS:
		break;
	}
	return &vmcb->sysenter_cs;
}

u64 svm_get_control(struct vcpu *v, enum hvm_control which)
{
	u64 value = *control_of(v->arch->vmcb, which);

	return which == HVM_EFER ? value & ~(u64)EFER_SVME : value;
}

void svm_set_control(struct vcpu *v, enum hvm_control which, u64 value)
{
	u64 *control = control_of(v->arch->vmcb, which);

	if (which == HVM_CR0 && ((*control ^ value) & (CR0_PG | CR0_WP | CR0_PE))) {
		v->arch->asid_generation = 0; /* older translations mean something else */
	}
	*control = value;
	if (which == HVM_EFER) {
		*control |= EFER_SVME; /* VMRUN refuses a guest without it */
		svm_note_mode(v->arch);
	}
}

/* What is the same in both, by name. */
#define VMCB_STATE(X)                                                                            \
	X(cr0)                                                                                   \
	X(cr2) X(cr3) X(cr4) X(dr6) X(dr7) X(star) X(lstar) X(cstar) X(sfmask) X(kernel_gs_base) \
		X(sysenter_cs) X(sysenter_esp) X(sysenter_eip) X(pat)

void svm_get_state(struct vcpu *v, struct hvm_cpu_state *out)
{
	const struct vmcb *vmcb = v->arch->vmcb;

	memset(out, 0, sizeof(*out));
	memcpy(out->gpr, v->arch->gpr, sizeof(out->gpr));
	memcpy(out->seg, vmcb->segment, sizeof(out->seg));
#define GET(name) out->name = vmcb->name;
	VMCB_STATE(GET)
#undef GET
	out->rip = v->arch->rip;
	out->rflags = v->arch->rflags;
	out->efer = vmcb->efer & ~(u64)EFER_SVME;
	out->tsc_aux = v->arch->tsc_aux;
}

void svm_set_state(struct vcpu *v, const struct hvm_cpu_state *state)
{
	struct vmcb *vmcb = v->arch->vmcb;

	memcpy(v->arch->gpr, state->gpr, sizeof(state->gpr));
	memcpy(vmcb->segment, state->seg, sizeof(state->seg));
#define SET(name) vmcb->name = state->name;
	VMCB_STATE(SET)
#undef SET
	v->arch->rip = state->rip;
	v->arch->rflags = state->rflags | RFLAGS_ALWAYS;
	vmcb->efer = state->efer | EFER_SVME;
	vmcb->cpl = (u8)(state->seg[SEG_SS].attributes >> 5 & 3);
	vmcb->interrupt_shadow = 0;
	vmcb->event_inject = 0;
	v->arch->tsc_aux = state->tsc_aux;
	svm_note_mode(v->arch);
	v->arch->asid_generation = 0; /* another address space altogether */
}

/* First use of a debug register: load the guest's and stop intercepting. */
void svm_debug_registers_give(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;

	dr_write(0, a->dr[0]);
	dr_write(1, a->dr[1]);
	dr_write(2, a->dr[2]);
	dr_write(3, a->dr[3]);
	a->vmcb->intercept_dr_read = 0;
	a->vmcb->intercept_dr_write = 0;
	a->is_dr_live = true;
}

void svm_debug_registers_take(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;

	if (!a->is_dr_live) {
		return;
	}
	a->dr[0] = dr_read(0);
	a->dr[1] = dr_read(1);
	a->dr[2] = dr_read(2);
	a->dr[3] = dr_read(3);
	/* Armed breakpoints must be in the CPU whenever it runs; idle ones come back on use. */
	if ((a->vmcb->dr7 & 0xff) == 0) {
		a->vmcb->intercept_dr_read = 0xffff;
		a->vmcb->intercept_dr_write = 0xffff;
		a->is_dr_live = false;
	}
}
