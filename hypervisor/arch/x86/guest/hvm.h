/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual x86 CPU, vendor-neutral: what exit handlers, interrupt controllers and the
 * toolstack use. SVM (later VMX) is behind struct hvm_backend, one const table chosen at start.
 */
#pragma once

#include "arch/contract/guest.h"
#include "domain/vcpu.h"
#include "hv/types.h"

/* In the order of the instruction encoding: rax rcx rdx rbx rsp rbp rsi rdi r8..r15. */
enum hvm_gpr { GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI,
	       GPR_R8, GPR_R9, GPR_R10, GPR_R11, GPR_R12, GPR_R13, GPR_R14, GPR_R15, GPR_COUNT };

struct hvm_segment {
	u16 selector;
	u16 attributes; /* VMCB form: descriptor bits 40-47 and 52-55 packed, APM 2 15.5 */
	u32 limit;
	u64 base;
};
#define HVM_SEGMENT_PRESENT  0x080u
#define HVM_SEGMENT_LONG     0x200u
#define HVM_SEGMENT_BIG	     0x400u
#define HVM_SEGMENT_GRANULAR 0x800u
enum hvm_segment_index { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_GDTR, SEG_LDTR, SEG_IDTR, SEG_TR, SEG_COUNT };

/* Everything that start, INIT/SIPI, VCPUOP_initialise and get/sethvmcontext exchange. */
struct hvm_cpu_state {
	u64 gpr[GPR_COUNT];
	u64 rip, rflags;
	u64 cr0, cr2, cr3, cr4, efer;
	u64 dr6, dr7;
	struct hvm_segment seg[SEG_COUNT];
	u64 star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 pat, tsc_aux;
};

enum hvm_event_type { HVM_EVENT_INTR = 0, HVM_EVENT_NMI = 2, HVM_EVENT_EXCEPTION = 3, HVM_EVENT_SOFT_INT = 4 };

enum hvm_control { HVM_CR0, HVM_CR2, HVM_CR3, HVM_CR4, HVM_EFER, HVM_PAT, HVM_FS_BASE, HVM_GS_BASE, HVM_DEBUGCTL,
		   HVM_SYSENTER_CS };

/* What decides how linear addresses are translated. */
struct hvm_paging {
	u64 cr0, cr3, cr4, efer;
	u8 cpl;
};

struct hvm_backend {
	const char *name;
	/* Looks at this CPU; false: not able (reason logged). Then memory for cpu, false: none. */
	bool (*setup)(void);
	bool (*cpu_prepare)(cpu_t cpu);
	bool (*cpu_enable)(void); /* this physical CPU, any context; false: it cannot */
	void (*cpu_disable)(void);
	int (*vcpu_init)(struct vcpu *v);
	void (*vcpu_fini)(struct vcpu *v);
	void (*get_state)(struct vcpu *v, struct hvm_cpu_state *out);
	void (*set_state)(struct vcpu *v, const struct hvm_cpu_state *state);
	void (*run)(struct vcpu *v);
	void (*load)(struct vcpu *v);
	void (*save)(struct vcpu *v);
	void (*inject)(struct vcpu *v, enum hvm_event_type type, u8 vector, bool has_error, u32 error);
	void (*flush_nested)(struct domain *d);	/* all CPUs that run or ran it; synchronous */
	void (*tsc_offset_set)(struct vcpu *v, u64 offset);
	/* Parts of the state, for v current or not running. */
	void (*get_segment)(struct vcpu *v, enum hvm_segment_index index, struct hvm_segment *out);
	u64 (*get_control)(struct vcpu *v, enum hvm_control which);
	void (*set_control)(struct vcpu *v, enum hvm_control which, u64 value);
	u8 (*get_cpl)(struct vcpu *v);
	void (*get_paging)(struct vcpu *v, struct hvm_paging *out);
	/* The instruction was done by software: rip moves, the interrupt shadow ends. */
	void (*end_shadow)(struct vcpu *v);
	void (*single_stepped)(struct vcpu *v); /* #DB after an instruction with TF set */
	void (*ports_changed)(struct domain *d); /* its I/O bitmap was written */
};
extern const struct hvm_backend *hvm; /* RO_AFTER_INIT */
extern const struct hvm_backend svm_backend;

u64 hvm_gpr(const struct vcpu *v, enum hvm_gpr r);
void hvm_gpr_set(struct vcpu *v, enum hvm_gpr r, u64 value);
void hvm_inject_exception(struct vcpu *v, u8 vector, bool has_error, u32 error);
void hvm_inject_gp0(struct vcpu *v);
void hvm_skip_instruction(struct vcpu *v, unsigned int length);
void hvm_crash_guest(struct vcpu *v, const char *why); /* triple fault: domain shutdown with crash */

/* HVMOP_set_evtchn_upcall_vector: -EINVAL below 16. */
int hvm_upcall_vector_set(struct vcpu *v, u8 vector) MUST_CHECK;
/* The guest's TSC is the machine's plus this (pvclock). */
u64 hvm_tsc_offset(const struct vcpu *v);
/* CPL and mode of the current vCPU, for hypercalls and translation. */
bool hvm_is_64bit(struct vcpu *v);

/* HVM parameters (<xen/hvm/params.h>), the callback vector among them. */
int hvm_param_get(struct domain *d, u32 index, u64 *value) MUST_CHECK;
int hvm_param_set(struct domain *d, u32 index, u64 value) MUST_CHECK;
