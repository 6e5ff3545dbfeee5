/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sched.c and pool.c share: the one instance of the decisions, and its lock.
 */
#pragma once

#include "core/spinlock.h"
#include "core/timer.h"
#include "domain/vcpu.h"
#include "sched/fair.h"

struct sched_vcpu {
	struct fair_unit unit; /* owner: the vCPU */
};
struct sched_domain {
	struct fair_domain fair; /* owner: the domain */
	struct timer refill;
	u32 pool;
};

extern struct fair sched_fair; /* sched_lock, as all that it reaches */
extern struct spinlock sched_lock; /* taken with spin_lock_irqsave() */
void sched_unlock(unsigned long flags) RELEASES(&sched_lock);

struct fair_pool *sched_pool_get(u32 id); /* NULL: no such pool */
void sched_pool_setup(void);
void sched_pool_count_domain(u32 id, int change);
