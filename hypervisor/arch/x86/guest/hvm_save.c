/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/hvm_save.h"

#include "arch/x86/guest/cpuid_host.h"
#include "arch/x86/guest/hvm_arch.h"
#include "arch/x86/host/time.h"
#include "asm/msr.h"
#include "asm/regs.h"
#include "domain/vcpu.h"
#include "lib/string.h"

#include <xen/hvm/save.h>

#define MTRR_CAP (0x500u | MTRR_VCNT) /* WC, fixed ranges, eight variable ones; SDM 3 11.11.1 */

struct writer {
	u8 *to;
	u32 size_bytes, position;
	bool is_full;
};

/* Room for the data of a record, zeroed, or NULL. Records are too large for the stack: they are filled in place. */
static void *put_record(struct writer *w, u16 type, u16 instance, u32 length)
{
	void *data;

	struct hvm_save_descriptor descriptor = {.typecode = type, .instance = instance, .length = length};

	if (w->is_full || w->size_bytes - w->position < sizeof(descriptor) + length) {
		w->is_full = true;
		return NULL;
	}
	memcpy(w->to + w->position, &descriptor, sizeof(descriptor));
	data = w->to + w->position + sizeof(descriptor);
	memset(data, 0, length);
	w->position += (u32)sizeof(descriptor) + length;
	return data;
}

u32 hvm_save_size(const struct domain *d)
{
	const u32 descriptor = sizeof(struct hvm_save_descriptor);

	return descriptor + (u32)HVM_SAVE_LENGTH(HEADER) +
	       d->vcpu_count * (2 * descriptor + (u32)HVM_SAVE_LENGTH(CPU) + (u32)HVM_SAVE_LENGTH(MTRR)) + descriptor;
}

/* --- segments: the records have the packed form of attributes (12 bits), as the VMCB --- */

static u32 rights_out(u16 attributes)
{
	return attributes & 0xfffu;
}
static u16 rights_in(u32 rights)
{
	return (u16)(rights & 0xfffu);
}

#define SEGMENTS(X) X(cs, SEG_CS) X(ds, SEG_DS) X(es, SEG_ES) X(fs, SEG_FS) X(gs, SEG_GS) X(ss, SEG_SS) \
		    X(tr, SEG_TR) X(ldtr, SEG_LDTR)
#define REGISTERS(X) X(rax, GPR_RAX) X(rbx, GPR_RBX) X(rcx, GPR_RCX) X(rdx, GPR_RDX) X(rbp, GPR_RBP) \
		     X(rsi, GPR_RSI) X(rdi, GPR_RDI) X(rsp, GPR_RSP) X(r8, GPR_R8) X(r9, GPR_R9)     \
		     X(r10, GPR_R10) X(r11, GPR_R11) X(r12, GPR_R12) X(r13, GPR_R13)                \
		     X(r14, GPR_R14) X(r15, GPR_R15)

static void cpu_out(struct vcpu *v, struct hvm_hw_cpu *c)
{
	struct hvm_cpu_state s;

	hvm->get_state(v, &s);
#define OUT(name, index) c->name = s.gpr[index];
	REGISTERS(OUT)
#undef OUT
#define OUT(name, index)                                                                                        \
	c->name##_sel = s.seg[index].selector;                                                                  \
	c->name##_limit = s.seg[index].limit;                                                                   \
	c->name##_base = s.seg[index].base;                                                                     \
	c->name##_arbytes = rights_out(s.seg[index].attributes);
	SEGMENTS(OUT)
#undef OUT
	c->idtr_base = s.seg[SEG_IDTR].base;
	c->idtr_limit = s.seg[SEG_IDTR].limit;
	c->gdtr_base = s.seg[SEG_GDTR].base;
	c->gdtr_limit = s.seg[SEG_GDTR].limit;
	c->rip = s.rip;
	c->rflags = s.rflags;
	c->cr0 = s.cr0;
	c->cr2 = s.cr2;
	c->cr3 = s.cr3;
	c->cr4 = s.cr4;
	c->msr_efer = s.efer;
	c->dr6 = s.dr6;
	c->dr7 = s.dr7;
	c->sysenter_cs = s.sysenter_cs;
	c->sysenter_esp = s.sysenter_esp;
	c->sysenter_eip = s.sysenter_eip;
	c->shadow_gs = s.kernel_gs_base;
	c->msr_star = s.star;
	c->msr_lstar = s.lstar;
	c->msr_cstar = s.cstar;
	c->msr_syscall_mask = s.sfmask;
	c->msr_tsc_aux = s.tsc_aux;
	c->tsc = cpuid_host_tsc() + hvm_tsc_offset(v);
}

/* What the CPU itself refuses at entry (APM 2 15.5.1), and modes that would confuse translation. */
static bool is_cpu_sane(const struct hvm_hw_cpu *c)
{
	bool is_paging = c->cr0 & CR0_PG, is_long = c->msr_efer & EFER_LMA;

	if (c->cr0 >> 32 || c->cr4 >> 32 || c->dr6 >> 32 || c->dr7 >> 32) {
		return false;
	}
	if ((is_paging && !(c->cr0 & CR0_PE)) || ((c->cr0 & CR0_NW) && !(c->cr0 & CR0_CD))) {
		return false;
	}
	if (is_long != (is_paging && (c->msr_efer & EFER_LME)) || (is_long && !(c->cr4 & CR4_PAE))) {
		return false;
	}
	return !(c->msr_efer & ~(u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR));
}

static int cpu_in(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	struct hvm_cpu_state s;

	if (!is_cpu_sane(c)) {
		return -EINVAL;
	}
	arch_vcpu_reset(v);
	hvm->get_state(v, &s);
#define IN(name, index) s.gpr[index] = c->name;
	REGISTERS(IN)
#undef IN
#define IN(name, index)                                                                                         \
	s.seg[index] = (struct hvm_segment){                                                                    \
		.selector = (u16)c->name##_sel,                                                                 \
		.limit = c->name##_limit,                                                                       \
		.base = c->name##_base,                                                                         \
		.attributes = rights_in(c->name##_arbytes),                                                     \
	};
	SEGMENTS(IN)
#undef IN
	s.seg[SEG_IDTR].base = c->idtr_base;
	s.seg[SEG_IDTR].limit = c->idtr_limit;
	s.seg[SEG_GDTR].base = c->gdtr_base;
	s.seg[SEG_GDTR].limit = c->gdtr_limit;
	s.rip = c->rip;
	s.rflags = c->rflags | RFLAGS_ALWAYS;
	s.cr0 = c->cr0 | CR0_ET;
	s.cr2 = c->cr2;
	s.cr3 = c->cr3;
	s.cr4 = c->cr4;
	s.efer = c->msr_efer;
	s.dr6 = c->dr6;
	s.dr7 = c->dr7;
	s.sysenter_cs = c->sysenter_cs;
	s.sysenter_esp = c->sysenter_esp;
	s.sysenter_eip = c->sysenter_eip;
	s.kernel_gs_base = c->shadow_gs;
	s.star = c->msr_star;
	s.lstar = c->msr_lstar;
	s.cstar = c->msr_cstar;
	s.sfmask = c->msr_syscall_mask;
	s.tsc_aux = c->msr_tsc_aux;
	hvm->set_state(v, &s);
	store_release(&v->is_initialised, true);
	vcpu_up(v); /* it runs when nobody pauses it */
	return 0;
}

static void mtrr_out(struct vcpu *v, struct hvm_hw_mtrr *m)
{
	const struct mtrr_state *s = &v->arch->mtrr;

	m->msr_pat_cr = hvm->get_control(v, HVM_PAT);
	memcpy(m->msr_mtrr_fixed, s->fixed, sizeof(m->msr_mtrr_fixed));
	memcpy(m->msr_mtrr_var, s->variable, sizeof(m->msr_mtrr_var));
	m->msr_mtrr_cap = MTRR_CAP;
	m->msr_mtrr_def_type = s->def_type;
}

static int mtrr_in(struct vcpu *v, const struct hvm_hw_mtrr *m)
{
	struct mtrr_state s = {.def_type = m->msr_mtrr_def_type};

	memcpy(s.fixed, m->msr_mtrr_fixed, sizeof(s.fixed));
	memcpy(s.variable, m->msr_mtrr_var, sizeof(s.variable));
	if (!mtrr_is_good(&s) || !pat_is_good(m->msr_pat_cr)) {
		return -EINVAL;
	}
	v->arch->mtrr = s;
	hvm->set_control(v, HVM_PAT, m->msr_pat_cr);
	return 0;
}

int hvm_save(struct domain *d, u8 *to, u32 size_bytes, u32 *written)
{
	struct writer w = {.to = to, .size_bytes = size_bytes};
	struct hvm_save_header *header;
	struct hvm_hw_cpu *cpu;
	struct hvm_hw_mtrr *mtrr;
	struct cpuid_regs id;
	struct vcpu *v;

	id = cpuid_host(1, 0);
	header = put_record(&w, HVM_SAVE_CODE(HEADER), 0, sizeof(*header));
	if (header) {
		*header = (struct hvm_save_header){
			.magic = HVM_FILE_MAGIC,
			.version = HVM_FILE_VERSION,
			.cpuid = id.a,
			.gtsc_khz = (u32)clock_tsc_khz,
		};
	}
	for_each_vcpu(v, d) {
		/* One that is down has no state to keep. */
		cpu = load_relaxed(&v->is_up) ? put_record(&w, HVM_SAVE_CODE(CPU), v->id.v, sizeof(*cpu)) : NULL;
		if (cpu) {
			cpu_out(v, cpu);
		}
	}
	for_each_vcpu(v, d) {
		mtrr = put_record(&w, HVM_SAVE_CODE(MTRR), v->id.v, sizeof(*mtrr));
		if (mtrr) {
			mtrr_out(v, mtrr);
		}
	}
	(void)put_record(&w, 0, 0, 0);
	*written = w.position;
	return w.is_full ? -ENOSPC : 0;
}

static int load_record(struct domain *d, const struct hvm_save_descriptor *r, const void *data)
{
	struct vcpu *v = r->instance < d->vcpu_count
				 ? d->vcpus[index_clamp(r->instance, d->vcpu_count)] : NULL;

	if (!v) {
		return -EINVAL;
	}
	switch (r->typecode) {
	case HVM_SAVE_CODE(CPU):
		return r->length == HVM_SAVE_LENGTH(CPU) ? cpu_in(v, data) : -EINVAL;
	case HVM_SAVE_CODE(MTRR):
		return r->length == HVM_SAVE_LENGTH(MTRR) ? mtrr_in(v, data) : -EINVAL;
	default:
		return -EINVAL; /* of a machine with more devices than this one has */
	}
}

static int load_header(const u8 *from, u32 size_bytes, u32 *position)
{
	struct hvm_save_descriptor r;
	struct hvm_save_header header;

	if (size_bytes < sizeof(r) + sizeof(header)) {
		return -EINVAL;
	}
	memcpy(&r, from, sizeof(r));
	memcpy(&header, from + sizeof(r), sizeof(header));
	if (r.typecode != HVM_SAVE_CODE(HEADER) || r.length != sizeof(header) ||
	    header.magic != HVM_FILE_MAGIC || header.version != HVM_FILE_VERSION) {
		return -EINVAL;
	}
	*position = sizeof(r) + sizeof(header);
	return 0;
}

int hvm_load(struct domain *d, const u8 *from, u32 size_bytes)
{
	struct hvm_save_descriptor r;
	struct vcpu *v;
	u32 position;
	int rc = load_header(from, size_bytes, &position);

	if (rc) {
		return rc;
	}
	for_each_vcpu(v, d) {
		vcpu_down(v);
	}
	for (;;) {
		if (size_bytes - position < sizeof(r)) {
			return -EINVAL; /* no end record */
		}
		memcpy(&r, from + position, sizeof(r));
		position += sizeof(r);
		if (r.typecode == 0) {
			return 0;
		}
		/* All records are whole words, so each begins at one. */
		if (r.length % 8 || r.length > size_bytes - position) {
			return -EINVAL;
		}
		rc = load_record(d, &r, from + position);
		if (rc) {
			return rc;
		}
		position += r.length;
	}
}
