/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evtchn/evtchn.h"

#include "arch/contract/guest.h"
#include "core/log.h"
#include "core/rcu.h"
#include "domain/service.h"
#include "evtchn/table.h"
#include "evtchn/vtimer.h"
#include "core/softirq.h"
#include "lib/bitmap.h"
#include "mm/heap.h"

/* --- the table --- */

static struct evtchn *lookup_in(const struct evtchn_table *t, unsigned long p)
{
	struct evtchn **group, *bucket;

	if (!t || p == 0 || p >= EVTCHN_FIFO_NR_CHANNELS) {
		return NULL;
	}
	p = index_clamp(p, EVTCHN_FIFO_NR_CHANNELS);
	group = load_acquire(&t->groups[p / (BUCKET_PORTS * GROUP_BUCKETS)]);
	if (!group) {
		return NULL;
	}
	bucket = load_acquire(&group[p / BUCKET_PORTS % GROUP_BUCKETS]);
	return bucket ? &bucket[p % BUCKET_PORTS] : NULL;
}

struct evtchn *evtchn_lookup(const struct domain *d, port_t port)
{
	return lookup_in(d->evtchn, port.v);
}

/* Room for the next BUCKET_PORTS ports. Called without the lock, because it allocates. */
static int grow(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;
	struct evtchn **group = NULL, *bucket;
	u32 first = load_relaxed(&t->allocated);
	u32 g = first / (BUCKET_PORTS * GROUP_BUCKETS);

	if (g >= GROUP_COUNT) {
		return -ENOSPC;
	}
	bucket = heap_alloc_array(BUCKET_PORTS, sizeof(*bucket));
	if (!bucket) {
		return -ENOMEM;
	}
	if (!load_relaxed(&t->groups[g])) {
		group = heap_alloc_array(GROUP_BUCKETS, sizeof(*group));
		if (!group) {
			heap_free(bucket);
			return -ENOMEM;
		}
	}
	for (u32 i = 0; i < BUCKET_PORTS; i++) {
		bucket[i].domain = d;
		bucket[i].port = port_of(first + i);
		bucket[i].priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
		bucket[i].last_queue = EVTCHN_FIFO_PRIORITY_DEFAULT;
	}
	if (first == 0) {
		bucket[0].state = EVTCHN_RESERVED; /* port 0 is never given out */
	}
	spin_lock(&t->lock);
	if (t->allocated == first) {
		if (group && !t->groups[g]) {
			store_release(&t->groups[g], group);
			group = NULL;
		}
		store_release(&t->groups[g][first / BUCKET_PORTS % GROUP_BUCKETS], bucket);
		t->allocated = first + BUCKET_PORTS;
		bucket = NULL;
	}
	spin_unlock(&t->lock);
	heap_free(group); /* somebody else was faster */
	heap_free(bucket);
	return 0;
}

static u32 port_limit(const struct domain *d)
{
	const struct evtchn_table *t = d->evtchn;
	u32 count = load_acquire(&t->format)->port_count(d);

	return t->limit < count - 1 ? t->limit : count - 1;
}

/* A free port as RESERVED. -ENOSPC, -EINVAL when d dies, -ENODATA: grow() and try again. */
static int reserve_locked(struct domain *d, struct evtchn **out)
{
	struct evtchn_table *t = d->evtchn;
	u32 end = port_limit(d) + 1;
	struct evtchn *ch;
	u32 p;

	if (domain_is_dying(d)) {
		return -EINVAL;
	}
	for (p = MAX(t->free_hint, 1u); p < t->allocated && p < end; p++) {
		ch = evtchn_lookup(d, port_of(p));
		if (ch->state == EVTCHN_FREE && !t->format->is_busy(d, ch)) {
			ch->state = EVTCHN_RESERVED;
			ch->vcpu = 0;
			ch->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
			if (p == t->free_hint) {
				t->free_hint = p + 1;
			}
			t->open_count++;
			*out = ch;
			return 0;
		}
		if (p == t->free_hint && ch->state != EVTCHN_FREE) {
			t->free_hint = p + 1;
		}
	}
	return p >= end ? -ENOSPC : -ENODATA;
}

static void unreserve_locked(struct evtchn *ch)
{
	struct evtchn_table *t = ch->domain->evtchn;

	ch->state = EVTCHN_FREE;
	t->open_count--;
	t->free_hint = MIN(t->free_hint, ch->port.v);
}

/* Locks d's table (and other's) with a reserved port of d; unlocked on failure. */
static int lock_and_reserve(struct domain *d, struct domain *other, struct evtchn **out) NO_THREAD_SAFETY
{
	int rc;

	for (;;) {
		struct domain *low = d->id.v < other->id.v ? d : other;
		struct domain *high = low == d ? other : d;

		spin_lock_pair(&low->evtchn->lock, &high->evtchn->lock);
		rc = reserve_locked(d, out);
		if (!rc) {
			return 0;
		}
		spin_unlock_pair(&low->evtchn->lock, &high->evtchn->lock);
		if (rc != -ENODATA) {
			return rc;
		}
		rc = grow(d);
		if (rc) {
			return rc;
		}
	}
}

static void unlock_both(struct domain *d, struct domain *other) NO_THREAD_SAFETY
{
	struct domain *low = d->id.v < other->id.v ? d : other;

	spin_unlock_pair(&low->evtchn->lock, &(low == d ? other : d)->evtchn->lock);
}

/* --- telling the guest --- */

void evtchn_mark_events_pending(struct vcpu *v)
{
	struct vcpu_info *info = vcpu_info_map(v);
	bool was_pending = true;

	if (info) {
		was_pending = __atomic_exchange_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	}
	vcpu_info_unmap(v, info);
	if (!was_pending) {
		arch_vcpu_notify_event(v);
		vcpu_wake_event(v);
	}
}

void evtchn_check_pollers(struct domain *d, port_t port)
{
	struct vcpu *v;

	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with SCHEDOP_poll, which sets the mask and then looks */
	for (unsigned int w = 0; w < ARRAY_SIZE(d->poll_mask); w++) {
		u64 mask = load_relaxed(&d->poll_mask[w]);

		while (mask) {
			unsigned int id = w * 64 + (unsigned int)__builtin_ctzll(mask);

			mask &= mask - 1;
			v = id < d->vcpu_count ? load_acquire(&d->vcpus[id]) : NULL;
			if (v && (v->poll_port == 0 || v->poll_port == port.v) && vcpu_poll_end(v)) {
				vcpu_wake_event(v);
			}
		}
	}
}

void evtchn_raise(struct evtchn *ch)
{
	struct domain *d = ch->domain;
	unsigned int id = load_relaxed(&ch->vcpu);
	struct vcpu *v = id < d->vcpu_count ? load_acquire(&d->vcpus[id]) : NULL;

	if (v) {
		load_acquire(&d->evtchn->format)->set_pending(v, ch);
	}
}

bool evtchn_is_pending_for(struct vcpu *v)
{
	return vcpu_has_event(v);
}

int evtchn_send(struct domain *d, port_t local)
{
	struct evtchn *ch, *peer;
	int rc = 0;

	rcu_read_lock();
	ch = evtchn_lookup(d, local);
	switch (ch ? load_acquire(&ch->state) : EVTCHN_FREE) {
	case EVTCHN_INTERDOMAIN:
		peer = rcu_load(&ch->peer);
		if (peer) {
			evtchn_raise(peer);
		}
		break;
	case EVTCHN_IPI:
		evtchn_raise(ch);
		break;
	case EVTCHN_UNBOUND:
		break; /* nobody listens: dropped */
	default:
		rc = -EINVAL;
	}
	rcu_read_unlock();
	return rc;
}

/* --- opening --- */

static void open_locked(struct evtchn *ch, enum evtchn_state state)
{
	store_release(&ch->state, (u8)state); /* pairs with evtchn_send() */
}

int evtchn_alloc_unbound(struct domain *d, domain_id_t remote, port_t *out)
{
	struct evtchn *ch;
	int rc = lock_and_reserve(d, d, &ch);

	if (rc) {
		return rc;
	}
	ch->remote_id = remote;
	open_locked(ch, EVTCHN_UNBOUND);
	*out = ch->port;
	unlock_both(d, d);
	return 0;
}

int evtchn_bind_interdomain(struct domain *d, struct domain *remote, port_t remote_port, port_t *out)
{
	struct evtchn *ch, *peer;
	int rc = lock_and_reserve(d, remote, &ch);

	if (rc) {
		return rc;
	}
	peer = evtchn_lookup(remote, remote_port);
	if (!peer || peer == ch || peer->state != EVTCHN_UNBOUND || peer->remote_id.v != d->id.v ||
	    domain_is_dying(remote)) {
		unreserve_locked(ch);
		unlock_both(d, remote);
		return -EINVAL;
	}
	rcu_publish(&ch->peer, peer);
	rcu_publish(&peer->peer, ch);
	open_locked(ch, EVTCHN_INTERDOMAIN);
	open_locked(peer, EVTCHN_INTERDOMAIN);
	*out = ch->port;
	/* Sends to the port while it was unbound were dropped: one look in vain makes up for it. */
	evtchn_raise(ch);
	unlock_both(d, remote);
	return 0;
}

int evtchn_bind_ipi(struct domain *d, u32 vcpu, port_t *out)
{
	struct evtchn *ch;
	int rc;

	if (vcpu >= d->vcpu_count || !d->vcpus[index_clamp(vcpu, d->vcpu_count)]) {
		return -ENOENT;
	}
	rc = lock_and_reserve(d, d, &ch);
	if (rc) {
		return rc;
	}
	ch->vcpu = (u16)vcpu;
	open_locked(ch, EVTCHN_IPI);
	*out = ch->port;
	unlock_both(d, d);
	return 0;
}

int evtchn_bind_virq(struct domain *d, u32 virq, u32 vcpu, port_t *out)
{
	struct evtchn *ch;
	struct vcpu *v;
	int rc;

	if (virq >= NR_VIRQS || (evtchn_virq_is_global(virq) && vcpu != 0)) {
		return -EINVAL;
	}
	virq = (u32)index_clamp(virq, NR_VIRQS);
	v = vcpu < d->vcpu_count ? d->vcpus[index_clamp(vcpu, d->vcpu_count)] : NULL;
	if (!v) {
		return -ENOENT;
	}
	if (load_relaxed(&v->virq_port[virq])) {
		return -EEXIST;
	}
	rc = lock_and_reserve(d, d, &ch);
	if (rc) {
		return rc;
	}
	if (v->virq_port[virq]) {
		unreserve_locked(ch);
		unlock_both(d, d);
		return -EEXIST;
	}
	ch->vcpu = (u16)vcpu;
	ch->virq = (u8)virq;
	open_locked(ch, EVTCHN_VIRQ);
	*out = ch->port;
	store_release(&v->virq_port[virq], ch->port.v); /* pairs with evtchn_virq_vcpu() */
	unlock_both(d, d);
	return 0;
}

/* --- closing --- */

static void handle_grace_period(struct rcu_head *head);

/* Starts a grace period for all ports that were closed since the last one began. */
static void start_grace_period_locked(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;

	if (!t->is_rcu_queued && t->closing) {
		t->is_rcu_queued = true;
		t->closing_in_flight = t->closing;
		t->closing = 0;
		domain_get_more(d);
		rcu_call(&t->rcu, handle_grace_period);
	}
}

static void handle_grace_period(struct rcu_head *head)
{
	struct evtchn_table *t = container_of(head, struct evtchn_table, rcu);
	struct domain *d = lookup_in(t, t->closing_in_flight)->domain;

	spin_lock(&t->lock);
	while (t->closing_in_flight) {
		struct evtchn *ch = lookup_in(t, t->closing_in_flight);

		t->closing_in_flight = ch->next_closing;
		ch->next_closing = 0;
		ch->peer = NULL;
		t->format->clear_pending(d, ch);
		ch->state = EVTCHN_FREE;
		t->free_hint = MIN(t->free_hint, ch->port.v);
	}
	t->is_rcu_queued = false;
	start_grace_period_locked(d);
	spin_unlock(&t->lock);
	domain_put(d);
}

static void close_locked(struct evtchn *ch)
{
	struct domain *d = ch->domain;
	struct evtchn_table *t = d->evtchn;

	if (ch->state == EVTCHN_INTERDOMAIN) {
		struct evtchn *peer = ch->peer;

		/* The other end waits for a new bind by this domain. */
		peer->remote_id = d->id;
		open_locked(peer, EVTCHN_UNBOUND);
	}
	if (ch->state == EVTCHN_VIRQ) {
		/* A global one stays registered with vCPU 0, whoever is told. */
		unsigned int id = evtchn_virq_is_global(ch->virq) ? 0 : ch->vcpu;

		store_relaxed(&d->vcpus[id]->virq_port[ch->virq], 0);
	}
	store_release(&ch->state, (u8)EVTCHN_CLOSING);
	t->open_count--;
	ch->next_closing = t->closing;
	t->closing = ch->port.v;
	start_grace_period_locked(d);
}

int evtchn_close(struct domain *d, port_t port) NO_THREAD_SAFETY
{
	struct evtchn *ch = evtchn_lookup(d, port);

	for (;;) {
		struct domain *other = d;
		struct evtchn *peer;

		if (!ch) {
			return -EINVAL;
		}
		/* Which lock pair: guess without locks (the peer's domain cannot vanish under RCU). */
		rcu_read_lock();
		peer = load_acquire(&ch->state) == EVTCHN_INTERDOMAIN ? rcu_load(&ch->peer) : NULL;
		if (peer && peer->domain != d) {
			other = peer->domain;
		}
		if (other->id.v < d->id.v) {
			spin_lock_pair(&other->evtchn->lock, &d->evtchn->lock);
		} else {
			spin_lock_pair(&d->evtchn->lock, &other->evtchn->lock);
		}
		peer = ch->state == EVTCHN_INTERDOMAIN ? ch->peer : NULL;
		if ((peer ? peer->domain : d) == other || !peer) {
			bool is_open = ch->state != EVTCHN_FREE && ch->state != EVTCHN_RESERVED &&
				       ch->state != EVTCHN_CLOSING;

			if (is_open) {
				close_locked(ch);
			}
			unlock_both(d, other);
			rcu_read_unlock();
			return is_open ? 0 : -EINVAL;
		}
		unlock_both(d, other); /* it was bound to somebody else meanwhile: again */
		rcu_read_unlock();
	}
}

/* --- asking and changing --- */

static bool is_open(const struct evtchn *ch)
{
	return ch && ch->state != EVTCHN_FREE && ch->state != EVTCHN_RESERVED &&
	       ch->state != EVTCHN_CLOSING;
}

int evtchn_status(struct domain *d, port_t port, struct evtchn_status *out)
{
	struct evtchn *ch = evtchn_lookup(d, port);

	if (port.v == 0) {
		out->status = EVTCHNSTAT_closed; /* never in use, but not out of range */
		return 0;
	}
	if (!ch) {
		return -EINVAL;
	}
	spin_lock(&d->evtchn->lock);
	out->vcpu = ch->vcpu;
	switch (ch->state) {
	case EVTCHN_UNBOUND:
		out->status = EVTCHNSTAT_unbound;
		out->u.unbound.dom = ch->remote_id.v;
		break;
	case EVTCHN_INTERDOMAIN:
		out->status = EVTCHNSTAT_interdomain;
		out->u.interdomain.dom = ch->peer->domain->id.v;
		out->u.interdomain.port = ch->peer->port.v;
		break;
	case EVTCHN_VIRQ:
		out->status = EVTCHNSTAT_virq;
		out->u.virq = ch->virq;
		break;
	case EVTCHN_IPI:
		out->status = EVTCHNSTAT_ipi;
		break;
	default:
		out->status = EVTCHNSTAT_closed;
		out->vcpu = 0;
	}
	spin_unlock(&d->evtchn->lock);
	return 0;
}

int evtchn_bind_vcpu(struct domain *d, port_t port, u32 vcpu)
{
	struct evtchn *ch = evtchn_lookup(d, port);
	int rc = -EINVAL;

	if (vcpu >= d->vcpu_count || !d->vcpus[index_clamp(vcpu, d->vcpu_count)]) {
		return -ENOENT;
	}
	if (!ch) {
		return -EINVAL;
	}
	spin_lock(&d->evtchn->lock);
	if (ch->state == EVTCHN_UNBOUND || ch->state == EVTCHN_INTERDOMAIN ||
	    (ch->state == EVTCHN_VIRQ && evtchn_virq_is_global(ch->virq))) {
		store_relaxed(&ch->vcpu, (u16)vcpu);
		rc = 0;
	}
	spin_unlock(&d->evtchn->lock);
	return rc;
}

int evtchn_unmask(struct domain *d, port_t port)
{
	struct evtchn *ch = evtchn_lookup(d, port);

	if (!ch || port.v > port_limit(d)) {
		return -EINVAL;
	}
	rcu_read_lock();
	load_acquire(&d->evtchn->format)->unmask(d, ch);
	rcu_read_unlock();
	return 0;
}

int evtchn_set_priority(struct domain *d, port_t port, u32 priority)
{
	struct evtchn *ch = evtchn_lookup(d, port);
	int rc;

	if (!ch || port.v > port_limit(d)) {
		return -EINVAL;
	}
	spin_lock(&d->evtchn->lock);
	rc = d->evtchn->format->set_priority(d, ch, priority);
	spin_unlock(&d->evtchn->lock);
	return rc;
}

int evtchn_poll(struct domain *d, port_t port)
{
	struct evtchn *ch = evtchn_lookup(d, port);

	if (!ch || port.v > port_limit(d)) {
		return -EINVAL;
	}
	return load_acquire(&d->evtchn->format)->is_pending(d, ch);
}

unsigned int evtchn_count(const struct domain *d)
{
	return d->evtchn->open_count;
}

/* --- life of a domain --- */

/* -ERESTART after a bounded piece; *next is where to go on. */
static int close_all(struct domain *d, unsigned int *next)
{
	unsigned int done = 0;

	for (u32 p = MAX(*next, 1u); p < load_relaxed(&d->evtchn->allocated); p++) {
		if (is_open(evtchn_lookup(d, port_of(p)))) {
			(void)!evtchn_close(d, port_of(p));
			done++;
		}
		if (done >= 64 && softirq_is_pending()) {
			*next = p + 1;
			return -ERESTART;
		}
	}
	return 0;
}

int evtchn_reset(struct domain *d)
{
	unsigned int next = 0;
	int rc = close_all(d, &next);

	if (rc) {
		return rc; /* what is closed stays closed: the next call is quick up to here */
	}
	evtchn_fifo_detach(d);
	return 0;
}

static int handle_init(struct domain *d, const struct domain_config *config)
{
	struct evtchn_table *t = heap_alloc(sizeof(*t));
	int rc;

	if (!t) {
		return -ENOMEM;
	}
	spinlock_init(&t->lock, LOCK_EVTCHN);
	t->format = &evtchn_2l;
	t->limit = config->evtchn_limit ? config->evtchn_limit : EVTCHN_FIFO_NR_CHANNELS - 1;
	t->limit = MIN(t->limit, EVTCHN_FIFO_NR_CHANNELS - 1u);
	d->evtchn = t;
	store_relaxed(&domain_shutdown_notify, evtchn_tell_shutdown);
	rc = grow(d);
	if (rc) {
		d->evtchn = NULL;
		heap_free(t);
	}
	return rc;
}

static int handle_vcpu_init(struct vcpu *v)
{
	vtimer_init(v);
	return 0;
}

static int handle_teardown(struct domain *d)
{
	int rc;

	evtchn_virq_forget(d);
	rc = close_all(d, &d->teardown_step);
	if (!rc) {
		/* Gives the guest's pages back; they would keep the dead domain. */
		evtchn_fifo_detach(d);
	}
	return rc;
}

static void handle_fini(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;

	if (!t) {
		return;
	}
	evtchn_fifo_release(d);
	for (unsigned int g = 0; g < GROUP_COUNT; g++) {
		for (unsigned int b = 0; t->groups[g] && b < GROUP_BUCKETS; b++) {
			heap_free(t->groups[g][b]);
		}
		heap_free(t->groups[g]);
	}
	heap_free(t);
	d->evtchn = NULL;
}

static void handle_dump(struct domain *d)
{
	const struct evtchn_table *t = d->evtchn;

	log_info("  event channels: %u open of %u, %s, closing %u %u\n", t->open_count, t->allocated,
		 t->fifo ? "FIFO" : "2-level", t->closing, t->closing_in_flight);
}

const struct domain_service evtchn_service = {
	.name = "evtchn",
	.init = handle_init,
	.vcpu_init = handle_vcpu_init,
	.teardown = handle_teardown,
	.fini = handle_fini,
	.dump = handle_dump,
};
