/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual machine control block of AMD SVM: APM 2 appendix B, and the codes of
 * appendix C. One page, read and written by VMRUN, VMSAVE, VMLOAD and #VMEXIT.
 */
#pragma once

#include "arch/x86/guest/hvm.h"
#include "hv/compiler.h"
#include "hv/types.h"

struct vmcb {
	u16 intercept_cr_read, intercept_cr_write;
	u16 intercept_dr_read, intercept_dr_write;
	u32 intercept_exceptions;
	u32 intercept1, intercept2, intercept3;
	u8 reserved_018[0x03c - 0x018];
	u16 pause_filter_threshold, pause_filter_count;
	u64 iopm_base, msrpm_base;
	u64 tsc_offset;
	u32 asid;
	u8 tlb_control;
	u8 reserved_05d[3];
	u64 vintr;
	u64 interrupt_shadow;
	u64 exit_code, exit_info1, exit_info2;
	u64 exit_int_info;
	u64 nested_control;
	u8 reserved_098[0x0a8 - 0x098];
	u64 event_inject;
	u64 nested_cr3;
	u64 lbr_control;
	u32 clean_bits, reserved_0c4;
	u64 next_rip;
	u8 fetched_count;
	u8 fetched_bytes[15];
	u8 reserved_0e0[0x400 - 0x0e0];

	struct hvm_segment segment[SEG_COUNT];
	u8 reserved_4a0[0x4cb - 0x4a0];
	u8 cpl;
	u8 reserved_4cc[4];
	u64 efer;
	u8 reserved_4d8[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6;
	u64 rflags, rip;
	u8 reserved_580[0x5d8 - 0x580];
	u64 rsp;
	u64 s_cet, ssp, isst_address;
	u64 rax;
	u64 star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 cr2;
	u8 reserved_648[0x668 - 0x648];
	u64 pat;
	u64 debugctl;
	u8 reserved_678[0x1000 - 0x678];
} PACKED ALIGNED(8);
_Static_assert(sizeof(struct vmcb) == 4096, "one page");
_Static_assert(__builtin_offsetof(struct vmcb, pause_filter_threshold) == 0x03c, "APM 2 table B-1");
_Static_assert(__builtin_offsetof(struct vmcb, iopm_base) == 0x040, "APM 2 table B-1");
_Static_assert(__builtin_offsetof(struct vmcb, vintr) == 0x060, "APM 2 table B-1");
_Static_assert(__builtin_offsetof(struct vmcb, exit_code) == 0x070, "APM 2 table B-1");
_Static_assert(__builtin_offsetof(struct vmcb, nested_control) == 0x090, "APM 2 table B-1");
_Static_assert(__builtin_offsetof(struct vmcb, event_inject) == 0x0a8, "APM 2 table B-1");
_Static_assert(__builtin_offsetof(struct vmcb, next_rip) == 0x0c8, "APM 2 table B-1");
_Static_assert(__builtin_offsetof(struct vmcb, segment) == 0x400, "APM 2 table B-2");
_Static_assert(__builtin_offsetof(struct vmcb, cpl) == 0x4cb, "APM 2 table B-2");
_Static_assert(__builtin_offsetof(struct vmcb, efer) == 0x4d0, "APM 2 table B-2");
_Static_assert(__builtin_offsetof(struct vmcb, cr4) == 0x548, "APM 2 table B-2");
_Static_assert(__builtin_offsetof(struct vmcb, rsp) == 0x5d8, "APM 2 table B-2");
_Static_assert(__builtin_offsetof(struct vmcb, rax) == 0x5f8, "APM 2 table B-2");
_Static_assert(__builtin_offsetof(struct vmcb, cr2) == 0x640, "APM 2 table B-2");
_Static_assert(__builtin_offsetof(struct vmcb, pat) == 0x668, "APM 2 table B-2");

/* intercept1 */
#define VMCB_INTERCEPT_INTR	(1u << 0)
#define VMCB_INTERCEPT_NMI	(1u << 1)
#define VMCB_INTERCEPT_SMI	(1u << 2)
#define VMCB_INTERCEPT_INIT	(1u << 3)
#define VMCB_INTERCEPT_VINTR	(1u << 4)
#define VMCB_INTERCEPT_CR0_SEL	(1u << 5)
#define VMCB_INTERCEPT_RDPMC	(1u << 15)
#define VMCB_INTERCEPT_CPUID	(1u << 18)
#define VMCB_INTERCEPT_IRET	(1u << 20)
#define VMCB_INTERCEPT_INVD	(1u << 22)
#define VMCB_INTERCEPT_HLT	(1u << 24)
#define VMCB_INTERCEPT_INVLPGA	(1u << 26)
#define VMCB_INTERCEPT_IOIO	(1u << 27)
#define VMCB_INTERCEPT_MSR	(1u << 28)
#define VMCB_INTERCEPT_TASK	(1u << 29)
#define VMCB_INTERCEPT_FERR	(1u << 30)
#define VMCB_INTERCEPT_SHUTDOWN (1u << 31)
/* intercept2 */
#define VMCB_INTERCEPT_VMRUN	   (1u << 0)
#define VMCB_INTERCEPT_VMMCALL	   (1u << 1)
#define VMCB_INTERCEPT_VMLOAD	   (1u << 2)
#define VMCB_INTERCEPT_VMSAVE	   (1u << 3)
#define VMCB_INTERCEPT_STGI	   (1u << 4)
#define VMCB_INTERCEPT_CLGI	   (1u << 5)
#define VMCB_INTERCEPT_SKINIT	   (1u << 6)
#define VMCB_INTERCEPT_WBINVD	   (1u << 9)
#define VMCB_INTERCEPT_MONITOR	   (1u << 10)
#define VMCB_INTERCEPT_MWAIT	   (1u << 11)
#define VMCB_INTERCEPT_MWAIT_ARMED (1u << 12)
#define VMCB_INTERCEPT_XSETBV	   (1u << 13)
#define VMCB_INTERCEPT_RDPRU	   (1u << 14)

#define VMCB_TLB_NOTHING 0
#define VMCB_TLB_ALL	 1 /* every ASID */

#define VMCB_VINTR_IRQ		(1ull << 8)
#define VMCB_VINTR_PRIO_MAX	(0xfull << 16)
#define VMCB_VINTR_IGNORE_TPR	(1ull << 20)
#define VMCB_VINTR_MASKING	(1ull << 24)
#define VMCB_VINTR_TPR_MASK	0xfull
#define VMCB_VINTR_VECTOR_SHIFT 32
#define VMCB_VINTR_VECTOR_MASK	(0xffull << VMCB_VINTR_VECTOR_SHIFT)

#define VMCB_EVENT_VALID     (1ull << 31)
#define VMCB_EVENT_HAS_ERROR (1ull << 11)

enum vmcb_exit {
	VMEXIT_CR8_WRITE = 0x18,
	VMEXIT_DR_READ_FIRST = 0x20,
	VMEXIT_DR_WRITE_LAST = 0x3f,
	VMEXIT_EXCEPTION_FIRST = 0x40,
	VMEXIT_EXCEPTION_LAST = 0x5f,
	VMEXIT_INTR = 0x60,
	VMEXIT_NMI = 0x61,
	VMEXIT_SMI = 0x62,
	VMEXIT_INIT = 0x63,
	VMEXIT_VINTR = 0x64,
	VMEXIT_CR0_SEL = 0x65,
	VMEXIT_RDPMC = 0x6f,
	VMEXIT_CPUID = 0x72,
	VMEXIT_IRET = 0x74,
	VMEXIT_INVD = 0x76,
	VMEXIT_HLT = 0x78,
	VMEXIT_INVLPGA = 0x7a,
	VMEXIT_IOIO = 0x7b,
	VMEXIT_MSR = 0x7c,
	VMEXIT_TASK = 0x7d,
	VMEXIT_FERR = 0x7e,
	VMEXIT_SHUTDOWN = 0x7f,
	VMEXIT_VMRUN = 0x80,
	VMEXIT_VMMCALL = 0x81,
	VMEXIT_SKINIT = 0x86,
	VMEXIT_WBINVD = 0x89,
	VMEXIT_MONITOR = 0x8a,
	VMEXIT_MWAIT = 0x8b,
	VMEXIT_MWAIT_ARMED = 0x8c,
	VMEXIT_XSETBV = 0x8d,
	VMEXIT_RDPRU = 0x8e,
	VMEXIT_NPF = 0x400,
};
#define VMEXIT_INVALID_LOW 0xffffffffu /* QEMU gives only the low half */

/* exit_info1 of VMEXIT_IOIO, APM 2 15.10.2 */
#define VMCB_IOIO_IN	     (1u << 0)
#define VMCB_IOIO_STRING     (1u << 2)
#define VMCB_IOIO_REP	     (1u << 3)
#define VMCB_IOIO_SIZE_SHIFT 4
#define VMCB_IOIO_PORT_SHIFT 16

/* exit_info1 of VMEXIT_NPF, APM 2 15.25.6: page-fault error code, and where it happened */
#define VMCB_NPF_PRESENT     (1ull << 0)
#define VMCB_NPF_WRITE	     (1ull << 1)
#define VMCB_NPF_FETCH	     (1ull << 4)
#define VMCB_NPF_FINAL	     (1ull << 32)
#define VMCB_NPF_GUEST_TABLE (1ull << 33)
