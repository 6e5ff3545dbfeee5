/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console_io: dom0's hvc0 is the machine's console.
 */
#include <stdint.h>
#include <xen/xen.h>

#include "core/console.h"
#include "hypercall/hypercall.h"
#include "memory/guest_access.h"
#include "policy/policy.h"

#define PIECE 128u

static long do_write(struct hypercall *call)
{
	char piece[PIECE];
	size_t n;

	call->arg[1] = (u32)call->arg[1];
	while (call->arg[1]) {
		n = MIN(call->arg[1], sizeof(piece));
		if (guest_read(piece, call_ptr(call, 2), n)) {
			return -EFAULT;
		}
		console_write_guest(piece, n);
		call->arg[1] -= n;
		call->arg[2] += n;
		if (call->arg[1] && hypercall_should_yield()) {
			return HYPERCALL_RESTART;
		}
	}
	return 0;
}

static long do_read(u32 capacity, guest_ptr_t to)
{
	char piece[PIECE];
	size_t n;
	u32 done = 0;

	/* What is taken out of the ring must get to the guest: its memory is tried first. */
	while (done < capacity) {
		n = MIN(capacity - done, sizeof(piece));
		if (guest_clear(guest_ptr_add(to, done), n)) {
			return -EFAULT;
		}
		n = console_input_read(piece, n);
		if (!n) {
			break;
		}
		if (guest_write(guest_ptr_add(to, done), piece, n)) {
			return -EFAULT;
		}
		done += (u32)n;
	}
	return done;
}

/* arg: command, byte count, pointer. */
long op_console_io(struct hypercall *call)
{
	int rc = policy_console(call->caller->domain);

	if (rc) {
		return rc;
	}
	switch ((u32)call->arg[0]) {
	case CONSOLEIO_write:
		return do_write(call);
	case CONSOLEIO_read:
		return (s32)call->arg[1] < 0 ? -E2BIG : do_read((u32)call->arg[1], call_ptr(call, 2));
	default:
		return -ENOSYS;
	}
}
