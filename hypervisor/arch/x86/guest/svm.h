/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD SVM (APM 2 chapter 15): what svm*.c share. Everything else sees struct hvm_backend.
 */
#pragma once

#include "arch/x86/guest/hvm_arch.h"
#include "arch/x86/guest/vmcb.h"

struct svm_features {
	bool has_nrips;	    /* next RIP is saved, CPUID 0x8000000a edx bit 3 */
	bool injects_twice; /* EVENTINJ's interrupts: see is_emulator_injecting_twice() */
	u32 asid_count;
	u64 msrpm_address; /* one for all: nothing in it differs between guests */
};
extern struct svm_features svm_features; /* RO_AFTER_INIT */

void svm_enter(u64 vmcb, u64 *gpr, u64 host_vmcb);

/* svm_vmcb.c */
int svm_msrpm_create(void) MUST_CHECK;
int svm_vcpu_init(struct vcpu *v) MUST_CHECK;
void svm_vcpu_fini(struct vcpu *v);
void svm_get_state(struct vcpu *v, struct hvm_cpu_state *out);
void svm_set_state(struct vcpu *v, const struct hvm_cpu_state *state);
void svm_get_segment(struct vcpu *v, enum hvm_segment_index index, struct hvm_segment *out);
u64 svm_get_control(struct vcpu *v, enum hvm_control which);
void svm_set_control(struct vcpu *v, enum hvm_control which, u64 value);
u8 svm_get_cpl(struct vcpu *v);
void svm_get_paging(struct vcpu *v, struct hvm_paging *out);
/* After efer or CS changed: what struct arch_vcpu keeps of them. */
void svm_note_mode(struct arch_vcpu *a);
void svm_debug_registers_give(struct vcpu *v);
void svm_debug_registers_take(struct vcpu *v);

/* svm_exit.c */
void svm_handle_exit(struct vcpu *v);
