/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Number to handler, and the restart of long calls.
 *
 * A handler copies its arguments in once, checks them all, then acts. Long work: do a
 * bounded piece, write progress into call->arg[] (or the guest's own struct), and
 * return HYPERCALL_RESTART: the guest issues the same instruction again with those registers,
 * after softirqs and other vCPUs had their turn. hypercall_should_yield() says when.
 */
#pragma once

#include "domain/vcpu.h"
#include "hv/addr.h"
#include "hv/error.h"
#include "hv/types.h"

struct hypercall {
	struct vcpu *caller;
	unsigned int number;
	u64 arg[6];	 /* rdi rsi rdx r10 r8 r9 */
	bool is_in_multicall;
	bool is_32bit; /* the caller's mode, where the layout of an argument depends on it */
};

#define HYPERCALL_RESTART (-0x7fffffffl) /* never seen by a guest */

/* The guest's return value, or HYPERCALL_RESTART. */
long hypercall_dispatch(struct hypercall *call);
bool hypercall_should_yield(void);

/* For XENVER_commandline; set at start. */
extern const char *hypervisor_command_line;
/* The guest's pointer that arg or a handle of a public struct holds. */
#define call_ptr(call, i) guest_ptr_of((call)->arg[i])
#define handle_ptr(handle) guest_ptr_of((u64)(unsigned long)(handle).p)

long op_memory(struct hypercall *call);
long op_event_channel(struct hypercall *call);
long op_grant_table(struct hypercall *call);
long op_vcpu(struct hypercall *call);
long op_sched(struct hypercall *call);
long op_set_timer(struct hypercall *call);
long op_hvm(struct hypercall *call);
long op_dm(struct hypercall *call);
long op_domctl(struct hypercall *call);
long op_sysctl(struct hypercall *call);
long op_physdev(struct hypercall *call);
long op_platform(struct hypercall *call);
long op_xen_version(struct hypercall *call);
long op_console_io(struct hypercall *call);
long op_loader(struct hypercall *call);
long op_multicall(struct hypercall *call);
long op_vm_assist(struct hypercall *call);
