/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvm_op: parameters, the upcall vector, and a few questions. x86 only.
 */
#include "arch/x86/guest/hvm.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/xen.h>

#include "core/timer.h"
#include "hypercall/hypercall.h"
#include "memory/guest_access.h"
#include "memory/p2m.h"
#include "policy/policy.h"

static long do_param(struct domain *caller, guest_ptr_t at, bool is_set)
{
	struct xen_hvm_param a;
	struct domain *d;
	int rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.index >= HVM_NR_PARAMS) {
		return -EINVAL;
	}
	a.index = (u32)index_clamp(a.index, HVM_NR_PARAMS);
	d = domain_get_or_self(caller, a.domid);
	if (!d) {
		return -ESRCH;
	}
	rc = policy_hvm_param(caller, d, a.index, is_set);
	if (!rc) {
		rc = is_set ? hvm_param_set(d, a.index, a.value) : hvm_param_get(d, a.index, &a.value);
	}
	domain_put(d);
	if (!rc && !is_set && guest_write(at, &a, sizeof(a))) {
		rc = -EFAULT;
	}
	return rc;
}

static long do_set_upcall_vector(struct domain *d, guest_ptr_t at)
{
	struct xen_hvm_evtchn_upcall_vector a;
	struct vcpu *v;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	v = a.vcpu < d->vcpu_count ? d->vcpus[index_clamp(a.vcpu, d->vcpu_count)] : NULL;
	if (!v) {
		return -ENOENT;
	}
	return hvm_upcall_vector_set(v, a.vector);
}

static u16 memory_type(enum p2m_type type)
{
	switch (type) {
	case P2M_MMIO:
	case P2M_MMIO_RO:
	case P2M_NONE:
		return HVMMEM_mmio_dm;
	case P2M_RAM_RO:
	case P2M_GRANT_RO:
		return HVMMEM_ram_ro;
	default:
		return HVMMEM_ram_rw;
	}
}

static long do_get_mem_type(struct domain *caller, guest_ptr_t at)
{
	struct xen_hvm_get_mem_type a;
	struct domain *d;
	int rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	d = domain_get_or_self(caller, a.domid);
	if (!d) {
		return -ESRCH;
	}
	rc = policy_memory_of(caller, d);
	if (!rc) {
		a.mem_type = memory_type(p2m_lookup(d, gfn_of(a.pfn)).type);
	}
	domain_put(d);
	if (!rc && guest_write(at, &a, sizeof(a))) {
		rc = -EFAULT;
	}
	return rc;
}

static long do_get_time(guest_ptr_t to)
{
	struct xen_hvm_get_time a = {.now = (u64)clock_now()};

	return guest_write(to, &a, sizeof(a)) ? -EFAULT : 0;
}

/* arg: command, pointer. */
long op_hvm(struct hypercall *call)
{
	struct domain *d = call->caller->domain;
	guest_ptr_t at = call_ptr(call, 1);

	switch ((u32)call->arg[0]) {
	case HVMOP_set_param:
		return do_param(d, at, true);
	case HVMOP_get_param:
		return do_param(d, at, false);
	case HVMOP_flush_tlbs:
		if (guest_ptr_raw(at)) {
			return -EINVAL;
		}
		hvm->flush_nested(d);
		return 0;
	case HVMOP_get_time:
		return do_get_time(at);
	case HVMOP_get_mem_type:
		return do_get_mem_type(d, at);
	case HVMOP_set_evtchn_upcall_vector:
		return do_set_upcall_vector(d, at);
	case HVMOP_altp2m:
		return -EOPNOTSUPP;
	default:
		return -ENOSYS; /* pagetable_dying is for shadow paging; see docs/abi.md */
	}
}
