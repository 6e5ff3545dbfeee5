/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What domctl and sysctl reach besides domains: one cpupool without free CPUs, one PCI device, an
 * architecture that knows PVH only. Included by one .c file.
 */
#pragma once

#include "arch/contract/guest.h"
#include "core/debug_key.h"
#include "drivers/pci/pci.h"
#include "hypercall/domctl.h"
#include "sched/pool.h"
#include "sched/sched.h"

int arch_domain_config_check(u32 emulation_flags, u32 misc_flags)
{
	return emulation_flags == XEN_X86_EMU_LAPIC && !misc_flags ? 0 : -EINVAL;
}
u8 arch_guest_address_bits(void)
{
	return 48;
}
void arch_fill_physinfo(struct xen_sysctl_physinfo *info)
{
}
long arch_domctl(struct domain *d, struct xen_domctl *op)
{
	return -ENOSYS;
}
long arch_sysctl(struct xen_sysctl *op)
{
	return -ENOSYS;
}
void arch_domain_update_wallclock(struct domain *d)
{
}
void sched_affinity_changed(struct vcpu *v)
{
}
void sched_weight_changed(struct domain *d)
{
}
ns_t sched_idle_time(cpu_t cpu)
{
	return 0;
}
void debug_key_press(char c)
{
}

/* 0000:00:03.0 is there, nothing else. */
struct pci_function *pci_function_find(struct pci_bdf bdf)
{
	static struct pci_function f = {.bdf = {.devfn = 0x18}};

	return pci_bdf_equal(bdf, f.bdf) ? &f : NULL;
}

static int fake_pool_move_answer;
int sched_pool_create(u32 *id)
{
	return -ENOSPC;
}
int sched_pool_destroy(u32 id)
{
	return -EBUSY;
}
int sched_pool_info(u32 id, struct sched_pool_info *out)
{
	*out = (struct sched_pool_info){.id = 0};
	return id == 0 ? 0 : -ENOENT;
}
int sched_pool_add_cpu(u32 id, cpu_t cpu)
{
	return -ENODEV;
}
int sched_pool_remove_cpu(u32 id, cpu_t cpu)
{
	return -ENODEV;
}
void sched_pool_free_cpus(struct cpu_set *out)
{
	*out = (struct cpu_set){.words = {0}};
}
int sched_pool_move_domain(u32 id, struct domain *d)
{
	return fake_pool_move_answer;
}
u32 sched_pool_of(const struct domain *d)
{
	return 0;
}
