/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What domains cost each other, for bench/run: this guest, in dom0's place, makes one that runs in
 * 64-bit mode in its own first pages and does one of two things for ever: answer each event, or yield.
 * Instructions for each operation, of hypervisor and both guests together. As a test it checks that
 * every operation does what it says.
 */
#define __XEN_TOOLS__ 1
#include "lib/event.h"

#include <xen/domctl.h>
#include <xen/grant_table.h>
#include <xen/hvm/save.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define HANDLE(handle, to) set_xen_guest_handle(handle, to)
#define CHILD		   1
#define LOOPS		   500
#define GRANTS		   32
#define FOREIGN		   1024
#define FIRST_GRANT	   8
/* Pages of the child. */
enum { CODE = 1, PML4, PDPT, PD, ARGUMENTS, SHARED_INFO, STACK, DATA, CHILD_FRAMES = 512 };

/* In the child's page ARGUMENTS; this guest sees it, too. */
struct arguments {
	volatile uint64_t is_yielding, count;
	struct sched_poll poll;
	struct evtchn_send send;
	struct xen_add_to_physmap map;
};

static struct xen_domctl domctl;
static uint8_t context[8 * PAGE_SIZE] __attribute__((aligned(8)));
static struct arguments *arguments;
static struct grant_entry_v1 *table;
static evtchn_port_t port;
static uint64_t window; /* frames for grants and foreign pages */

/* --- the child: no data of this image, no calls out of this function --- */

#define CHILD_CALL(nr, a, b) \
	__asm__ volatile("vmmcall" : "=a"(rc) : "0"((long)(nr)), "D"((long)(a)), "S"(b) : "memory")

__attribute__((section(".text.child"), noreturn, noinline)) static void
child_main(struct arguments *a)
{
	struct shared_info *info = (struct shared_info *)(SHARED_INFO * PAGE_SIZE);
	uint32_t p = a->send.port;
	long rc;

	CHILD_CALL(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &a->map);
	info->evtchn_mask[p / 64] |= 1UL << p % 64;
	for (;;) {
		if (a->is_yielding) {
			CHILD_CALL(__HYPERVISOR_sched_op, SCHEDOP_yield, 0UL);
		} else {
			CHILD_CALL(__HYPERVISOR_sched_op, SCHEDOP_poll, &a->poll);
			if (!(info->evtchn_pending[p / 64] >> p % 64 & 1)) {
				continue;
			}
			__atomic_fetch_and(&info->evtchn_pending[p / 64], ~(1UL << p % 64), __ATOMIC_SEQ_CST);
			CHILD_CALL(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &a->send);
		}
		a->count++;
	}
}

/* --- making it --- */

static struct xen_domctl *op_of(uint32_t cmd)
{
	memset(&domctl, 0, sizeof(domctl));
	domctl.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	domctl.cmd = cmd;
	domctl.domain = CHILD;
	return &domctl;
}

static long do_domctl(void)
{
	return hypercall1(__HYPERVISOR_domctl, &domctl);
}

static long map_foreign(uint64_t first, uint64_t at, unsigned count)
{
	static uint64_t from[FOREIGN], to[FOREIGN];
	static int errors[FOREIGN];
	struct xen_add_to_physmap_batch map = {.domid = DOMID_SELF,
					       .space = XENMAPSPACE_gmfn_foreign,
					       .size = (uint16_t)count,
					       .u.foreign_domid = CHILD};

	for (unsigned i = 0; i < count; i++) {
		from[i] = first + i % CHILD_FRAMES;
		to[i] = at + i;
	}
	HANDLE(map.idxs, from);
	HANDLE(map.gpfns, to);
	HANDLE(map.errs, errors);
	return hypercall2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &map);
}

static void unmap(uint64_t at)
{
	struct xen_remove_from_physmap remove = {.domid = DOMID_SELF, .gpfn = at};

	hypercall2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &remove);
}

static void *page_of_child(uint64_t gfn)
{
	uint64_t at = scratch_frame();

	EXPECT_EQ(map_foreign(gfn, at, 1), 0);
	return (void *)(at * PAGE_SIZE);
}

TEST(a_domain_is_made)
{
	struct xen_memory_reservation r = {.nr_extents = 1, .extent_order = 9, .domid = CHILD};
	uint64_t gfn = 0;

	op_of(XEN_DOMCTL_createdomain)->u.createdomain.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
	domctl.u.createdomain.max_vcpus = 1;
	domctl.u.createdomain.max_evtchn_port = 1023;
	domctl.u.createdomain.max_grant_frames = 4;
	domctl.u.createdomain.max_maptrack_frames = 4;
	domctl.u.createdomain.grant_opts = 1;
	domctl.u.createdomain.arch.emulation_flags = XEN_X86_EMU_LAPIC;
	EXPECT_EQ(do_domctl(), 0);
	op_of(XEN_DOMCTL_set_paging_mempool_size)->u.paging_mempool.size = 4 << 20;
	EXPECT_EQ(do_domctl(), 0);
	op_of(XEN_DOMCTL_max_mem)->u.max_mem.max_memkb = (CHILD_FRAMES + 64) * 4;
	EXPECT_EQ(do_domctl(), 0);
	op_of(XEN_DOMCTL_max_vcpus)->u.max_vcpus.max = 1;
	EXPECT_EQ(do_domctl(), 0);
	HANDLE(r.extent_start, &gfn);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &r), 1);
}

static void *put_record(void *at, uint16_t type, uint32_t length)
{
	struct hvm_save_descriptor *d = at;

	*d = (struct hvm_save_descriptor){.typecode = type, .length = length};
	return d + 1;
}

/* The header is the hypervisor's own; 64-bit mode on tables in the child's pages. */
static uint32_t write_context(void)
{
	struct hvm_hw_cpu *cpu = put_record(context + sizeof(struct hvm_save_descriptor) + HVM_SAVE_LENGTH(HEADER),
					    HVM_SAVE_CODE(CPU), HVM_SAVE_LENGTH(CPU));

	memset(cpu, 0, sizeof(*cpu));
	cpu->cs_limit = cpu->ds_limit = cpu->es_limit = cpu->ss_limit = ~0u;
	cpu->tr_limit = 0x67;
	cpu->cs_arbytes = 0xa9b;
	cpu->ds_arbytes = cpu->es_arbytes = cpu->ss_arbytes = 0xc93;
	cpu->tr_arbytes = 0x8b;
	cpu->cr0 = 0x80000011;
	cpu->cr3 = PML4 * PAGE_SIZE;
	cpu->cr4 = 0x20;
	cpu->msr_efer = 0x500;
	cpu->rflags = 2;
	cpu->rip = CODE * PAGE_SIZE;
	cpu->rdi = ARGUMENTS * PAGE_SIZE;
	cpu->rsp = STACK * PAGE_SIZE + PAGE_SIZE - 8;
	cpu->dr6 = 0xffff0ff0;
	cpu->dr7 = 0x400;
	return (uint32_t)((uint8_t *)put_record(cpu + 1, 0, 0) - context);
}

TEST(it_has_a_program)
{
	uint32_t size;

	*(uint64_t *)page_of_child(PML4) = PDPT * PAGE_SIZE | 3;
	*(uint64_t *)page_of_child(PDPT) = PD * PAGE_SIZE | 3;
	*(uint64_t *)page_of_child(PD) = 0x83;
	memcpy(page_of_child(CODE), (const void *)child_main, 1024);
	arguments = page_of_child(ARGUMENTS);
	memset(arguments, 0, sizeof(*arguments));
	op_of(XEN_DOMCTL_gethvmcontext)->u.hvmcontext.size = sizeof(context);
	HANDLE(domctl.u.hvmcontext.buffer, context);
	EXPECT_EQ(do_domctl(), 0);
	size = write_context();
	op_of(XEN_DOMCTL_sethvmcontext)->u.hvmcontext.size = size;
	HANDLE(domctl.u.hvmcontext.buffer, context);
	EXPECT_EQ(do_domctl(), 0);
}

TEST(an_event_channel_leads_to_it)
{
	struct evtchn_alloc_unbound alloc = {.dom = CHILD, .remote_dom = 0};
	struct evtchn_bind_interdomain bind = {.remote_dom = CHILD};
	uint8_t *child = (uint8_t *)(ARGUMENTS * PAGE_SIZE);

	shared_info_map();
	EXPECT_EQ(event_op(EVTCHNOP_alloc_unbound, &alloc), 0);
	bind.remote_port = alloc.port;
	EXPECT_EQ(event_op(EVTCHNOP_bind_interdomain, &bind), 0);
	port = bind.local_port;
	event_mask(port);
	event_clear(port);
	arguments->send.port = alloc.port;
	arguments->poll.nr_ports = 1;
	*(uint64_t *)&arguments->poll.ports = (uint64_t)(child + offsetof(struct arguments, send));
	arguments->map = (struct xen_add_to_physmap){
		.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = SHARED_INFO};
}

/* --- what bench/run prints --- */

static void report(const char *name, uint64_t ticks, uint64_t count)
{
	print("bench %s %lu\n", name, ticks / count);
}

static void wait_for_event(void)
{
	struct sched_poll poll = {.nr_ports = 1};

	HANDLE(poll.ports, &port);
	while (!event_is_pending(port)) {
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
	}
	event_clear(port);
}

TEST(event_round_trip)
{
	uint64_t start = 0;

	op_of(XEN_DOMCTL_unpausedomain);
	EXPECT_EQ(do_domctl(), 0);
	for (unsigned i = 0; i < LOOPS + 50; i++) {
		if (i == 50) {
			start = rdtsc();
		}
		EXPECT_EQ(event_send(port), 0);
		wait_for_event();
	}
	report("event-round-trip", rdtsc() - start, LOOPS);
	EXPECT(arguments->count >= LOOPS + 49);
}

/*
 * Both yield: what lies between two turns of this guest in which the child ran is two yields and two
 * switches.
 */
TEST(context_switch)
{
	uint64_t before, start, ticks, turns = 0, total = 0;

	arguments->is_yielding = 1;
	EXPECT_EQ(event_send(port), 0); /* out of its poll */
	for (unsigned i = 0; i < 4 * LOOPS && turns < LOOPS; i++) {
		before = arguments->count;
		start = rdtsc();
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		ticks = rdtsc() - start;
		if (i >= 50 && arguments->count == before + 1) {
			turns++;
			total += ticks;
		}
	}
	EXPECT(turns > 0);
	print("bench context-switch-turns %lu\n", turns);
	report("context-switch", total, 2 * (turns ? turns : 1));
	op_of(XEN_DOMCTL_pausedomain);
	EXPECT_EQ(do_domctl(), 0);
}

static void grant_pages(void)
{
	uint64_t at = scratch_frame();
	struct xen_mem_acquire_resource r = {
		.domid = CHILD, .type = XENMEM_resource_grant_table, .nr_frames = 1};

	HANDLE(r.frame_list, &at);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_acquire_resource, &r), 0);
	table = (struct grant_entry_v1 *)(at * PAGE_SIZE);
	for (unsigned i = 0; i < GRANTS; i++) {
		table[FIRST_GRANT + i].domid = 0;
		table[FIRST_GRANT + i].frame = DATA + i;
		table[FIRST_GRANT + i].flags = GTF_permit_access;
	}
}

TEST(grants)
{
	static struct gnttab_map_grant_ref map[GRANTS];
	static struct gnttab_unmap_grant_ref back[GRANTS];
	uint64_t start, maps = 0, unmaps = 0;

	grant_pages();
	window = 0xd0000;
	*(uint64_t *)page_of_child(DATA + 3) = 0x1234;
	for (unsigned round = 0; round < LOOPS / GRANTS; round++) {
		for (unsigned i = 0; i < GRANTS; i++) {
			map[i] = (struct gnttab_map_grant_ref){.host_addr = (window + i) * PAGE_SIZE,
							       .flags = GNTMAP_host_map,
							       .ref = FIRST_GRANT + i,
							       .dom = CHILD};
		}
		start = rdtsc();
		EXPECT_EQ(hypercall3(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, map, GRANTS), 0);
		maps += rdtsc() - start;
		EXPECT_EQ(*(uint64_t *)((window + 3) * PAGE_SIZE), 0x1234);
		for (unsigned i = 0; i < GRANTS; i++) {
			EXPECT_EQ(map[i].status, GNTST_okay);
			back[i] = (struct gnttab_unmap_grant_ref){.host_addr = map[i].host_addr,
								  .handle = map[i].handle};
		}
		start = rdtsc();
		EXPECT_EQ(hypercall3(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, back, GRANTS), 0);
		unmaps += rdtsc() - start;
		EXPECT_EQ(back[GRANTS - 1].status, GNTST_okay);
	}
	report("grant-map", maps, LOOPS / GRANTS * GRANTS);
	report("grant-unmap", unmaps, LOOPS / GRANTS * GRANTS);
}

TEST(grant_copy)
{
	static uint8_t page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	static struct gnttab_copy copy[GRANTS];
	uint64_t start;

	for (unsigned i = 0; i < GRANTS; i++) {
		copy[i] = (struct gnttab_copy){
			.source = {.u.ref = FIRST_GRANT + i, .domid = CHILD},
			.dest = {.u.gmfn = (uint64_t)page / PAGE_SIZE, .domid = DOMID_SELF},
			.len = 1500,
			.flags = GNTCOPY_source_gref};
	}
	start = rdtsc();
	for (unsigned round = 0; round < LOOPS / GRANTS; round++) {
		EXPECT_EQ(hypercall3(__HYPERVISOR_grant_table_op, GNTTABOP_copy, copy, GRANTS), 0);
	}
	report("grant-copy", rdtsc() - start, LOOPS / GRANTS * GRANTS);
	for (unsigned i = 0; i < GRANTS; i++) {
		EXPECT_EQ(copy[i].status, GNTST_okay);
	}
	copy[3].len = 8;
	EXPECT_EQ(hypercall3(__HYPERVISOR_grant_table_op, GNTTABOP_copy, &copy[3], 1), 0);
	EXPECT_EQ(*(uint64_t *)page, 0x1234);
}

TEST(foreign_pages)
{
	uint64_t start = rdtsc();

	EXPECT_EQ(map_foreign(0, window, FOREIGN), 0);
	report("foreign-map", rdtsc() - start, FOREIGN);
	EXPECT_EQ(*(uint64_t *)((window + DATA + 3) * PAGE_SIZE), 0x1234);
	start = rdtsc();
	for (unsigned i = 0; i < FOREIGN; i++) {
		unmap(window + i);
	}
	report("foreign-unmap", rdtsc() - start, FOREIGN);
}

TEST(it_goes_away)
{
	long rc;

	do {
		op_of(XEN_DOMCTL_destroydomain);
		rc = do_domctl();
	} while (rc == -EAGAIN);
	EXPECT_EQ(rc, 0);
}
