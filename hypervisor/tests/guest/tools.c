/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the toolstack does to a domain, in dom0's place: bad input and its errors, memory that comes
 * on demand, and one domain that tries to be a toolstack itself.
 */
#define __XEN_TOOLS__ 1
#include "lib/event.h"

#include <xen/domctl.h>
#include <xen/hvm/save.h>
#include <xen/memory.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>

#define HANDLE(h, to) ((h).p = (void *)(to))
#define NOBODY	      0x7fe0 /* an id that no domain has */
#define KIB_OF_CHILD  4096
#define FRAMES	      (KIB_OF_CHILD / 4)

static struct xen_domctl op;
static struct xen_sysctl sys;
static uint8_t context[16 * PAGE_SIZE];

static long domctl(uint16_t id, uint32_t cmd)
{
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op.cmd = cmd;
	op.domain = id;
	return hypercall1(__HYPERVISOR_domctl, &op);
}

static long sysctl(uint32_t cmd)
{
	sys.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	sys.cmd = cmd;
	return hypercall1(__HYPERVISOR_sysctl, &sys);
}

static void describe(unsigned vcpus)
{
	memset(&op, 0, sizeof(op));
	op.u.createdomain.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
	op.u.createdomain.max_vcpus = vcpus;
	op.u.createdomain.max_evtchn_port = 1023;
	op.u.createdomain.max_grant_frames = 4;
	op.u.createdomain.max_maptrack_frames = 4;
	op.u.createdomain.grant_opts = 1;
	op.u.createdomain.arch.emulation_flags = XEN_X86_EMU_LAPIC;
}

/* A domain with vCPUs and a limit of memory, and no memory; 0: it could not be made. */
static uint16_t make(unsigned vcpus)
{
	uint16_t id;

	describe(vcpus);
	if (!EXPECT_EQ(domctl(0, XEN_DOMCTL_createdomain), 0)) {
		return 0;
	}
	id = op.domain;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_get_paging_mempool_size), 0);
	EXPECT_EQ(op.u.paging_mempool.size, 1 << 20);
	op.u.paging_mempool.size = (2 << 20) + 1;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_set_paging_mempool_size), -EINVAL);
	op.u.paging_mempool.size = 2 << 20;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_set_paging_mempool_size), 0);
	op.u.max_mem.max_memkb = KIB_OF_CHILD;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_max_mem), 0);
	op.u.max_vcpus.max = vcpus;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_max_vcpus), 0);
	return id;
}

static long info(uint16_t id)
{
	return domctl(id, XEN_DOMCTL_getdomaininfo);
}

/* Until nothing of it is left: its id may be used again. */
static void destroy(uint16_t id)
{
	long rc;

	EXPECT_EQ(domctl(id, XEN_DOMCTL_destroydomain), 0);
	do {
		delay_us(1000);
		rc = info(id);
	} while (rc == 0 && op.domain == id);
}

static uint64_t free_pages(void)
{
	EXPECT_EQ(sysctl(XEN_SYSCTL_physinfo), 0);
	return sys.u.physinfo.free_pages;
}

/* When what others gave back has come, too. */
static uint64_t free_now(void)
{
	delay_us(200000);
	return free_pages();
}

/* What was taken is there again, once the dead domain's last references have gone. */
static void expect_free(uint64_t before)
{
	if (!WAIT_FOR(free_pages() == before, 2000)) {
		print("  %lu pages were free before, %lu now\n", before, free_pages());
		EXPECT(false);
	}
}

static long change(uint16_t id, unsigned cmd, uint64_t *frames, unsigned long count, unsigned order,
		   uint32_t flags)
{
	struct xen_memory_reservation r = {
		.nr_extents = count, .extent_order = order, .mem_flags = flags, .domid = id};

	HANDLE(r.extent_start, frames);
	return hypercall2(__HYPERVISOR_memory_op, cmd, &r);
}

/* --- bad input --- */

TEST(a_wrong_version_is_refused_before_all_else)
{
	describe(1);
	op.interface_version = XEN_DOMCTL_INTERFACE_VERSION + 1;
	op.cmd = XEN_DOMCTL_createdomain;
	EXPECT_EQ(hypercall1(__HYPERVISOR_domctl, &op), -EACCES);
	op.cmd = XEN_DOMCTL_pausedomain;
	op.domain = NOBODY;
	EXPECT_EQ(hypercall1(__HYPERVISOR_domctl, &op), -EACCES);
	sys.interface_version = XEN_SYSCTL_INTERFACE_VERSION - 1;
	sys.cmd = XEN_SYSCTL_physinfo;
	EXPECT_EQ(hypercall1(__HYPERVISOR_sysctl, &sys), -EACCES);
	EXPECT_EQ(hypercall1(__HYPERVISOR_domctl, 0x800000000000UL), -EFAULT);
	EXPECT_EQ(hypercall1(__HYPERVISOR_sysctl, 0x800000000000UL), -EFAULT);
}

TEST(no_domain_with_impossible_vcpus)
{
	describe(0);
	EXPECT_EQ(domctl(0, XEN_DOMCTL_createdomain), -EINVAL);
	describe(1000);
	EXPECT_EQ(domctl(0, XEN_DOMCTL_createdomain), -EINVAL);
	describe(~0u);
	EXPECT_EQ(domctl(0, XEN_DOMCTL_createdomain), -EINVAL);
}

TEST(no_domain_with_impossible_options)
{
	describe(1);
	op.u.createdomain.flags = XEN_DOMCTL_CDF_hap;
	EXPECT_EQ(domctl(0, XEN_DOMCTL_createdomain), -EINVAL);
	describe(1);
	op.u.createdomain.flags |= 1u << 31;
	EXPECT_EQ(domctl(0, XEN_DOMCTL_createdomain), -EINVAL);
	describe(1);
	op.u.createdomain.arch.emulation_flags = XEN_X86_EMU_PIC;
	EXPECT_EQ(domctl(0, XEN_DOMCTL_createdomain), -EOPNOTSUPP);
	describe(1);
	op.u.createdomain.arch.misc_flags = 0x80;
	EXPECT_EQ(domctl(0, XEN_DOMCTL_createdomain), -EINVAL);
	describe(1);
	op.u.createdomain.grant_opts = 3;
	EXPECT_EQ(domctl(0, XEN_DOMCTL_createdomain), -EINVAL);
	describe(1);
	op.u.createdomain.grant_opts = 0;
	EXPECT_EQ(domctl(0, XEN_DOMCTL_createdomain), -EINVAL);
	describe(1);
	op.u.createdomain.iommu_opts = 0x80;
	EXPECT_EQ(domctl(0, XEN_DOMCTL_createdomain), -EINVAL);
}

TEST(an_id_is_given_once)
{
	uint16_t id = make(1);

	describe(1);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_createdomain), -EEXIST);
	destroy(id);
	describe(1);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_createdomain), 0);
	EXPECT_EQ(op.domain, id);
	destroy(id);
}

TEST(a_stale_id_is_nobody)
{
	uint16_t id = make(1);
	domid_t name = id;

	destroy(id);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_destroydomain), -ESRCH);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_pausedomain), -ESRCH);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_unpausedomain), -ESRCH);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_max_mem), -ESRCH);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_getvcpuinfo), -ESRCH);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_sendtrigger), -ESRCH);
	EXPECT_EQ(domctl(NOBODY, XEN_DOMCTL_getdomaininfo), -ESRCH);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_current_reservation, &name), -ESRCH);
}

TEST(destroyed_twice_is_destroyed_once)
{
	uint16_t id = make(1);

	EXPECT_EQ(domctl(id, XEN_DOMCTL_destroydomain), 0);
	EXPECT_EQ(info(id) == 0 && op.domain == id ? domctl(id, XEN_DOMCTL_destroydomain) : 0, 0);
	while (info(id) == 0 && op.domain == id) {
		delay_us(1000);
	}
	EXPECT_EQ(domctl(id, XEN_DOMCTL_destroydomain), -ESRCH);
}

TEST(nobody_stops_himself)
{
	EXPECT_EQ(domctl(0, XEN_DOMCTL_destroydomain), -EINVAL);
	EXPECT_EQ(domctl(0, XEN_DOMCTL_pausedomain), -EINVAL);
	EXPECT_EQ(domctl(0, XEN_DOMCTL_unpausedomain), -EINVAL);
	EXPECT_EQ(domctl(0, XEN_DOMCTL_resumedomain), -EINVAL);
	op.u.max_vcpus.max = 1;
	EXPECT_EQ(domctl(0, XEN_DOMCTL_max_vcpus), -EINVAL);
}

TEST(pauses_are_counted)
{
	uint16_t id = make(1);

	EXPECT_EQ(domctl(id, XEN_DOMCTL_pausedomain), 0);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_unpausedomain), 0);
	EXPECT_EQ(info(id), 0);
	EXPECT(op.u.getdomaininfo.flags & XEN_DOMINF_paused); /* as it was made */
	destroy(id);
}

TEST(vcpus_are_as_many_as_were_said)
{
	uint16_t id = make(2);

	op.u.max_vcpus.max = 3;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_max_vcpus), -EINVAL);
	op.u.max_vcpus.max = 0;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_max_vcpus), -EINVAL);
	memset(&op, 0, sizeof(op));
	op.u.getvcpuinfo.vcpu = 2;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_getvcpuinfo), -EINVAL);
	op.u.getvcpuinfo.vcpu = 1;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_getvcpuinfo), 0);
	EXPECT_EQ(op.u.getvcpuinfo.online, 0);
	memset(&op, 0, sizeof(op));
	op.u.vcpuaffinity.vcpu = 2;
	op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_getvcpuaffinity), -EINVAL);
	destroy(id);
}

TEST(triggers)
{
	uint16_t id = make(1);

	memset(&op, 0, sizeof(op));
	op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_NMI;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_sendtrigger), 0);
	op.u.sendtrigger.vcpu = 1;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_sendtrigger), -ESRCH);
	op.u.sendtrigger.vcpu = ~0u;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_sendtrigger), -ESRCH);
	op.u.sendtrigger.vcpu = 0;
	op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_POWER;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_sendtrigger), 0);
	op.u.sendtrigger.trigger = XEN_DOMCTL_SENDTRIGGER_RESET;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_sendtrigger), -ENOSYS);
	op.u.sendtrigger.trigger = 99;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_sendtrigger), -ENOSYS);
	destroy(id);
}

TEST(events_to_the_dead_and_ports_out_of_range)
{
	uint16_t id = make(1);
	struct evtchn_alloc_unbound alloc = {.dom = id, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain bind = {.remote_dom = id};
	struct evtchn_send send;
	struct evtchn_close close;

	EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &alloc), 0);
	bind.remote_port = alloc.port + 1;
	EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind),
		  -EINVAL);
	bind.remote_port = 1u << 20;
	EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind),
		  -EINVAL);
	bind.remote_port = alloc.port;
	EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind), 0);
	send.port = bind.local_port;
	EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send), 0);
	destroy(id);
	/* Its end is unbound now: nobody hears, and that is no error. */
	EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send), 0);
	close.port = bind.local_port;
	EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_close, &close), 0);
	EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &alloc),
		  -ESRCH);
	EXPECT_EQ(hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind),
		  -ESRCH);
}

/* --- memory --- */

TEST(memory_stops_at_its_limit_and_comes_back)
{
	static uint64_t frames[FRAMES + 64];
	uint64_t before = free_now();
	uint16_t id = make(1);
	domid_t name = id;

	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
		frames[i] = i;
	}
	EXPECT_EQ(change(id, XENMEM_populate_physmap, frames, ARRAY_SIZE(frames), 0, 0), FRAMES);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_current_reservation, &name), FRAMES);
	EXPECT_EQ(change(id, XENMEM_populate_physmap, frames + FRAMES, 1, 0, 0), 0);
	EXPECT_EQ(change(id, XENMEM_decrease_reservation, frames, 16, 0, 0), 16);
	EXPECT_EQ(change(id, XENMEM_populate_physmap, frames + FRAMES, 64, 0, 0), 16);
	destroy(id);
	expect_free(before);
}

TEST(more_than_the_machine_is_refused_before_anything_is_taken)
{
	uint16_t id = make(1);
	uint64_t before = free_now(), frame = 0, large = 1UL << 30;
	struct xen_memory_reservation claim = {.nr_extents = large, .domid = id};

	op.u.max_mem.max_memkb = large * 4;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_max_mem), 0);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_claim_pages, &claim), -ENOMEM);
	EXPECT_EQ(free_pages(), before);
	claim.nr_extents = 16;
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_claim_pages, &claim), 0);
	EXPECT_EQ(sysctl(XEN_SYSCTL_physinfo), 0);
	EXPECT_EQ(sys.u.physinfo.outstanding_pages, 16);
	EXPECT_EQ(change(id, XENMEM_populate_physmap, &frame, 1, 0, 0), 1);
	EXPECT_EQ(sysctl(XEN_SYSCTL_physinfo), 0);
	EXPECT_EQ(sys.u.physinfo.outstanding_pages, 15);
	claim.nr_extents = 0;
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_claim_pages, &claim), 0);
	EXPECT_EQ(sysctl(XEN_SYSCTL_physinfo), 0);
	EXPECT_EQ(sys.u.physinfo.outstanding_pages, 0);
	claim.domid = NOBODY;
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_claim_pages, &claim), -EINVAL);
	destroy(id);
}

/* --- a domain that runs: 32-bit code without paging at frame 1, what it found at frame 2 --- */

extern uint8_t child_code[], child_code_end[];
__asm__(".section .text\n"
	".code32\n"
	"child_code:\n"
	/* Who may use domctl and sysctl? */
	"	mov $36, %eax\n"
	"	mov $0x2800, %ebx\n"
	"	vmmcall\n"
	"	mov %eax, 0x2000\n"
	"	mov $35, %eax\n"
	"	mov $0x2c00, %ebx\n"
	"	vmmcall\n"
	"	mov %eax, 0x2004\n"
	"	mov $7, %eax\n"
	"	mov $0x2f00, %ebx\n"
	"	vmmcall\n"
	"	mov %eax, 0x2008\n"
	/* The layouts of a 32-bit kernel: memory_map, then shared info to frame 15. */
	"	mov $12, %eax\n"
	"	mov $9, %ebx\n"
	"	mov $0x2a00, %ecx\n"
	"	movl $2, 0x2a00\n"
	"	movl $0x2b00, 0x2a04\n"
	"	vmmcall\n"
	"	mov %eax, 0x2018\n"
	"	mov 0x2a00, %eax\n"
	"	mov %eax, 0x201c\n"
	"	mov $12, %eax\n"
	"	mov $7, %ebx\n"
	"	mov $0x2a10, %ecx\n"
	"	movl $0x7ff0, 0x2a10\n"
	"	movl $0, 0x2a14\n"
	"	movl $0, 0x2a18\n"
	"	movl $15, 0x2a1c\n"
	"	vmmcall\n"
	"	mov %eax, 0x2020\n"
	/* All of its memory from frame 16 on, one after the other: the last ones touched are told.
	 */
	"	mov $0x10000, %esi\n"
	"1:	mov %esi, (%esi)\n"
	"	mov %esi, 0x200c\n"
	"	add $0x1000, %esi\n"
	"	cmp 0x2010, %esi\n"
	"	jne 1b\n"
	"	movl $1, 0x2014\n"
	"2:	mov $29, %eax\n" /* sched_op yield */
	"	xor %ebx, %ebx\n"
	"	vmmcall\n"
	"	jmp 2b\n"
	"child_code_end:\n"
	".code64\n");

struct report {
	int32_t domctl, sysctl, platform;
	uint32_t touched, end, is_done;
	int32_t map;
	uint32_t map_count;
	int32_t add;
};

static volatile struct report *map_child(uint16_t id, uint64_t gfn)
{
	struct xen_add_to_physmap_batch map = {.domid = DOMID_SELF,
					       .space = XENMAPSPACE_gmfn_foreign,
					       .size = 1,
					       .u.foreign_domid = id};
	uint64_t at = scratch_frame();
	int error = 1;

	HANDLE(map.idxs, &gfn);
	HANDLE(map.gpfns, &at);
	HANDLE(map.errs, &error);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &map), 0);
	EXPECT_EQ(error, 0);
	return (void *)(at * PAGE_SIZE);
}

static void unmap(volatile void *page)
{
	struct xen_remove_from_physmap r = {.domid = DOMID_SELF,
					    .gpfn = (uint64_t)page / PAGE_SIZE};

	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &r), 0);
}

/*
 * The first vCPU's state as the tools give it: flat 32-bit segments without paging, as the PVH boot
 * ABI has them. The header is the hypervisor's own.
 */
static struct {
	struct hvm_save_descriptor header_is;
	HVM_SAVE_TYPE(HEADER) header;
	struct hvm_save_descriptor cpu_is;
	HVM_SAVE_TYPE(CPU) cpu;
	struct hvm_save_descriptor end_is;
} __attribute__((packed)) state;

static void set_entry(uint16_t id)
{
	op.u.hvmcontext.size = sizeof(context);
	HANDLE(op.u.hvmcontext.buffer, context);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_gethvmcontext), 0);
	memset(&state, 0, sizeof(state));
	memcpy(&state, context, sizeof(state.header_is) + sizeof(state.header));
	EXPECT_EQ(state.header_is.typecode, HVM_SAVE_CODE(HEADER));
	state.cpu_is.typecode = HVM_SAVE_CODE(CPU);
	state.cpu_is.length = HVM_SAVE_LENGTH(CPU);
	state.end_is.typecode = HVM_SAVE_CODE(END);
	state.cpu.cs_limit = state.cpu.ds_limit = state.cpu.es_limit = state.cpu.ss_limit = ~0u;
	state.cpu.tr_limit = 0x67;
	state.cpu.cs_arbytes = 0xc9b;
	state.cpu.ds_arbytes = state.cpu.es_arbytes = state.cpu.ss_arbytes = 0xc93;
	state.cpu.tr_arbytes = 0x8b;
	state.cpu.cr0 = 0x11;
	state.cpu.rflags = 2;
	state.cpu.rip = PAGE_SIZE;
	state.cpu.dr6 = 0xffff0ff0;
	state.cpu.dr7 = 0x400;
	op.u.hvmcontext.size = sizeof(state);
	HANDLE(op.u.hvmcontext.buffer, &state);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_sethvmcontext), 0);
}

/* What the child finds by memory_map. */
static void set_memory_map(uint16_t id)
{
	static struct {
		uint64_t start, size;
		uint32_t type;
	} __attribute__((packed)) map = {.start = 0, .size = FRAMES * PAGE_SIZE, .type = 1};
	struct xen_foreign_memory_map a = {.domid = id, .map.nr_entries = 1};

	HANDLE(a.map.buffer, &map);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_set_memory_map, &a), 0);
}

static void load_program(uint16_t id, unsigned end_frame, volatile struct report **report)
{
	volatile void *code = map_child(id, 1);

	set_memory_map(id);

	memcpy((void *)code, child_code, child_code_end - child_code);
	unmap(code);
	*report = map_child(id, 2);
	memset((void *)*report, 0, PAGE_SIZE);
	(*report)->domctl = (*report)->sysctl = (*report)->platform = 1;
	(*report)->end = end_frame * PAGE_SIZE;
	*(struct xen_domctl *)((uint8_t *)*report + 0x800) = (struct xen_domctl){
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION, .cmd = XEN_DOMCTL_pausedomain};
	*(struct xen_sysctl *)((uint8_t *)*report + 0xc00) = (struct xen_sysctl){
		.interface_version = XEN_SYSCTL_INTERFACE_VERSION, .cmd = XEN_SYSCTL_physinfo};
	*(struct xen_platform_op *)((uint8_t *)*report + 0xf00) = (struct xen_platform_op){
		.interface_version = XENPF_INTERFACE_VERSION, .cmd = XENPF_get_cpu_version};
	set_entry(id);
}

/* Frames 0 to 15 are there, 16 to end - 1 come when they are touched, up to a target in all. */
static uint16_t make_on_demand(unsigned end, unsigned target, volatile struct report **report)
{
	struct xen_pod_target pod = {.domid = 0};
	static uint64_t frames[FRAMES];
	uint16_t id = make(1);

	for (unsigned i = 0; i < FRAMES; i++) {
		frames[i] = i;
	}
	op.u.max_mem.max_memkb = target * 4;
	EXPECT_EQ(domctl(id, XEN_DOMCTL_max_mem), 0);
	pod.domid = id;
	pod.target_pages = target;
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_set_pod_target, &pod), 0);
	EXPECT_EQ(change(id, XENMEM_populate_physmap, frames, end, 0, XENMEMF_populate_on_demand),
		  end);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_get_pod_target, &pod), 0);
	EXPECT_EQ(pod.pod_entries, end);
	load_program(id, end, report);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_unpausedomain), 0);
	return id;
}

static bool is_shut_down(uint16_t id)
{
	return info(id) == 0 && op.domain == id && (op.u.getdomaininfo.flags & XEN_DOMINF_shutdown);
}

TEST(a_domain_is_no_toolstack)
{
	volatile struct report *report;
	static uint64_t frames[17];
	uint16_t id = make(1);

	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
		frames[i] = i;
	}
	EXPECT_EQ(change(id, XENMEM_populate_physmap, frames, ARRAY_SIZE(frames), 0, 0), 17);
	load_program(id, 17, &report);
	EXPECT_EQ(domctl(id, XEN_DOMCTL_unpausedomain), 0);
	EXPECT(WAIT_FOR(report->is_done, 5000));
	EXPECT_EQ(report->domctl, -EPERM);
	EXPECT_EQ(report->sysctl, -EPERM);
	EXPECT_EQ(report->platform, -EPERM);
	/* And the layouts that its mode asks for. */
	EXPECT_EQ(report->map, 0);
	EXPECT_EQ(report->map_count, 1);
	EXPECT_EQ(*(volatile uint64_t *)((uint8_t *)report + 0xb08), FRAMES * PAGE_SIZE);
	EXPECT_EQ(report->add, 0);
	unmap(report);
	destroy(id);
}

TEST(memory_comes_when_it_is_touched)
{
	uint64_t before = free_now();
	volatile struct report *report;
	uint16_t id = make_on_demand(256, 512, &report);
	domid_t name = id;

	EXPECT(WAIT_FOR(report->is_done, 5000));
	EXPECT_EQ(report->touched, 255 * PAGE_SIZE);
	EXPECT(hypercall2(__HYPERVISOR_memory_op, XENMEM_current_reservation, &name) >= 242);
	EXPECT(!is_shut_down(id));
	unmap(report);
	destroy(id);
	expect_free(before);
}

TEST(memory_that_is_exhausted_ends_the_domain_alone)
{
	uint64_t before = free_now();
	volatile struct report *report;
	uint16_t id = make_on_demand(512, 64, &report);

	EXPECT(WAIT_FOR(is_shut_down(id), 5000));
	EXPECT_EQ((op.u.getdomaininfo.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask,
		  SHUTDOWN_crash);
	EXPECT_EQ(report->is_done, 0);
	EXPECT(report->touched >= 32 * PAGE_SIZE && report->touched < 100 * PAGE_SIZE);
	unmap(report);
	destroy(id);
	expect_free(before);
}
