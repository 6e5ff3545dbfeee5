/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Weighted fair scheduling as pure decisions: who runs next, where, and until when. It knows no
 * vCPU, no lock and no clock, so that the simulator (tests/unit/test_fair.c) runs the same code.
 * sched.c is the mechanism around it and holds LOCK_SCHED at each call; now never goes back.
 *
 * Each unit has a virtual time that advances while it runs, the slower the heavier it is. The unit
 * that is furthest behind runs next, on any CPU of its pool that its affinity allows: one queue for
 * a pool, so no CPU is idle while there is work that it may do. Who wakes up after a sleep
 * gets a little credit, so that it comes before those who never sleep; a unit that has just
 * started to run is left alone for FAIR_RATELIMIT_NS.
 *
 * A domain with a cap may use that share of one CPU in each FAIR_PERIOD_NS; then its units are
 * parked until the next period.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"
#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/rbtree.h"

#define FAIR_WEIGHT_DEFAULT 256u
#define FAIR_SLICE_MAX_NS   (10 * NS_PER_MS)
#define FAIR_SLICE_MIN_NS   (2 * NS_PER_MS)
#define FAIR_RATELIMIT_NS   (1 * NS_PER_MS)
#define FAIR_WAKE_CREDIT_NS (5 * NS_PER_MS)
#define FAIR_PERIOD_NS	    (10 * NS_PER_MS)

struct fair;

struct fair_pool {
	struct rb_tree queue;	 /* by virtual time */
	unsigned int queued_count;
	s64 floor;		 /* virtual time that all have reached; grows only */
	struct cpu_set cpus;
	struct cpu_set idle;	 /* of these: nothing to run, and nobody told them to look */
};

struct fair_domain {
	struct list units;
	u32 weight;
	u32 cap_percent;	 /* of one CPU; 0: none */
	s64 budget_ns;		 /* left in this period, below 0: used too much */
	ns_t refill_at;
	void *owner;		 /* for the mechanism */
};

enum fair_state { FAIR_OFF, FAIR_QUEUED, FAIR_RUNNING, FAIR_PARKED };

struct fair_unit {
	struct rb_node node;
	struct list link;	 /* in its domain */
	struct fair_domain *domain;
	struct fair_pool *pool;
	const struct cpu_set *hard, *soft; /* may, likes to; soft may be empty */
	enum fair_state state;
	bool is_yielding;
	cpu_t cpu;		 /* where it runs, or ran last */
	s64 virtual_ns;
	ns_t charged_at, picked_at;
	void *owner;		 /* for the mechanism */
};

struct fair_cpu {
	struct fair_pool *pool;	 /* NULL: none, it idles */
	struct fair_unit *running;
	ns_t look_at;		 /* when it will look again by itself; NS_NEVER */
};

struct fair_ops {
	/* Make cpu call fair_keep() and so on at that time; at once if it is past. */
	void (*look)(struct fair *f, cpu_t cpu, ns_t at);
	/* Call fair_refill(d) at that time. */
	void (*refill)(struct fair *f, struct fair_domain *d, ns_t at);
};

struct fair {
	const struct fair_ops *ops;
	unsigned int cpu_count;
	struct fair_cpu cpus[CPU_MAX];
};

void fair_init(struct fair *f, unsigned int cpu_count, const struct fair_ops *ops);
void fair_pool_init(struct fair_pool *pool);
void fair_domain_init(struct fair_domain *d, void *owner);
/* Adds a unit that does not run to d and pool. */
void fair_unit_init(struct fair_unit *u, struct fair_domain *d, struct fair_pool *pool,
		    const struct cpu_set *hard, const struct cpu_set *soft, void *owner);
void fair_unit_fini(struct fair_unit *u); /* state FAIR_OFF */

/* It wants to run. Nothing happens unless it is FAIR_OFF. */
void fair_wake(struct fair *f, struct fair_unit *u, ns_t now);
/* It does not, and is not running. */
void fair_sleep(struct fair_unit *u);

/*
 * The three steps of a CPU that looks for work. fair_keep(): may the running unit, which still
 * wants to run, go on? If not (or there is none, or it does not want to): fair_put() when it
 * is off the CPU, wants_to_run if it is to be picked again, and fair_take() for the next one.
 */
bool fair_keep(struct fair *f, cpu_t cpu, ns_t now) MUST_CHECK;
void fair_put(struct fair *f, cpu_t cpu, bool wants_to_run, ns_t now);
struct fair_unit *fair_take(struct fair *f, cpu_t cpu, ns_t now);

void fair_refill(struct fair *f, struct fair_domain *d, ns_t now);

/* Settings; each takes effect at once. */
void fair_set_weight(struct fair *f, struct fair_domain *d, u32 weight, u32 cap_percent, ns_t now);
void fair_affinity_changed(struct fair *f, struct fair_unit *u, ns_t now);
void fair_cpu_set_pool(struct fair *f, cpu_t cpu, struct fair_pool *pool, ns_t now);
void fair_unit_set_pool(struct fair *f, struct fair_unit *u, struct fair_pool *pool, ns_t now);
