/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/hvm.h"
#include "arch/x86/guest/cpu_policy.h"

#include <xen/hvm/hvm_vcpu.h>
#include <xen/sched.h>

#include "arch/contract/machine.h"
#include "arch/x86/guest/hvm_arch.h"
#include "arch/x86/guest/svm.h"
#include "arch/x86/guest/vlapic.h"
#include "arch/x86/host/speculation.h"
#include "asm/cpufeature.h"
#include "asm/msr.h"
#include "asm/regs.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "domain/service.h"
#include "evtchn/evtchn.h"
#include "lib/string.h"
#include "memory/p2m.h"
#include "mm/heap.h"
#include "sched/sched.h"

const struct hvm_backend *hvm RO_AFTER_INIT;
u64 hvm_xcr0_mask RO_AFTER_INIT;
static unsigned int xsave_order RO_AFTER_INIT;
static bool has_rdtscp RO_AFTER_INIT;

#define XCR0_KNOWN    0x2e7ull /* x87, SSE, AVX, AVX-512, PKRU */
#define XSAVE_MXCSR   24
#define MXCSR_RESET   0x1f80u
#define FCW_RESET     0x37fu

/*
 * The domain whose vCPU this CPU ran last, which predictors and caches still know: its number among all
 * that there ever were, because a new domain may lie where a dead one lay.
 */
static DEFINE_PER_CPU(u64, hvm_last_domain);
static u64 domains_made;
/* Whose FPU registers this CPU has; the hypervisor itself uses none. */
static DEFINE_PER_CPU(struct vcpu *, fpu_owner);

static void detect_features(void)
{
	if (cpu_has(CPUID_XSAVE)) {
		struct cpuid_regs r = cpuid_read(0xd, 0);

		hvm_xcr0_mask = (r.a | (u64)r.d << 32) & XCR0_KNOWN;
		xcr0_write(hvm_xcr0_mask);
		while ((PAGE_SIZE << xsave_order) < cpuid_read(0xd, 0).b) {
			xsave_order++;
		}
	}
	has_rdtscp = cpu_has(CPUID_RDTSCP);
}

static void enable_this_cpu(void *data)
{
	if (!hvm->cpu_enable()) {
		panic("CPU %u cannot run guests as the first one can", smp_cpu_id());
	}
}

void arch_guest_setup(void)
{
	cpu_t cpu;

	hvm = &svm_backend;
	if (!hvm->setup()) {
		boot_refuse("This machine has no AMD SVM with nested paging that Mullion can use. "
			    "Switch virtualization on in the firmware's setup; in QEMU, add "
			    "-cpu max,+svm,+npt.");
	}
	detect_features();
	for_each_cpu(cpu, smp_online()) {
		if (!hvm->cpu_prepare(cpu)) {
			boot_refuse("There is not enough memory to run guests.");
		}
	}
	smp_call(smp_online(), enable_this_cpu, NULL);
	log_info("guests run with %s\n", hvm->name);
}

/* --- registers --- */

u64 hvm_gpr(const struct vcpu *v, enum hvm_gpr r)
{
	return v->arch->gpr[r];
}

void hvm_gpr_set(struct vcpu *v, enum hvm_gpr r, u64 value)
{
	v->arch->gpr[r] = value;
}

bool hvm_is_64bit(struct vcpu *v)
{
	return v->arch->is_64bit;
}

unsigned int hvm_code_bytes(struct vcpu *v)
{
	struct hvm_segment cs;

	if (hvm_is_64bit(v)) {
		return 8;
	}
	if (!(hvm->get_control(v, HVM_CR0) & CR0_PE) || (v->arch->rflags & RFLAGS_VM)) {
		return 2;
	}
	hvm->get_segment(v, SEG_CS, &cs);
	return (cs.attributes & HVM_SEGMENT_BIG) ? 4 : 2;
}

u64 hvm_linear(struct vcpu *v, enum hvm_segment_index index, u64 offset)
{
	struct hvm_segment segment;

	if (hvm_is_64bit(v)) {
		if (index != SEG_FS && index != SEG_GS) {
			return offset;
		}
		hvm->get_segment(v, index, &segment);
		return segment.base + offset;
	}
	hvm->get_segment(v, index, &segment);
	return (u32)(segment.base + offset);
}

u64 hvm_tsc_offset(const struct vcpu *v)
{
	return v->arch->tsc_offset;
}

/* --- injection --- */

static bool is_contributory(u8 vector)
{
	return vector == TRAP_DE || (vector >= TRAP_TS && vector <= TRAP_GP);
}

/*
 * An exception while another was being delivered: APM 2 8.2.9, SDM 3 table 6-5. An interrupt or
 * NMI that was being delivered waits until after this exception.
 */
void hvm_inject_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
	struct hvm_event *held = &v->arch->held;

	if (held->is_valid && held->type == HVM_EVENT_EXCEPTION) {
		u8 first = held->vector;

		held->is_valid = false;
		if (first == TRAP_DF) {
			hvm_crash_guest(v, "triple fault");
			return;
		}
		if ((is_contributory(first) && is_contributory(vector)) ||
		    (first == TRAP_PF && (vector == TRAP_PF || is_contributory(vector)))) {
			vector = TRAP_DF;
			has_error = true;
			error = 0;
		}
	}
	hvm->inject(v, HVM_EVENT_EXCEPTION, vector, has_error, error);
}

void hvm_inject_gp0(struct vcpu *v)
{
	hvm_inject_exception(v, TRAP_GP, true, 0);
}

void hvm_skip_instruction(struct vcpu *v, unsigned int length)
{
	struct arch_vcpu *a = v->arch;

	a->rip += length;
	if (unlikely(!hvm_is_64bit(v))) {
		a->rip = (u32)a->rip;
	}
	a->rflags &= ~RFLAGS_RF;
	hvm->end_shadow(v);
	if (unlikely(a->rflags & RFLAGS_TF)) {
		hvm->single_stepped(v);
	}
}

/* --- running --- */

void arch_vcpu_run(struct vcpu *v)
{
	hvm->run(v);
}

void arch_vcpu_kick(struct vcpu *v)
{
	/* Pairs with the store of in_guest in svm_run(): what the caller stored is seen there. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (load_relaxed(&v->arch->in_guest)) {
		smp_kick(load_relaxed(&v->cpu));
	}
}

/*
 * Lazy only where nothing is left to leak: a vCPU that comes back to the CPU that it left last, without
 * another one there between, finds its registers. Waiting for #NM instead would let a guest read
 * another one's by speculation (CVE-2018-3665).
 */
static bool is_fpu_here(struct vcpu *v)
{
	struct vcpu **owner = this_cpu_ptr(fpu_owner);
	bool is_here = *owner == v && v->arch->fpu_cpu == smp_cpu_id();

	*owner = v;
	v->arch->fpu_cpu = smp_cpu_id();
	return is_here;
}

void hvm_fpu_load(struct vcpu *v)
{
	static const u32 zero;
	struct arch_vcpu *a = v->arch;

	if (is_fpu_here(v)) {
		if (hvm_xcr0_mask) {
			xcr0_write(a->xcr0); /* saving took the machine's */
		}
		return;
	}

	/*
	 * CPUs of AMD load the x87 pointers only with an exception pending (APM 2 11.4.4, FXRSTOR), so
	 * those of the vCPU before would stay: an FPU instruction of ours replaces them.
	 */
	__asm__ volatile("fnclex; ffree %%st(7); fildl %0" : : "m"(zero));
	if (!hvm_xcr0_mask) {
		__asm__ volatile("fxrstor64 (%0)" : : "r"(a->xsave) : "memory");
		return;
	}
	xcr0_write(hvm_xcr0_mask);
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(a->xsave), "a"((u32)hvm_xcr0_mask), "d"((u32)(hvm_xcr0_mask >> 32))
			 : "memory");
	xcr0_write(a->xcr0);
}

void hvm_fpu_save(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;

	if (!hvm_xcr0_mask) {
		__asm__ volatile("fxsave64 (%0)" : : "r"(a->xsave) : "memory");
		return;
	}
	a->xcr0 = xcr0_read(); /* QEMU has no exit for XSETBV, so the guest may have set it itself
				  */
	xcr0_write(hvm_xcr0_mask);
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(a->xsave), "a"((u32)hvm_xcr0_mask), "d"((u32)(hvm_xcr0_mask >> 32))
			 : "memory");
}

void arch_vcpu_load(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;
	u64 *last = this_cpu_ptr(hvm_last_domain);

	if (*last != v->domain->arch->serial) {
		speculation_switch_domain();
		*last = v->domain->arch->serial;
	}
	hvm_fpu_load(v);
	if (has_rdtscp) {
		msr_write(MSR_TSC_AUX, a->tsc_aux);
	}
	hvm->load(v);
	a->is_loaded = true;
	vlapic_timer_migrate(v, smp_cpu_id());
	arch_vcpu_update_time(v);
}

void arch_vcpu_save(struct vcpu *v)
{
	hvm->save(v);
	hvm_fpu_save(v);
	v->arch->is_loaded = false;
}

/* --- events --- */

void arch_vcpu_notify_event(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;

	if (a->upcall_vector) {
		vlapic_post_upcall(v, a->upcall_vector);
	}
	/* As in Xen, a vector of the whole domain is delivered, too, and first. */
	__atomic_store_n(&a->event_pending, 1, __ATOMIC_SEQ_CST);
	vcpu_wake_event(v);
	arch_vcpu_kick(v);
}

bool arch_vcpu_has_interrupt(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;

	return (load_acquire(&a->event_pending) && v->domain->arch->callback_vector) ||
	       load_acquire(&a->nmi_pending) || a->held.is_valid || a->next.is_valid ||
	       load_acquire(&a->startup) == HVM_STARTUP_INIT_WANTED || vlapic_pending(v) >= 0;
}

void hvm_post_nmi(struct vcpu *v)
{
	__atomic_store_n(&v->arch->nmi_pending, 1, __ATOMIC_SEQ_CST);
	vcpu_wake_event(v);
	arch_vcpu_kick(v);
}

int hvm_upcall_vector_set(struct vcpu *v, u8 vector)
{
	if (vector < 16) {
		return -EINVAL;
	}
	store_release(&v->arch->upcall_vector, vector);
	if (evtchn_is_pending_for(v)) {
		vlapic_post_upcall(v, vector); /* for what became pending before */
	}
	return 0;
}

/* --- start, INIT, SIPI --- */

static void state_reset(struct hvm_cpu_state *s)
{
	static const struct hvm_segment data = {.attributes = 0x93, .limit = 0xffff};
	unsigned int i;

	/* APM 2 table 14-1 */
	memset(s, 0, sizeof(*s));
	for (i = 0; i < SEG_COUNT; i++) {
		s->seg[i] = data;
	}
	s->seg[SEG_CS] = (struct hvm_segment){0xf000, 0x9b, 0xffff, 0xffff0000u};
	s->seg[SEG_LDTR].attributes = 0x82;
	s->seg[SEG_TR].attributes = 0x8b;
	s->seg[SEG_GDTR].attributes = 0;
	s->seg[SEG_IDTR].attributes = 0;
	s->rip = 0xfff0;
	s->rflags = RFLAGS_ALWAYS;
	s->cr0 = CR0_ET;
	s->dr6 = 0xffff0ff0;
	s->dr7 = 0x400;
	s->pat = PAT_AT_RESET;
	s->gpr[GPR_RDX] = 0xf00;
}

void arch_vcpu_reset(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;
	struct hvm_cpu_state state;

	state_reset(&state);
	state.tsc_aux = a->tsc_aux;
	hvm->set_state(v, &state);
	a->spec_ctrl = 0;
	a->held.is_valid = false;
	a->next.is_valid = false;
	a->nmi_masked = false;
	store_relaxed(&a->nmi_pending, 0);
	store_relaxed(&a->event_pending, 0);
	vlapic_reset(v);
}

static void start_at_page(struct vcpu *v, u8 page)
{
	struct hvm_cpu_state state;

	state_reset(&state);
	state.tsc_aux = v->arch->tsc_aux;
	state.seg[SEG_CS].selector = (u16)(page << 8);
	state.seg[SEG_CS].base = (u64)page << 12;
	state.rip = 0;
	hvm->set_state(v, &state);
	v->is_initialised = true;
	/* An event that came before was told to the APIC, which has forgotten it now. */
	if (evtchn_is_pending_for(v)) {
		arch_vcpu_notify_event(v);
	}
}

/*
 * A vCPU that runs resets itself when it next looks (hvm_handle_startup); one that is down
 * is changed by the sender, because it cannot run until vcpu_up().
 */
void hvm_send_init(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;

	a->sipi_vector = -1;
	if (!load_acquire(&v->is_up)) {
		__atomic_store_n(&a->startup, HVM_STARTUP_WAIT_SIPI, __ATOMIC_SEQ_CST);
		return;
	}
	__atomic_store_n(&a->startup, HVM_STARTUP_INIT_WANTED, __ATOMIC_SEQ_CST);
	vcpu_wake_event(v);
	arch_vcpu_kick(v);
}

void hvm_send_sipi(struct vcpu *v, u8 page)
{
	struct arch_vcpu *a = v->arch;
	u8 startup = load_acquire(&a->startup);

	if (startup == HVM_STARTUP_INIT_WANTED) {
		/* It has not seen the INIT yet and finds this when it does. */
		__atomic_store_n(&a->sipi_vector, page, __ATOMIC_SEQ_CST);
		return;
	}
	if (load_acquire(&v->is_up)) {
		return; /* the second SIPI of the usual two */
	}
	/* It may still be on its way out of its CPU. */
	sched_sleep_sync(v);
	arch_vcpu_reset(v);
	start_at_page(v, page);
	__atomic_store_n(&a->startup, HVM_STARTUP_NONE, __ATOMIC_SEQ_CST);
	vcpu_up(v);
}

bool hvm_handle_startup(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;
	s16 page;

	if (likely(load_relaxed(&a->startup) != HVM_STARTUP_INIT_WANTED)) {
		return false;
	}
	arch_vcpu_reset(v);
	page = __atomic_exchange_n(&a->sipi_vector, -1, __ATOMIC_SEQ_CST);
	if (page >= 0) {
		start_at_page(v, (u8)page);
		__atomic_store_n(&a->startup, HVM_STARTUP_NONE, __ATOMIC_SEQ_CST);
		return false;
	}
	__atomic_store_n(&a->startup, HVM_STARTUP_WAIT_SIPI, __ATOMIC_SEQ_CST);
	vcpu_down(v);
	return true;
}

/* --- VCPUOP_initialise: struct vcpu_hvm_context, <xen/hvm/hvm_vcpu.h> --- */

static bool is_segment_good(const struct hvm_segment *s, bool is_code)
{
	u16 type = s->attributes & 0xf;

	if (s->attributes & 0xf000) {
		return false;
	}
	if (!(s->attributes & HVM_SEGMENT_PRESENT)) {
		return !is_code;
	}
	/* A code or data segment, readable, of the kind asked for, accessed set as the CPU would.
	 */
	if (!(s->attributes & 0x10) || ((type & 8) != 0) != is_code) {
		return false;
	}
	/* Limit and granularity must agree: low bits all ones when in pages. */
	if (s->attributes & HVM_SEGMENT_GRANULAR) {
		return (s->limit & 0xfff) == 0xfff;
	}
	return s->limit <= 0xfffff;
}

/* Both begin with eight registers in the order of the encoding, as gpr[] has them. */
_Static_assert(__builtin_offsetof(struct vcpu_hvm_x86_32, edi) == 4 * GPR_RDI, "u32 each");
_Static_assert(__builtin_offsetof(struct vcpu_hvm_x86_64, rdi) == 8 * GPR_RDI, "u64 each");

static int context_32(const struct vcpu_hvm_x86_32 *in, struct hvm_cpu_state *s)
{
	if (in->pad1 || in->pad2[0] || in->pad2[1] || in->pad2[2]) {
		return -EINVAL;
	}
	if (in->efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) {
		return -EINVAL;
	}
	for (unsigned int i = 0; i < 8; i++) {
		s->gpr[i] = ((const u32 *)in)[i];
	}
	s->rip = in->eip;
	s->rflags = in->eflags;
	s->cr0 = in->cr0;
	s->cr3 = in->cr3;
	s->cr4 = in->cr4;
	s->efer = in->efer;
	s->seg[SEG_CS] = (struct hvm_segment){0, in->cs_ar, in->cs_limit, in->cs_base};
	s->seg[SEG_DS] = (struct hvm_segment){0, in->ds_ar, in->ds_limit, in->ds_base};
	s->seg[SEG_SS] = (struct hvm_segment){0, in->ss_ar, in->ss_limit, in->ss_base};
	s->seg[SEG_ES] = (struct hvm_segment){0, in->es_ar, in->es_limit, in->es_base};
	s->seg[SEG_TR] = (struct hvm_segment){0, in->tr_ar, in->tr_limit, in->tr_base};
	/* The TSS is not looked at by anybody before the guest loads its own. */
	if (!s->seg[SEG_TR].attributes) {
		s->seg[SEG_TR] = (struct hvm_segment){0, 0x8b, 0x67, 0};
	}
	if (!is_segment_good(&s->seg[SEG_CS], true) || !is_segment_good(&s->seg[SEG_DS], false) ||
	    !is_segment_good(&s->seg[SEG_SS], false) || !is_segment_good(&s->seg[SEG_ES], false) ||
	    (s->seg[SEG_TR].attributes & 0xff) != 0x8b || (s->seg[SEG_TR].attributes & 0xf000)) {
		return -EINVAL;
	}
	return 0;
}

static int context_64(const struct vcpu_hvm_x86_64 *in, struct hvm_cpu_state *s)
{
	const u64 long_mode = EFER_LME | EFER_LMA;

	if (!(in->cr0 & CR0_PG) || !(in->cr4 & CR4_PAE) ||
	    (in->efer & long_mode) != long_mode ||
	    (in->efer & ~(long_mode | EFER_SCE | EFER_NXE))) {
		return -EINVAL;
	}
	memcpy(s->gpr, in, 8 * sizeof(s->gpr[0]));
	s->rip = in->rip;
	s->rflags = in->rflags;
	s->cr0 = in->cr0;
	s->cr3 = in->cr3;
	s->cr4 = in->cr4;
	s->efer = in->efer;
	s->seg[SEG_CS] = (struct hvm_segment){0, 0xa9b, ~0u, 0};
	s->seg[SEG_DS] = s->seg[SEG_ES] = s->seg[SEG_SS] = (struct hvm_segment){0, 0xc93, ~0u, 0};
	s->seg[SEG_TR] = (struct hvm_segment){0, 0x8b, 0x67, 0};
	return 0;
}

int arch_vcpu_initialise(struct vcpu *v, const void *context)
{
	const struct vcpu_hvm_context *in = context;
	struct hvm_cpu_state s;
	int rc;

	if (in->pad) {
		return -EINVAL;
	}
	state_reset(&s);
	s.gpr[GPR_RDX] = 0;
	switch (in->mode) {
	case VCPU_HVM_MODE_32B:
		rc = context_32(&in->cpu_regs.x86_32, &s);
		break;
	case VCPU_HVM_MODE_64B:
		rc = context_64(&in->cpu_regs.x86_64, &s);
		break;
	default:
		rc = -EINVAL;
		break;
	}
	if (rc) {
		return rc;
	}
	/* What VMRUN itself would refuse: APM 2 15.5.1. */
	if (((s.cr0 & CR0_PG) && !(s.cr0 & CR0_PE)) ||
	    ((s.cr0 & CR0_NW) && !(s.cr0 & CR0_CD)) || (s.cr0 >> 32) ||
	    ((s.efer & EFER_LME) && (s.cr0 & CR0_PG) && !(s.cr4 & CR4_PAE)) ||
	    (s.rflags & (RFLAGS_VM)) || (s.rflags >> 22)) {
		return -EINVAL;
	}
	s.cr0 |= CR0_ET;
	hvm->set_state(v, &s);
	v->arch->startup = HVM_STARTUP_NONE;
	return 0;
}

/* --- the service --- */

static int arch_domain_init(struct domain *d, const struct domain_config *config)
{
	struct arch_domain *a;
	int rc;

	a = heap_alloc(sizeof(*a));
	if (!a) {
		return -ENOMEM;
	}
	d->arch = a;
	a->serial = __atomic_add_fetch(&domains_made, 1, __ATOMIC_RELAXED);
	a->iopm = heap_alloc_pages_for(d, IOPM_ORDER);
	if (!a->iopm) {
		rc = -ENOMEM;
		goto free_arch;
	}
	memset(a->iopm, 0xff, PAGE_SIZE << IOPM_ORDER); /* every port exits */
	rc = vlapic_mmio_setup(d);
	if (rc) {
		goto free_iopm;
	}
	return 0;

free_iopm:
	heap_free_pages_for(d, a->iopm, IOPM_ORDER);
free_arch:
	d->arch = NULL;
	heap_free(a);
	return rc;
}

static void arch_domain_fini(struct domain *d)
{
	struct arch_domain *a = d->arch;

	if (!a) {
		return;
	}
	trap_free_all(d);
	cpu_policy_free(d);
	heap_free_pages_for(d, a->iopm, IOPM_ORDER);
	heap_free(a);
	d->arch = NULL;
}

static void arch_vcpu_fini(struct vcpu *v)
{
	struct arch_vcpu *a = v->arch;

	if (!a) {
		return;
	}
	vlapic_destroy(v);
	hvm->vcpu_fini(v);
	if (a->xsave) {
		heap_free_pages_for(v->domain, a->xsave, xsave_order);
	}
	heap_free(a);
	v->arch = NULL;
}

static int arch_vcpu_init(struct vcpu *v)
{
	struct arch_vcpu *a;
	int rc;

	a = heap_alloc(sizeof(*a));
	if (!a) {
		return -ENOMEM;
	}
	v->arch = a;
	a->sipi_vector = -1;
	a->fpu_cpu = CPU_MAX;
	a->startup = HVM_STARTUP_WAIT_SIPI;
	a->xcr0 = 1;
	mtrr_reset(&a->mtrr);
	a->xsave = heap_alloc_pages_for(v->domain, xsave_order);
	if (!a->xsave) {
		rc = -ENOMEM;
		goto undo;
	}
	/* An empty header gives every component its reset state; these two are not part of it. */
	*(u32 *)((u8 *)a->xsave + XSAVE_MXCSR) = MXCSR_RESET;
	*(u16 *)a->xsave = FCW_RESET;
	rc = hvm->vcpu_init(v);
	if (rc) {
		goto undo;
	}
	rc = vlapic_create(v);
	if (rc) {
		goto undo;
	}
	arch_vcpu_reset(v);
	return 0;

undo:
	arch_vcpu_fini(v);
	return rc;
}

const struct domain_service arch_domain_service = {
	.name = "x86 guest",
	.init = arch_domain_init,
	.vcpu_init = arch_vcpu_init,
	.vcpu_fini = arch_vcpu_fini,
	.fini = arch_domain_fini,
};
