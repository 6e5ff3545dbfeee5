/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl: what the tools ask of and do to the whole machine.
 */
#include "hypercall/domctl.h"

#include "arch/contract/guest.h"
#include "core/debug_key.h"
#include "core/log.h"
#include "core/smp.h"
#include "drivers/pci/pci.h"
#include "lib/string.h"
#include "memory/guest_access.h"
#include "memory/physmap.h"
#include "mm/frame_alloc.h"
#include "policy/policy.h"
#include "sched/sched.h"

#define PCI_BATCH_MAX 256u

static long do_read_console(struct xen_sysctl_readconsole *a)
{
	u32 position = a->incremental ? a->index : 0, done = 0;
	char piece[256];
	size_t n;

	do {
		n = log_ring_read(piece, MIN(sizeof(piece), (size_t)(a->count - done)), &position, a->clear);
		if (guest_write(guest_ptr_add(handle_ptr(a->buffer), done), piece, n)) {
			return -EFAULT;
		}
		done += (u32)n;
	} while (n && done < a->count);
	a->count = done;
	a->index = position;
	return 0;
}

static long do_physinfo(struct xen_sysctl_physinfo *a)
{
	memset(a, 0, sizeof(*a));
	a->threads_per_core = 1;
	a->cores_per_socket = smp_cpu_count();
	a->nr_cpus = smp_cpu_count();
	a->max_cpu_id = smp_cpu_count() - 1;
	a->nr_nodes = 1;
	a->max_node_id = 0;
	a->capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap | XEN_SYSCTL_PHYSCAP_gnttab_v1 |
			  XEN_SYSCTL_PHYSCAP_gnttab_v2;
	a->total_pages = frame_total_count();
	a->free_pages = frame_free_count();
	a->outstanding_pages = physmap_claimed_total();
	a->max_mfn = frame_total_count();
	arch_fill_physinfo(a);
	return 0;
}

/* Domains in the order of their ids, as many as fit. The list is read under RCU, so one walk does. */
static long do_list(struct xen_sysctl_getdomaininfolist *a)
{
	struct xen_domctl_getdomaininfo info;
	struct domain *d;
	u32 n = 0;
	long rc = 0;

	rcu_read_lock();
	for_each_domain(d) {
		if (d->id.v < a->first_domain || !load_acquire(&d->is_created)) {
			continue;
		}
		if (n == a->max_domains) {
			break;
		}
		domctl_fill_info(d, &info);
		if (guest_write_element(handle_ptr(a->buffer), n, &info, sizeof(info))) {
			rc = -EFAULT;
			break;
		}
		n++;
	}
	rcu_read_unlock();
	a->num_domains = n;
	return rc;
}

static long do_debug_keys(const struct xen_sysctl_debug_keys *a)
{
	char c;

	for (u32 i = 0; i < MIN(a->nr_keys, 32u); i++) {
		if (guest_read_element(&c, handle_ptr(a->keys), i, 1)) {
			return -EFAULT;
		}
		debug_key_press(c);
	}
	return 0;
}

static long do_cpu_info(struct xen_sysctl_getcpuinfo *a)
{
	u32 n = MIN(a->max_cpus, smp_cpu_count());

	for (u32 i = 0; i < n; i++) {
		struct xen_sysctl_cpuinfo info = {.idletime = (u64)sched_idle_time(i)};

		if (guest_write_element(handle_ptr(a->info), i, &info, sizeof(info))) {
			return -EFAULT;
		}
	}
	a->nr_cpus = n;
	return 0;
}

static long do_topology(struct xen_sysctl_cputopoinfo *a)
{
	u32 n = smp_cpu_count();

	if (!guest_ptr_raw(handle_ptr(a->cputopo))) {
		a->num_cpus = n;
		return 0;
	}
	n = MIN(n, a->num_cpus);
	for (u32 i = 0; i < n; i++) {
		struct xen_sysctl_cputopo t = {.core = i, .socket = 0, .node = 0};

		if (guest_write_element(handle_ptr(a->cputopo), i, &t, sizeof(t))) {
			return -EFAULT;
		}
	}
	a->num_cpus = n;
	return 0;
}

/* One node: what NUMA tables say is not used. */
static long do_numa(struct xen_sysctl_numainfo *a)
{
	struct xen_sysctl_meminfo memory = {
		.memsize = frame_total_count() << PAGE_SHIFT,
		.memfree = frame_free_count() << PAGE_SHIFT,
	};
	u32 distance = 10;

	if (a->num_nodes && guest_ptr_raw(handle_ptr(a->meminfo)) &&
	    guest_write(handle_ptr(a->meminfo), &memory, sizeof(memory))) {
		return -EFAULT;
	}
	if (a->num_nodes && guest_ptr_raw(handle_ptr(a->distance)) &&
	    guest_write(handle_ptr(a->distance), &distance, sizeof(distance))) {
		return -EFAULT;
	}
	a->num_nodes = 1;
	return 0;
}

/* A long list is answered in part, and the caller comes again. */
static long do_pci_topology(struct xen_sysctl_pcitopoinfo *a)
{
	u32 n = MIN(a->num_devs, PCI_BATCH_MAX);
	struct physdev_pci_device device;

	if (!guest_ptr_raw(handle_ptr(a->devs)) || !guest_ptr_raw(handle_ptr(a->nodes))) {
		return -EINVAL;
	}
	for (u32 i = 0; i < n; i++) {
		const struct pci_function *f;
		u32 node;

		if (guest_read_element(&device, handle_ptr(a->devs), i, sizeof(device))) {
			return -EFAULT;
		}
		f = pci_function_find(pci_bdf_of(device.seg, device.bus, device.devfn));
		node = f ? XEN_INVALID_NODE_ID : XEN_INVALID_DEV;
		if (guest_write_element(handle_ptr(a->nodes), i, &node, sizeof(node))) {
			return -EFAULT;
		}
	}
	a->num_devs = n;
	return 0;
}

static long act(struct domain *caller, struct xen_sysctl *op)
{
	switch (op->cmd) {
	case XEN_SYSCTL_readconsole:
		return do_read_console(&op->u.readconsole);
	case XEN_SYSCTL_physinfo:
		return do_physinfo(&op->u.physinfo);
	case XEN_SYSCTL_sched_id:
		op->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
		return 0;
	case XEN_SYSCTL_getdomaininfolist:
		return do_list(&op->u.getdomaininfolist);
	case XEN_SYSCTL_debug_keys:
		return do_debug_keys(&op->u.debug_keys);
	case XEN_SYSCTL_getcpuinfo:
		return do_cpu_info(&op->u.getcpuinfo);
	case XEN_SYSCTL_availheap:
		op->u.availheap.avail_bytes = frame_free_count() << PAGE_SHIFT;
		return 0;
	case XEN_SYSCTL_cputopoinfo:
		return do_topology(&op->u.cputopoinfo);
	case XEN_SYSCTL_numainfo:
		return do_numa(&op->u.numainfo);
	case XEN_SYSCTL_pcitopoinfo:
		return do_pci_topology(&op->u.pcitopoinfo);
	case XEN_SYSCTL_cpupool_op:
		return sysctl_cpupool(caller, &op->u.cpupool_op);
	case XEN_SYSCTL_scheduler_op:
		return sysctl_scheduler(&op->u.scheduler_op);
	default:
		return arch_sysctl(op);
	}
}

/* arg: pointer. */
long op_sysctl(struct hypercall *call)
{
	struct xen_sysctl op;
	long rc;

	if (guest_read(&op, call_ptr(call, 0), sizeof(op))) {
		return -EFAULT;
	}
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION) {
		return -EACCES;
	}
	rc = policy_sysctl(call->caller->domain, op.cmd);
	if (rc) {
		return rc;
	}
	rc = act(call->caller->domain, &op);
	if (rc >= 0 && guest_write(call_ptr(call, 0), &op, sizeof(op))) {
		return -EFAULT;
	}
	return rc;
}
