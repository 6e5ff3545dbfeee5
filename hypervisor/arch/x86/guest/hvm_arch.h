/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What arch/x86/guest keeps for a domain and for a vCPU. Private to this folder.
 */
#pragma once

#include <stdint.h>
#include <xen/hvm/params.h>
#include <xen/xen.h>

#include "arch/x86/guest/guest_walk.h"
#include "arch/x86/guest/hvm.h"
#include "asm/cpufeature.h"
#include "core/timer.h"
#include "hv/addr.h"
#include "hv/types.h"
#include "lib/bitmap.h"

struct vmcb;
struct trap_range;
struct vlapic;
struct cpu_policy;

#define TRAP_MEMORY_MAX	    64
#define TRAP_PORTS_MAX	    32
#define IOPM_SIZE_BYTES	    0x3000 /* 65,536 ports and 3 bits, APM 2 15.10.1 */
#define IOPM_ORDER	    2
#define MTRR_VARIABLE_COUNT 8

struct arch_domain {
	u64 serial;			    /* no other domain had or will have it */
	u8 *iopm;				    /* 2^IOPM_ORDER pages; a set bit exits */
	struct trap_range *ports[TRAP_PORTS_MAX];   /* RCU */
	struct trap_range *memory[TRAP_MEMORY_MAX]; /* RCU */
	u32 ports_used, memory_used;		    /* slots that ever had something */
	u64 params[HVM_NR_PARAMS];
	u8 callback_vector;	   /* of all vCPUs; 0: none */
	struct cpu_policy *policy; /* the tools' choice; NULL: all that guests may have */
};

/* What an interrupted delivery left to be delivered again; event injection in general. */
struct hvm_event {
	bool is_valid;
	u8 type; /* enum hvm_event_type */
	u8 vector;
	bool has_error;
	u32 error;
};

/* INIT and SIPI, APM 2 14.1.5, SDM 3 8.4. */
enum hvm_startup { HVM_STARTUP_NONE, HVM_STARTUP_INIT_WANTED, HVM_STARTUP_WAIT_SIPI };

/* One of the last exits, for the report of a crash. */
struct hvm_exit {
	u64 rip;
	u32 code; /* the vendor's */
	u32 cpu;
};

struct mtrr_state {
	u64 def_type;
	u64 fixed[11];
	u64 variable[2 * MTRR_VARIABLE_COUNT];
};

struct arch_vcpu {
	/* svm_entry.S knows the offset of gpr: keep it first */
	u64 gpr[GPR_COUNT];
	bool is_64bit;	 /* long mode and a 64-bit code segment, as of the last exit */
	u64 rip, rflags; /* valid while its exit is handled, and while it does not run */

	struct vmcb *vmcb;
	hpa_t vmcb_address;

	u8 in_guest;	  /* set before the last look at pending work, cleared after the exit */
	u8 event_pending; /* evtchn_upcall_pending went 0 to 1 */
	u8 nmi_pending;
	bool nmi_masked; /* an NMI was injected, its IRET not seen yet */
	u8 startup;	 /* enum hvm_startup, atomic */

	s16 sipi_vector; /* -1: none */
	bool is_loaded;	 /* its FPU and MSRs are on the CPU */
	cpu_t fpu_cpu;	 /* where its FPU registers were last */

	struct hvm_event held; /* to be delivered again */
	bool is_offered;       /* this entry's interrupt is a virtual one (svm.c) */
	struct hvm_event next; /* injected by a handler, goes out at the next entry */

	u64 asid_generation; /* of the CPU that it ran on; 0: needs a new one */
	cpu_t asid_cpu;
	u32 asid;

	u8 upcall_vector; /* HVMOP_set_evtchn_upcall_vector; 0: none */

	struct vlapic *vlapic;

	void *xsave; /* 2^xsave_order pages */
	u64 xcr0;
	u64 tsc_offset;
	u64 tsc_aux;
	u64 tsc_adjust;
	u64 spec_ctrl; /* in the CPU only while it runs the guest */
	u64 dr[4];
	bool is_dr_live; /* dr0-3 are in the CPU, accesses do not exit */
	struct mtrr_state mtrr;
	u64 refused_rip; /* where VMRUN was refused last */
	struct guest_walk walks[GUEST_WALKS];
	u32 walk_oldest; /* counts on; which one is replaced next */
	struct hvm_exit exits[8];
	u32 exit_count; /* the last one is exits[exit_count - 1], in a circle */
};

/* --- hvm.c --- */
extern u64 hvm_xcr0_mask; /* RO_AFTER_INIT; 0: no XSAVE */
void hvm_fpu_load(struct vcpu *v);
void hvm_fpu_save(struct vcpu *v);
/* INIT seen by the vCPU itself at its next entry. True: it is not to be entered. */
bool hvm_handle_startup(struct vcpu *v);
void hvm_send_init(struct vcpu *v);
void hvm_send_sipi(struct vcpu *v, u8 page);
void hvm_post_nmi(struct vcpu *v);
/* The guest's mode as its code segment says: 2, 4 or 8 bytes. */
unsigned int hvm_code_bytes(struct vcpu *v);
/* Linear address of segment:offset, in the vCPU's mode. */
u64 hvm_linear(struct vcpu *v, enum hvm_segment_index seg, u64 offset);

/* --- trap.c --- */
void trap_free_all(struct domain *d);

/* --- cpuid_policy.c --- */
void cpuid_guest(struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_regs *out);
/* What a guest gets unless its tools take something away; nothing of a vCPU's state in it. */
void cpuid_guest_default(u32 leaf, u32 subleaf, struct cpuid_regs *out);
/* The components of XCR0 that the domain may switch on. */
u64 cpuid_guest_xcr0(const struct domain *d);

#define MSR_XEN_HYPERCALL 0x40000000u /* <xen/arch-x86/cpuid.h> lets us choose it */

/* --- msr_policy.c --- 0, or -EFAULT: the guest gets #GP */
int msr_guest_read(struct vcpu *v, u32 index, u64 *value) MUST_CHECK;
int msr_guest_write(struct vcpu *v, u32 index, u64 value) MUST_CHECK;
void mtrr_reset(struct mtrr_state *mtrr);
/* Only types of memory that there are (SDM 3 11.11, 11.12). */
bool mtrr_is_good(const struct mtrr_state *mtrr);
bool pat_is_good(u64 pat);

/* --- exit.c --- what an exit means, without the vendor's encoding --- */
void exit_cpuid(struct vcpu *v);
void exit_msr(struct vcpu *v, bool is_write);
void exit_hlt(struct vcpu *v);
void exit_hypercall(struct vcpu *v);
void exit_xsetbv(struct vcpu *v);
void exit_wbinvd(struct vcpu *v);
void exit_cr8_write(struct vcpu *v);
struct exit_io {
	u16 port;
	u8 size_bytes;
	bool is_in, is_string, is_rep;
};
void exit_io(struct vcpu *v, const struct exit_io *io);
void exit_port_access(struct vcpu *v, u16 port, unsigned int size_bytes, bool is_in, u64 *value);
void exit_nested_fault(struct vcpu *v, gpa_t address, bool is_write, bool is_present, bool is_fetch,
		       bool is_table_walk);

/* --- emulate.c --- */
/* The instruction at RIP touches memory that is emulated. 0 done, -EFAULT injected, -EOPNOTSUPP. */
int emulate_memory(struct vcpu *v, gpa_t address, bool is_write) MUST_CHECK;
int emulate_string_io(struct vcpu *v, const struct exit_io *io) MUST_CHECK;
int emulate_cr0_write(struct vcpu *v) MUST_CHECK;
/* As an instruction of that size writes it: 4 bytes clear the upper half, 1 and 2 leave the rest.
 */
void emulate_register_write(struct vcpu *v, u8 reg, unsigned int bytes, u64 value);

/* --- vlapic.c, private half --- */
int vlapic_create(struct vcpu *v) MUST_CHECK;
void vlapic_destroy(struct vcpu *v);
void vlapic_reset(struct vcpu *v);
int vlapic_msr_read(struct vcpu *v, u32 index, u64 *value) MUST_CHECK;
int vlapic_msr_write(struct vcpu *v, u32 index, u64 value) MUST_CHECK;
u64 vlapic_base(const struct vcpu *v);
int vlapic_base_set(struct vcpu *v, u64 value) MUST_CHECK;
u8 vlapic_tpr(const struct vcpu *v);
void vlapic_tpr_set(struct vcpu *v, u8 tpr);
bool vlapic_is_enabled(const struct vcpu *v);
void vlapic_timer_migrate(struct vcpu *v, cpu_t cpu);
int vlapic_mmio_setup(struct domain *d) MUST_CHECK;
