/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dm_op: device models. There are no I/O request servers yet, so after the caller and its
 * target have been checked each operation is one that is not known.
 */
#include <stdint.h>
#include <xen/xen.h>

#include "hypercall/hypercall.h"
#include "policy/policy.h"

/* arg: domain, buffer count, buffers. */
long op_dm(struct hypercall *call)
{
	struct domain *d;
	int rc;

	d = (u16)call->arg[0] == DOMID_SELF ? NULL : domain_get(domain_id_of((u16)call->arg[0]));
	if (!d) {
		return -ESRCH;
	}
	rc = policy_device_model(call->caller->domain, d);
	domain_put(d);
	return rc ? rc : -EOPNOTSUPP;
}
