/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests for tests of domain/, evtchn/, grant/ and hypercall/: nested page tables that are an
 * array, memory of the caller that is an array, vCPUs that never run. Included by one .c file.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "arch/contract/guest.h"
#include "arch/unit/unit.h"
#include "base/test.h"
#include "core/rcu.h"
#include "core/softirq.h"
#include "domain/domain.h"
#include "domain/frame_owner.h"
#include "domain/service.h"
#include "domain/vcpu.h"
#include "evtchn/evtchn.h"
#include "grant/grant.h"
#include "memory/guest_access.h"
#include "memory/p2m.h"
#include "memory/physmap.h"
#include "mm/frame.h"
#include "mm/frame_alloc.h"
#include "mm/heap.h"
#include "sched/sched.h"

#define FAKE_GFNS 256u
#define FAKE_PENDING_MAX 4096u

struct p2m {
	struct p2m_entry entries[FAKE_GFNS];
};

/* References that wait for a flush, of all domains. */
static struct {
	struct domain *d;
	mfn_t mfn;
} fake_pending[FAKE_PENDING_MAX];
static unsigned int fake_pending_count, fake_flush_count;

static unsigned int fake_notify_count; /* arch_vcpu_notify_event() */
static unsigned int fake_wake_count;

/* --- sched --- */
static struct vcpu *fake_current;
struct vcpu *vcpu_current(void)
{
	return fake_current;
}
void sched_wake(struct vcpu *v)
{
	fake_wake_count++;
}
void sched_sleep(struct vcpu *v)
{
}
void sched_sleep_sync(struct vcpu *v)
{
}
void sched_yield(struct vcpu *v)
{
}

/* --- arch --- */
void arch_vcpu_notify_event(struct vcpu *v)
{
	fake_notify_count++;
}
bool arch_vcpu_has_interrupt(struct vcpu *v)
{
	return false;
}
void arch_vcpu_update_time(struct vcpu *v)
{
}

/* --- p2m --- */
struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn)
{
	if (gfn.v >= FAKE_GFNS) {
		return (struct p2m_entry){P2M_NONE, MFN_INVALID, 18};
	}
	return d->p2m->entries[gfn.v];
}

static void fake_drop(struct domain *d, struct p2m_entry *e)
{
	if (e->type != P2M_NONE && e->type != P2M_POD && e->type != P2M_MMIO) {
		CHECK(fake_pending_count < FAKE_PENDING_MAX);
		fake_pending[fake_pending_count].d = d;
		fake_pending[fake_pending_count++].mfn = e->mfn;
	}
	*e = (struct p2m_entry){P2M_NONE, MFN_INVALID, 0};
}

int p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type)
{
	if (gfn.v + (1ull << order) > FAKE_GFNS) {
		return -ENOMEM;
	}
	for (u64 i = 0; i < 1ull << order; i++) {
		fake_drop(d, &d->p2m->entries[gfn.v + i]);
		d->p2m->entries[gfn.v + i] = (struct p2m_entry){type, mfn_add(mfn, i), 0};
	}
	return 0;
}

int p2m_remove(struct domain *d, gfn_t gfn, unsigned int order)
{
	for (u64 i = 0; i < 1ull << order && gfn.v + i < FAKE_GFNS; i++) {
		fake_drop(d, &d->p2m->entries[gfn.v + i]);
	}
	return 0;
}

void p2m_flush(struct domain *d)
{
	unsigned int kept = 0;

	fake_flush_count++;
	for (unsigned int i = 0; i < fake_pending_count; i++) {
		if (fake_pending[i].d == d) {
			frame_put(frame_of(fake_pending[i].mfn));
		} else {
			fake_pending[kept++] = fake_pending[i];
		}
	}
	fake_pending_count = kept;
}
void p2m_flush_later(struct domain *d)
{
	p2m_flush(d);
}

u64 p2m_max_gfn(const struct domain *d)
{
	return FAKE_GFNS - 1;
}

struct frame *p2m_get_frame(struct domain *d, gfn_t gfn, bool is_write, enum p2m_type *type)
{
	struct p2m_entry e = p2m_lookup(d, gfn);
	struct frame *f;

	*type = e.type;
	if (e.type == P2M_NONE || e.type == P2M_POD || e.type == P2M_MMIO ||
	    (is_write && (e.type == P2M_RAM_RO || e.type == P2M_GRANT_RO))) {
		return NULL;
	}
	f = frame_of(e.mfn);
	frame_get_more(f);
	return f;
}

static int fake_p2m_init(struct domain *d, const struct domain_config *config)
{
	d->p2m = heap_alloc(sizeof(*d->p2m));
	if (!d->p2m) {
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < FAKE_GFNS; i++) {
		d->p2m->entries[i] = (struct p2m_entry){P2M_NONE, MFN_INVALID, 0};
	}
	return 0;
}
static int fake_p2m_teardown(struct domain *d)
{
	while (d->teardown_step < FAKE_GFNS) {
		(void)!p2m_remove(d, gfn_of(d->teardown_step++), 0);
		if (d->teardown_step % 100 == 0) {
			return -ERESTART;
		}
	}
	p2m_flush(d);
	return 0;
}
static void fake_p2m_fini(struct domain *d)
{
	heap_free(d->p2m);
	d->p2m = NULL;
}
static const struct domain_service fake_p2m_service = {
	.name = "p2m", .init = fake_p2m_init, .teardown = fake_p2m_teardown, .fini = fake_p2m_fini};

const struct domain_service *const domain_services[] = {
	&fake_p2m_service, &physmap_service, &evtchn_service, &grant_service, NULL,
};

/* --- help for tests --- */

/* Every CPU passes the top of its run loop, a few times: grace periods end, callbacks run. */
static inline void fake_grace(void)
{
	for (unsigned int i = 0; i < 24; i++) {
		unit_cpu(i % 2);
		rcu_quiescent();
		softirq_run();
	}
	unit_cpu(0);
}

static inline void fake_set_up(void)
{
	static bool is_set;

	unit_reset(2);
	rcu_forget_all();
	if (!is_set) {
		rcu_setup();
		timer_setup();
		frame_owner_setup();
		is_set = true;
	}
	fake_pending_count = fake_flush_count = fake_notify_count = fake_wake_count = 0;
	dom0 = NULL;
}

static inline int fake_try_domain(u16 id, unsigned int vcpus, struct domain **out)
{
	struct domain_config config = {.vcpu_count = vcpus, .is_control = id == 0, .is_hardware = id == 0};
	struct domain *d;
	int rc = domain_create(domain_id_of(id), &config, &d);

	if (rc) {
		return rc;
	}
	d->frame_limit = 1000;
	rc = domain_set_vcpu_count(d, vcpus);
	if (rc) {
		domain_put(d);
		return rc;
	}
	if (id == 0) {
		dom0 = d;
	}
	*out = d;
	return 0;
}

static inline struct domain *fake_domain(u16 id, unsigned int vcpus)
{
	struct domain *d = NULL;
	int rc = fake_try_domain(id, vcpus, &d);

	EXPECT_EQ(rc, 0);
	return d;
}

/* Ends d (dom0, too) and expects that its last reference is the caller's. */
static inline void fake_end(struct domain *d)
{
	int rc;

	if (d == dom0) {
		dom0 = NULL;
	}
	do {
		rc = domain_kill(d);
		fake_grace();
	} while (rc == -ERESTART);
	EXPECT_EQ(rc, 0);
	fake_grace();
	EXPECT_EQ(refcount_read(&d->references), 1);
	domain_put(d);
	fake_grace();
}

/* The bytes of d's RAM at gfn, which is populated if it is not. */
static inline void *fake_ram(struct domain *d, u64 gfn)
{
	if (p2m_lookup(d, gfn_of(gfn)).type == P2M_NONE) {
		EXPECT_EQ(physmap_populate(d, gfn_of(gfn), 0), 0);
	}
	return unit_frame_bytes(p2m_lookup(d, gfn_of(gfn)).mfn);
}
