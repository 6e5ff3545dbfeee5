/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulator around the scheduler's decisions: CPUs, units that compute or sleep, and a clock that
 * jumps from event to event. Deterministic: the same seed gives the same run. After each event
 * it checks what must always be true (sim_check).
 */
#include "base/test.h"

#include <stdlib.h>

#include "hv/compiler.h"
#include "sched/fair.h"

#define UNITS_MAX   128u
#define DOMAINS_MAX 16u
#define POOLS_MAX   3u

struct sim_unit {
	struct fair_unit fair;
	struct cpu_set hard, soft;
	ns_t burst_ns, sleep_ns; /* works, then sleeps; sleep_ns 0: never sleeps */
	ns_t left_ns;		 /* of this burst */
	ns_t wake_at;
	ns_t used_ns;
	ns_t waiting_since; /* runnable but not running; NS_NEVER */
	ns_t longest_wait, longest_wake;
	bool has_woken; /* the wait is that of a wake-up */
	ns_t seen_at;
};

static struct {
	struct fair fair;
	struct fair_pool pools[POOLS_MAX];
	struct fair_domain domains[DOMAINS_MAX];
	ns_t refill_at[DOMAINS_MAX];
	ns_t look_at[CPU_MAX];
	struct sim_unit units[UNITS_MAX];
	unsigned int unit_count;
	unsigned int cpu_count;
	ns_t now;
	u64 events;
} sim;

static void sim_look(struct fair *f, cpu_t cpu, ns_t at)
{
	sim.look_at[cpu] = MIN(sim.look_at[cpu], MAX(at, sim.now));
}

static void sim_refill(struct fair *f, struct fair_domain *d, ns_t at)
{
	sim.refill_at[d - sim.domains] = at;
}

static const struct fair_ops sim_ops = {sim_look, sim_refill};

static void sim_start(unsigned int cpu_count)
{
	unsigned int i;

	memset(&sim, 0, sizeof(sim));
	sim.cpu_count = cpu_count;
	for (i = 0; i < CPU_MAX; i++) {
		sim.look_at[i] = NS_NEVER;
	}
	fair_init(&sim.fair, cpu_count, &sim_ops);
	for (i = 0; i < POOLS_MAX; i++) {
		fair_pool_init(&sim.pools[i]);
	}
	for (i = 0; i < DOMAINS_MAX; i++) {
		fair_domain_init(&sim.domains[i], NULL);
		sim.refill_at[i] = NS_NEVER;
	}
	for (i = 0; i < cpu_count; i++) {
		fair_cpu_set_pool(&sim.fair, i, &sim.pools[0], 0);
	}
}

static struct sim_unit *sim_add(unsigned int domain, ns_t burst_ns, ns_t sleep_ns)
{
	struct sim_unit *u = &sim.units[sim.unit_count++];

	memset(&u->hard, 0xff, sizeof(u->hard));
	memset(&u->soft, 0xff, sizeof(u->soft));
	u->burst_ns = u->left_ns = burst_ns;
	u->sleep_ns = sleep_ns;
	u->wake_at = sim.now;
	u->waiting_since = NS_NEVER;
	fair_unit_init(&u->fair, &sim.domains[domain], &sim.pools[0], &u->hard, &u->soft, u);
	return u;
}

static struct sim_unit *sim_add_hog(unsigned int domain)
{
	return sim_add(domain, NS_NEVER / 4, 0);
}

static void sim_account(cpu_t cpu)
{
	struct fair_unit *f = sim.fair.cpus[cpu].running;
	struct sim_unit *u = f ? f->owner : NULL;

	if (u) {
		u->used_ns += sim.now - u->seen_at;
		u->left_ns -= sim.now - u->seen_at;
		u->seen_at = sim.now;
	}
}

static void sim_off(struct sim_unit *u, bool wants_to_run)
{
	if (wants_to_run) {
		u->waiting_since = sim.now;
		u->has_woken = false;
	} else {
		u->left_ns = u->burst_ns;
		u->wake_at = sim.now + u->sleep_ns;
	}
}

/* As pick() in sched.c. */
static void sim_cpu(cpu_t cpu)
{
	struct fair_unit *prev = sim.fair.cpus[cpu].running, *next;
	struct sim_unit *u = prev ? prev->owner : NULL;
	bool wants_to_run = u && u->left_ns > 0;
	ns_t waited;

	sim.look_at[cpu] = NS_NEVER;
	if (wants_to_run && fair_keep(&sim.fair, cpu, sim.now)) {
		return;
	}
	if (prev) {
		fair_put(&sim.fair, cpu, wants_to_run, sim.now);
		sim_off(u, wants_to_run);
	}
	next = fair_take(&sim.fair, cpu, sim.now);
	if (next) {
		u = next->owner;
		u->seen_at = sim.now;
		waited = sim.now - u->waiting_since;
		u->longest_wait = MAX(u->longest_wait, waited);
		if (u->has_woken) {
			u->longest_wake = MAX(u->longest_wake, waited);
		}
		u->waiting_since = NS_NEVER;
	}
}

static void sim_check(void)
{
	unsigned int i, running = 0;
	cpu_t cpu;

	for (cpu = 0; cpu < sim.cpu_count; cpu++) {
		struct fair_unit *u = sim.fair.cpus[cpu].running;

		if (u) {
			running++;
			EXPECT_EQ(u->state, FAIR_RUNNING);
			EXPECT_EQ(u->cpu, cpu);
			EXPECT(!bitmap_test(u->pool->idle.words, cpu));
		}
	}
	for (i = 0; i < sim.unit_count; i++) {
		struct fair_unit *u = &sim.units[i].fair;

		running -= u->state == FAIR_RUNNING;
		if (u->state == FAIR_PARKED) {
			EXPECT(u->domain->cap_percent);
			EXPECT(sim.refill_at[u->domain - sim.domains] != NS_NEVER);
		}
		if (u->state != FAIR_QUEUED) {
			continue;
		}
		/* Work conserving: no CPU that it may use is idle and means to stay so. */
		for (cpu = 0; cpu < sim.cpu_count; cpu++) {
			EXPECT(!(bitmap_test(u->pool->idle.words, cpu) &&
				 bitmap_test(u->hard->words, cpu)));
			/* And who runs in its place will look some time. */
			if (sim.fair.cpus[cpu].pool == u->pool && sim.fair.cpus[cpu].running &&
			    bitmap_test(u->hard->words, cpu)) {
				EXPECT(sim.look_at[cpu] != NS_NEVER);
			}
		}
	}
	EXPECT_EQ(running, 0);
}

static ns_t sim_next_time(void)
{
	ns_t next = NS_NEVER;
	unsigned int i;
	cpu_t cpu;

	for (cpu = 0; cpu < sim.cpu_count; cpu++) {
		struct fair_unit *f = sim.fair.cpus[cpu].running;
		struct sim_unit *u = f ? f->owner : NULL;

		next = MIN(next, sim.look_at[cpu]);
		if (u) {
			next = MIN(next, u->seen_at + u->left_ns);
		}
	}
	for (i = 0; i < sim.unit_count; i++) {
		if (sim.units[i].fair.state == FAIR_OFF) {
			next = MIN(next, sim.units[i].wake_at);
		}
	}
	for (i = 0; i < DOMAINS_MAX; i++) {
		next = MIN(next, sim.refill_at[i]);
	}
	return next;
}

/* One moment: all that happens at the next time when something does. */
static void sim_step(ns_t end)
{
	unsigned int i;
	cpu_t cpu;

	sim.now = MIN(MAX(sim_next_time(), sim.now), end);
	for (cpu = 0; cpu < sim.cpu_count; cpu++) {
		sim_account(cpu);
	}
	for (i = 0; i < DOMAINS_MAX; i++) {
		if (sim.refill_at[i] <= sim.now) {
			sim.refill_at[i] = NS_NEVER;
			fair_refill(&sim.fair, &sim.domains[i], sim.now);
			sim.events++;
		}
	}
	for (i = 0; i < sim.unit_count; i++) {
		struct sim_unit *u = &sim.units[i];

		if (u->fair.state == FAIR_OFF && u->wake_at <= sim.now) {
			u->waiting_since = sim.now;
			u->has_woken = true;
			fair_wake(&sim.fair, &u->fair, sim.now);
			sim.events++;
		}
	}
	for (cpu = 0; cpu < sim.cpu_count; cpu++) {
		struct fair_unit *f = sim.fair.cpus[cpu].running;
		struct sim_unit *u = f ? f->owner : NULL;

		if (sim.look_at[cpu] <= sim.now || (u && u->left_ns <= 0)) {
			sim_cpu(cpu);
			sim.events++;
		}
	}
	sim_check();
}

static void sim_run(ns_t duration)
{
	ns_t end = sim.now + duration;

	while (sim.now < end) {
		sim_step(end);
	}
}

static double share(const struct sim_unit *u, ns_t duration)
{
	return (double)u->used_ns / (double)duration;
}

#define EXPECT_SHARE(u, wanted, duration) \
	EXPECT(share(u, duration) > (wanted)-0.02 && share(u, duration) < (wanted) + 0.02)

TEST(fair, three_hogs_share_two_cpus_equally)
{
	struct sim_unit *u[3];
	unsigned int i;

	sim_start(2);
	for (i = 0; i < 3; i++) {
		u[i] = sim_add_hog(i);
	}
	sim_run(2 * NS_PER_SEC);
	for (i = 0; i < 3; i++) {
		EXPECT_SHARE(u[i], 2.0 / 3, 2 * NS_PER_SEC);
	}
}

TEST(fair, shares_follow_weights)
{
	struct sim_unit *u[3];
	unsigned int i;

	sim_start(1);
	for (i = 0; i < 3; i++) {
		u[i] = sim_add_hog(i);
		fair_set_weight(&sim.fair, &sim.domains[i], 256u << i, 0, 0);
	}
	sim_run(4 * NS_PER_SEC);
	EXPECT_SHARE(u[0], 1.0 / 7, 4 * NS_PER_SEC);
	EXPECT_SHARE(u[1], 2.0 / 7, 4 * NS_PER_SEC);
	EXPECT_SHARE(u[2], 4.0 / 7, 4 * NS_PER_SEC);
}

TEST(fair, extreme_weights_starve_nobody)
{
	struct sim_unit *light, *heavy;

	sim_start(1);
	light = sim_add_hog(0);
	heavy = sim_add_hog(1);
	fair_set_weight(&sim.fair, &sim.domains[0], 1, 0, 0);
	fair_set_weight(&sim.fair, &sim.domains[1], 65535, 0, 0);
	sim_run(1000 * NS_PER_SEC);
	EXPECT(light->used_ns > 0);
	EXPECT_SHARE(heavy, 1.0, 1000 * NS_PER_SEC);
}

TEST(fair, cap_holds_on_an_idle_machine)
{
	struct sim_unit *one, *two[2];

	sim_start(4);
	one = sim_add_hog(0);
	two[0] = sim_add_hog(1);
	two[1] = sim_add_hog(1);
	fair_set_weight(&sim.fair, &sim.domains[0], 256, 25, 0);
	fair_set_weight(&sim.fair, &sim.domains[1], 256, 150, 0);
	sim_run(2 * NS_PER_SEC);
	EXPECT_SHARE(one, 0.25, 2 * NS_PER_SEC);
	EXPECT(share(two[0], 2 * NS_PER_SEC) + share(two[1], 2 * NS_PER_SEC) < 1.54);
	EXPECT(share(two[0], 2 * NS_PER_SEC) + share(two[1], 2 * NS_PER_SEC) > 1.46);
}

TEST(fair, cap_that_is_taken_away_no_longer_holds)
{
	struct sim_unit *u;

	sim_start(1);
	u = sim_add_hog(0);
	fair_set_weight(&sim.fair, &sim.domains[0], 256, 10, 0);
	sim_run(NS_PER_SEC);
	u->used_ns = 0;
	fair_set_weight(&sim.fair, &sim.domains[0], 256, 0, sim.now);
	sim_run(NS_PER_SEC);
	EXPECT_SHARE(u, 1.0, NS_PER_SEC);
}

TEST(fair, who_wakes_up_comes_soon_beside_hogs)
{
	struct sim_unit *interactive;
	unsigned int i;

	sim_start(2);
	for (i = 0; i < 8; i++) {
		sim_add_hog(i);
	}
	interactive = sim_add(8, 300 * NS_PER_US, 7 * NS_PER_MS);
	sim_run(100 * NS_PER_MS); /* at the very start nobody is behind anybody */
	interactive->longest_wake = interactive->used_ns = 0;
	sim_run(10 * NS_PER_SEC);
	EXPECT(interactive->longest_wake <= FAIR_RATELIMIT_NS);
	EXPECT_SHARE(interactive, 0.3 / 7.3, 10 * NS_PER_SEC);
}

TEST(fair, nobody_starves_among_many)
{
	unsigned int i;

	sim_start(4);
	for (i = 0; i < 100; i++) {
		sim_add_hog(i % DOMAINS_MAX);
	}
	sim_run(10 * NS_PER_SEC);
	for (i = 0; i < 100; i++) {
		EXPECT_SHARE(&sim.units[i], 4.0 / 100, 10 * NS_PER_SEC);
		EXPECT(sim.units[i].longest_wait <= 2 * 100 / 4 * FAIR_SLICE_MIN_NS);
	}
}

TEST(fair, sleeping_long_earns_little)
{
	struct sim_unit *hog, *late;

	sim_start(1);
	hog = sim_add_hog(0);
	late = sim_add_hog(1);
	late->wake_at = 100 * NS_PER_SEC;
	sim_run(100 * NS_PER_SEC);
	hog->used_ns = 0;
	sim_run(100 * NS_PER_MS);
	EXPECT(hog->used_ns > 40 * NS_PER_MS);
}

TEST(fair, hard_affinity_is_kept)
{
	struct sim_unit *pinned[2], *free_one;
	unsigned int i;

	sim_start(2);
	for (i = 0; i < 2; i++) {
		pinned[i] = sim_add_hog(i);
		memset(&pinned[i]->hard, 0, sizeof(pinned[i]->hard));
		bitmap_set(pinned[i]->hard.words, 1);
	}
	free_one = sim_add_hog(2);
	sim_run(2 * NS_PER_SEC);
	EXPECT_SHARE(pinned[0], 0.5, 2 * NS_PER_SEC);
	EXPECT_SHARE(pinned[1], 0.5, 2 * NS_PER_SEC);
	EXPECT_SHARE(free_one, 1.0, 2 * NS_PER_SEC);
}

TEST(fair, soft_affinity_decides_when_it_costs_nothing)
{
	struct sim_unit *u;

	sim_start(4);
	u = sim_add(0, NS_PER_MS, NS_PER_MS);
	memset(&u->soft, 0, sizeof(u->soft));
	bitmap_set(u->soft.words, 3);
	sim_run(NS_PER_SEC);
	EXPECT_EQ(u->fair.cpu, 3);
}

TEST(fair, pools_do_not_mix)
{
	struct sim_unit *a, *b;

	sim_start(2);
	a = sim_add_hog(0);
	b = sim_add_hog(1);
	sim_run(NS_PER_MS);
	fair_cpu_set_pool(&sim.fair, 1, &sim.pools[1], sim.now);
	sim_run(10 * NS_PER_MS);
	a->used_ns = b->used_ns = 0;
	sim_run(NS_PER_SEC);
	EXPECT_SHARE(a, 0.5, NS_PER_SEC);
	EXPECT_SHARE(b, 0.5, NS_PER_SEC);
	fair_unit_set_pool(&sim.fair, &b->fair, &sim.pools[1], sim.now);
	sim_run(20 * NS_PER_MS);
	a->used_ns = b->used_ns = 0;
	sim_run(NS_PER_SEC);
	EXPECT_SHARE(a, 1.0, NS_PER_SEC);
	EXPECT_SHARE(b, 1.0, NS_PER_SEC);
	EXPECT_EQ(b->fair.cpu, 1);
}

TEST(fair, affinity_that_the_pool_cannot_keep_does_not_count)
{
	struct sim_unit *u;

	sim_start(2);
	fair_cpu_set_pool(&sim.fair, 1, NULL, 0);
	u = sim_add_hog(0);
	memset(&u->hard, 0, sizeof(u->hard));
	bitmap_set(u->hard.words, 1);
	sim_run(NS_PER_SEC);
	EXPECT_SHARE(u, 1.0, NS_PER_SEC);
}

TEST(fair, yield_lets_others_go_first)
{
	struct sim_unit *a, *b;

	sim_start(1);
	a = sim_add_hog(0);
	b = sim_add_hog(1);
	sim_run(NS_PER_MS / 2);
	EXPECT(a->fair.state == FAIR_RUNNING || b->fair.state == FAIR_RUNNING);
	if (b->fair.state == FAIR_RUNNING) {
		struct sim_unit *t = a;

		a = b;
		b = t;
	}
	a->fair.is_yielding = true;
	sim_look(&sim.fair, 0, sim.now);
	sim_run(10);
	EXPECT_EQ(a->fair.state, FAIR_QUEUED);
	EXPECT_EQ(b->fair.state, FAIR_RUNNING);
}

/* Everything changes at random, and what sim_check() says stays true for 10,000 events and more. */
static u64 random_run(unsigned int seed)
{
	unsigned int i, step;
	u64 sum = 0;

	srand(seed);
	sim_start(2 + (unsigned int)rand() % 7);
	for (i = 0; i < 40; i++) {
		sim_add((unsigned int)rand() % DOMAINS_MAX, (1 + rand() % 9000) * NS_PER_US,
			rand() % 3 ? (1 + rand() % 20000) * NS_PER_US : NS_PER_US);
	}
	for (step = 0; sim.events < 10000; step++) {
		struct sim_unit *u = &sim.units[(unsigned int)rand() % sim.unit_count];

		sim_run((1 + rand() % 3000) * NS_PER_US);
		switch (rand() % 12) {
		case 0:
			fair_set_weight(&sim.fair, u->fair.domain, 1 + (u32)rand() % 2000,
					rand() % 2 ? 0 : (u32)rand() % 200, sim.now);
			break;
		case 1:
			for (i = 0; i < sim.cpu_count; i++) {
				u->hard.words[0] = 1 + (u64)rand() % ((1u << sim.cpu_count) - 1);
			}
			fair_affinity_changed(&sim.fair, &u->fair, sim.now);
			break;
		case 2:
			u->soft.words[0] = (u64)rand();
			break;
		case 3:
			if (u->fair.state == FAIR_QUEUED || u->fair.state == FAIR_PARKED) {
				fair_sleep(&u->fair);
				sim_off(u, false);
			}
			break;
		case 4:
			if (u->fair.state == FAIR_RUNNING) {
				u->fair.is_yielding = true;
				sim_look(&sim.fair, u->fair.cpu, sim.now);
			}
			break;
		default:
			break;
		}
	}
	for (i = 0; i < sim.unit_count; i++) {
		EXPECT(sim.units[i].used_ns > 0);
		sum = sum * 31 + (u64)sim.units[i].used_ns;
	}
	return sum;
}

TEST(fair, ten_thousand_random_events_keep_the_rules)
{
	unsigned int seed;

	for (seed = 1; seed <= 20; seed++) {
		(void)random_run(seed);
	}
}

TEST(fair, same_seed_gives_the_same_run)
{
	EXPECT_EQ(random_run(5), random_run(5));
}

TEST_MAIN()
