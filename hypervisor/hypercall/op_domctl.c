/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * domctl: what the tools do to one domain. Read once, version, domain, policy, then one
 * function for each operation; output fields are copied back when it succeeds.
 */
#include "hypercall/domctl.h"

#include <xen/sched.h>

#include "arch/contract/guest.h"
#include "evtchn/evtchn.h"
#include "grant/grant.h"
#include "lib/string.h"
#include "memory/guest_access.h"
#include "memory/p2m.h"
#include "policy/policy.h"
#include "sched/pool.h"

#define MEMPOOL_PAGES_AT_START 256u /* 1 MiB, what the tools expect of a new domain */

/* --- life --- */

static int decode_create(const struct xen_domctl_createdomain *a, struct domain_config *out)
{
	const u32 flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_xs_domain |
			  XEN_DOMCTL_CDF_oos_off | XEN_DOMCTL_CDF_iommu | XEN_DOMCTL_CDF_s3_integrity;
	u32 grant_version = XEN_DOMCTL_GRANT_version(a->grant_opts);

	/* Hardware virtualization with nested paging only; nested virtualization and PMU not at all. */
	if ((a->flags & ~flags) || !(a->flags & XEN_DOMCTL_CDF_hvm) || !(a->flags & XEN_DOMCTL_CDF_hap)) {
		return -EINVAL;
	}
	if (a->iommu_opts && ((a->iommu_opts & ~XEN_DOMCTL_IOMMU_MAX) || !(a->flags & XEN_DOMCTL_CDF_iommu))) {
		return -EINVAL;
	}
	if (a->max_vcpus < 1 || a->max_vcpus > VCPU_MAX || a->vmtrace_size) {
		return -EINVAL;
	}
	if (grant_version < 1 || grant_version > 2 || (a->grant_opts & ~XEN_DOMCTL_GRANT_version_mask)) {
		return -EINVAL;
	}
	*out = (struct domain_config){
		.create_flags = a->flags,
		.vcpu_count = a->max_vcpus,
		.evtchn_limit = MIN(a->max_evtchn_port, (u32)INT32_MAX),
		.grant_frame_limit = a->max_grant_frames < 0 ? 0 : (u32)a->max_grant_frames,
		.maptrack_frame_limit = a->max_maptrack_frames < 0 ? 0 : (u32)a->max_maptrack_frames,
		.grant_version_limit = (u8)grant_version,
		.emulation_flags = a->arch.emulation_flags,
	};
	memcpy(out->handle, a->handle, sizeof(out->handle));
	return arch_domain_config_check(a->arch.emulation_flags, a->arch.misc_flags);
}

static long do_create(struct xen_domctl *op)
{
	struct xen_domctl_createdomain *a = &op->u.createdomain;
	domain_id_t id = domain_id_of(DOMID_INVALID);
	struct sched_pool_info pool;
	struct domain_config config;
	struct domain *d;
	int rc = decode_create(a, &config);

	if (rc) {
		return rc;
	}
	if (op->domain > 0 && op->domain < DOMID_FIRST_RESERVED) {
		id = domain_id_of(op->domain);
	}
	if (sched_pool_info(a->cpupool_id, &pool) || pool.id != a->cpupool_id) {
		return -EINVAL;
	}
	rc = domain_create(id, &config, &d);
	if (rc) {
		return rc;
	}
	rc = sched_pool_move_domain(a->cpupool_id, d);
	if (rc) { /* no CPU in it, or it went away just now */
		while (domain_kill(d) == -ERESTART) {
		}
		domain_put(d);
		return rc;
	}
	d->ssidref = a->ssidref;
	d->is_xenstore = a->flags & XEN_DOMCTL_CDF_xs_domain;
	d->mempool_pages = MEMPOOL_PAGES_AT_START;
	op->domain = d->id.v;
	domain_put(d);
	return 0;
}

static long do_destroy(struct domain *caller, struct domain *d)
{
	int rc;

	if (d == caller) {
		return -EINVAL;
	}
	p2m_flush(caller); /* what the caller unmapped of it just now shall not keep it */
	rc = domain_kill(d);
	return rc == -ERESTART ? HYPERCALL_RESTART : rc;
}

static long do_pause(struct domain *caller, struct domain *d)
{
	if (d == caller) {
		return -EINVAL;
	}
	__atomic_fetch_add(&d->control_pauses, 1, __ATOMIC_SEQ_CST);
	domain_pause(d);
	return 0;
}

static long do_unpause(struct domain *caller, struct domain *d)
{
	u32 old = load_relaxed(&d->control_pauses);

	if (d == caller) {
		return -EINVAL;
	}
	do {
		if (old == 0) {
			return -EINVAL;
		}
	} while (!__atomic_compare_exchange_n(&d->control_pauses, &old, old - 1, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	domain_unpause(d);
	return 0;
}

static long do_resume(struct domain *caller, struct domain *d)
{
	if (d == caller) {
		return -EINVAL;
	}
	domain_resume(d);
	return 0;
}

static long do_max_vcpus(struct domain *caller, struct domain *d, u32 count)
{
	int rc;

	if (d == caller || count != d->vcpu_count) {
		return -EINVAL;
	}
	/* One at a time makes vCPUs, and none while the death of d goes through those that are there. */
	if (__atomic_exchange_n(&d->is_teardown_busy, true, __ATOMIC_ACQUIRE)) {
		return HYPERCALL_RESTART;
	}
	rc = domain_is_dying(d) ? -EINVAL : domain_set_vcpu_count(d, count);
	store_release(&d->is_teardown_busy, false);
	return rc;
}

static long do_max_mem(struct domain *d, const struct xen_domctl_max_mem *a)
{
	u64 frames = a->max_memkb >> (PAGE_SHIFT - 10);

	store_relaxed(&d->frame_limit, MIN(frames, (u64)UINT32_MAX));
	return 0;
}

static long do_subscribe(struct domain *d, u32 port)
{
	struct evtchn_status status;

	memset(&status, 0, sizeof(status));
	if (port && (evtchn_status(d, port_of(port), &status) || status.status != EVTCHNSTAT_interdomain)) {
		return -EINVAL;
	}
	d->suspend_port = port_of(port);
	return 0;
}

static long do_set_target(struct domain *d, u16 target_id)
{
	struct domain *target = domain_get(domain_id_of(target_id));
	int rc = -ESRCH;

	if (target) {
		rc = d == target || d->target.v != DOMID_INVALID ? -EINVAL : 0;
		if (!rc) {
			d->target = target->id;
		}
		domain_put(target);
	}
	return rc;
}

static long do_node_affinity(struct domain *d, const struct xen_domctl_nodeaffinity *a, bool is_set)
{
	u64 nodes = 0;

	if (!is_set) {
		return domctl_write_bitmap(&a->nodemap, &d->node_affinity, 64);
	}
	if (domctl_read_bitmap(&a->nodemap, &nodes, 64)) {
		return -EFAULT;
	}
	if (!(nodes & 1)) {
		return -EINVAL; /* there is node 0 only */
	}
	d->node_affinity = nodes;
	return 0;
}

/* The hypervisor's pages for a domain; nested page tables are most of them. */
static long do_mempool(struct domain *d, struct xen_domctl_paging_mempool *a, bool is_set)
{
	u64 pages = a->size >> PAGE_SHIFT;

	if (!is_set) {
		a->size = load_relaxed(&d->mempool_pages) << PAGE_SHIFT;
		return 0;
	}
	if (a->size & ~PAGE_MASK) {
		return -EINVAL; /* whole pages */
	}
	store_relaxed(&d->mempool_pages, pages);
	return 0;
}

static long act(struct hypercall *call, struct domain *d, struct xen_domctl *op)
{
	struct domain *caller = call->caller->domain;

	switch (op->cmd) {
	case XEN_DOMCTL_destroydomain:
		return do_destroy(caller, d);
	case XEN_DOMCTL_pausedomain:
		return do_pause(caller, d);
	case XEN_DOMCTL_unpausedomain:
		return do_unpause(caller, d);
	case XEN_DOMCTL_resumedomain:
		return do_resume(caller, d);
	case XEN_DOMCTL_getdomaininfo:
		domctl_fill_info(d, &op->u.getdomaininfo);
		return 0;
	case XEN_DOMCTL_getvcpuinfo:
		return domctl_vcpu_info(d, &op->u.getvcpuinfo);
	case XEN_DOMCTL_max_vcpus:
		return do_max_vcpus(caller, d, op->u.max_vcpus.max);
	case XEN_DOMCTL_max_mem:
		return do_max_mem(d, &op->u.max_mem);
	case XEN_DOMCTL_setvcpuaffinity:
		return domctl_set_affinity(d, &op->u.vcpuaffinity);
	case XEN_DOMCTL_getvcpuaffinity:
		return domctl_get_affinity(d, &op->u.vcpuaffinity);
	case XEN_DOMCTL_scheduler_op:
		return domctl_scheduler(d, &op->u.scheduler_op);
	case XEN_DOMCTL_setdomainhandle:
		memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
		return 0;
	case XEN_DOMCTL_settimeoffset:
		store_relaxed(&d->time_offset_seconds, op->u.settimeoffset.time_offset_seconds);
		arch_domain_update_wallclock(d);
		return 0;
	case XEN_DOMCTL_subscribe:
		return do_subscribe(d, op->u.subscribe.port);
	case XEN_DOMCTL_set_target:
		return do_set_target(d, op->u.set_target.target);
	case XEN_DOMCTL_set_virq_handler:
		return evtchn_virq_set_handler(d, op->u.set_virq_handler.virq);
	case XEN_DOMCTL_setnodeaffinity:
		return do_node_affinity(d, &op->u.nodeaffinity, true);
	case XEN_DOMCTL_getnodeaffinity:
		return do_node_affinity(d, &op->u.nodeaffinity, false);
	case XEN_DOMCTL_get_paging_mempool_size:
		return do_mempool(d, &op->u.paging_mempool, false);
	case XEN_DOMCTL_set_paging_mempool_size:
		return do_mempool(d, &op->u.paging_mempool, true);
	case XEN_DOMCTL_getpageframeinfo3:
		return domctl_page_info(call, d, &op->u.getpageframeinfo3);
	default:
		return arch_domctl(d, op);
	}
}

/*
 * With a reference, or NULL. A question about a domain that is not there is answered with the next
 * one: so the console daemon walks from domain to domain.
 */
static struct domain *find_target(struct xen_domctl *op)
{
	struct domain *d = domain_get(domain_id_of(op->domain));

	if (!d && op->cmd == XEN_DOMCTL_getdomaininfo) {
		d = domain_get_from(op->domain);
		op->domain = d ? d->id.v : op->domain;
	}
	return d;
}

/* arg: pointer. */
long op_domctl(struct hypercall *call)
{
	struct domain *d = NULL, *caller = call->caller->domain;
	struct xen_domctl op;
	long rc;

	if (guest_read(&op, call_ptr(call, 0), sizeof(op))) {
		return -EFAULT;
	}
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION) {
		return -EACCES;
	}
	if (op.cmd == XEN_DOMCTL_createdomain) {
		rc = policy_domctl(caller, NULL, op.cmd);
		rc = rc ? rc : do_create(&op);
	} else {
		d = find_target(&op);
		if (!d) {
			return -ESRCH;
		}
		rc = policy_domctl(caller, d, op.cmd);
		rc = rc ? rc : act(call, d, &op);
		domain_put(d);
	}
	if (rc >= 0 && guest_write(call_ptr(call, 0), &op, sizeof(op))) {
		return -EFAULT;
	}
	return rc;
}
