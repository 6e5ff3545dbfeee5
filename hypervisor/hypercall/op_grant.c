/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grant_table_op: arrays of single operations, each with its own status. A restart goes on
 * behind the last one done, by moving the pointer and the count.
 */
#include "grant/grant.h"

#include <xen/grant_table.h>
#include <xen/xen.h>

#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "memory/guest_access.h"
#include "memory/p2m.h"
#include "policy/policy.h"

/* The domain that a table operation is about. GNTST_*. */
static s16 get_target(struct domain *caller, u16 raw_id, struct domain **out)
{
	struct domain *d = domain_get_or_self(caller, raw_id);

	if (!d) {
		return GNTST_bad_domain;
	}
	if (policy_grant_for(caller, d)) {
		domain_put(d);
		return GNTST_permission_denied;
	}
	*out = d;
	return GNTST_okay;
}

/* --- one element of each kind; -EFAULT, or 0 with the status in the element --- */

static int one_map(struct domain *d, guest_ptr_t at)
{
	struct gnttab_map_grant_ref op;
	struct grant_map m;

	if (guest_read(&op, at, sizeof(op))) {
		return -EFAULT;
	}
	m = (struct grant_map){
		.owner_id = op.dom == DOMID_SELF ? d->id : domain_id_of(op.dom),
		.ref = gref_of(op.ref),
		.host_address = op.host_addr,
		.flags = op.flags & ~(u32)GNTMAP_guest_avail_mask,
	};
	op.status = grant_map(d, &m);
	op.handle = m.handle;
	op.dev_bus_addr = op.status == GNTST_okay ? op.host_addr : 0; /* a device's view is the guest's */
	return guest_write(at, &op, sizeof(op)) ? -EFAULT : 0;
}

static int one_copy(struct domain *d, guest_ptr_t at)
{
	struct gnttab_copy op;

	if (guest_read(&op, at, sizeof(op))) {
		return -EFAULT;
	}
	op.status = grant_copy(d, &op);
	at = guest_ptr_add(at, offsetof(struct gnttab_copy, status));
	return guest_write(at, &op.status, sizeof(op.status)) ? -EFAULT : 0;
}

static int one_transfer(struct domain *d, guest_ptr_t at)
{
	struct gnttab_transfer op;

	if (guest_read(&op, at, sizeof(op))) {
		return -EFAULT;
	}
	op.status = GNTST_general_error; /* memory does not change its owner here */
	at = guest_ptr_add(at, offsetof(struct gnttab_transfer, status));
	return guest_write(at, &op.status, sizeof(op.status)) ? -EFAULT : 0;
}

static int one_swap(struct domain *d, guest_ptr_t at)
{
	struct gnttab_swap_grant_ref op;

	if (guest_read(&op, at, sizeof(op))) {
		return -EFAULT;
	}
	op.status = grant_swap(d, gref_of(op.ref_a), gref_of(op.ref_b));
	at = guest_ptr_add(at, offsetof(struct gnttab_swap_grant_ref, status));
	return guest_write(at, &op.status, sizeof(op.status)) ? -EFAULT : 0;
}

static int one_get_version(struct domain *caller, guest_ptr_t at)
{
	struct gnttab_get_version op;
	struct domain *d;
	s16 status;

	if (guest_read(&op, at, sizeof(op))) {
		return -EFAULT;
	}
	status = get_target(caller, op.dom, &d);
	if (status == GNTST_bad_domain) {
		return -ESRCH;
	}
	if (status) {
		return -EPERM;
	}
	op.version = grant_version(d);
	domain_put(d);
	return guest_write(at, &op, sizeof(op)) ? -EFAULT : 0;
}

/* One after the other, each by itself. */
static long for_each_element(struct hypercall *call, size_t size_bytes, int (*one)(struct domain *d, guest_ptr_t at))
{
	struct domain *d = call->caller->domain;
	bool is_first = true;
	int rc;

	while (call->arg[2]) {
		if (!is_first && hypercall_should_yield()) {
			p2m_flush(d);
			return HYPERCALL_RESTART;
		}
		is_first = false;
		rc = one(d, call_ptr(call, 1));
		if (rc) {
			p2m_flush(d);
			return rc;
		}
		call->arg[1] += size_bytes;
		call->arg[2]--;
	}
	p2m_flush(d); /* maps may have replaced something */
	return 0;
}

/* --- unmap: in batches, one flush for each --- */

static long do_unmap(struct hypercall *call)
{
	struct grant_unmap list[GRANT_UNMAP_BATCH];
	struct gnttab_unmap_grant_ref op;
	struct domain *d = call->caller->domain;
	bool is_first = true;
	unsigned int n, i;
	guest_ptr_t at;

	while (call->arg[2]) {
		if (!is_first && hypercall_should_yield()) {
			return HYPERCALL_RESTART;
		}
		is_first = false;
		n = (unsigned int)MIN(call->arg[2], GRANT_UNMAP_BATCH);
		for (i = 0; i < n; i++) {
			if (guest_read_element(&op, call_ptr(call, 1), i, sizeof(op))) {
				break;
			}
			list[i] = (struct grant_unmap){.host_address = op.host_addr, .handle = op.handle};
		}
		n = i;
		if (!n) {
			return -EFAULT;
		}
		grant_unmap(d, list, n);
		for (i = 0; i < n; i++) {
			at = guest_ptr_add(call_ptr(call, 1), i * sizeof(op) + offsetof(struct gnttab_unmap_grant_ref, status));
			if (guest_write(at, &list[i].status, sizeof(list[i].status))) {
				return -EFAULT;
			}
		}
		call->arg[1] += n * sizeof(op);
		call->arg[2] -= n;
	}
	return 0;
}

/* new_addr other than 0 is for classic PV; 0 means an ordinary unmap. */
static int one_unmap_and_replace(struct domain *d, guest_ptr_t at)
{
	struct gnttab_unmap_and_replace op;
	struct grant_unmap u;

	if (guest_read(&op, at, sizeof(op))) {
		return -EFAULT;
	}
	if (op.new_addr) {
		u.status = GNTST_general_error;
	} else {
		u = (struct grant_unmap){.host_address = op.host_addr, .handle = op.handle};
		grant_unmap(d, &u, 1);
	}
	at = guest_ptr_add(at, offsetof(struct gnttab_unmap_and_replace, status));
	return guest_write(at, &u.status, sizeof(u.status)) ? -EFAULT : 0;
}

/* --- the table itself; count must be 1 --- */

static s16 write_frame_list(struct domain *d, guest_ptr_t list, u32 count, bool is_status)
{
	struct frame *frame;
	u64 gfn;

	for (u32 i = 0; i < count; i++) {
		if (grant_frame_get(d, i, is_status, true, &frame)) {
			return GNTST_general_error;
		}
		frame_put(frame);
		/* A translated guest maps them where it likes; there is no number to tell it. */
		gfn = ~0ull;
		if (guest_write_element(list, i, &gfn, sizeof(gfn))) {
			return GNTST_bad_virt_addr;
		}
	}
	return GNTST_okay;
}

static long do_setup_table(struct domain *caller, guest_ptr_t at)
{
	struct gnttab_setup_table op;
	struct domain *d;

	if (guest_read(&op, at, sizeof(op))) {
		return -EFAULT;
	}
	op.status = get_target(caller, op.dom, &d);
	if (op.status == GNTST_okay) {
		op.status = op.nr_frames > grant_frame_limit(d, 0)
				    ? GNTST_general_error
				    : write_frame_list(d, handle_ptr(op.frame_list), op.nr_frames, false);
		domain_put(d);
	}
	return guest_write(at, &op, sizeof(op)) ? -EFAULT : 0;
}

static long do_query_size(struct domain *caller, guest_ptr_t at)
{
	struct gnttab_query_size op;
	struct domain *d;

	if (guest_read(&op, at, sizeof(op))) {
		return -EFAULT;
	}
	op.status = get_target(caller, op.dom, &d);
	if (op.status == GNTST_okay) {
		op.nr_frames = grant_frame_count(d);
		op.max_nr_frames = grant_frame_limit(d, 0);
		domain_put(d);
	}
	return guest_write(at, &op, sizeof(op)) ? -EFAULT : 0;
}

static long do_set_version(struct domain *d, guest_ptr_t at)
{
	struct gnttab_set_version op;
	int rc;

	if (guest_read(&op, at, sizeof(op))) {
		return -EFAULT;
	}
	rc = grant_set_version(d, op.version);
	op.version = grant_version(d);
	if (guest_write(at, &op, sizeof(op))) {
		return -EFAULT;
	}
	return rc;
}

static long do_get_status_frames(struct domain *caller, guest_ptr_t at)
{
	struct gnttab_get_status_frames op;
	struct domain *d;

	if (guest_read(&op, at, sizeof(op))) {
		return -EFAULT;
	}
	op.status = get_target(caller, op.dom, &d);
	if (op.status == GNTST_okay) {
		op.status = op.nr_frames > grant_frame_limit(d, 1)
				    ? GNTST_general_error
				    : write_frame_list(d, handle_ptr(op.frame_list), op.nr_frames, true);
		domain_put(d);
	}
	return guest_write(at, &op, sizeof(op)) ? -EFAULT : 0;
}

/* arg: command, pointer, count. */
long op_grant_table(struct hypercall *call)
{
	struct domain *d = call->caller->domain;
	guest_ptr_t at = call_ptr(call, 1);
	u32 cmd = (u32)call->arg[0];

	call->arg[2] = (u32)call->arg[2];
	if ((s32)call->arg[2] < 0) {
		return -EINVAL;
	}
	switch (cmd) {
	case GNTTABOP_map_grant_ref:
		return for_each_element(call, sizeof(struct gnttab_map_grant_ref), one_map);
	case GNTTABOP_unmap_grant_ref:
		return do_unmap(call);
	case GNTTABOP_unmap_and_replace:
		return for_each_element(call, sizeof(struct gnttab_unmap_and_replace), one_unmap_and_replace);
	case GNTTABOP_copy:
		return for_each_element(call, sizeof(struct gnttab_copy), one_copy);
	case GNTTABOP_transfer:
		return for_each_element(call, sizeof(struct gnttab_transfer), one_transfer);
	case GNTTABOP_swap_grant_ref:
		return for_each_element(call, sizeof(struct gnttab_swap_grant_ref), one_swap);
	case GNTTABOP_setup_table:
		return call->arg[2] == 1 ? do_setup_table(d, at) : -EINVAL;
	case GNTTABOP_query_size:
		return call->arg[2] == 1 ? do_query_size(d, at) : -EINVAL;
	case GNTTABOP_set_version:
		return call->arg[2] == 1 ? do_set_version(d, at) : -EINVAL;
	case GNTTABOP_get_status_frames:
		return do_get_status_frames(d, at);
	case GNTTABOP_get_version:
		return one_get_version(d, at);
	default:
		return -ENOSYS;
	}
}
