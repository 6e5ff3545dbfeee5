/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sched/fair.h"

#include "hv/error.h"
#include "lib/string.h"

#define AWAY_NS		    (NS_PER_MS / 2) /* what moving to another CPU costs, in virtual time */
#define SOFT_NS		    (3 * NS_PER_MS) /* what a CPU that the unit does not like costs */
#define CAPPED_SLICE_MIN_NS (NS_PER_MS / 2)

static struct fair_unit *unit_of(struct rb_node *node)
{
	return node ? container_of(node, struct fair_unit, node) : NULL;
}

static bool has_cpu(const struct cpu_set *set, cpu_t cpu)
{
	return bitmap_test(set->words, cpu);
}

/* An affinity that no CPU of the pool satisfies does not count: better there than nowhere. */
static bool may_run(const struct fair_unit *u, cpu_t cpu)
{
	unsigned int i;

	if (has_cpu(u->hard, cpu)) {
		return true;
	}
	for (i = 0; i < ARRAY_SIZE(u->hard->words); i++) {
		if (u->hard->words[i] & u->pool->cpus.words[i]) {
			return false;
		}
	}
	return true;
}

static s64 virtual_of(const struct fair_unit *u, ns_t real)
{
	return real * (s64)FAIR_WEIGHT_DEFAULT / u->domain->weight;
}

static bool is_before(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct fair_unit, node)->virtual_ns <
	       container_of(b, struct fair_unit, node)->virtual_ns;
}

/* --- start --- */

void fair_init(struct fair *f, unsigned int cpu_count, const struct fair_ops *ops)
{
	unsigned int cpu;

	memset(f, 0, sizeof(*f));
	f->ops = ops;
	f->cpu_count = cpu_count;
	for (cpu = 0; cpu < cpu_count; cpu++) {
		f->cpus[cpu].look_at = NS_NEVER;
	}
}

void fair_pool_init(struct fair_pool *pool)
{
	memset(pool, 0, sizeof(*pool));
}

void fair_domain_init(struct fair_domain *d, void *owner)
{
	memset(d, 0, sizeof(*d));
	list_init(&d->units);
	d->weight = FAIR_WEIGHT_DEFAULT;
	d->owner = owner;
}

void fair_unit_init(struct fair_unit *u, struct fair_domain *d, struct fair_pool *pool,
		    const struct cpu_set *hard, const struct cpu_set *soft, void *owner)
{
	memset(u, 0, sizeof(*u));
	u->domain = d;
	u->pool = pool;
	u->hard = hard;
	u->soft = soft;
	u->owner = owner;
	u->virtual_ns = pool->floor;
	list_add_tail(&d->units, &u->link);
}

void fair_unit_fini(struct fair_unit *u)
{
	CHECK(u->state == FAIR_OFF);
	list_remove(&u->link);
}

/* --- when a CPU looks --- */

/* Keeps the earlier one of two times. */
static void look(struct fair *f, cpu_t cpu, ns_t at, ns_t now)
{
	struct fair_cpu *c = &f->cpus[cpu];

	at = MAX(at, now);
	if (at < c->look_at) {
		c->look_at = at;
		f->ops->look(f, cpu, at);
	}
}

static void look_now(struct fair *f, cpu_t cpu, ns_t now)
{
	if (f->cpus[cpu].pool) {
		bitmap_clear(f->cpus[cpu].pool->idle.words, cpu);
	}
	f->cpus[cpu].look_at = now;
	f->ops->look(f, cpu, now);
}

static ns_t slice_of(const struct fair_pool *pool)
{
	unsigned long cpus = bitmap_count(pool->cpus.words, CPU_MAX);
	ns_t slice = FAIR_SLICE_MAX_NS / (1 + (ns_t)(pool->queued_count / (cpus ? cpus : 1)));

	return MAX(slice, FAIR_SLICE_MIN_NS);
}

/* --- time --- */

static void update_floor(struct fair *f, struct fair_pool *pool, ns_t now)
{
	const struct fair_unit *first = unit_of(rb_first(&pool->queue));
	s64 least = first ? first->virtual_ns : INT64_MAX;
	cpu_t cpu;

	for (cpu = 0; cpu < f->cpu_count; cpu++) {
		const struct fair_unit *u = f->cpus[cpu].running;

		if (u && u->pool == pool) {
			least = MIN(least, u->virtual_ns + virtual_of(u, now - u->charged_at));
		}
	}
	if (least != INT64_MAX) {
		pool->floor = MAX(pool->floor, least);
	}
}

static bool is_over(const struct fair_domain *d)
{
	return d->cap_percent && d->budget_ns <= 0;
}

static s64 quota_of(const struct fair_domain *d)
{
	return FAIR_PERIOD_NS * (s64)d->cap_percent / 100;
}

/* Whole periods that have begun since the last time; what was used too much is paid first. */
static void refill_budget(struct fair_domain *d, ns_t now)
{
	s64 periods;

	if (!d->cap_percent || now < d->refill_at) {
		return;
	}
	periods = (now - d->refill_at) / FAIR_PERIOD_NS + 1;
	d->refill_at += periods * FAIR_PERIOD_NS;
	d->budget_ns = periods > 1000 ? quota_of(d)
				      : MIN(d->budget_ns + periods * quota_of(d), quota_of(d));
}

static void unqueue(struct fair_unit *u)
{
	rb_remove(&u->pool->queue, &u->node);
	u->pool->queued_count--;
	u->state = FAIR_OFF;
}

/* The domain used up its share: nobody of it runs until there is more. */
static void park_domain(struct fair *f, struct fair_domain *d, ns_t now)
{
	struct fair_unit *u;

	list_for_each (u, &d->units, link) {
		if (u->state == FAIR_QUEUED) {
			unqueue(u);
			u->state = FAIR_PARKED;
		} else if (u->state == FAIR_RUNNING) {
			look(f, u->cpu, now, now);
		}
	}
	f->ops->refill(f, d, d->refill_at);
}

static void charge(struct fair *f, struct fair_unit *u, ns_t now)
{
	ns_t used = now - u->charged_at;
	bool was_over;

	u->charged_at = now;
	u->virtual_ns += virtual_of(u, used);
	if (u->domain->cap_percent) {
		was_over = is_over(u->domain);
		u->domain->budget_ns -= used; /* before what comes new: that is limited */
		refill_budget(u->domain, now);
		if (!was_over && is_over(u->domain)) {
			park_domain(f, u->domain, now);
		}
	}
}

/* --- who --- */

/* How far ahead u would be on cpu: the lowest runs. */
static s64 score(const struct fair_unit *u, cpu_t cpu)
{
	return u->virtual_ns + (u->cpu == cpu ? 0 : AWAY_NS) +
	       (has_cpu(u->soft, cpu) ? 0 : SOFT_NS);
}

/* The queued unit that should run on cpu, or NULL. Ordered by virtual time, so it ends early. */
static struct fair_unit *best_for(const struct fair_pool *pool, cpu_t cpu)
{
	struct rb_node *node;
	struct fair_unit *best = NULL, *u;
	s64 best_score = INT64_MAX, s;

	for (node = rb_first(&pool->queue); node; node = rb_next(node)) {
		u = unit_of(node);
		if (u->virtual_ns >= best_score) {
			break;
		}
		if (may_run(u, cpu)) {
			s = score(u, cpu);
			if (s < best_score) {
				best = u;
				best_score = s;
			}
		}
	}
	return best;
}

/* --- where --- */

/* An idle CPU for u: the last one, one that it likes, any; CPU_MAX: none. */
static cpu_t idle_cpu_for(const struct fair *f, const struct fair_unit *u)
{
	cpu_t cpu, found = CPU_MAX;

	if (u->cpu < f->cpu_count && has_cpu(&u->pool->idle, u->cpu) && may_run(u, u->cpu) &&
	    has_cpu(u->soft, u->cpu)) {
		return u->cpu;
	}
	for (cpu = 0; cpu < f->cpu_count; cpu++) {
		if (!has_cpu(&u->pool->idle, cpu) || !may_run(u, cpu)) {
			continue;
		}
		if (has_cpu(u->soft, cpu)) {
			return cpu;
		}
		if (found == CPU_MAX) {
			found = cpu;
		}
	}
	return found;
}

/*
 * u was just queued: somebody must look. An idle CPU at once; else the CPU whose unit is
 * furthest ahead of u, when that one had its least time; and all others at the end of a slice.
 */
static void find_cpu(struct fair *f, struct fair_unit *u, ns_t now)
{
	cpu_t cpu = idle_cpu_for(f, u), victim = CPU_MAX;
	s64 most = 0, ahead;
	ns_t slice = slice_of(u->pool);

	if (cpu < CPU_MAX) {
		look_now(f, cpu, now);
		return;
	}
	for (cpu = 0; cpu < f->cpu_count; cpu++) {
		struct fair_unit *other = f->cpus[cpu].running;

		if (!other || f->cpus[cpu].pool != u->pool || !may_run(u, cpu)) {
			continue;
		}
		look(f, cpu, MAX(other->picked_at + slice, now + FAIR_SLICE_MIN_NS), now);
		ahead = other->virtual_ns + virtual_of(other, now - other->charged_at) -
			score(u, cpu);
		if (ahead > most) {
			most = ahead;
			victim = cpu;
		}
	}
	if (victim < CPU_MAX) {
		look(f, victim, f->cpus[victim].running->picked_at + FAIR_RATELIMIT_NS, now);
	}
}

/*
 * A CPU that was told to look for one unit may have taken another one. So that no work waits
 * beside an idle CPU, the rest is told again.
 */
static void use_idle_cpus(struct fair *f, struct fair_pool *pool, ns_t now)
{
	struct rb_node *node;
	cpu_t cpu;

	if (bitmap_find_set(pool->idle.words, CPU_MAX, 0) >= CPU_MAX) {
		return;
	}
	for (node = rb_first(&pool->queue); node; node = rb_next(node)) {
		cpu = idle_cpu_for(f, unit_of(node));
		if (cpu < CPU_MAX) {
			look_now(f, cpu, now);
		}
	}
}

static void enqueue(struct fair_unit *u)
{
	u->state = FAIR_QUEUED;
	rb_insert(&u->pool->queue, &u->node, is_before);
	u->pool->queued_count++;
}

/* --- events --- */

void fair_wake(struct fair *f, struct fair_unit *u, ns_t now)
{
	if (u->state != FAIR_OFF) {
		return;
	}
	refill_budget(u->domain, now);
	update_floor(f, u->pool, now);
	u->virtual_ns = MAX(u->virtual_ns, u->pool->floor - virtual_of(u, FAIR_WAKE_CREDIT_NS));
	if (is_over(u->domain)) {
		u->state = FAIR_PARKED;
		f->ops->refill(f, u->domain, u->domain->refill_at);
		return;
	}
	enqueue(u);
	find_cpu(f, u, now);
}

void fair_sleep(struct fair_unit *u)
{
	if (u->state == FAIR_QUEUED) {
		unqueue(u);
	} else if (u->state == FAIR_PARKED) {
		u->state = FAIR_OFF;
	}
}

void fair_refill(struct fair *f, struct fair_domain *d, ns_t now)
{
	struct fair_unit *u;

	refill_budget(d, now);
	if (is_over(d)) {
		f->ops->refill(f, d, d->refill_at);
		return;
	}
	list_for_each (u, &d->units, link) {
		if (u->state == FAIR_PARKED) {
			enqueue(u);
			find_cpu(f, u, now);
		}
	}
}

static unsigned int running_units(const struct fair_domain *d)
{
	const struct fair_unit *u;
	unsigned int count = 0;

	list_for_each (u, &d->units, link) {
		count += u->state == FAIR_RUNNING;
	}
	return count;
}

/* When the unit that runs on cpu has to be looked at: others wait, or its domain's share ends. */
static void set_look(struct fair *f, cpu_t cpu, ns_t now)
{
	const struct fair_cpu *c = &f->cpus[cpu];
	const struct fair_domain *d = c->running->domain;

	if (c->pool->queued_count) {
		look(f, cpu,
		     MAX(c->running->picked_at + slice_of(c->pool), now + FAIR_SLICE_MIN_NS), now);
	}
	if (d->cap_percent) {
		look(f, cpu,
		     MIN(now + MAX(d->budget_ns / running_units(d), CAPPED_SLICE_MIN_NS),
			 d->refill_at),
		     now);
	}
}

/* Units wait: every CPU that runs one will look some time. */
static void look_everywhere(struct fair *f, const struct fair_pool *pool, ns_t now)
{
	cpu_t cpu;

	for (cpu = 0; cpu < f->cpu_count; cpu++) {
		if (f->cpus[cpu].pool == pool && f->cpus[cpu].running &&
		    f->cpus[cpu].look_at == NS_NEVER) {
			set_look(f, cpu, now);
		}
	}
}

bool fair_keep(struct fair *f, cpu_t cpu, ns_t now)
{
	struct fair_cpu *c = &f->cpus[cpu];
	struct fair_unit *u = c->running, *other;
	ns_t settled;

	c->look_at = NS_NEVER;
	charge(f, u, now);
	if (u->pool != c->pool || !may_run(u, cpu) || is_over(u->domain)) {
		return false;
	}
	other = best_for(c->pool, cpu);
	if (other && u->is_yielding) {
		u->virtual_ns = MAX(u->virtual_ns, other->virtual_ns);
		return false;
	}
	u->is_yielding = false;
	settled = u->picked_at + FAIR_RATELIMIT_NS;
	if (other && score(other, cpu) < score(u, cpu)) {
		if (now >= settled) {
			return false;
		}
		look(f, cpu, settled, now);
	}
	set_look(f, cpu, now);
	return true;
}

void fair_put(struct fair *f, cpu_t cpu, bool wants_to_run, ns_t now)
{
	struct fair_cpu *c = &f->cpus[cpu];
	struct fair_unit *u = c->running;

	if (!u) {
		return;
	}
	charge(f, u, now);
	c->running = NULL;
	u->is_yielding = false;
	u->state = FAIR_OFF;
	if (!wants_to_run) {
		return;
	}
	if (is_over(u->domain)) {
		u->state = FAIR_PARKED;
		return; /* its refill is arranged: it is why it became over */
	}
	enqueue(u);
	if (u->pool != c->pool || !may_run(u, cpu)) {
		find_cpu(f, u, now);
	}
}

struct fair_unit *fair_take(struct fair *f, cpu_t cpu, ns_t now)
{
	struct fair_cpu *c = &f->cpus[cpu];
	struct fair_unit *u;

	ASSERT(!c->running);
	c->look_at = NS_NEVER;
	if (!c->pool) {
		return NULL;
	}
	u = best_for(c->pool, cpu);
	if (!u) {
		bitmap_set(c->pool->idle.words, cpu);
		return NULL;
	}
	bitmap_clear(c->pool->idle.words, cpu);
	unqueue(u);
	u->state = FAIR_RUNNING;
	u->cpu = cpu;
	u->picked_at = u->charged_at = now;
	c->running = u;
	update_floor(f, c->pool, now);
	set_look(f, cpu, now);
	if (c->pool->queued_count) {
		look_everywhere(f, c->pool, now);
		use_idle_cpus(f, c->pool, now);
	}
	return u;
}

/* --- settings --- */

void fair_set_weight(struct fair *f, struct fair_domain *d, u32 weight, u32 cap_percent, ns_t now)
{
	struct fair_unit *u;

	list_for_each (u, &d->units, link) {
		if (u->state == FAIR_RUNNING) {
			charge(f, u, now); /* at the old weight */
		}
	}
	d->weight = weight ? weight : FAIR_WEIGHT_DEFAULT;
	if (cap_percent != d->cap_percent) {
		d->cap_percent = cap_percent;
		d->budget_ns = quota_of(d);
		d->refill_at = now + FAIR_PERIOD_NS;
		fair_refill(f, d, now);
		list_for_each (u, &d->units, link) {
			if (u->state == FAIR_RUNNING) {
				look(f, u->cpu, now, now);
			}
		}
	}
}

void fair_affinity_changed(struct fair *f, struct fair_unit *u, ns_t now)
{
	if (u->state == FAIR_QUEUED) {
		find_cpu(f, u, now);
	} else if (u->state == FAIR_RUNNING) {
		look(f, u->cpu, now, now);
	}
}

void fair_cpu_set_pool(struct fair *f, cpu_t cpu, struct fair_pool *pool, ns_t now)
{
	struct fair_cpu *c = &f->cpus[cpu];

	if (c->pool) {
		bitmap_clear(c->pool->cpus.words, cpu);
		bitmap_clear(c->pool->idle.words, cpu);
	}
	c->pool = pool;
	if (pool) {
		bitmap_set(pool->cpus.words, cpu);
	}
	look_now(f, cpu, now);
}

void fair_unit_set_pool(struct fair *f, struct fair_unit *u, struct fair_pool *pool, ns_t now)
{
	bool is_queued = u->state == FAIR_QUEUED;

	if (u->state == FAIR_RUNNING) {
		charge(f, u, now);
	}
	if (is_queued) {
		unqueue(u);
	}
	u->virtual_ns += pool->floor - u->pool->floor; /* as far ahead or behind as it was */
	u->pool = pool;
	if (is_queued) {
		enqueue(u);
		find_cpu(f, u, now);
	} else if (u->state == FAIR_RUNNING) {
		look(f, u->cpu, now, now);
	}
}
