/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where and how much a domain runs. To the tools our scheduler is credit2: a weight, a cap in
 * per cent of one CPU, hard and soft affinity.
 */
#include "hypercall/domctl.h"

#include "core/smp.h"
#include "lib/string.h"
#include "memory/guest_access.h"
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

/* --- cpupools: one, with all CPUs --- */

static u32 count_domains(void)
{
	struct domain *d;
	u32 n = 0;

	rcu_read_lock();
	for_each_domain(d) {
		n += load_acquire(&d->is_created);
	}
	rcu_read_unlock();
	return n;
}

long sysctl_cpupool(struct xen_sysctl_cpupool_op *a)
{
	static const struct cpu_set none;

	switch (a->op) {
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		/* The first pool with an id from this on. */
		if (a->cpupool_id != 0) {
			return -ENOENT;
		}
		a->sched_id = XEN_SCHEDULER_CREDIT2;
		a->n_dom = count_domains();
		return domctl_write_bitmap(&a->cpumap, smp_online()->words, CPU_MAX);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		return domctl_write_bitmap(&a->cpumap, none.words, CPU_MAX);
	default:
		return -EOPNOTSUPP;
	}
}

long sysctl_scheduler(struct xen_sysctl_scheduler_op *a)
{
	if (a->cpupool_id != 0) {
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
