/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/frame_owner.h"

#include <xen/xen.h>

#include "core/rcu.h"
#include "mm/frame_alloc.h"
#include "mm/heap.h"

/* --- account of frames --- */

static void account_add(struct domain *d, u64 count)
{
	if (__atomic_fetch_add(&d->frame_count, count, __ATOMIC_ACQ_REL) == 0) {
		domain_get_more(d);
	}
}

static void account_sub(struct domain *d, u64 count)
{
	if (__atomic_sub_fetch(&d->frame_count, count, __ATOMIC_ACQ_REL) == 0) {
		domain_put(d);
	}
}

struct frame *frame_alloc_domain(struct domain *d, unsigned int order, enum frame_zone zone)
{
	u64 count = 1ull << order;
	struct frame *f;

	account_add(d, count);
	/* Added first and then looked at: two callers cannot both slip under the limit. */
	if (load_relaxed(&d->frame_count) > load_relaxed(&d->frame_limit)) {
		account_sub(d, count);
		return NULL;
	}
	f = frame_alloc_owned(d->id.v, order, zone, !d->is_hardware);
	if (!f) {
		account_sub(d, count);
	}
	return f;
}

/* The last reference of a frame went. */
static void handle_release(struct frame *f)
{
	struct domain *d;

	if (f->state == FRAME_SHARED) {
		f->state = FRAME_HEAP;
		heap_free_pages(heap_from_mfn(frame_mfn(f)), 0);
		return;
	}
	rcu_read_lock();
	d = domain_find(domain_id_of(f->owner)); /* its account is not empty, so it is there */
	CHECK(d != NULL);
	frame_free_owned(f);
	account_sub(d, 1);
	rcu_read_unlock();
}

void frame_owner_setup(void)
{
	frame_set_release(handle_release);
}

bool frame_get(struct frame *f, const struct domain *d)
{
	return frame_get_owned(f, d->id.v);
}

/* --- account of heap pages --- */

void *heap_alloc_pages_for(struct domain *d, unsigned int order)
{
	u64 count = 1ull << order, limit = load_relaxed(&d->heap_limit);
	void *p = NULL;

	if (__atomic_add_fetch(&d->heap_pages, count, __ATOMIC_RELAXED) <= limit || !limit) {
		p = heap_alloc_pages(order);
	}
	if (!p) {
		__atomic_fetch_sub(&d->heap_pages, count, __ATOMIC_RELAXED);
	}
	return p;
}

void heap_free_pages_for(struct domain *d, void *p, unsigned int order)
{
	if (p) {
		heap_free_pages(p, order);
		__atomic_fetch_sub(&d->heap_pages, 1ull << order, __ATOMIC_RELAXED);
	}
}

/* --- pages of the hypervisor that a domain maps --- */

struct frame *frame_alloc_shared(struct domain *d, void **page)
{
	void *p = heap_alloc_pages_for(d, 0);
	struct frame *f;

	if (!p) {
		return NULL;
	}
	f = frame_of(heap_to_mfn(p));
	f->owner = d->id.v;
	store_relaxed(&f->count, 1);
	store_release(&f->state, (u8)FRAME_SHARED); /* pairs with frame_get_owned() */
	*page = p;
	return f;
}

void frame_release_shared(struct domain *d, struct frame *f)
{
	if (f) {
		/* Whoever has d's number later must not be taken for its owner. */
		store_relaxed(&f->owner, (u16)DOMID_XEN);
		__atomic_fetch_sub(&d->heap_pages, 1, __ATOMIC_RELAXED);
		frame_put(f);
	}
}
