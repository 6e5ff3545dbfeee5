/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory/physmap.h"

#include "core/rcu.h"
#include "domain/frame_owner.h"
#include "domain/service.h"
#include "lib/string.h"
#include "memory/p2m.h"
#include "mm/frame.h"
#include "mm/frame_alloc.h"
#include "mm/heap.h"

struct memory_domain {
	struct frame *shared_info; /* the page behind d->shared_info, our reference */
	gfn_t shared_info_gfn;	   /* where the guest has it, or GFN_INVALID; LOCK_DOMAIN */
	unsigned int region_count; /* LOCK_DOMAIN */
	struct physmap_region *regions;
	u64 pod_marked;	  /* atomic: frames that were ever marked, less those taken back */
	u64 pod_target;	  /* as the tools set it */
	u64 populated;	  /* atomic: frames given in advance, less those taken back */
};

/* --- claims --- */

static struct spinlock claim_lock = SPINLOCK_INIT(LOCK_CLAIM);
static unsigned int claim_count; /* claim_lock: domains that have one */

/* What a claim (of so many frames in all) still keeps from others. */
static u64 outstanding(const struct domain *d)
{
	u64 claimed = load_relaxed(&d->frames_claimed), has = load_relaxed(&d->frame_count);

	return claimed > has ? claimed - has : 0;
}

static u64 outstanding_of_others(const struct domain *except)
{
	struct domain *d;
	u64 sum = 0;

	if (!load_relaxed(&claim_count)) {
		return 0;
	}
	rcu_read_lock();
	for_each_domain(d) {
		if (d != except) {
			sum += outstanding(d);
		}
	}
	rcu_read_unlock();
	return sum;
}

u64 physmap_claimed_total(void)
{
	return outstanding_of_others(NULL);
}

static bool is_free_for(const struct domain *d, u64 frames)
{
	u64 kept = outstanding_of_others(d), available = frame_free_count();

	return available >= kept && available - kept >= frames;
}

int physmap_claim(struct domain *d, u64 pages)
{
	u64 has = load_relaxed(&d->frame_count);
	int rc = 0;

	spin_lock(&claim_lock);
	if (pages && (pages <= has || pages > d->frame_limit || d->frames_claimed || domain_is_dying(d))) {
		rc = -EINVAL;
	} else if (pages && !is_free_for(d, pages - has)) {
		rc = -ENOMEM;
	} else if ((d->frames_claimed != 0) != (pages != 0)) {
		claim_count += pages ? 1 : -1;
		store_relaxed(&d->frames_claimed, pages);
	}
	spin_unlock(&claim_lock);
	return rc;
}

/* --- own memory --- */

int physmap_populate(struct domain *d, gfn_t gfn, unsigned int order)
{
	u64 count = 1ull << order;
	struct frame *f;
	mfn_t mfn;
	int rc;

	if (order > ORDER_1G || (gfn.v & (count - 1))) {
		return -EINVAL;
	}
	if (domain_is_dying(d) || !is_free_for(d, count)) {
		return -ENOMEM;
	}
	f = frame_alloc_domain(d, order, FRAME_ANYWHERE);
	if (!f) {
		return -ENOMEM;
	}
	mfn = frame_mfn(f);
	rc = p2m_set(d, gfn, mfn, order, P2M_RAM);
	if (rc) {
		/* Nothing was taken over; what the place had before is gone or not, as p2m_set() says. */
		for (u64 i = 0; i < count; i++) {
			frame_put(frame_of(mfn_add(mfn, i)));
		}
		return rc;
	}
	__atomic_fetch_add(&d->memory->populated, count, __ATOMIC_RELAXED);
	return 0;
}

int physmap_release(struct domain *d, gfn_t gfn)
{
	struct p2m_entry e = p2m_lookup(d, gfn);
	int rc;

	if (e.type != P2M_RAM && e.type != P2M_RAM_RO && e.type != P2M_POD) {
		return -EINVAL;
	}
	rc = p2m_remove(d, gfn, 0);
	if (!rc) {
		__atomic_fetch_sub(e.type == P2M_POD ? &d->memory->pod_marked : &d->memory->populated, 1,
				   __ATOMIC_RELAXED);
	}
	return rc;
}

int physmap_remove(struct domain *d, gfn_t gfn)
{
	struct p2m_entry e = p2m_lookup(d, gfn);

	switch (e.type) {
	case P2M_RAM:
	case P2M_RAM_RO:
		return physmap_release(d, gfn);
	case P2M_SHARED:
	case P2M_FOREIGN:
	case P2M_GRANT_RW:
	case P2M_GRANT_RO:
		return p2m_remove(d, gfn, 0);
	default:
		return -ENOENT;
	}
}

int physmap_move(struct domain *d, gfn_t from, gfn_t to)
{
	enum p2m_type type;
	struct frame *f;
	int rc;

	if (gfn_equal(from, to)) {
		return 0;
	}
	f = p2m_get_frame(d, from, true, &type);
	if (!f || type != P2M_RAM) {
		if (f) {
			frame_put(f);
		}
		return -EINVAL;
	}
	/* Out first: for a moment it is nowhere, but never at two places. */
	rc = p2m_remove(d, from, 0);
	if (!rc) {
		rc = p2m_set(d, to, frame_mfn(f), 0, P2M_RAM);
	}
	if (rc) {
		frame_put(f);
	}
	return rc;
}

/* --- populate on demand --- */

int physmap_populate_on_demand(struct domain *d, gfn_t gfn, unsigned int order)
{
	int rc = p2m_set(d, gfn, MFN_INVALID, order, P2M_POD);

	if (!rc) {
		__atomic_fetch_add(&d->memory->pod_marked, 1ull << order, __ATOMIC_RELAXED);
	}
	return rc;
}

void physmap_pod_get(const struct domain *d, struct physmap_pod *out)
{
	u64 marked = load_relaxed(&d->memory->pod_marked);
	u64 has = load_relaxed(&d->frame_count), advance = load_relaxed(&d->memory->populated);
	u64 touched = has > advance ? has - advance : 0;

	out->entries = marked > touched ? marked - touched : 0;
	out->target = load_relaxed(&d->memory->pod_target);
}

/*
 * Nothing is kept in a cache: a touched frame comes from the machine's free memory, which
 * the claim sets aside until the target is reached; past d's limit the domain dies.
 */
int physmap_pod_set_target(struct domain *d, u64 target_frames)
{
	struct physmap_pod pod;
	int rc = 0;

	if (target_frames > d->frame_limit) {
		return -EINVAL;
	}
	/* Built already, and nothing of it waits to be touched: the balloon alone changes its size. */
	physmap_pod_get(d, &pod);
	if (!pod.entries && load_relaxed(&d->frame_count)) {
		return 0;
	}
	(void)!physmap_claim(d, 0);
	if (target_frames > load_relaxed(&d->frame_count)) {
		rc = physmap_claim(d, target_frames);
	}
	if (!rc) {
		store_relaxed(&d->memory->pod_target, target_frames);
	}
	return rc;
}

/* --- pages of the hypervisor --- */

int physmap_map_shared(struct domain *d, gfn_t gfn, struct frame *frame)
{
	return p2m_set(d, gfn, frame_mfn(frame), 0, P2M_SHARED);
}

int physmap_map_shared_info(struct domain *d, gfn_t gfn)
{
	struct memory_domain *m = d->memory;
	struct p2m_entry e;
	gfn_t old;
	int rc;

	frame_get_more(m->shared_info);
	rc = physmap_map_shared(d, gfn, m->shared_info);
	if (rc) {
		frame_put(m->shared_info);
		return rc;
	}
	spin_lock(&d->lock);
	old = m->shared_info_gfn;
	m->shared_info_gfn = gfn;
	spin_unlock(&d->lock);

	if (!gfn_equal(old, GFN_INVALID) && !gfn_equal(old, gfn)) {
		e = p2m_lookup(d, old);
		if (e.type == P2M_SHARED && mfn_equal(e.mfn, frame_mfn(m->shared_info))) {
			rc = p2m_remove(d, old, 0);
		}
	}
	return rc;
}

/* --- pages of others --- */

int physmap_map_foreign_frame(struct domain *d, gfn_t gfn, struct frame *frame)
{
	return p2m_set(d, gfn, frame_mfn(frame), 0, P2M_FOREIGN);
}

int physmap_map_foreign(struct domain *d, gfn_t gfn, struct domain *from, gfn_t from_gfn)
{
	enum p2m_type type;
	struct frame *f;
	int rc;

	if (d == from || domain_is_dying(from)) {
		return -EINVAL;
	}
	f = p2m_get_frame(from, from_gfn, true, &type);
	if (!f) {
		return -EINVAL;
	}
	/* Its own RAM only: what it has of others is not its to show. */
	rc = type == P2M_RAM ? physmap_map_foreign_frame(d, gfn, f) : -EINVAL;
	if (rc) {
		frame_put(f);
	}
	return rc;
}

/* --- memory map --- */

int physmap_set_regions(struct domain *d, const struct physmap_region *regions, unsigned int count)
{
	struct physmap_region *copy, *old;

	if (count > PHYSMAP_REGION_MAX) {
		return -EINVAL;
	}
	copy = heap_alloc_array(MAX(count, 1u), sizeof(*copy));
	if (!copy) {
		return -ENOMEM;
	}
	memcpy(copy, regions, count * sizeof(*copy));
	spin_lock(&d->lock);
	old = d->memory->regions;
	d->memory->regions = copy;
	d->memory->region_count = count;
	spin_unlock(&d->lock);
	heap_free(old);
	return 0;
}

unsigned int physmap_region_count(struct domain *d)
{
	return load_relaxed(&d->memory->region_count);
}

int physmap_get_region(struct domain *d, unsigned int index, struct physmap_region *out)
{
	int rc = -ENOENT;

	spin_lock(&d->lock);
	if (index < d->memory->region_count) {
		*out = d->memory->regions[index_clamp(index, PHYSMAP_REGION_MAX)];
		rc = 0;
	}
	spin_unlock(&d->lock);
	return rc;
}

/* --- life --- */

static int handle_init(struct domain *d, const struct domain_config *config)
{
	struct memory_domain *m = heap_alloc(sizeof(*m));

	if (!m) {
		return -ENOMEM;
	}
	m->shared_info_gfn = GFN_INVALID;
	m->shared_info = frame_alloc_shared(d, (void **)&d->shared_info);
	if (!m->shared_info) {
		heap_free(m);
		return -ENOMEM;
	}
	d->memory = m;
	return 0;
}

static int handle_teardown(struct domain *d)
{
	(void)!physmap_claim(d, 0);
	return 0;
}

static void handle_fini(struct domain *d)
{
	struct memory_domain *m = d->memory;

	if (!m) {
		return;
	}
	d->shared_info = NULL;
	frame_release_shared(d, m->shared_info); /* somebody may still have it mapped */
	heap_free(m->regions);
	heap_free(m);
	d->memory = NULL;
}

const struct domain_service physmap_service = {
	.name = "physmap",
	.init = handle_init,
	.teardown = handle_teardown,
	.fini = handle_fini,
};
