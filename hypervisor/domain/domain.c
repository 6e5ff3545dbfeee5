/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References: one for being listed (dropped when death has finished), one for each
 * frame account that is not empty (mm), one for each holder of a pointer that outlives a call.
 * The last one unlists the domain in an RCU callback, because only there no other lock is
 * held, and frees it after a second grace period.
 */
#include "domain/domain.h"

#include <xen/sched.h>
#include <xen/xen.h>

#include "arch/contract/guest.h"
#include "core/log.h"
#include "core/rcu.h"
#include "domain/service.h"
#include "domain/vcpu.h"
#include "domain/watchdog.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "sched/sched.h"

#define HASH_SIZE 256u

struct domain *dom0;
struct domain *domain_list;
void (*domain_shutdown_notify)(struct domain *d);

static struct spinlock list_lock = SPINLOCK_INIT(LOCK_DOMCTL);
static struct domain *hash[HASH_SIZE];
static u16 next_id = 1; /* list_lock */

static struct domain *find_locked(u16 id)
{
	struct domain *d = hash[id % HASH_SIZE];

	while (d && d->id.v != id) {
		d = d->hash_next;
	}
	return d;
}

/* Gives d its id and makes it findable (but not visible before is_created). */
static int list_domain(struct domain *d, domain_id_t id)
{
	struct domain **at;
	int rc = -EEXIST;

	spin_lock(&list_lock);
	if (id.v == DOMID_INVALID) {
		rc = -ENOMEM;
		for (unsigned int tries = 0; tries < DOMAIN_ID_MAX; tries++) {
			u16 candidate = next_id;

			next_id = candidate == DOMAIN_ID_MAX ? 1 : (u16)(candidate + 1);
			if (!find_locked(candidate)) {
				id = domain_id_of(candidate);
				rc = 0;
				break;
			}
		}
	} else if (!find_locked(id.v)) {
		rc = 0;
	}
	if (!rc) {
		d->id = id;
		d->hash_next = hash[id.v % HASH_SIZE];
		rcu_publish(&hash[id.v % HASH_SIZE], d);
		for (at = &domain_list; *at && (*at)->id.v < id.v; at = &(*at)->next) {
		}
		d->next = *at;
		rcu_publish(at, d);
	}
	spin_unlock(&list_lock);
	return rc;
}

/* d's own links stay: a reader that stands on it goes on. */
static void unlist_domain(struct domain *d)
{
	struct domain **at;

	spin_lock(&list_lock);
	for (at = &hash[d->id.v % HASH_SIZE]; *at != d; at = &(*at)->hash_next) {
	}
	rcu_publish(at, d->hash_next);
	for (at = &domain_list; *at != d; at = &(*at)->next) {
	}
	rcu_publish(at, d->next);
	spin_unlock(&list_lock);
}

static unsigned int service_count(void)
{
	unsigned int n = 0;

	while (domain_services[n]) {
		n++;
	}
	return n;
}

static void fini_services(struct domain *d, unsigned int count)
{
	while (count-- > 0) {
		if (domain_services[count]->fini) {
			domain_services[count]->fini(d);
		}
	}
}

static int init_services(struct domain *d, const struct domain_config *config)
{
	unsigned int i;
	int rc;

	for (i = 0; domain_services[i]; i++) {
		rc = domain_services[i]->init ? domain_services[i]->init(d, config) : 0;
		if (rc) {
			fini_services(d, i);
			return rc;
		}
	}
	return 0;
}

static void fini_vcpus(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(v, d) {
		vcpu_destroy(v);
	}
	heap_free(d->vcpus);
}

static void free_domain(struct rcu_head *head)
{
	struct domain *d = container_of(head, struct domain, rcu);

	fini_vcpus(d);
	fini_services(d, service_count());
	heap_free(d->watchdogs);
	heap_free(d);
}

static void unlist_and_free(struct rcu_head *head)
{
	struct domain *d = container_of(head, struct domain, rcu);

	unlist_domain(d);
	if (domain_shutdown_notify) {
		domain_shutdown_notify(d); /* the tools learn that the id is gone */
	}
	rcu_call(&d->rcu, free_domain);
}

int domain_create(domain_id_t id, const struct domain_config *config, struct domain **out)
{
	struct domain *d;
	int rc;

	if (id.v != DOMID_INVALID && id.v > DOMAIN_ID_MAX) {
		return -EINVAL;
	}
	if (config->vcpu_count > VCPU_MAX) {
		return -EINVAL;
	}
	d = heap_alloc(sizeof(*d));
	if (!d) {
		return -ENOMEM;
	}
	refcount_set(&d->references, 1);
	spinlock_init(&d->lock, LOCK_DOMAIN);
	d->pause_count = 1;
	d->control_pauses = 1;
	d->emulation_flags = config->emulation_flags;
	d->sched_weight = 256;
	d->shutdown_code = SHUTDOWN_CODE_NONE;
	d->target = domain_id_of(DOMID_INVALID);
	d->is_control = config->is_control;
	d->is_hardware = config->is_hardware;
	d->create_flags = config->create_flags;
	d->node_affinity = ~0ull;
	memcpy(d->handle, config->handle, sizeof(d->handle));

	rc = list_domain(d, id);
	if (rc) {
		goto free;
	}
	rc = init_services(d, config);
	if (rc) {
		goto unlist;
	}
	if (config->vcpu_count) {
		d->vcpus = heap_alloc_array(config->vcpu_count, sizeof(d->vcpus[0]));
		if (!d->vcpus) {
			rc = -ENOMEM;
			goto fini;
		}
		store_release(&d->vcpu_count, config->vcpu_count);
	}
	domain_get_more(d); /* the caller's */
	store_release(&d->is_created, true); /* pairs with domain_get() */
	*out = d;
	return 0;

fini:
	fini_services(d, service_count());
unlist:
	unlist_domain(d);
	/* A reader may stand on it: it never was visible, so only the memory waits. */
	rcu_call(&d->rcu, domain_free_memory);
	return rc;
free:
	heap_free(d);
	return rc;
}

void domain_free_memory(struct rcu_head *head)
{
	heap_free(container_of(head, struct domain, rcu));
}

int domain_set_vcpu_count(struct domain *d, unsigned int count)
{
	struct vcpu *v;
	int rc;

	if (count == 0 || count > VCPU_MAX || count != d->vcpu_count) {
		return -EINVAL;
	}
	for (unsigned int i = 0; i < count; i++) {
		if (d->vcpus[i]) {
			continue;
		}
		rc = vcpu_create(d, i, &v);
		if (rc) {
			return rc;
		}
	}
	return 0;
}

/* --- finding and keeping --- */

struct domain *domain_find(domain_id_t id)
{
	struct domain *d = rcu_load(&hash[id.v % HASH_SIZE]);

	while (d && d->id.v != id.v) {
		d = rcu_load(&d->hash_next);
	}
	return d;
}

struct domain *domain_get(domain_id_t id)
{
	struct domain *d;

	rcu_read_lock();
	d = domain_find(id);
	if (d && (!load_acquire(&d->is_created) || !refcount_get_unless_zero(&d->references))) {
		d = NULL;
	}
	rcu_read_unlock();
	return d;
}

struct domain *domain_get_from(u16 id)
{
	struct domain *d;

	rcu_read_lock();
	for_each_domain(d) {
		if (d->id.v >= id && load_acquire(&d->is_created) &&
		    refcount_get_unless_zero(&d->references)) {
			break;
		}
	}
	rcu_read_unlock();
	return d;
}

struct domain *domain_get_or_self(struct domain *caller, u16 raw_id)
{
	if (raw_id == DOMID_SELF || raw_id == caller->id.v) {
		domain_get_more(caller);
		return caller;
	}
	return domain_get(domain_id_of(raw_id));
}

void domain_get_more(struct domain *d)
{
	refcount_get(&d->references);
}

void domain_put(struct domain *d)
{
	if (d && refcount_put(&d->references)) {
		rcu_call(&d->rcu, unlist_and_free);
	}
}

/* --- death --- */

static int teardown_services(struct domain *d)
{
	int rc;

	while (d->teardown_phase > 0) {
		const struct domain_service *s = domain_services[d->teardown_phase - 1];

		rc = s->teardown ? s->teardown(d) : 0;
		if (rc) {
			return rc;
		}
		d->teardown_phase--;
		d->teardown_step = 0;
	}
	return 0;
}

/* What struct domain itself holds of others, and timers that could still fire. */
static void teardown_vcpus(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(v, d) {
		vcpu_teardown(v);
	}
}

int domain_kill(struct domain *d)
{
	int rc;

	if (d == dom0) {
		return -EINVAL;
	}
	if (__atomic_exchange_n(&d->is_teardown_busy, true, __ATOMIC_ACQUIRE)) {
		return -ERESTART;
	}
	if (d->dying == DOMAIN_DEAD) {
		store_release(&d->is_teardown_busy, false);
		return 0;
	}
	if (d->dying == DOMAIN_ALIVE) {
		/* Seen by whoever is about to give it something; they check under their lock. */
		__atomic_store_n(&d->dying, DOMAIN_DYING, __ATOMIC_SEQ_CST);
		domain_pause(d);
		teardown_vcpus(d);
		domain_watchdog_stop(d);
		d->teardown_phase = service_count();
		d->teardown_step = 0;
	}
	rc = teardown_services(d);
	if (!rc) {
		store_release(&d->dying, DOMAIN_DEAD);
		if (domain_shutdown_notify) {
			domain_shutdown_notify(d);
		}
	}
	store_release(&d->is_teardown_busy, false);
	if (!rc) {
		domain_put(d); /* the list's; the caller has its own */
	}
	return rc;
}

/* --- shutdown, pause --- */

void domain_shutdown(struct domain *d, u8 code)
{
	struct vcpu *v;
	u8 none = SHUTDOWN_CODE_NONE;

	/* The first reason given counts (SCHEDOP_shutdown_code may have been earlier). */
	(void)__atomic_compare_exchange_n(&d->shutdown_code, &none, code, false, __ATOMIC_ACQ_REL,
					  __ATOMIC_ACQUIRE);
	if (__atomic_exchange_n(&d->is_shutting_down, true, __ATOMIC_SEQ_CST)) {
		return;
	}
	if (d == dom0) {
		domain_host_shutdown(load_relaxed(&d->shutdown_code));
	}
	for_each_vcpu(v, d) {
		sched_sleep(v);
	}
	store_release(&d->is_shut_down, true);
	if (domain_shutdown_notify) {
		domain_shutdown_notify(d);
	}
}

void domain_crash(struct domain *d, const char *why)
{
	log_guest(d, "crashed: %s\n", why);
	domain_shutdown(d, SHUTDOWN_crash);
}

void domain_resume(struct domain *d)
{
	struct vcpu *v;

	domain_pause(d);
	d->shutdown_code = SHUTDOWN_CODE_NONE;
	d->is_shut_down = false;
	__atomic_store_n(&d->is_shutting_down, false, __ATOMIC_SEQ_CST);
	for_each_vcpu(v, d) {
		sched_wake(v);
	}
	domain_unpause(d);
}

void domain_pause_nosync(struct domain *d)
{
	struct vcpu *v;

	__atomic_fetch_add(&d->pause_count, 1, __ATOMIC_SEQ_CST);
	for_each_vcpu(v, d) {
		sched_sleep(v);
	}
}

void domain_pause(struct domain *d)
{
	struct vcpu *v;

	__atomic_fetch_add(&d->pause_count, 1, __ATOMIC_SEQ_CST);
	for_each_vcpu(v, d) {
		sched_sleep_sync(v);
	}
}

void domain_unpause(struct domain *d)
{
	struct vcpu *v;

	CHECK(load_relaxed(&d->pause_count) > 0);
	if (__atomic_sub_fetch(&d->pause_count, 1, __ATOMIC_SEQ_CST) == 0) {
		for_each_vcpu(v, d) {
			sched_wake(v);
		}
	}
}
