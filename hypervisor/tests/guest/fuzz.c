/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random and structured hypercalls of several vCPUs at once: every number, every sub-operation, with
 * hostile pointers, counts and handles. In dom0's place it also makes domains, gives them memory and a
 * program that issues random hypercalls of its own, maps their memory and grants, and kills them in the
 * middle of it. Afterwards nothing may be left: no domain, and as much free memory as after the round
 * before.
 *
 * Command line: seed=N (printed; the same one repeats the calls of each vCPU), seconds=N, rounds=N,
 * trace=1 (each call is printed before it is made, as long as one vCPU runs alone).
 * Left out are only those calls that would end the test as they should, see is_left_out().
 */
#define __XEN_TOOLS__ 1
#include "lib/event.h"

#include <xen/hvm/save.h>
#include <xen/domctl.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define CPUS		4
#define CALLS_ALONE	4000
#define CHILDREN	6	 /* their ids are 1 to 6 */
#define CHILD_FRAMES	512	 /* of its memory, from frame 0 */
#define POOL_FRAME	0x4000UL /* 512 frames of this guest's RAM that nothing is in */
#define POOL_FRAMES	512UL
#define HIGH_FRAME	0x140000UL /* beyond all RAM */
#define SCRATCH_PAGES	4
#define HANDLE(h, to)	((h).p = (void *)(to))

struct fuzzer {
	uint64_t state;
	uint64_t calls;
	uint64_t sum; /* of the answers: the same when a run alone is repeated */
	uint64_t window; /* a frame number of its own, to write into a child's memory */
	uint8_t scratch[(SCRATCH_PAGES + 1) * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	uint8_t context[16 * PAGE_SIZE]; /* of a child's vCPU */
};

static struct fuzzer fuzzers[CPUS] __attribute__((aligned(PAGE_SIZE)));
static bool has_tools, is_alone, is_traced;
static uint64_t seed = 1, seconds = 15, rounds = 2, end_of_round;

/* --- random things --- */

static uint64_t next(struct fuzzer *f)
{
	f->state ^= f->state << 13;
	f->state ^= f->state >> 7;
	f->state ^= f->state << 17;
	return f->state;
}

static uint64_t below(struct fuzzer *f, uint64_t limit)
{
	return next(f) % limit;
}

static bool one_in(struct fuzzer *f, unsigned n)
{
	return below(f, n) == 0;
}

/* Where an argument lies; the page behind the scratch pages is not mapped. */
static void *memory(struct fuzzer *f)
{
	uint64_t end = (uint64_t)f->scratch + SCRATCH_PAGES * PAGE_SIZE;

	switch (below(f, 12)) {
	case 0:
		return (void *)(end - below(f, 8));
	case 1:
		return (void *)(0x800000000000UL - below(f, 64));
	case 2:
		return (void *)(~0UL - below(f, 64));
	case 3:
		return (void *)(next(f) | 1UL << 62);
	case 4:
		return NULL;
	default:
		return f->scratch + below(f, SCRATCH_PAGES * PAGE_SIZE - 1024);
	}
}

static uint64_t number(struct fuzzer *f)
{
	switch (below(f, 8)) {
	case 0:
		return ~0UL - below(f, 4);
	case 1: { /* not where this program is, as a frame or an address */
		uint64_t shift = below(f, 64);

		return shift == 9 || shift == 21 ? 0 : 1UL << shift;
	}
	case 2:
		return next(f) | 1UL << 62;
	case 3:
		return 0;
	default:
		return below(f, 70);
	}
}

static uint16_t domain(struct fuzzer *f)
{
	static const uint16_t special[] = {DOMID_SELF, DOMID_IO,  DOMID_XEN, DOMID_INVALID,
					   0,	       DOMID_COW, 0x7fef};

	return one_in(f, 3) ? special[below(f, ARRAY_SIZE(special))] : (uint16_t)(1 + below(f, CHILDREN));
}

static uint16_t child(struct fuzzer *f)
{
	return one_in(f, 40) ? domain(f) : (uint16_t)(1 + below(f, CHILDREN));
}

/* A frame number of this guest's that it can lose. */
static uint64_t own_frame(struct fuzzer *f)
{
	switch (below(f, 8)) {
	case 0:
		return next(f) | 1UL << 40;
	case 1:
		return HIGH_FRAME + below(f, 2048);
	case 2:
		return HIGH_FRAME + (below(f, 8) << 18);
	case 3:
		return ~0UL - below(f, 4);
	default:
		return POOL_FRAME + below(f, POOL_FRAMES);
	}
}

static uint64_t frame_of(struct fuzzer *f, uint16_t id)
{
	if (id == 0 || id > CHILDREN) {
		return own_frame(f);
	}
	return one_in(f, 20) ? number(f) : below(f, CHILD_FRAMES + 8);
}

static uint32_t port(struct fuzzer *f)
{
	return (uint32_t)(one_in(f, 10) ? number(f) : below(f, 40));
}

static uint32_t vcpu(struct fuzzer *f)
{
	return (uint32_t)(one_in(f, 10) ? number(f) : below(f, CPUS + 2));
}

#define LIST_COUNT 64

static uint64_t index_list[CPUS][LIST_COUNT];
static int error_list[CPUS][LIST_COUNT];

/* At the end of what is mapped: whoever reads further than that faults. */
static uint64_t *list_of(struct fuzzer *f)
{
	return (uint64_t *)(f->scratch + SCRATCH_PAGES * PAGE_SIZE) - LIST_COUNT;
}

static uint64_t *frames_for(struct fuzzer *f, uint16_t id)
{
	uint64_t *list = list_of(f);

	for (unsigned i = 0; i < LIST_COUNT; i++) {
		list[i] = frame_of(f, id);
	}
	return one_in(f, 10) ? list + below(f, LIST_COUNT + 1) : list;
}

/* Up to as many as a list has; more only where the list runs into memory that is not there. */
static uint64_t count(struct fuzzer *f)
{
	return one_in(f, 16) ? number(f) : 1 + below(f, 64);
}

static long call(struct fuzzer *f, unsigned long nr, unsigned long a, unsigned long b, unsigned long c)
{
	long rc;

	if (is_traced) {
		print("%lu: %lu %#lx %#lx %#lx", f->calls, nr, a, b, c);
		if (nr == __HYPERVISOR_domctl || nr == __HYPERVISOR_sysctl) {
			print(" command %u domain %u", *(uint32_t *)a, *(uint16_t *)(a + 8));
		}
	}
	rc = hypercall(nr, a, b, c, number(f), number(f));
	if (is_traced) {
		print(": %ld\n", rc);
	}

	f->calls++;
	f->sum = f->sum * 31 + (uint64_t)rc;
	return rc;
}

#define CALL(f, nr, a, b, c) \
	call(f, __HYPERVISOR_##nr, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c))

/* A place for an argument of this size, filled with what is never right everywhere. */
static void *argument(struct fuzzer *f, size_t size)
{
	uint8_t *p = f->scratch + below(f, 2 * PAGE_SIZE) / 8 * 8;

	for (size_t i = 0; i + 8 <= size; i += 8) {
		*(uint64_t *)(p + i) = one_in(f, 4) ? (uint64_t)memory(f) : number(f);
	}
	return p;
}

#define ARGUMENT(f, type) ((type *)argument(f, sizeof(type)))

/* --- one generator for each kind of call --- */

static void fuzz_memory_reservation(struct fuzzer *f)
{
	struct xen_memory_reservation *r = ARGUMENT(f, struct xen_memory_reservation);
	uint16_t id = one_in(f, 3) ? DOMID_SELF : child(f);

	HANDLE(r->extent_start, frames_for(f, id));
	r->nr_extents = count(f);
	r->extent_order = (uint32_t)(one_in(f, 4) ? below(f, 12) : 0);
	r->mem_flags = (uint32_t)(one_in(f, 8) ? number(f) : one_in(f, 4) ? XENMEMF_populate_on_demand : 0);
	r->domid = id;
	if (r->extent_order && (id == DOMID_SELF || id == 0) && r->nr_extents) {
		/* Whole pieces of the pool only: next to it is this program. */
		r->extent_order = 0;
	}
	CALL(f, memory_op, one_in(f, 2) ? XENMEM_populate_physmap : XENMEM_decrease_reservation, r, 0);
}

static void fuzz_memory_map(struct fuzzer *f)
{
	struct xen_add_to_physmap_batch *b = ARGUMENT(f, struct xen_add_to_physmap_batch);
	struct xen_add_to_physmap *a = (struct xen_add_to_physmap *)b;
	struct xen_remove_from_physmap *r = (struct xen_remove_from_physmap *)b;
	uint16_t id = one_in(f, 2) ? DOMID_SELF : child(f);
	uint64_t *indices = index_list[f - fuzzers];

	switch (below(f, 3)) {
	case 0:
		a->domid = id;
		a->size = (uint16_t)below(f, 64);
		a->space = (unsigned)below(f, 7);
		a->idx = a->space == XENMAPSPACE_grant_table ? below(f, 6) : frame_of(f, id);
		a->gpfn = frame_of(f, id);
		if (a->space == XENMAPSPACE_shared_info && (id == DOMID_SELF || id == 0)) {
			a->space = XENMAPSPACE_gmfn; /* the clock is in it */
		}
		if (a->space == XENMAPSPACE_gmfn_range && (id == DOMID_SELF || id == 0)) {
			a->size = 1;
		}
		CALL(f, memory_op, XENMEM_add_to_physmap, a, 0);
		break;
	case 1:
		b->domid = one_in(f, 8) ? child(f) : DOMID_SELF;
		b->size = (uint16_t)(1 + below(f, 64));
		b->space = (uint16_t)(one_in(f, 4) ? 1 + below(f, 7) : XENMAPSPACE_gmfn_foreign);
		b->u.foreign_domid = b->space == XENMAPSPACE_gmfn_foreign ? child(f) : 0;
		for (unsigned i = 0; i < LIST_COUNT; i++) {
			indices[i] = b->space == XENMAPSPACE_gmfn_foreign ? frame_of(f, b->u.foreign_domid)
									  : frame_of(f, b->domid);
		}
		HANDLE(b->gpfns, frames_for(f, b->domid));
		HANDLE(b->idxs, indices);
		HANDLE(b->errs, error_list[f - fuzzers]);
		CALL(f, memory_op, XENMEM_add_to_physmap_batch, b, 0);
		break;
	default:
		r->domid = id;
		r->gpfn = frame_of(f, id);
		CALL(f, memory_op, XENMEM_remove_from_physmap, r, 0);
	}
}

static void fuzz_memory_rest(struct fuzzer *f)
{
	static const uint8_t ops[] = {XENMEM_maximum_ram_page,	 XENMEM_current_reservation,
				      XENMEM_maximum_reservation, XENMEM_machphys_mfn_list,
				      XENMEM_memory_map,	 XENMEM_machine_memory_map,
				      XENMEM_set_memory_map,	 XENMEM_machphys_mapping,
				      XENMEM_maximum_gpfn,	 XENMEM_set_pod_target,
				      XENMEM_get_pod_target,	 XENMEM_get_sharing_freed_pages,
				      XENMEM_claim_pages,	 XENMEM_reserved_device_memory_map,
				      XENMEM_acquire_resource,	 XENMEM_get_vnumainfo};
	unsigned op = ops[below(f, ARRAY_SIZE(ops))];
	uint64_t *words = argument(f, 64);
	struct xen_mem_acquire_resource *a = (struct xen_mem_acquire_resource *)words;
	struct xen_memory_reservation *r = (struct xen_memory_reservation *)words;

	if (op == XENMEM_acquire_resource) {
		a->domid = child(f);
		a->type = (uint16_t)below(f, 3);
		a->id = (uint32_t)below(f, 3);
		a->nr_frames = (uint32_t)below(f, 8);
		a->pad = 0;
		a->frame = below(f, 8);
		HANDLE(a->frame_list, frames_for(f, 0));
	} else if (op == XENMEM_claim_pages) {
		memset(r, 0, sizeof(*r));
		r->domid = child(f);
		r->nr_extents = one_in(f, 2) ? 0 : below(f, 4096);
	} else if (op == XENMEM_set_memory_map && one_in(f, 2)) {
		((struct xen_foreign_memory_map *)words)->domid = child(f);
		((struct xen_foreign_memory_map *)words)->map.nr_entries = (unsigned)below(f, 130);
	} else {
		*(uint16_t *)words = op == XENMEM_set_memory_map ? child(f) : domain(f);
	}
	CALL(f, memory_op, op | (one_in(f, 16) ? next(f) << 6 : 0), words, 0);
}

static uint64_t grant_host_address(struct fuzzer *f)
{
	return (one_in(f, 10) ? next(f) : own_frame(f) << 12) | (one_in(f, 10) ? below(f, 4096) : 0);
}

/*
 * Where what is mapped is, by handle: unmapping needs it. One list for each vCPU, because a handle may
 * be unmapped and used again by others before the one who mapped it has written that down.
 */
#define HANDLES 4096
static uint64_t mapped_at[CPUS][HANDLES];

/* Those beyond the lists go at once, or nobody could give them back at the end of a long run. */
static void remember_maps(struct fuzzer *f, const struct gnttab_map_grant_ref *map, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct gnttab_unmap_grant_ref unmap = {.host_addr = map[i].host_addr, .handle = map[i].handle};

		if (map[i].status != GNTST_okay) {
			continue;
		}
		if (map[i].handle < HANDLES) {
			mapped_at[f - fuzzers][map[i].handle] = map[i].host_addr;
		} else {
			CALL(f, grant_table_op, GNTTABOP_unmap_grant_ref, &unmap, 1);
		}
	}
}

static void fuzz_grant(struct fuzzer *f)
{
	uint64_t n = one_in(f, 10) ? number(f) : 1 + below(f, 40);
	unsigned op = (unsigned)below(f, 14);
	uint8_t *list = f->scratch + below(f, 1024) / 8 * 8;

	argument(f, 256);
	for (unsigned i = 0; i < 40; i++) {
		struct gnttab_map_grant_ref *map = (void *)(list + i * sizeof(*map));
		struct gnttab_unmap_grant_ref *unmap = (void *)(list + i * sizeof(*unmap));
		struct gnttab_copy *copy = (void *)(list + i * sizeof(*copy));

		switch (op) {
		case GNTTABOP_map_grant_ref:
			map->host_addr = grant_host_address(f);
			map->flags = (uint32_t)(one_in(f, 6) ? number(f) : GNTMAP_host_map | (next(f) & GNTMAP_readonly));
			map->ref = (uint32_t)(one_in(f, 10) ? number(f) : 8 + below(f, 60));
			map->dom = one_in(f, 3) ? DOMID_SELF : child(f);
			break;
		case GNTTABOP_unmap_grant_ref:
			unmap->handle = (uint32_t)(one_in(f, 10) ? number(f) : below(f, 200));
			unmap->host_addr = one_in(f, 6) ? grant_host_address(f) : mapped_at[below(f, CPUS)][unmap->handle % HANDLES];
			unmap->dev_bus_addr = one_in(f, 8) ? number(f) : 0;
			break;
		case GNTTABOP_copy:
			copy->flags = (uint16_t)below(f, 4);
			copy->len = (uint16_t)(one_in(f, 6) ? number(f) : below(f, 600));
			copy->source.offset = (uint16_t)(one_in(f, 6) ? number(f) : below(f, 3000));
			copy->dest.offset = (uint16_t)(one_in(f, 6) ? number(f) : below(f, 3000));
			copy->source.domid = one_in(f, 2) ? DOMID_SELF : child(f);
			copy->dest.domid = one_in(f, 2) ? DOMID_SELF : child(f);
			copy->source.u.gmfn = frame_of(f, copy->source.domid);
			copy->dest.u.gmfn = frame_of(f, copy->dest.domid);
			if (copy->flags & GNTCOPY_source_gref) {
				copy->source.u.ref = (uint32_t)below(f, 80);
			}
			if (copy->flags & GNTCOPY_dest_gref) {
				copy->dest.u.ref = (uint32_t)below(f, 80);
			}
			break;
		case GNTTABOP_set_version:
			*(uint32_t *)list = (uint32_t)below(f, 4);
			break;
		case GNTTABOP_swap_grant_ref:
			((uint32_t *)list)[i * 3] = (uint32_t)below(f, 700);
			((uint32_t *)list)[i * 3 + 1] = (uint32_t)below(f, 700);
			break;
		case GNTTABOP_setup_table:
		case GNTTABOP_get_status_frames:
			*(uint32_t *)(list + i * 24) = domain(f);
			break;
		default:
			*(uint16_t *)(list + i * 8) = domain(f);
		}
	}
	if (op == GNTTABOP_map_grant_ref) {
		struct gnttab_map_grant_ref *maps = (void *)list;

		n = n < 40 ? n : 40;
		for (uint64_t i = 0; i < n; i++) {
			maps[i].status = GNTST_general_error;
		}
		CALL(f, grant_table_op, op, maps, n);
		remember_maps(f, maps, n);
		return;
	}
	if (n > 40 && n < 1024) {
		n = 40;
	}
	CALL(f, grant_table_op, op, one_in(f, 20) ? memory(f) : list, n);
}

static void fuzz_event(struct fuzzer *f)
{
	unsigned op = (unsigned)below(f, 15);
	uint32_t *words = argument(f, 64);

	switch (op) {
	case EVTCHNOP_bind_interdomain:
		words[0] = domain(f);
		words[1] = port(f);
		break;
	case EVTCHNOP_bind_virq:
		words[0] = (uint32_t)below(f, 26);
		words[1] = vcpu(f);
		break;
	case EVTCHNOP_status:
	case EVTCHNOP_reset:
		words[0] = domain(f);
		words[1] = port(f);
		if (op == EVTCHNOP_reset && !one_in(f, 10)) {
			words[0] = child(f);
		}
		break;
	case EVTCHNOP_alloc_unbound:
		((uint16_t *)words)[0] = one_in(f, 2) ? DOMID_SELF : child(f);
		((uint16_t *)words)[1] = domain(f);
		break;
	case EVTCHNOP_init_control:
		*(uint64_t *)words = own_frame(f);
		words[2] = (uint32_t)below(f, 4096) & ~7u;
		words[3] = vcpu(f);
		break;
	case EVTCHNOP_expand_array:
		*(uint64_t *)words = own_frame(f);
		break;
	default:
		words[0] = port(f);
		words[1] = one_in(f, 2) ? vcpu(f) : (uint32_t)below(f, 20);
	}
	CALL(f, event_channel_op, op, one_in(f, 30) ? memory(f) : words, 0);
}

static void fuzz_vcpu(struct fuzzer *f)
{
	unsigned op = (unsigned)below(f, 16);
	uint64_t *words = argument(f, 256);
	uint32_t id = op < 3 ? vcpu(f) | 8 : op == VCPUOP_send_nmi ? ~0u : vcpu(f);

	if (op == VCPUOP_register_vcpu_info) {
		words[0] = own_frame(f);
		((uint32_t *)words)[2] = (uint32_t)(one_in(f, 4) ? number(f) : below(f, 4032) & ~63u);
		((uint32_t *)words)[3] = 0;
	} else if (op == VCPUOP_register_runstate_memory_area || op == VCPUOP_register_vcpu_time_memory_area) {
		words[0] = (uint64_t)f->scratch + 3 * PAGE_SIZE + below(f, 3000);
	} else if (op == VCPUOP_set_singleshot_timer || op == VCPUOP_set_periodic_timer) {
		words[0] = one_in(f, 2) ? system_ns() + below(f, 10000000) : 1000000 + below(f, 100000000);
		((uint32_t *)words)[2] = (uint32_t)below(f, 3);
	}
	CALL(f, vcpu_op, op, id, one_in(f, 30) ? memory(f) : words);
}

static void fuzz_sched(struct fuzzer *f)
{
	static const uint8_t ops[] = {SCHEDOP_yield,	     SCHEDOP_poll,     SCHEDOP_remote_shutdown,
				      SCHEDOP_watchdog,	     SCHEDOP_pin_override, 8, 60};
	unsigned op = ops[below(f, ARRAY_SIZE(ops))];
	uint64_t *words = argument(f, 64);
	struct sched_poll *poll = (struct sched_poll *)words;

	if (op == SCHEDOP_poll) {
		for (unsigned i = 0; i < LIST_COUNT; i++) {
			((uint32_t *)list_of(f))[i] = port(f);
		}
		HANDLE(poll->ports, one_in(f, 10) ? memory(f) : (void *)list_of(f));
		poll->nr_ports = (unsigned)(one_in(f, 10) ? number(f) : below(f, 64));
		poll->timeout = system_ns() + below(f, 2000000);
	} else if (op == SCHEDOP_remote_shutdown) {
		((struct sched_remote_shutdown *)words)->domain_id = child(f);
	} else if (op == SCHEDOP_watchdog) {
		((uint32_t *)words)[0] = (uint32_t)below(f, 5);
		((uint32_t *)words)[1] = one_in(f, 2) ? 0 : 100000;
	} else if (op == SCHEDOP_pin_override) {
		*(int32_t *)words = one_in(f, 2) ? -1 : (int32_t)below(f, 5);
	}
	CALL(f, sched_op, op, words, 0);
}

/* Parameters whose value is where something is, or what makes the answer long, get a fitting one at times. */
static void fuzz_hvm(struct fuzzer *f)
{
	static const uint8_t ops[] = {HVMOP_set_param, HVMOP_get_param, HVMOP_flush_tlbs, HVMOP_get_time,
				      HVMOP_get_mem_type, HVMOP_pagetable_dying, 25, 23, 24, 40};
	unsigned op = ops[below(f, ARRAY_SIZE(ops))];
	struct xen_hvm_param *p = ARGUMENT(f, struct xen_hvm_param);

	p->domid = domain(f);
	p->pad = 0;
	p->index = (uint32_t)(one_in(f, 10) ? number(f) : below(f, 42));
	if (op == HVMOP_set_param && p->index == HVM_PARAM_CALLBACK_IRQ) {
		p->value = one_in(f, 2) ? 0 : 2UL << 56 | (0x20 + below(f, 0xd0));
	}
	CALL(f, hvm_op, op, op == HVMOP_flush_tlbs && one_in(f, 2) ? NULL : (void *)p, 0);
}

static void fuzz_domctl(struct fuzzer *f)
{
	struct xen_domctl *op = ARGUMENT(f, struct xen_domctl);

	op->interface_version = one_in(f, 50) ? (uint32_t)number(f) : XEN_DOMCTL_INTERFACE_VERSION;
	op->cmd = (uint32_t)(one_in(f, 20) ? number(f) : 1 + below(f, 88));
	op->domain = child(f);
	if (op->domain == 0 || op->domain > CHILDREN) {
		op->domain = 0x7000;
	}
	switch (op->cmd) {
	case XEN_DOMCTL_scheduler_op:
		op->u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
		op->u.scheduler_op.cmd = (uint32_t)below(f, 5);
		break;
	case XEN_DOMCTL_max_mem:
		op->u.max_mem.max_memkb = below(f, 2) ? 4096 : number(f);
		break;
	case XEN_DOMCTL_createdomain: /* mostly right, and one field is not */
		memset(&op->u, 0, sizeof(op->u));
		op->u.createdomain.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
		op->u.createdomain.max_vcpus = 1 + (uint32_t)below(f, 3);
		op->u.createdomain.max_evtchn_port = 1023;
		op->u.createdomain.max_grant_frames = 4;
		op->u.createdomain.max_maptrack_frames = 4;
		op->u.createdomain.grant_opts = 2;
		op->u.createdomain.arch.emulation_flags = XEN_X86_EMU_LAPIC;
		((uint32_t *)&op->u)[below(f, 16)] = (uint32_t)number(f);
		break;
	case XEN_DOMCTL_gethvmcontext:
		op->u.hvmcontext.size = (uint32_t)(one_in(f, 4) ? number(f) : sizeof(f->context));
		HANDLE(op->u.hvmcontext.buffer, one_in(f, 4) ? NULL : f->context);
		break;
	case XEN_DOMCTL_sethvmcontext:
		op->u.hvmcontext.size = (uint32_t)(one_in(f, 4) ? number(f) : sizeof(f->context));
		HANDLE(op->u.hvmcontext.buffer, f->context);
		if (one_in(f, 2)) {
			f->context[below(f, 2000)] ^= (uint8_t)(1 << below(f, 8));
		}
		break;
	case XEN_DOMCTL_setvcpuaffinity:
	case XEN_DOMCTL_getvcpuaffinity:
		op->u.vcpuaffinity.vcpu = (uint32_t)below(f, 4);
		op->u.vcpuaffinity.flags = (uint32_t)below(f, 4);
		break;
	default:
		break;
	}
	CALL(f, domctl, op, 0, 0);
}

static void fuzz_sysctl(struct fuzzer *f)
{
	struct xen_sysctl *op = ARGUMENT(f, struct xen_sysctl);

	op->interface_version = one_in(f, 50) ? (uint32_t)number(f) : XEN_SYSCTL_INTERFACE_VERSION;
	op->cmd = (uint32_t)below(f, 32);
	if (op->cmd == XEN_SYSCTL_debug_keys || op->cmd == XEN_SYSCTL_page_offline_op ||
	    op->cmd == XEN_SYSCTL_cpu_hotplug || op->cmd == XEN_SYSCTL_livepatch_op) {
		op->cmd = XEN_SYSCTL_physinfo;
	}
	if (op->cmd == XEN_SYSCTL_cpupool_op) {
		op->u.cpupool_op.op = (uint32_t)(1 + below(f, 8));
		op->u.cpupool_op.cpupool_id = (uint32_t)(one_in(f, 6) ? number(f) : below(f, 3));
		op->u.cpupool_op.sched_id = one_in(f, 6) ? 1 : XEN_SCHEDULER_CREDIT2;
		op->u.cpupool_op.domid = child(f);
		op->u.cpupool_op.cpu = (uint32_t)(one_in(f, 6) ? number(f) : 1 + below(f, 4));
	}
	CALL(f, sysctl, op, 0, 0);
}

static void fuzz_platform(struct fuzzer *f)
{
	struct xen_platform_op *op = ARGUMENT(f, struct xen_platform_op);

	op->interface_version = XENPF_INTERFACE_VERSION;
	op->cmd = (uint32_t)(48 + below(f, 18));
	if (op->cmd == XENPF_enter_acpi_sleep || (op->cmd >= XENPF_cpu_online && op->cmd <= XENPF_mem_hotadd)) {
		op->cmd = XENPF_settime64;
	}
	CALL(f, platform_op, op, 0, 0);
}

static void fuzz_physdev(struct fuzzer *f)
{
	uint8_t *bytes = argument(f, 64);

	if (one_in(f, 2)) {
		memset(bytes, 0, 16);
		bytes[one_in(f, 2)] = (uint8_t)below(f, 256);
	}
	CALL(f, physdev_op, below(f, 34), bytes, 0);
}

/* Only calls that may be made alone, and what they point to is nonsense. */
static void fuzz_multicall(struct fuzzer *f)
{
	static const uint8_t numbers[] = {__HYPERVISOR_xen_version,  __HYPERVISOR_event_channel_op,
					  __HYPERVISOR_grant_table_op, __HYPERVISOR_multicall,
					  __HYPERVISOR_hvm_op, 63};
	unsigned n = 1 + (unsigned)below(f, 30);
	/* Up to the end of what is mapped: behind it would be entries of nobody's choice. */
	struct multicall_entry *list = (struct multicall_entry *)(f->scratch + SCRATCH_PAGES * PAGE_SIZE) - n;

	for (unsigned i = 0; i < n; i++) {
		list[i].op = numbers[below(f, ARRAY_SIZE(numbers))];
		list[i].args[0] = 1 + below(f, 13); /* no mapping of grants that nobody writes down */
		for (unsigned k = 1; k < 6; k++) {
			list[i].args[k] = one_in(f, 2) ? (unsigned long)memory(f) : number(f);
		}
	}
	CALL(f, multicall, list, one_in(f, 20) ? number(f) : n, 0);
}

static bool is_left_out(uint64_t nr)
{
	switch (nr) {
	case __HYPERVISOR_sched_op: /* those with generators that know what stops this guest or the machine */
	case __HYPERVISOR_sched_op_compat:
	case __HYPERVISOR_memory_op:
	case __HYPERVISOR_domctl:
	case __HYPERVISOR_sysctl:
	case __HYPERVISOR_platform_op:
	case __HYPERVISOR_vcpu_op:
	case __HYPERVISOR_multicall:
	case __HYPERVISOR_kexec_op:
	case __HYPERVISOR_console_io: /* would flood the log */
		return true;
	default:
		return false;
	}
}

static void fuzz_any(struct fuzzer *f)
{
	uint64_t nr = one_in(f, 10) ? next(f) : below(f, 66);

	argument(f, 256);
	if (!is_left_out(nr)) {
		call(f, nr, one_in(f, 2) ? 1 + below(f, 48) : number(f) | 1, (uint64_t)memory(f), number(f));
	}
}

/* --- domains --- */

/* What a child runs: hypercalls of its own, all numbers, pointers into its first MiB. */
extern uint8_t child_code[], child_call[], child_code_end[];
__asm__(".section .text\n"
	".code32\n"
	"child_code:\n"
	"	imul $1664525, %ebp, %ebp\n"
	"	add $1013904223, %ebp\n"
	"	mov %ebp, %eax\n"
	"	shr $26, %eax\n"
	"	mov %ebp, %ebx\n"
	"	shr $9, %ebx\n"
	"	and $31, %ebx\n"
	"	mov %ebp, %ecx\n"
	"	shr $5, %ecx\n"
	"	and $0xffff8, %ecx\n"
	"	mov %ebp, %edx\n"
	"	shr $12, %edx\n"
	"	and $15, %edx\n"
	"	cmp $29, %eax\n" /* of the scheduler's it only yields */
	"	jne child_call\n"
	"	xor %ebx, %ebx\n"
	"child_call:\n"
	"	vmmcall\n"
	"	jmp child_code\n"
	"child_code_end:\n"
	".code64\n");

static struct xen_domctl *domctl_of(struct fuzzer *f, uint16_t id, uint32_t cmd)
{
	struct xen_domctl *op = (void *)f->scratch;

	memset(op, 0, sizeof(*op));
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->cmd = cmd;
	op->domain = id;
	return op;
}

static struct hvm_hw_cpu *find_cpu_record(uint8_t *context, uint64_t size)
{
	uint64_t at = 0;

	while (at + sizeof(struct hvm_save_descriptor) < size) {
		struct hvm_save_descriptor *d = (void *)(context + at);

		if (d->typecode == HVM_SAVE_CODE(CPU)) {
			return (void *)(d + 1);
		}
		if (d->typecode == HVM_SAVE_CODE(END)) {
			break;
		}
		at += sizeof(*d) + d->length;
	}
	return NULL;
}

/* Flat 32-bit segments without paging, as the PVH boot ABI has them. */
static void set_entry(struct hvm_hw_cpu *cpu, uint32_t random)
{
	uint64_t fpu = *(uint64_t *)cpu->fpu_regs;

	memset(cpu, 0, sizeof(*cpu));
	*(uint64_t *)cpu->fpu_regs = fpu;
	cpu->cs_limit = cpu->ds_limit = cpu->es_limit = cpu->ss_limit = ~0u;
	cpu->tr_limit = 0x67;
	cpu->cs_arbytes = 0xc9b;
	cpu->ds_arbytes = cpu->es_arbytes = cpu->ss_arbytes = 0xc93;
	cpu->tr_arbytes = 0x8b;
	cpu->cr0 = 0x11;
	cpu->rflags = 2;
	cpu->rip = PAGE_SIZE;
	cpu->rbp = random;
	cpu->dr6 = 0xffff0ff0;
	cpu->dr7 = 0x400;
}

/* The child's first vCPU gets a state, its page 1 the program, its grants lead to its memory. */
static void load_program(struct fuzzer *f, uint16_t id)
{
	struct xen_domctl *op = domctl_of(f, id, XEN_DOMCTL_gethvmcontext);
	struct xen_mem_acquire_resource grant = {.domid = id, .type = XENMEM_resource_grant_table, .nr_frames = 1};
	struct xen_add_to_physmap_batch map = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = 1, .u.foreign_domid = id};
	uint64_t gfn = 1, at = f->window;
	struct hvm_hw_cpu *cpu;
	int error = 1;

	op->u.hvmcontext.size = sizeof(f->context);
	HANDLE(op->u.hvmcontext.buffer, f->context);
	if (CALL(f, domctl, op, 0, 0) == 0) {
		cpu = find_cpu_record(f->context, sizeof(f->context));
		if (cpu) {
			set_entry(cpu, (uint32_t)next(f));
			op->cmd = XEN_DOMCTL_sethvmcontext;
			CALL(f, domctl, op, 0, 0);
		}
	}
	HANDLE(map.idxs, &gfn);
	HANDLE(map.gpfns, &at);
	HANDLE(map.errs, &error);
	if (CALL(f, memory_op, XENMEM_add_to_physmap_batch, &map, 0) == 0 && error == 0) {
		memcpy((void *)(at * PAGE_SIZE), child_code, child_code_end - child_code);
		if (uses_vmcall) {
			((uint8_t *)(at * PAGE_SIZE))[child_call - child_code + 2] = 0xc1;
		}
	}
	HANDLE(grant.frame_list, &at);
	if (CALL(f, memory_op, XENMEM_acquire_resource, &grant, 0) == 0) {
		struct grant_entry_v1 *table = (void *)(at * PAGE_SIZE);

		for (unsigned i = 8; i < 68; i++) {
			table[i].domid = one_in(f, 4) ? (uint16_t)below(f, CHILDREN + 1) : 0;
			table[i].frame = (uint32_t)below(f, CHILD_FRAMES);
			table[i].flags = one_in(f, 6) ? (uint16_t)next(f) : GTF_permit_access;
		}
	}
}

static void make_child(struct fuzzer *f)
{
	uint16_t id = (uint16_t)(1 + below(f, CHILDREN));
	struct xen_domctl *op = domctl_of(f, id, XEN_DOMCTL_createdomain);
	struct xen_memory_reservation r = {.nr_extents = 1, .extent_order = 9, .domid = id};
	uint64_t gfn = 0;
	unsigned vcpus = 1 + (unsigned)below(f, 2);

	op->u.createdomain.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
	op->u.createdomain.max_vcpus = vcpus;
	op->u.createdomain.max_evtchn_port = 1023;
	op->u.createdomain.max_grant_frames = 4;
	op->u.createdomain.max_maptrack_frames = 4;
	op->u.createdomain.grant_opts = 2;
	op->u.createdomain.arch.emulation_flags = XEN_X86_EMU_LAPIC;
	if (CALL(f, domctl, op, 0, 0) != 0) {
		return;
	}
	op = domctl_of(f, id, XEN_DOMCTL_set_paging_mempool_size);
	op->u.paging_mempool.size = 1 << 20;
	CALL(f, domctl, op, 0, 0);
	op = domctl_of(f, id, XEN_DOMCTL_max_mem);
	op->u.max_mem.max_memkb = (CHILD_FRAMES + 64) * 4;
	CALL(f, domctl, op, 0, 0);
	op = domctl_of(f, id, XEN_DOMCTL_max_vcpus);
	op->u.max_vcpus.max = vcpus;
	CALL(f, domctl, op, 0, 0);
	HANDLE(r.extent_start, &gfn);
	CALL(f, memory_op, XENMEM_populate_physmap, &r, 0);
	load_program(f, id);
	if (!is_alone) {
		CALL(f, domctl, domctl_of(f, id, XEN_DOMCTL_unpausedomain), 0, 0);
	}
}

static void kill_child(struct fuzzer *f)
{
	CALL(f, domctl, domctl_of(f, (uint16_t)(1 + below(f, CHILDREN)), XEN_DOMCTL_destroydomain), 0, 0);
}

/* --- the rounds --- */

static void one_call(struct fuzzer *f)
{
	switch (below(f, has_tools ? 22 : 16)) {
	case 0:
	case 1:
		fuzz_memory_reservation(f);
		break;
	case 2:
	case 3:
	case 4:
		fuzz_memory_map(f);
		break;
	case 5:
		fuzz_memory_rest(f);
		break;
	case 6:
	case 7:
		fuzz_grant(f);
		break;
	case 8:
	case 9:
		fuzz_event(f);
		break;
	case 10:
		fuzz_vcpu(f);
		break;
	case 11:
		fuzz_sched(f);
		break;
	case 12:
		fuzz_hvm(f);
		break;
	case 13:
		fuzz_multicall(f);
		break;
	case 14:
		fuzz_any(f);
		break;
	case 15:
		fuzz_platform(f);
		break;
	case 16:
	case 17:
		fuzz_domctl(f);
		break;
	case 18:
		fuzz_sysctl(f);
		break;
	case 19:
		fuzz_physdev(f);
		break;
	case 20:
		make_child(f);
		break;
	default:
		if (one_in(f, 2)) {
			kill_child(f);
		}
	}
}

static void run_until_end(void *arg)
{
	struct fuzzer *f = arg;

	while (now_ns() < end_of_round) {
		one_call(f);
	}
}

static void prepare(unsigned round)
{
	for (unsigned i = 0; i < CPUS; i++) {
		struct fuzzer *f = &fuzzers[i];

		f->state = (seed * CPUS + i + 1) * 0x9e3779b97f4a7c15UL + round * 0x2545f4914f6cdd1dUL;
		f->state = f->state ? f->state : 1;
		f->calls = 0;
		f->sum = 0;
	}
}

/* Of "name=number" on the command line. */
static uint64_t option(const char *name, uint64_t otherwise)
{
	const char *text = (const char *)start_info()->cmdline_paddr;
	size_t size = strlen(name);

	for (; start_info()->cmdline_paddr && *text; text++) {
		if (memcmp(text, name, size) == 0 && text[size] == '=') {
			uint64_t value = 0;

			for (text += size + 1; *text >= '0' && *text <= '9'; text++) {
				value = value * 10 + (uint64_t)(*text - '0');
			}
			return value;
		}
	}
	return otherwise;
}

static long destroy(uint16_t id)
{
	long rc;

	do {
		rc = hypercall1(__HYPERVISOR_domctl, domctl_of(&fuzzers[0], id, XEN_DOMCTL_destroydomain));
	} while (rc == -EAGAIN);
	return rc;
}

/* How many other domains the hypervisor knows; all of them are told to die. */
static unsigned destroy_all(bool is_shown)
{
	static struct xen_domctl_getdomaininfo list[64];
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_getdomaininfolist,
				.interface_version = XEN_SYSCTL_INTERFACE_VERSION};

	op.u.getdomaininfolist.first_domain = 1;
	op.u.getdomaininfolist.max_domains = ARRAY_SIZE(list);
	HANDLE(op.u.getdomaininfolist.buffer, list);
	if (hypercall1(__HYPERVISOR_sysctl, &op) != 0) {
		return ~0u;
	}
	for (unsigned i = 0; i < op.u.getdomaininfolist.num_domains; i++) {
		destroy(list[i].domain);
		if (is_shown) {
			print("domain %u: flags %#x pages %lu\n", list[i].domain, list[i].flags, list[i].tot_pages);
		}
	}
	return op.u.getdomaininfolist.num_domains;
}

/* This guest's own: what it maps of others keeps them; its pool comes back for the next round. */
static void clean_up_own(void)
{
	struct gnttab_unmap_grant_ref unmap = {0};
	struct xen_remove_from_physmap remove = {.domid = DOMID_SELF};
	struct evtchn_reset reset = {.dom = DOMID_SELF};
	struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
	uint64_t gfn;

	for (uint32_t handle = 0; handle < HANDLES; handle++) {
		unmap.handle = handle;
		for (unsigned i = 0; i < CPUS; i++) {
			unmap.host_addr = mapped_at[i][handle];
			if (unmap.host_addr) {
				hypercall3(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, &unmap, 1);
			}
		}
	}
	for (uint64_t i = 0; i < POOL_FRAMES + 2048 + 8 + CPUS; i++) {
		remove.gpfn = i < POOL_FRAMES	       ? POOL_FRAME + i
			      : i < POOL_FRAMES + 2048 ? HIGH_FRAME + i - POOL_FRAMES
			      : i < POOL_FRAMES + 2056 ? HIGH_FRAME + ((i - POOL_FRAMES - 2048) << 18)
						       : fuzzers[i - POOL_FRAMES - 2056].window;
		hypercall2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &remove);
	}
	for (gfn = POOL_FRAME; gfn < POOL_FRAME + POOL_FRAMES; gfn++) {
		HANDLE(r.extent_start, &gfn);
		hypercall2(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &r);
	}
	hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_reset, &reset);
}

/* What the hypervisor knows of its domains and CPUs, on its own console. */
static void print_domains(void)
{
	static char keys[] = {'q', 'r', 'd'};
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_debug_keys, .interface_version = XEN_SYSCTL_INTERFACE_VERSION};

	HANDLE(op.u.debug_keys.keys, keys);
	op.u.debug_keys.nr_keys = sizeof(keys);
	hypercall1(__HYPERVISOR_sysctl, &op);
}

static uint64_t free_pages(void)
{
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_physinfo, .interface_version = XEN_SYSCTL_INTERFACE_VERSION};

	EXPECT_EQ(hypercall1(__HYPERVISOR_sysctl, &op), 0);
	return op.u.physinfo.free_pages;
}

static void race(unsigned round)
{
	uint64_t calls = 0;

	prepare(round);
	end_of_round = now_ns() + seconds * 1000000000UL;
	for (unsigned i = 1; i < CPUS; i++) {
		if (cpus[i].is_up) {
			cpu_call(i, run_until_end, &fuzzers[i]);
		}
	}
	run_until_end(&fuzzers[0]);
	for (unsigned i = 1; i < CPUS; i++) {
		for (unsigned tries = 0; cpus[i].is_up && !cpus[i].is_done && tries < 6; tries++) {
			cpu_wait(i);
		}
		EXPECT(!cpus[i].is_up || cpus[i].is_done);
	}
	for (unsigned i = 0; i < CPUS; i++) {
		calls += fuzzers[i].calls;
	}
	print("round %u: %lu calls\n", round, calls);
}

TEST(calls_alone_are_those_of_the_seed)
{
	struct xen_sysctl op = {.cmd = XEN_SYSCTL_physinfo, .interface_version = XEN_SYSCTL_INTERFACE_VERSION};

	seed = option("seed", seed);
	seconds = option("seconds", seconds);
	rounds = option("rounds", rounds);
	has_tools = hypercall1(__HYPERVISOR_sysctl, &op) == 0;
	EXPECT_EQ(has_tools, is_dom0());
	print("seed=%lu seconds=%lu rounds=%lu, as %s\n", seed, seconds, rounds, has_tools ? "dom0" : "domU");
	for (unsigned i = 0; i < CPUS; i++) {
		map_page((uint64_t)fuzzers[i].scratch + SCRATCH_PAGES * PAGE_SIZE, 0);
		fuzzers[i].window = scratch_frame();
	}
	map_page(0, 0); /* small numbers taken for pointers */
	prepare(~0u);
	is_alone = true;
	is_traced = option("trace", 0) != 0;
	for (unsigned i = 0; i < CALLS_ALONE; i++) {
		one_call(&fuzzers[0]);
	}
	is_alone = is_traced = false;
	print("sum %#lx\n", fuzzers[0].sum);
}

TEST(several_vcpus_race)
{
	uint64_t before = 0;

	apic_enable();
	for (unsigned i = 1; i < CPUS; i++) {
		cpu_start(i);
	}
	for (unsigned round = 0; round < rounds; round++) {
		uint64_t now, end;

		race(round);
		if (!has_tools) {
			continue;
		}
		print("%u domains are told to die\n", destroy_all(false));
		clean_up_own();
		print("this guest's own is given back\n");
		end = now_ns() + 30000000000UL;
		while (destroy_all(false) && now_ns() < end) {
			delay_us(1000);
		}
		if (!EXPECT_EQ(destroy_all(true), 0)) {
			print_domains();
		}
		now = free_pages();
		print("free pages: %lu\n", now);
		/* The hypervisor's own heap grows in pieces of 2 MiB: only what goes on and on is a leak. */
		if (round > 0) {
			EXPECT(now + 3 * 512 >= before);
		} else {
			before = now;
		}
	}
}

TEST(the_hypervisor_still_answers)
{
	EXPECT_EQ(hypercall2(__HYPERVISOR_xen_version, XENVER_version, 0), 4 << 16 | 17);
}
