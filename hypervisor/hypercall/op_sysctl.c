/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/domain.h"

#include <xen/sysctl.h>

#include "hypercall/hypercall.h"
#include "memory/guest_access.h"
#include "policy/policy.h"

/* arg: pointer. */
long op_sysctl(struct hypercall *call)
{
	struct xen_sysctl op;
	int rc;

	if (guest_read(&op, call_ptr(call, 0), sizeof(op))) {
		return -EFAULT;
	}
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION) {
		return -EACCES;
	}
	rc = policy_sysctl(call->caller->domain, op.cmd);
	return rc ? rc : -ENOSYS;
}
