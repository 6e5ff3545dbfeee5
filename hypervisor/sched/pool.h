/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cpupools: sets of CPUs that domains are bound to, each with its own queue. Pool 0 is there from the
 * start and has all CPUs; dom0 stays in it. Settings are serialised by LOCK_SCHED; any context
 * without a lock of that rank or a later one.
 */
#pragma once

#include "domain/domain.h"
#include "hv/compiler.h"
#include "hv/error.h"
#include "lib/bitmap.h"

#define SCHED_POOL_MAX 32u

struct sched_pool_info {
	u32 id;
	unsigned int domain_count;
	struct cpu_set cpus;
};

/* id ~0: the first free one. -EEXIST taken, -ENOSPC all are, -EINVAL past the last. */
int sched_pool_create(u32 *id) MUST_CHECK;
/* -ENOENT; -EBUSY: it has CPUs or domains, or is pool 0. */
int sched_pool_destroy(u32 id) MUST_CHECK;
/* The first pool with an id of at least id. -ENOENT. */
int sched_pool_info(u32 id, struct sched_pool_info *out) MUST_CHECK;
/* A CPU of no pool; ~0: any. -ENOENT no pool, -EINVAL no CPU, -ENODEV it is in a pool, or none is free. */
int sched_pool_add_cpu(u32 id, cpu_t cpu) MUST_CHECK;
/* ~0: its last one. -ENODEV not in it; -EBUSY the last CPU of a pool with domains, or of pool 0. */
int sched_pool_remove_cpu(u32 id, cpu_t cpu) MUST_CHECK;
/* CPUs of no pool. */
void sched_pool_free_cpus(struct cpu_set *out);
/* -ENOENT: no such pool, or it has no CPU; -EPERM: dom0 does not move. */
int sched_pool_move_domain(u32 id, struct domain *d) MUST_CHECK;
u32 sched_pool_of(const struct domain *d);
