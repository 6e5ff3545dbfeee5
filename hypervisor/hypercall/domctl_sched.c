/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where and how much a domain runs. To the tools our scheduler is credit2: a weight, a cap in
 * per cent of one CPU, hard and soft affinity.
 */
#include "hypercall/domctl.h"

#include "core/smp.h"
#include "lib/string.h"
#include "memory/guest_access.h"
#include "sched/pool.h"
#include "sched/sched.h"

#define RATELIMIT_US 1000u

static struct vcpu *find_vcpu(struct domain *d, u32 id)
{
	return id < d->vcpu_count ? load_acquire(&d->vcpus[index_clamp(id, d->vcpu_count)]) : NULL;
}

static bool intersect(struct cpu_set *a, const struct cpu_set *b)
{
	u64 any = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(a->words); i++) {
		a->words[i] &= b->words[i];
		any |= a->words[i];
	}
	return any != 0;
}

long domctl_set_affinity(struct domain *d, struct xen_domctl_vcpuaffinity *a)
{
	bool has_hard = a->flags & XEN_VCPUAFFINITY_HARD, has_soft = a->flags & XEN_VCPUAFFINITY_SOFT;
	struct cpu_set hard, soft, effective;
	struct vcpu *v = find_vcpu(d, a->vcpu);

	if (a->vcpu >= d->vcpu_count || !(has_hard || has_soft)) {
		return -EINVAL;
	}
	if (!v) {
		return -ESRCH;
	}
	hard = v->hard_affinity;
	soft = v->soft_affinity;
	if ((has_hard && domctl_read_bitmap(&a->cpumap_hard, hard.words, CPU_MAX)) ||
	    (has_soft && domctl_read_bitmap(&a->cpumap_soft, soft.words, CPU_MAX))) {
		return -EFAULT;
	}
	effective = hard;
	if (!intersect(&effective, smp_online())) {
		return -EINVAL; /* nowhere to run */
	}
	spin_lock(&d->lock);
	v->hard_affinity = hard;
	v->soft_affinity = soft;
	spin_unlock(&d->lock);
	sched_affinity_changed(v);

	if (has_hard && domctl_write_bitmap(&a->cpumap_hard, effective.words, CPU_MAX)) {
		return -EFAULT;
	}
	(void)intersect(&soft, &effective);
	return has_soft && domctl_write_bitmap(&a->cpumap_soft, soft.words, CPU_MAX) ? -EFAULT : 0;
}

long domctl_get_affinity(struct domain *d, struct xen_domctl_vcpuaffinity *a)
{
	struct vcpu *v = find_vcpu(d, a->vcpu);

	if (a->vcpu >= d->vcpu_count) {
		return -EINVAL;
	}
	if (!v) {
		return -ESRCH;
	}
	if ((a->flags & XEN_VCPUAFFINITY_HARD) &&
	    domctl_write_bitmap(&a->cpumap_hard, v->hard_affinity.words, CPU_MAX)) {
		return -EFAULT;
	}
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) &&
	    domctl_write_bitmap(&a->cpumap_soft, v->soft_affinity.words, CPU_MAX)) {
		return -EFAULT;
	}
	return 0;
}

long domctl_scheduler(struct domain *d, struct xen_domctl_scheduler_op *a)
{
	if (a->sched_id != XEN_SCHEDULER_CREDIT2) {
		return -EINVAL;
	}
	switch (a->cmd) {
	case XEN_DOMCTL_SCHEDOP_putinfo:
		/* 0 and ~0 mean: leave it. */
		if (a->u.credit2.weight) {
			store_relaxed(&d->sched_weight, a->u.credit2.weight);
		}
		if (a->u.credit2.cap != 0xffff) {
			store_relaxed(&d->sched_cap, a->u.credit2.cap);
		}
		sched_weight_changed(d);
		return 0;
	case XEN_DOMCTL_SCHEDOP_getinfo:
		a->u.credit2.weight = load_relaxed(&d->sched_weight);
		a->u.credit2.cap = load_relaxed(&d->sched_cap);
		return 0;
	default:
		return -EINVAL; /* this scheduler has no settings for single vCPUs */
	}
}

/* --- cpupools --- */

static long pool_info(struct xen_sysctl_cpupool_op *a)
{
	struct sched_pool_info info;
	int rc = sched_pool_info(a->cpupool_id, &info);

	if (rc) {
		return rc;
	}
	a->cpupool_id = info.id;
	a->sched_id = XEN_SCHEDULER_CREDIT2;
	a->n_dom = info.domain_count;
	return domctl_write_bitmap(&a->cpumap, info.cpus.words, CPU_MAX);
}

static long pool_move_domain(struct domain *caller, const struct xen_sysctl_cpupool_op *a)
{
	struct domain *d;
	int rc;

	if (a->domid >= DOMID_FIRST_RESERVED) {
		return -EINVAL;
	}
	d = domain_get(domain_id_of((u16)a->domid));
	if (!d) {
		return -ESRCH;
	}
	rc = d == caller ? -EPERM : sched_pool_move_domain(a->cpupool_id, d);
	domain_put(d);
	return rc;
}

static long pool_free_cpus(struct xen_sysctl_cpupool_op *a)
{
	struct cpu_set cpus;

	sched_pool_free_cpus(&cpus);
	return domctl_write_bitmap(&a->cpumap, cpus.words, CPU_MAX);
}

/* XEN_SYSCTL_CPUPOOL_PAR_ANY is what sched/pool.h takes for "any", too. */
long sysctl_cpupool(struct domain *caller, struct xen_sysctl_cpupool_op *a)
{
	switch (a->op) {
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
		return a->sched_id == XEN_SCHEDULER_CREDIT2 ? sched_pool_create(&a->cpupool_id) : -ENOENT;
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
		return sched_pool_destroy(a->cpupool_id);
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		return pool_info(a);
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
		return sched_pool_add_cpu(a->cpupool_id, a->cpu);
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
		return sched_pool_remove_cpu(a->cpupool_id, a->cpu);
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return pool_move_domain(caller, a);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		return pool_free_cpus(a);
	default:
		return -ENOSYS;
	}
}

static bool is_pool(u32 id)
{
	struct sched_pool_info info;

	return sched_pool_info(id, &info) == 0 && info.id == id;
}

long sysctl_scheduler(struct xen_sysctl_scheduler_op *a)
{
	if (!is_pool(a->cpupool_id)) {
		return -ESRCH;
	}
	if (a->sched_id != XEN_SCHEDULER_CREDIT2) {
		return -EINVAL;
	}
	switch (a->cmd) {
	case XEN_SYSCTL_SCHEDOP_putinfo:
		return a->u.sched_credit2.ratelimit_us == RATELIMIT_US ? 0 : -EOPNOTSUPP;
	case XEN_SYSCTL_SCHEDOP_getinfo:
		a->u.sched_credit2.ratelimit_us = RATELIMIT_US;
		return 0;
	default:
		return -EINVAL;
	}
}
