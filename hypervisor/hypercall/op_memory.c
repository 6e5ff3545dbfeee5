/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory_op. Long operations keep their progress in the command word (bits 6 and up:
 * extents done), as the ABI has it, so a restart begins there.
 */
#include "memory/physmap.h"

#include <xen/memory.h>
#include <xen/xen.h>

#include "arch/contract/guest.h"
#include "grant/grant.h"
#include "hypercall/hypercall.h"
#include "hypercall/memory_layout.h"
#include "lib/string.h"
#include "memory/guest_access.h"
#include "memory/p2m.h"
#include "mm/frame.h"
#include "mm/frame_alloc.h"
#include "mm/heap.h"
#include "policy/policy.h"

#define EXTENT_SHIFT 6
#define OP_MASK	     ((1u << EXTENT_SHIFT) - 1)
#define EXTENT_ORDER_MAX ORDER_2M /* larger ones answer "none done", callers take smaller pieces */

static long restart_at(struct hypercall *call, u64 done)
{
	call->arg[0] = (call->arg[0] & OP_MASK) | done << EXTENT_SHIFT;
	return HYPERCALL_RESTART;
}

static u64 progress(const struct hypercall *call)
{
	return call->arg[0] >> EXTENT_SHIFT;
}

/* The domain that raw_id names, if the caller may handle its memory. */
static long get_target(struct domain *caller, u16 raw_id, struct domain **out)
{
	struct domain *d = domain_get_or_self(caller, raw_id);
	int rc;

	if (!d) {
		return -ESRCH;
	}
	rc = policy_memory_of(caller, d);
	if (rc) {
		domain_put(d);
		return rc;
	}
	*out = d;
	return 0;
}

/* --- populate, decrease --- */

static int populate_extent(struct domain *d, const struct xen_memory_reservation *r, guest_ptr_t list, u64 i)
{
	xen_pfn_t gfn;
	int rc;

	if (guest_read_element(&gfn, list, i, sizeof(gfn))) {
		return -EFAULT;
	}
	if (r->mem_flags & XENMEMF_populate_on_demand) {
		return physmap_populate_on_demand(d, gfn_of(gfn), r->extent_order);
	}
	rc = physmap_populate(d, gfn_of(gfn), r->extent_order);
	/* The frame number that the ABI tells a translated guest is its own again. */
	return rc ? rc : guest_write_element(list, i, &gfn, sizeof(gfn));
}

static int decrease_extent(struct domain *d, const struct xen_memory_reservation *r, guest_ptr_t list, u64 i)
{
	xen_pfn_t gfn;
	int rc;

	if (guest_read_element(&gfn, list, i, sizeof(gfn))) {
		return -EFAULT;
	}
	for (u64 k = 0; k < 1ull << r->extent_order; k++) {
		rc = physmap_release(d, gfn_add(gfn_of(gfn), k));
		if (rc) {
			return rc;
		}
	}
	return 0;
}

/* Answers how many extents were done; errors show as fewer. */
static long do_reservation(struct hypercall *call, bool is_populate)
{
	struct domain *d, *caller = call->caller->domain;
	u64 i = progress(call);
	struct xen_memory_reservation r;
	long rc;

	if (guest_read(&r, call_ptr(call, 1), sizeof(r))) {
		return (long)i;
	}
	if (r.nr_extents > ~0ull >> EXTENT_SHIFT || i >= r.nr_extents || r.extent_order > EXTENT_ORDER_MAX) {
		return (long)i;
	}
	if (get_target(caller, r.domid, &d)) {
		return (long)i;
	}
	rc = (r.mem_flags & XENMEMF_populate_on_demand) && d == caller ? -EPERM : 0;
	while (!rc && i < r.nr_extents) {
		if (i != progress(call) && hypercall_should_yield()) {
			rc = restart_at(call, i);
			break;
		}
		rc = is_populate ? populate_extent(d, &r, handle_ptr(r.extent_start), i)
				 : decrease_extent(d, &r, handle_ptr(r.extent_start), i);
		if (!rc) {
			i++;
		}
	}
	p2m_flush(d);
	domain_put(d);
	return rc == HYPERCALL_RESTART ? rc : (long)i;
}

/*
 * For classic PV guests, which know machine frames. To a translated guest all frames are alike, so that
 * there is nothing to gain: refused, after the arguments were checked.
 */
static long do_exchange(guest_ptr_t at)
{
	struct xen_memory_exchange a;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.in.extent_order > EXTENT_ORDER_MAX || a.out.extent_order > EXTENT_ORDER_MAX) {
		return -EPERM;
	}
	if (a.nr_exchanged > a.in.nr_extents || a.in.domid != a.out.domid ||
	    a.in.nr_extents > ~0ul >> a.in.extent_order || a.out.nr_extents > ~0ul >> a.out.extent_order ||
	    a.in.nr_extents << a.in.extent_order != a.out.nr_extents << a.out.extent_order) {
		return -EINVAL;
	}
	return a.nr_exchanged == a.in.nr_extents ? 0 : -EOPNOTSUPP;
}

/* --- asking --- */

static long do_domain_question(struct domain *caller, unsigned int op, guest_ptr_t at)
{
	struct xen_memory_domain a;
	struct domain *d;
	long rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	rc = get_target(caller, a.domid, &d);
	if (rc) {
		return rc;
	}
	switch (op) {
	case XENMEM_current_reservation:
		rc = (long)load_relaxed(&d->frame_count);
		break;
	case XENMEM_maximum_reservation:
		rc = (long)load_relaxed(&d->frame_limit);
		break;
	default:
		rc = (long)p2m_max_gfn(d);
	}
	domain_put(d);
	return rc;
}

static long do_memory_map(const struct hypercall *call)
{
	struct domain *d = call->caller->domain;
	struct physmap_region region;
	struct xen_memory_map a;
	unsigned int count, n;

	if (memory_read_map(call, &a)) {
		return -EFAULT;
	}
	count = physmap_region_count(d);
	if (!count) {
		return -ENOSYS;
	}
	n = MIN(count, a.nr_entries);
	for (unsigned int i = 0; i < n; i++) {
		if (physmap_get_region(d, i, &region)) {
			break;
		}
		if (guest_write_element(handle_ptr(a.buffer), i, &region, sizeof(region))) {
			return -EFAULT;
		}
	}
	return guest_write(call_ptr(call, 1), &n, sizeof(n)) ? -EFAULT : 0; /* nr_entries, which is first */
}

static long do_set_memory_map(struct domain *caller, guest_ptr_t at)
{
	struct xen_foreign_memory_map a;
	struct physmap_region *regions;
	struct domain *d;
	long rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.map.nr_entries > PHYSMAP_REGION_MAX) {
		return -EINVAL;
	}
	rc = get_target(caller, a.domid, &d);
	if (rc) {
		return rc;
	}
	regions = heap_alloc_array(MAX(a.map.nr_entries, 1u), sizeof(*regions));
	if (!regions) {
		rc = -ENOMEM;
	} else if (policy_memory_map_of(caller, d)) {
		rc = -EPERM;
	} else if (guest_read(regions, handle_ptr(a.map.buffer), a.map.nr_entries * sizeof(*regions))) {
		rc = -EFAULT;
	} else {
		rc = physmap_set_regions(d, regions, a.map.nr_entries);
	}
	heap_free(regions);
	domain_put(d);
	return rc;
}

/* --- add and remove --- */

static int map_grant_frame(struct domain *d, u64 index, gfn_t gfn)
{
	struct frame *frame;
	int rc = grant_frame_get(d, index & ~(u64)XENMAPIDX_grant_table_status,
				 (index & XENMAPIDX_grant_table_status) != 0, true, &frame);

	if (rc) {
		return rc;
	}
	rc = physmap_map_shared(d, gfn, frame);
	if (rc) {
		frame_put(frame);
	}
	return rc;
}

static int add_one(struct domain *d, unsigned int space, struct domain *foreign, u64 index, gfn_t gfn)
{
	switch (space) {
	case XENMAPSPACE_shared_info:
		if (index != 0) {
			return -EINVAL;
		}
		arch_domain_update_wallclock(d);
		return physmap_map_shared_info(d, gfn);
	case XENMAPSPACE_grant_table:
		return map_grant_frame(d, index, gfn);
	case XENMAPSPACE_gmfn:
	case XENMAPSPACE_gmfn_range:
		return physmap_move(d, gfn_of(index), gfn);
	case XENMAPSPACE_gmfn_foreign:
		return physmap_map_foreign(d, gfn, foreign, gfn_of(index));
	default:
		return -EINVAL;
	}
}

static long do_add(struct hypercall *call)
{
	struct xen_add_to_physmap a;
	u64 done = progress(call), count;
	struct domain *d;
	long rc;

	if (memory_read_add(call, &a)) {
		return -EFAULT;
	}
	if (a.space == XENMAPSPACE_gmfn_foreign) {
		return -ENOSYS; /* whose frame it is can be said in a batch only */
	}
	count = a.space == XENMAPSPACE_gmfn_range ? a.size : 1;
	rc = get_target(call->caller->domain, a.domid, &d);
	if (rc) {
		return rc;
	}
	while (!rc && done < count) {
		if (done != progress(call) && hypercall_should_yield()) {
			rc = restart_at(call, done);
			break;
		}
		rc = add_one(d, a.space, NULL, a.idx + done, gfn_add(gfn_of(a.gpfn), done));
		done++;
	}
	p2m_flush(d);
	domain_put(d);
	return rc;
}

/* Each entry has its own error; the call fails only when its lists cannot be read or written. */
static long add_batch(struct hypercall *call, const struct xen_add_to_physmap_batch *a, struct domain *d,
		      struct domain *foreign)
{
	u64 done = progress(call);
	xen_ulong_t index;
	xen_pfn_t gfn;
	int rc;

	while (done < a->size) {
		if (done != progress(call) && hypercall_should_yield()) {
			return restart_at(call, done);
		}
		if (guest_read_element(&index, handle_ptr(a->idxs), done, sizeof(index)) ||
		    guest_read_element(&gfn, handle_ptr(a->gpfns), done, sizeof(gfn))) {
			return -EFAULT;
		}
		rc = add_one(d, a->space, foreign, index, gfn_of(gfn));
		if (guest_write_element(handle_ptr(a->errs), done, &rc, sizeof(rc))) {
			return -EFAULT;
		}
		done++;
	}
	return 0;
}

static long do_add_batch(struct hypercall *call)
{
	struct domain *d, *foreign = NULL, *caller = call->caller->domain;
	struct xen_add_to_physmap_batch a;
	long rc;

	if (guest_read(&a, call_ptr(call, 1), sizeof(a))) {
		return -EFAULT;
	}
	if (a.space == XENMAPSPACE_gmfn_range || a.space > XENMAPSPACE_gmfn_foreign) {
		return -EINVAL;
	}
	if (a.space != XENMAPSPACE_gmfn_foreign && a.u.res0) {
		return -EOPNOTSUPP;
	}
	rc = get_target(caller, a.domid, &d);
	if (rc) {
		return rc;
	}
	if (a.space == XENMAPSPACE_gmfn_foreign) {
		rc = a.u.foreign_domid == DOMID_SELF ? -EINVAL
						     : get_target(caller, a.u.foreign_domid, &foreign);
		rc = rc ? rc : policy_foreign_memory_in(d);
	}
	if (!rc) {
		rc = add_batch(call, &a, d, foreign);
		p2m_flush(d);
	}
	domain_put(foreign);
	domain_put(d);
	return rc;
}

static long do_remove(struct domain *caller, guest_ptr_t at)
{
	struct xen_remove_from_physmap a;
	struct domain *d;
	bool is_others;
	long rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	rc = get_target(caller, a.domid, &d);
	if (rc) {
		return rc;
	}
	is_others = p2m_lookup(d, gfn_of(a.gpfn)).type == P2M_FOREIGN;
	rc = physmap_remove(d, gfn_of(a.gpfn));
	if (is_others) {
		p2m_flush_later(d); /* Linux unmaps a call a page */
	} else {
		p2m_flush(d);
	}
	domain_put(d);
	return rc;
}

/* --- the rest of the tools' --- */

static long do_claim(struct domain *caller, guest_ptr_t at)
{
	struct xen_memory_reservation a;
	struct domain *d;
	long rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	rc = policy_memory_amount(caller);
	if (rc) {
		return rc;
	}
	if (guest_ptr_raw(handle_ptr(a.extent_start)) || a.extent_order || a.mem_flags) {
		return -EINVAL;
	}
	d = domain_get(domain_id_of(a.domid));
	if (!d) {
		return -EINVAL;
	}
	rc = physmap_claim(d, a.nr_extents);
	domain_put(d);
	return rc;
}

static long do_pod(struct domain *caller, guest_ptr_t at, bool is_set)
{
	struct xen_pod_target a;
	struct physmap_pod pod;
	struct domain *d;
	long rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	rc = policy_memory_amount(caller);
	if (rc) {
		return rc;
	}
	d = domain_get(domain_id_of(a.domid));
	if (!d) {
		return -ESRCH;
	}
	rc = is_set ? physmap_pod_set_target(d, a.target_pages) : 0;
	physmap_pod_get(d, &pod);
	a.tot_pages = load_relaxed(&d->frame_count);
	a.pod_cache_pages = pod.target > a.tot_pages ? pod.target - a.tot_pages : 0;
	a.pod_entries = pod.entries;
	domain_put(d);
	if (!rc && guest_write(at, &a, sizeof(a))) {
		rc = -EFAULT;
	}
	return rc;
}

static long do_vnuma(struct domain *caller, guest_ptr_t at)
{
	struct xen_vnuma_topology_info a;
	struct domain *d;
	long rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.pad) {
		return -EINVAL;
	}
	rc = get_target(caller, a.domid, &d);
	if (rc) {
		return rc;
	}
	domain_put(d);
	return -EOPNOTSUPP; /* no domain has a NUMA layout */
}

static long do_reserved_device_memory(guest_ptr_t at)
{
	struct xen_reserved_device_memory_map a;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.flags & ~XENMEM_RDM_ALL) {
		return -EINVAL;
	}
	a.nr_entries = 0;
	return guest_write(at, &a, sizeof(a)) ? -EFAULT : 0;
}

/* --- acquire_resource: dom0 maps a domain's grant table before the domain runs --- */

static long map_resource(struct hypercall *call, const struct xen_mem_acquire_resource *a, struct domain *d)
{
	struct domain *caller = call->caller->domain;
	u64 done = progress(call);
	struct frame *frame;
	xen_pfn_t gfn;
	int rc;

	while (done < a->nr_frames) {
		if (done != progress(call) && hypercall_should_yield()) {
			return restart_at(call, done);
		}
		if (guest_read_element(&gfn, handle_ptr(a->frame_list), done, sizeof(gfn))) {
			return -EFAULT;
		}
		rc = grant_frame_get(d, a->frame + done, a->id == XENMEM_resource_grant_table_id_status, true,
				     &frame);
		if (!rc) {
			rc = physmap_map_foreign_frame(caller, gfn_of(gfn), frame);
			if (rc) {
				frame_put(frame);
			}
		}
		if (rc) {
			return done ? -EIO : rc; /* -EIO: what was mapped is the caller's to remove */
		}
		done++;
	}
	return 0;
}

static long do_acquire_resource(struct hypercall *call)
{
	struct domain *d, *caller = call->caller->domain;
	guest_ptr_t at = call_ptr(call, 1);
	struct xen_mem_acquire_resource a;
	u32 limit;
	long rc;

	if (guest_read(&a, at, sizeof(a))) {
		return -EFAULT;
	}
	if (a.pad || a.frame > ~0u || a.frame + a.nr_frames > ~0u) {
		return -EINVAL;
	}
	d = a.domid == DOMID_SELF ? NULL : domain_get(domain_id_of(a.domid));
	if (!d) {
		return -ESRCH;
	}
	rc = d == caller ? -EPERM : policy_memory_of(caller, d);
	limit = !rc && a.type == XENMEM_resource_grant_table ? grant_frame_limit(d, a.id) : 0;
	if (!rc && !limit) {
		rc = -EINVAL;
	}
	if (!rc && !guest_ptr_raw(handle_ptr(a.frame_list))) {
		rc = a.nr_frames ? -EINVAL : 0;
		a.nr_frames = limit;
		if (!rc && guest_write(at, &a, sizeof(a))) {
			rc = -EFAULT;
		}
	} else if (!rc) {
		rc = map_resource(call, &a, d);
		p2m_flush(caller);
	}
	domain_put(d);
	return rc;
}

/* arg: operation (and progress), pointer. */
long op_memory(struct hypercall *call)
{
	struct domain *d = call->caller->domain;
	unsigned int op = (unsigned int)call->arg[0] & OP_MASK;
	guest_ptr_t at = call_ptr(call, 1);

	switch (op) {
	case XENMEM_populate_physmap:
		return do_reservation(call, true);
	case XENMEM_decrease_reservation:
		return do_reservation(call, false);
	case XENMEM_exchange:
		return do_exchange(at);
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
	case XENMEM_maximum_gpfn:
		return do_domain_question(d, op, at);
	case XENMEM_maximum_ram_page:
		return (long)frame_total_count();
	case XENMEM_memory_map:
		return do_memory_map(call);
	case XENMEM_set_memory_map:
		return do_set_memory_map(d, at);
	case XENMEM_add_to_physmap:
		return do_add(call);
	case XENMEM_add_to_physmap_batch:
		return do_add_batch(call);
	case XENMEM_remove_from_physmap:
		return do_remove(d, at);
	case XENMEM_get_sharing_freed_pages:
	case XENMEM_get_sharing_shared_pages:
		return 0; /* nothing is shared behind a guest's back */
	case XENMEM_claim_pages:
		return do_claim(d, at);
	case XENMEM_set_pod_target:
		return do_pod(d, at, true);
	case XENMEM_get_pod_target:
		return do_pod(d, at, false);
	case XENMEM_get_vnumainfo:
		return do_vnuma(d, at);
	case XENMEM_reserved_device_memory_map:
		return do_reserved_device_memory(at);
	case XENMEM_acquire_resource:
		return do_acquire_resource(call);
	default:
		return -ENOSYS;
	}
}
