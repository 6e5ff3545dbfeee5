/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <xen/xen.h>

#include "hypercall/hypercall.h"
#include "memory/guest_access.h"

/* arg: list, count. The list is worked off from its front, so that a restart begins where it stopped. */
long op_multicall(struct hypercall *call)
{
	struct multicall_entry entry;
	struct hypercall inner;
	guest_ptr_t at;
	long rc;

	if (call->is_in_multicall) {
		return -EINVAL;
	}
	call->arg[1] = (u32)call->arg[1];
	while (call->arg[1]) {
		at = call_ptr(call, 0);
		if (guest_read(&entry, at, sizeof(entry))) {
			return -EFAULT;
		}
		inner = (struct hypercall){.caller = call->caller, .number = (unsigned int)entry.op, .is_in_multicall = true};
		inner.is_32bit = call->is_32bit;
		if (entry.op != inner.number) {
			inner.number = ~0u;
		}
		for (unsigned int i = 0; i < 6; i++) {
			inner.arg[i] = entry.args[i];
		}
		rc = hypercall_dispatch(&inner);
		if (rc == HYPERCALL_RESTART) {
			for (unsigned int i = 0; i < 6; i++) {
				entry.args[i] = inner.arg[i];
			}
			return guest_write(at, &entry, sizeof(entry)) ? -EFAULT : HYPERCALL_RESTART;
		}
		entry.result = (xen_ulong_t)rc;
		if (guest_write(guest_ptr_add(at, offsetof(struct multicall_entry, result)), &entry.result,
				sizeof(entry.result))) {
			return -EFAULT;
		}
		call->arg[0] += sizeof(entry);
		call->arg[1]--;
		if (call->arg[1] && hypercall_should_yield()) {
			return HYPERCALL_RESTART;
		}
	}
	return 0;
}
