/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sched/pool.h"

#include "core/smp.h"
#include "sched/sched_private.h"

#define ANY_ID	(~0u)
#define ANY_CPU (~0u)

/* sched_lock */
static struct {
	bool is_used;
	unsigned int domain_count;
	struct fair_pool fair;
} pools[SCHED_POOL_MAX];

struct fair_pool *sched_pool_get(u32 id)
{
	if (id >= SCHED_POOL_MAX) {
		return NULL;
	}
	id = (u32)index_clamp(id, SCHED_POOL_MAX);
	return pools[id].is_used ? &pools[id].fair : NULL;
}

void sched_pool_setup(void)
{
	cpu_t cpu;

	fair_pool_init(&pools[0].fair);
	pools[0].is_used = true;
	for (cpu = 0; cpu < smp_cpu_count(); cpu++) {
		fair_cpu_set_pool(&sched_fair, cpu, &pools[0].fair, clock_now());
	}
}

void sched_pool_count_domain(u32 id, int change)
{
	pools[id].domain_count += (unsigned int)change;
}

static int create_locked(u32 *id)
{
	u32 i = *id;

	if (i == ANY_ID) {
		for (i = 0; i < SCHED_POOL_MAX && pools[i].is_used; i++) {
		}
		if (i == SCHED_POOL_MAX) {
			return -ENOSPC;
		}
	} else if (i >= SCHED_POOL_MAX) {
		return -EINVAL;
	} else if (pools[index_clamp(i, SCHED_POOL_MAX)].is_used) {
		return -EEXIST;
	}
	fair_pool_init(&pools[i].fair);
	pools[i].is_used = true;
	pools[i].domain_count = 0;
	*id = i;
	return 0;
}

int sched_pool_create(u32 *id)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);
	int rc = create_locked(id);

	sched_unlock(flags);
	return rc;
}

static int destroy_locked(u32 id)
{
	struct fair_pool *pool = sched_pool_get(id);

	if (!pool) {
		return -ENOENT;
	}
	if (id == 0 || pools[id].domain_count || bitmap_count(pool->cpus.words, CPU_MAX)) {
		return -EBUSY;
	}
	pools[id].is_used = false;
	return 0;
}

int sched_pool_destroy(u32 id)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);
	int rc = destroy_locked(id);

	sched_unlock(flags);
	return rc;
}

int sched_pool_info(u32 id, struct sched_pool_info *out)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);
	int rc = -ENOENT;

	for (; id < SCHED_POOL_MAX; id++) {
		if (pools[id].is_used) {
			out->id = id;
			out->domain_count = pools[id].domain_count;
			out->cpus = pools[id].fair.cpus;
			rc = 0;
			break;
		}
	}
	sched_unlock(flags);
	return rc;
}

static int add_cpu_locked(u32 id, cpu_t cpu)
{
	struct fair_pool *pool = sched_pool_get(id);

	if (!pool) {
		return -ENOENT;
	}
	if (cpu == ANY_CPU) {
		for (cpu = 0; cpu < smp_cpu_count() && sched_fair.cpus[cpu].pool; cpu++) {
		}
		if (cpu == smp_cpu_count()) {
			return -ENODEV;
		}
	}
	if (cpu >= smp_cpu_count()) {
		return -EINVAL;
	}
	cpu = (cpu_t)index_clamp(cpu, smp_cpu_count());
	if (sched_fair.cpus[cpu].pool) {
		return -ENODEV;
	}
	fair_cpu_set_pool(&sched_fair, cpu, pool, clock_now());
	return 0;
}

int sched_pool_add_cpu(u32 id, cpu_t cpu)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);
	int rc = add_cpu_locked(id, cpu);

	sched_unlock(flags);
	return rc;
}

static int remove_cpu_locked(u32 id, cpu_t cpu)
{
	struct fair_pool *pool = sched_pool_get(id);
	bool is_any = cpu == ANY_CPU;
	unsigned long count;

	if (!pool) {
		return -ENOENT;
	}
	count = bitmap_count(pool->cpus.words, CPU_MAX);
	if (is_any) {
		for (cpu = smp_cpu_count(); cpu > 0 && !bitmap_test(pool->cpus.words, cpu - 1);
		     cpu--) {
		}
		cpu--;
	}
	if (cpu >= smp_cpu_count()) {
		return is_any ? -ENODEV : -EINVAL;
	}
	cpu = (cpu_t)index_clamp(cpu, smp_cpu_count());
	if (sched_fair.cpus[cpu].pool != pool) {
		return -ENODEV;
	}
	if (count == 1 && (id == 0 || pools[id].domain_count)) {
		return -EBUSY;
	}
	fair_cpu_set_pool(&sched_fair, cpu, NULL, clock_now());
	return 0;
}

int sched_pool_remove_cpu(u32 id, cpu_t cpu)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);
	int rc = remove_cpu_locked(id, cpu);

	sched_unlock(flags);
	return rc;
}

void sched_pool_free_cpus(struct cpu_set *out)
{
	unsigned long flags = spin_lock_irqsave(&sched_lock);
	cpu_t cpu;

	*out = (struct cpu_set){{0}};
	for (cpu = 0; cpu < smp_cpu_count(); cpu++) {
		if (!sched_fair.cpus[cpu].pool) {
			bitmap_set(out->words, cpu);
		}
	}
	sched_unlock(flags);
}

static int move_domain_locked(u32 id, struct domain *d)
{
	struct fair_pool *pool = sched_pool_get(id);
	struct fair_unit *u;

	if (!pool) {
		return -ENOENT;
	}
	if (bitmap_count(pool->cpus.words, CPU_MAX) == 0) {
		return -ENOENT;
	}
	if (d->sched->pool == id) {
		return 0;
	}
	list_for_each (u, &d->sched->fair.units, link) {
		fair_unit_set_pool(&sched_fair, u, pool, clock_now());
	}
	pools[d->sched->pool].domain_count--;
	pools[id].domain_count++;
	d->sched->pool = id;
	return 0;
}

int sched_pool_move_domain(u32 id, struct domain *d)
{
	unsigned long flags;
	int rc;

	if (d == dom0) {
		return id == 0 ? 0 : -EPERM;
	}
	flags = spin_lock_irqsave(&sched_lock);
	rc = move_domain_locked(id, d);
	sched_unlock(flags);
	return rc;
}

u32 sched_pool_of(const struct domain *d)
{
	return load_relaxed(&d->sched->pool);
}
