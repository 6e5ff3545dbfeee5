// SPDX-License-Identifier: GPL-2.0-or-later
/* What the tools may say in a domctl or sysctl: each refusal, and that a refusal changes nothing. */
#include "tests/unit/fake_guest.h"
#include "tests/unit/fake_tools.h"

static struct {
	union {
		struct xen_domctl domctl;
		struct xen_sysctl sysctl;
	} op;
	u8 list[8192];
} memory;

static struct domain *tools, *guest;
static struct vcpu caller;

/* --- around the module: the caller's memory is the struct above, at its own address --- */

static bool is_inside(u64 at, size_t size_bytes)
{
	u64 start = (u64)(uintptr_t)&memory;

	return at >= start && at - start <= sizeof(memory) && size_bytes <= sizeof(memory) - (at - start);
}
int guest_read(void *to, guest_ptr_t from, size_t size_bytes)
{
	if (!is_inside(from.v, size_bytes)) {
		return -EFAULT;
	}
	memcpy(to, (void *)(uintptr_t)from.v, size_bytes);
	return 0;
}
int guest_write(guest_ptr_t to, const void *from, size_t size_bytes)
{
	if (!is_inside(to.v, size_bytes)) {
		return -EFAULT;
	}
	memcpy((void *)(uintptr_t)to.v, from, size_bytes);
	return 0;
}
int guest_clear(guest_ptr_t to, size_t size_bytes)
{
	static const u8 zeroes[4096];

	return size_bytes > sizeof(zeroes) ? -EFAULT : guest_write(to, zeroes, size_bytes);
}
int guest_read_element(void *to, guest_ptr_t array, u64 i, size_t size_bytes)
{
	return i > sizeof(memory) ? -EFAULT : guest_read(to, guest_ptr_add(array, i * size_bytes), size_bytes);
}
int guest_write_element(guest_ptr_t array, u64 i, const void *from, size_t size_bytes)
{
	return i > sizeof(memory) ? -EFAULT : guest_write(guest_ptr_add(array, i * size_bytes), from, size_bytes);
}

static void start(void)
{
	fake_set_up();
	tools = fake_domain(0, 1);
	guest = fake_domain(1, 2);
	caller = (struct vcpu){.domain = tools};
	fake_current = &caller;
	fake_pool_move_answer = 0;
	memset(&memory, 0, sizeof(memory));
}

static void end(void)
{
	fake_end(guest);
	fake_end(tools);
	EXPECT_EQ(unit_heap_in_use(), 0);
}

static long do_domctl(u32 cmd, u16 id)
{
	struct hypercall call = {.caller = &caller, .arg = {(u64)(uintptr_t)&memory.op}};

	memory.op.domctl.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	memory.op.domctl.cmd = cmd;
	memory.op.domctl.domain = id;
	return op_domctl(&call);
}

static long do_sysctl(u32 cmd)
{
	struct hypercall call = {.caller = &caller, .arg = {(u64)(uintptr_t)&memory.op}};

	memory.op.sysctl.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	memory.op.sysctl.cmd = cmd;
	return op_sysctl(&call);
}

static struct xen_domctl_createdomain *good_config(void)
{
	struct xen_domctl_createdomain *a = &memory.op.domctl.u.createdomain;

	memset(a, 0, sizeof(*a));
	a->flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
	a->max_vcpus = 1;
	a->max_evtchn_port = 1023;
	a->max_grant_frames = 4;
	a->grant_opts = 1;
	a->arch.emulation_flags = XEN_X86_EMU_LAPIC;
	return a;
}

static void end_created(u16 id)
{
	struct domain *d = domain_get(domain_id_of(id));

	EXPECT(d != NULL);
	if (d) {
		fake_end(d);
	}
}

/* --- cases --- */

TEST(domctl, wrong_version_wrong_pointer_wrong_domain)
{
	struct hypercall call = {.caller = &caller, .arg = {8}};

	start();
	EXPECT_EQ(op_domctl(&call), -EFAULT);
	EXPECT_EQ(op_sysctl(&call), -EFAULT);
	call.arg[0] = (u64)(uintptr_t)&memory.op;
	memory.op.domctl.interface_version = XEN_DOMCTL_INTERFACE_VERSION + 1;
	EXPECT_EQ(op_domctl(&call), -EACCES);
	EXPECT_EQ(op_sysctl(&call), -EACCES);
	EXPECT_EQ(do_domctl(XEN_DOMCTL_pausedomain, 77), -ESRCH);
	EXPECT_EQ(do_domctl(9999, 1), -ENOSYS);
	EXPECT_EQ(do_sysctl(9999), -ENOSYS);
	end();
}

TEST(domctl, a_guest_may_ask_nothing)
{
	start();
	caller.domain = guest;
	for (u32 cmd = 0; cmd < 100; cmd++) {
		good_config();
		EXPECT_EQ(do_domctl(cmd, 0), -EPERM);
		EXPECT_EQ(do_sysctl(cmd), -EPERM);
	}
	EXPECT(!domain_is_dying(tools));
	end();
}

TEST(domctl, createdomain_refuses_what_cannot_be)
{
	start();
	good_config()->flags = XEN_DOMCTL_CDF_hap; /* PV */
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	good_config()->flags = XEN_DOMCTL_CDF_hvm; /* shadow paging */
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	good_config()->flags |= XEN_DOMCTL_CDF_nested_virt;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	good_config()->flags |= 1u << 31;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	good_config()->iommu_opts = 1; /* without the flag */
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	good_config()->max_vcpus = 0;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	good_config()->max_vcpus = VCPU_MAX + 1;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	good_config()->vmtrace_size = 4096;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	good_config()->grant_opts = 0;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	good_config()->grant_opts = 3;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	good_config()->cpupool_id = 3;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	good_config()->arch.emulation_flags = 0x7ff;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 5), -EINVAL);
	EXPECT(!domain_get(domain_id_of(5)));
	good_config();
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 1), -EEXIST);
	end();
}

TEST(domctl, createdomain_gives_the_id_back)
{
	start();
	good_config();
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 0), 0);
	EXPECT(memory.op.domctl.domain > 1);
	end_created(memory.op.domctl.domain);
	good_config();
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 9), 0);
	EXPECT_EQ(memory.op.domctl.domain, 9);
	EXPECT_EQ(do_domctl(XEN_DOMCTL_get_paging_mempool_size, 9), 0);
	EXPECT_EQ(memory.op.domctl.u.paging_mempool.size, 1 << 20);
	end_created(9);
	fake_pool_move_answer = -ENOENT; /* its pool went away */
	good_config();
	EXPECT_EQ(do_domctl(XEN_DOMCTL_createdomain, 9), -ENOENT);
	fake_grace();
	EXPECT(!domain_get(domain_id_of(9)));
	end();
}

TEST(domctl, pauses_are_counted_and_none_is_invented)
{
	start();
	EXPECT_EQ(do_domctl(XEN_DOMCTL_pausedomain, 0), -EINVAL); /* oneself */
	EXPECT_EQ(do_domctl(XEN_DOMCTL_unpausedomain, 0), -EINVAL);
	EXPECT_EQ(do_domctl(XEN_DOMCTL_unpausedomain, 1), 0); /* that of its creation */
	EXPECT_EQ(do_domctl(XEN_DOMCTL_unpausedomain, 1), -EINVAL);
	EXPECT_EQ(do_domctl(XEN_DOMCTL_pausedomain, 1), 0);
	EXPECT_EQ(do_domctl(XEN_DOMCTL_pausedomain, 1), 0);
	EXPECT_EQ(guest->pause_count, 2);
	EXPECT_EQ(do_domctl(XEN_DOMCTL_unpausedomain, 1), 0);
	EXPECT_EQ(guest->pause_count, 1);
	end();
}

TEST(domctl, max_vcpus_only_as_created_and_not_while_it_dies)
{
	start();
	memory.op.domctl.u.max_vcpus.max = 3;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_max_vcpus, 1), -EINVAL);
	memory.op.domctl.u.max_vcpus.max = 2;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_max_vcpus, 1), 0);
	guest->is_teardown_busy = true; /* another CPU is at it */
	EXPECT_EQ(do_domctl(XEN_DOMCTL_max_vcpus, 1), HYPERCALL_RESTART);
	guest->is_teardown_busy = false;
	EXPECT(domain_kill(guest) == -ERESTART); /* one piece of its death */
	EXPECT_EQ(do_domctl(XEN_DOMCTL_max_vcpus, 1), -EINVAL);
	end();
}

TEST(domctl, destroy_twice_and_oneself)
{
	long rc;

	start();
	EXPECT_EQ(do_domctl(XEN_DOMCTL_destroydomain, 0), -EINVAL);
	do {
		rc = do_domctl(XEN_DOMCTL_destroydomain, 1);
	} while (rc == HYPERCALL_RESTART);
	EXPECT_EQ(rc, 0);
	EXPECT_EQ(do_domctl(XEN_DOMCTL_destroydomain, 1), 0); /* we still hold it */
	end();
}

TEST(domctl, affinity_needs_a_vcpu_and_a_cpu)
{
	struct xen_domctl_vcpuaffinity *a = &memory.op.domctl.u.vcpuaffinity;

	start();
	a->vcpu = 2;
	a->flags = XEN_VCPUAFFINITY_HARD;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, 1), -EINVAL);
	a->vcpu = 0;
	a->flags = 0;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, 1), -EINVAL);
	a->flags = XEN_VCPUAFFINITY_HARD;
	a->cpumap_hard.nr_bits = 8;
	a->cpumap_hard.bitmap.p = (u8 *)8; /* not the caller's memory */
	EXPECT_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, 1), -EFAULT);
	a->cpumap_hard.bitmap.p = memory.list;
	memory.list[0] = 0xf0; /* no CPU that there is */
	EXPECT_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, 1), -EINVAL);
	memory.list[0] = 2;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_setvcpuaffinity, 1), 0);
	EXPECT_EQ(guest->vcpus[0]->hard_affinity.words[0], 2);
	end();
}

TEST(domctl, lists_are_no_longer_than_their_limits)
{
	start();
	memory.op.domctl.u.getpageframeinfo3.num = 1025;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_getpageframeinfo3, 1), -E2BIG);
	memory.op.domctl.u.getpageframeinfo3.num = 1024;
	memory.op.domctl.u.getpageframeinfo3.array.p = (void *)(memory.list + 8);
	EXPECT_EQ(do_domctl(XEN_DOMCTL_getpageframeinfo3, 1), -EFAULT);
	memory.op.domctl.u.paging_mempool.size = 4097;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_set_paging_mempool_size, 1), -EINVAL);
	memory.op.sysctl.u.getdomaininfolist.first_domain = 0;
	memory.op.sysctl.u.getdomaininfolist.max_domains = 1;
	memory.op.sysctl.u.getdomaininfolist.buffer.p = (void *)memory.list;
	EXPECT_EQ(do_sysctl(XEN_SYSCTL_getdomaininfolist), 0);
	EXPECT_EQ(memory.op.sysctl.u.getdomaininfolist.num_domains, 1);
	memory.op.sysctl.u.getdomaininfolist.max_domains = ~0u;
	EXPECT_EQ(do_sysctl(XEN_SYSCTL_getdomaininfolist), 0);
	EXPECT_EQ(memory.op.sysctl.u.getdomaininfolist.num_domains, 2);
	end();
}

TEST(domctl, pci_devices_that_are_not_there_are_told)
{
	struct xen_sysctl_pcitopoinfo *a = &memory.op.sysctl.u.pcitopoinfo;
	struct physdev_pci_device *devices = (void *)memory.list;
	u32 *nodes = (u32 *)(memory.list + 4096);

	start();
	a->num_devs = 2;
	EXPECT_EQ(do_sysctl(XEN_SYSCTL_pcitopoinfo), -EINVAL);
	a->devs.p = devices;
	EXPECT_EQ(do_sysctl(XEN_SYSCTL_pcitopoinfo), -EINVAL);
	a->nodes.p = (void *)8;
	EXPECT_EQ(do_sysctl(XEN_SYSCTL_pcitopoinfo), -EFAULT);
	a->nodes.p = nodes;
	devices[0].devfn = 0x18;
	devices[1].bus = 1;
	EXPECT_EQ(do_sysctl(XEN_SYSCTL_pcitopoinfo), 0);
	EXPECT_EQ(nodes[0], XEN_INVALID_NODE_ID);
	EXPECT_EQ(nodes[1], XEN_INVALID_DEV);
	EXPECT_EQ(nodes[2], 0);
	a->num_devs = ~0u;
	EXPECT_EQ(do_sysctl(XEN_SYSCTL_pcitopoinfo), 0);
	EXPECT(a->num_devs < 1000);
	end();
}

TEST(domctl, a_target_is_set_once_and_is_another)
{
	start();
	memory.op.domctl.u.set_target.target = 1;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_set_target, 1), -EINVAL);
	memory.op.domctl.u.set_target.target = 99;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_set_target, 1), -ESRCH);
	memory.op.domctl.u.set_target.target = 0;
	EXPECT_EQ(do_domctl(XEN_DOMCTL_set_target, 1), 0);
	EXPECT_EQ(do_domctl(XEN_DOMCTL_set_target, 1), -EINVAL);
	end();
}

TEST_MAIN()
