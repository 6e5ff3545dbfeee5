/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/domain.h"

#include <xen/domctl.h>

#include "hypercall/hypercall.h"
#include "memory/guest_access.h"
#include "policy/policy.h"

/* arg: pointer. */
long op_domctl(struct hypercall *call)
{
	struct xen_domctl op;
	int rc;

	if (guest_read(&op, call_ptr(call, 0), sizeof(op))) {
		return -EFAULT;
	}
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION) {
		return -EACCES;
	}
	rc = policy_domctl(call->caller->domain, NULL, op.cmd);
	return rc ? rc : -ENOSYS;
}
