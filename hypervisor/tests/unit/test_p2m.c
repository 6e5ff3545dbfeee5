/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory/p2m.h"

#include "arch/contract/guest.h"
#include "arch/unit/unit.h"
#include "base/test.h"
#include "core/rcu.h"
#include "core/softirq.h"
#include "core/timer.h"
#include "domain/frame_owner.h"
#include "domain/service.h"
#include "drivers/iommu/iommu.h"
#include "hv/error.h"
#include "mm/frame_alloc.h"
#include "mm/heap.h"

/* --- around the module --- */

static struct domain d;
static unsigned int cpu_flushes, iommu_flushes, maps, unmaps;
static int iommu_answer;

void domain_get_more(struct domain *who)
{
}
void domain_put(struct domain *who)
{
}
struct domain *domain_find(domain_id_t id)
{
	return &d;
}
void arch_p2m_flush(struct domain *who)
{
	cpu_flushes++;
}
int iommu_map(struct domain *who, iofn_t iofn, mfn_t mfn, unsigned int order, unsigned int access)
{
	maps++;
	return iommu_answer;
}
int iommu_unmap(struct domain *who, iofn_t iofn, unsigned int order)
{
	unmaps++;
	return 0;
}
void iommu_flush(struct domain *who)
{
	iommu_flushes++;
}

static void start(void)
{
	static bool is_set_up;
	unit_reset(1);
	if (!is_set_up) {
		is_set_up = true;
		rcu_setup();
		timer_setup();
	}
	memset(&d, 0, sizeof(d));
	d.id = domain_id_of(7);
	d.frame_limit = 10000;
	frame_owner_setup();
	cpu_flushes = iommu_flushes = maps = unmaps = 0;
	iommu_answer = 0;
	EXPECT_EQ(p2m_service.init(&d, NULL), 0);
}

static void end(void)
{
	unsigned int i;

	d.teardown_step = 0;
	while (p2m_service.teardown(&d) == -ERESTART) {
	}
	for (i = 0; i < 8; i++) {
		rcu_quiescent();
		softirq_run();
	}
	p2m_service.fini(&d);
	EXPECT_EQ(d.frame_count, 0);
	EXPECT_EQ(d.heap_pages, 0);
}

static mfn_t give(u64 gfn, unsigned int order)
{
	struct frame *f = frame_alloc_domain(&d, order, FRAME_ANYWHERE);

	EXPECT(f != NULL);
	EXPECT_EQ(p2m_set(&d, gfn_of(gfn), frame_mfn(f), order, P2M_RAM), 0);
	return frame_mfn(f);
}

/* --- cases --- */

TEST(p2m, what_is_set_is_found)
{
	mfn_t mfn;
	struct p2m_entry e;

	start();
	mfn = give(0x1234, 0);
	e = p2m_lookup(&d, gfn_of(0x1234));
	EXPECT_EQ(e.type, P2M_RAM);
	EXPECT_EQ(e.mfn.v, mfn.v);
	EXPECT_EQ(e.order, 0);
	EXPECT_EQ(frame_of(mfn)->link[0], 0x1235);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(0x1233)).type, P2M_NONE);
	EXPECT_EQ(p2m_max_gfn(&d), 0x1234);
	EXPECT_EQ(cpu_flushes, 0); /* nothing was there before */
	end();
}

TEST(p2m, past_the_end_is_nothing_and_cannot_be_set)
{
	start();
	EXPECT_EQ(p2m_lookup(&d, gfn_of(1ull << 36)).type, P2M_NONE);
	EXPECT_EQ(p2m_set(&d, gfn_of(1ull << 36), mfn_of(1), 0, P2M_MMIO), -EINVAL);
	EXPECT_EQ(p2m_set(&d, gfn_of(1), mfn_of(0), 9, P2M_MMIO), -EINVAL); /* not aligned */
	EXPECT_EQ(p2m_set(&d, gfn_of(1), mfn_of(0), 0, P2M_NONE), -EINVAL);
	EXPECT(p2m_get_frame(&d, gfn_of(~0ull), false, NULL) == NULL);
	end();
}

TEST(p2m, removed_frames_go_back_after_the_flush)
{
	mfn_t mfn;

	start();
	mfn = give(5, 0);
	EXPECT_EQ(p2m_remove(&d, gfn_of(5), 0), 0);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(5)).type, P2M_NONE);
	EXPECT_EQ(d.frame_count, 1); /* a CPU may still have its translation */
	EXPECT_EQ(frame_of(mfn)->link[0], 0);
	p2m_flush(&d);
	EXPECT_EQ(cpu_flushes, 1);
	EXPECT_EQ(d.frame_count, 0);
	p2m_flush(&d);
	EXPECT_EQ(cpu_flushes, 1); /* nothing is due */
	end();
}

TEST(p2m, a_dying_domain_gets_nothing_more)
{
	struct frame *f;

	start();
	give(0, 0);
	f = frame_alloc_domain(&d, 0, FRAME_ANYWHERE);
	d.dying = DOMAIN_DYING;
	EXPECT_EQ(p2m_set(&d, gfn_of(1), frame_mfn(f), 0, P2M_RAM), -EINVAL);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(1)).type, P2M_NONE);
	EXPECT_EQ(p2m_remove(&d, gfn_of(0), 0), 0);
	frame_put(f);
	end();
}

TEST(p2m, a_superpage_is_split_when_a_part_goes)
{
	mfn_t mfn;

	start();
	mfn = give(0x400, ORDER_2M);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(0x4ff)).order, ORDER_2M);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(0x4ff)).mfn.v, mfn.v + 0xff);
	EXPECT_EQ(p2m_remove(&d, gfn_of(0x4ff), 0), 0);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(0x4ff)).type, P2M_NONE);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(0x4fe)).mfn.v, mfn.v + 0xfe);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(0x500)).order, 0);
	p2m_flush(&d);
	EXPECT_EQ(d.frame_count, 511);
	/* and the whole goes as one piece */
	EXPECT_EQ(p2m_remove(&d, gfn_of(0x400), ORDER_2M), 0);
	p2m_flush(&d);
	EXPECT_EQ(d.frame_count, 0);
	end();
}

TEST(p2m, a_superpage_takes_the_place_of_small_pages)
{
	start();
	give(0x600, 0);
	give(0x7ff, 0);
	give(0x600, ORDER_2M);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(0x7ff)).order, ORDER_2M);
	EXPECT_EQ(d.frame_count, 514);
	p2m_flush(&d);
	EXPECT_EQ(d.frame_count, 512);
	end();
}

TEST(p2m, device_memory_uses_the_largest_entries)
{
	start();
	EXPECT_EQ(p2m_set(&d, gfn_of(1ull << 18), mfn_of(1ull << 18), ORDER_1G, P2M_MMIO), 0);
	EXPECT_EQ(p2m_lookup(&d, gfn_of((1ull << 18) + 77)).order, ORDER_1G);
	EXPECT_EQ(p2m_lookup(&d, gfn_of((1ull << 18) + 77)).mfn.v, (1ull << 18) + 77);
	/* a page in the middle becomes something else: both levels split */
	EXPECT_EQ(p2m_remove(&d, gfn_of((1ull << 18) + 77), 0), 0);
	EXPECT_EQ(p2m_lookup(&d, gfn_of((1ull << 18) + 76)).mfn.v, (1ull << 18) + 76);
	EXPECT_EQ(p2m_lookup(&d, gfn_of((1ull << 18) + 0x200)).order, ORDER_2M);
	/* and all of it again, over the tables that there are */
	EXPECT_EQ(p2m_set(&d, gfn_of(1ull << 18), mfn_of(1ull << 18), ORDER_1G, P2M_MMIO), 0);
	EXPECT_EQ(p2m_lookup(&d, gfn_of((1ull << 18) + 77)).type, P2M_MMIO);
	EXPECT_EQ(p2m_remove(&d, gfn_of(1ull << 18), ORDER_1G), 0);
	EXPECT_EQ(p2m_lookup(&d, gfn_of((1ull << 18) + 77)).type, P2M_NONE);
	p2m_flush(&d);
	end();
}

TEST(p2m, read_only_memory_is_not_given_for_writing)
{
	struct frame *f;
	enum p2m_type type;

	start();
	f = frame_alloc_domain(&d, 0, FRAME_ANYWHERE);
	EXPECT_EQ(p2m_set(&d, gfn_of(9), frame_mfn(f), 0, P2M_RAM_RO), 0);
	EXPECT(p2m_get_frame(&d, gfn_of(9), true, NULL) == NULL);
	f = p2m_get_frame(&d, gfn_of(9), false, &type);
	EXPECT(f != NULL);
	EXPECT_EQ(type, P2M_RAM_RO);
	frame_put(f);
	EXPECT_EQ(p2m_set(&d, gfn_of(10), mfn_of(3), 0, P2M_MMIO), 0);
	EXPECT(p2m_get_frame(&d, gfn_of(10), false, NULL) == NULL);
	end();
}

TEST(p2m, populate_on_demand_gives_zeroed_memory_once)
{
	struct frame *f;

	start();
	EXPECT_EQ(p2m_set(&d, gfn_of(0x200), MFN_INVALID, ORDER_2M, P2M_POD), 0);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(0x2aa)).type, P2M_POD);
	f = p2m_get_frame(&d, gfn_of(0x2aa), true, NULL);
	EXPECT(f != NULL);
	EXPECT_EQ(*(u64 *)unit_frame_bytes(frame_mfn(f)), 0);
	frame_put(f);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(0x2aa)).type, P2M_RAM);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(0x2ab)).type, P2M_POD);
	d.frame_limit = 1;
	EXPECT(p2m_get_frame(&d, gfn_of(0x2ab), true, NULL) == NULL);
	end();
}

TEST(p2m, each_allocation_may_fail_and_nothing_is_held)
{
	unsigned int nth;

	for (nth = 1;; nth++) {
		struct frame *f;
		bool has_failed;
		int rc;

		start();
		f = frame_alloc_domain(&d, 0, FRAME_ANYWHERE);
		EXPECT(f != NULL);
		unit_fail_allocation(nth);
		rc = p2m_set(&d, gfn_of(0x12345), frame_mfn(f), 0, P2M_RAM);
		has_failed = unit_has_failed();
		unit_fail_allocation(0);
		if (rc) {
			EXPECT_EQ(rc, -ENOMEM);
			EXPECT_EQ(p2m_lookup(&d, gfn_of(0x12345)).type, P2M_NONE);
			frame_put(f);
		}
		end();
		EXPECT_EQ(unit_heap_in_use(), 0);
		if (!has_failed) {
			break;
		}
		EXPECT(rc != 0);
	}
	EXPECT(nth > 4); /* three tables and a batch */
}

TEST(p2m, devices_see_changes_and_a_refusal_changes_nothing)
{
	struct frame *f;

	start();
	d.iommu = (struct iommu_domain *)&d; /* only asked whether it is there */
	give(0x20, 0);
	EXPECT_EQ(maps, 1);
	EXPECT_EQ(p2m_remove(&d, gfn_of(0x20), 0), 0);
	EXPECT_EQ(unmaps, 1);
	p2m_flush(&d);
	EXPECT_EQ(iommu_flushes, 1);
	iommu_answer = -ENOMEM;
	f = frame_alloc_domain(&d, 0, FRAME_ANYWHERE);
	EXPECT_EQ(p2m_set(&d, gfn_of(0x20), frame_mfn(f), 0, P2M_RAM), -ENOMEM);
	EXPECT_EQ(p2m_lookup(&d, gfn_of(0x20)).type, P2M_NONE);
	frame_put(f);
	iommu_answer = 0;
	end();
}

TEST(p2m, the_version_changes_when_something_mapped_goes)
{
	u64 before;

	start();
	before = p2m_version(&d);
	give(3, 0);
	give(0x200, 9);
	EXPECT_EQ(p2m_version(&d), before); /* new memory makes no older answer wrong */
	EXPECT_EQ(p2m_remove(&d, gfn_of(4), 0), 0);
	EXPECT_EQ(p2m_version(&d), before); /* nothing was there */
	EXPECT_EQ(p2m_remove(&d, gfn_of(3), 0), 0);
	EXPECT(p2m_version(&d) != before);
	before = p2m_version(&d);
	EXPECT_EQ(p2m_remove(&d, gfn_of(0x210), 0), 0); /* one page of a large one */
	EXPECT(p2m_version(&d) != before);
	before = p2m_version(&d);
	EXPECT_EQ(p2m_remove(&d, gfn_of(0x200), 9), 0); /* a whole table */
	EXPECT(p2m_version(&d) != before);
	before = p2m_version(&d);
	give(3, 0);
	give(3, 0); /* another frame in its place */
	EXPECT(p2m_version(&d) != before);
	EXPECT_EQ(p2m_set(&d, gfn_of(9), mfn_of(0xfee00), 0, P2M_MMIO), 0);
	before = p2m_version(&d);
	EXPECT_EQ(p2m_remove(&d, gfn_of(9), 0), 0); /* never its own */
	EXPECT_EQ(p2m_version(&d), before);
	end();
}

/* Frames of others that went, a call for each: one flush for all of them, soon, or when many wait. */
TEST(p2m, removals_that_may_wait_share_a_flush)
{
	unsigned int i;

	start();
	for (i = 0; i < 1200; i++) {
		struct frame *f = frame_alloc_domain(&d, 0, FRAME_ANYWHERE);

		EXPECT_EQ(p2m_set(&d, gfn_of(0x100 + i), frame_mfn(f), 0, P2M_FOREIGN), 0);
	}
	p2m_flush_later(&d); /* nothing is due */
	EXPECT_EQ(cpu_flushes, 0);
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(p2m_remove(&d, gfn_of(0x100 + i), 0), 0);
		p2m_flush_later(&d);
	}
	EXPECT_EQ(cpu_flushes, 0);
	EXPECT_EQ(d.frame_count, 1200); /* a CPU may still reach them */
	unit_advance(NS_PER_MS);
	softirq_run();
	EXPECT_EQ(cpu_flushes, 0);
	unit_advance(2 * NS_PER_MS);
	softirq_run();
	EXPECT_EQ(cpu_flushes, 1);
	EXPECT_EQ(iommu_flushes, 1);
	EXPECT_EQ(d.frame_count, 1190);
	/* what is paid for at once pays for those before */
	EXPECT_EQ(p2m_remove(&d, gfn_of(0x100 + i++), 0), 0);
	p2m_flush_later(&d);
	p2m_flush(&d);
	EXPECT_EQ(cpu_flushes, 2);
	EXPECT_EQ(d.frame_count, 1189);
	/* and however fast they come, not more than a page of references waits */
	for (; i < 1200; i++) {
		EXPECT_EQ(p2m_remove(&d, gfn_of(0x100 + i), 0), 0);
		p2m_flush_later(&d);
		EXPECT(d.frame_count <= 1200 - i - 1 + 507);
	}
	EXPECT_EQ(cpu_flushes, 4);
	end(); /* with some that wait, and the timer armed */
}

TEST_MAIN()
