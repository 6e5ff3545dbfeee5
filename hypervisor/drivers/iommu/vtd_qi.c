/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/contract/host.h"
#include "core/panic.h"
#include "drivers/iommu/vtd.h"
#include "hv/error.h"
#include "mm/heap.h"

#define QUEUE_ENTRIES 256u /* one page */
#define WAIT_MAX_NS   NS_PER_SEC

/* Descriptor types and fields, section 6.5.2. */
#define TYPE_CONTEXT	  1u
#define TYPE_IOTLB	  2u
#define TYPE_INTERRUPT	  4u
#define TYPE_WAIT	  5u
#define GRANULE_GLOBAL	  (1u << 4)
#define GRANULE_DOMAIN	  (2u << 4)
#define GRANULE_DEVICE	  (3u << 4)
#define IOTLB_DRAIN_WRITE BIT(6)
#define IOTLB_DRAIN_READ  BIT(7)
#define INTERRUPT_INDEX	  BIT(4)
#define WAIT_STATUS	  BIT(5)

bool vtd_queue_setup(struct vtd_unit *unit)
{
	spinlock_init(&unit->lock, LOCK_IOMMU_UNIT);
	unit->queue = heap_alloc_pages(0);
	unit->status = heap_alloc_pages(0);
	if (!unit->queue || !unit->status) {
		return false;
	}
	vtd_write_back(unit, unit->queue, PAGE_SIZE);
	unit->tail = 0;
	mmio_write64(unit->registers + VTD_IQT, 0);
	mmio_write64(unit->registers + VTD_IQA, hpa_raw(mfn_to_hpa(heap_to_mfn(unit->queue))));
	return vtd_command(unit, VTD_QUEUE, true);
}

static void put(struct vtd_unit *unit, u64 low, u64 high)
{
	struct vtd_descriptor *at = &unit->queue[unit->tail];

	at->low = low;
	at->high = high;
	vtd_write_back(unit, at, sizeof(*at));
	unit->tail = (unit->tail + 1) % QUEUE_ENTRIES;
}

/* Runs what was put and returns when it is done. A unit that stays silent may leak: stop. */
static void run(struct vtd_unit *unit)
{
	ns_t deadline = arch_clock_read() + WAIT_MAX_NS;
	u32 ticket = ++unit->ticket;

	put(unit, (u64)ticket << 32 | WAIT_STATUS | TYPE_WAIT,
	    hpa_raw(mfn_to_hpa(heap_to_mfn(unit->status))));
	mmio_write64(unit->registers + VTD_IQT, (u64)unit->tail * sizeof(struct vtd_descriptor));
	while (load_acquire(unit->status) != ticket) { /* pairs with the unit's own store */
		if (arch_clock_read() > deadline) {
			panic("IOMMU: VT-d unit does not finish an invalidation, fault status %#x",
			      mmio_read32(unit->registers + VTD_FSTS));
		}
		arch_cpu_relax();
	}
}

static u64 iotlb(const struct vtd_unit *unit, u64 what)
{
	return what | TYPE_IOTLB | (VTD_CAP_DRAIN_WRITE(unit->cap) ? IOTLB_DRAIN_WRITE : 0) |
	       (VTD_CAP_DRAIN_READ(unit->cap) ? IOTLB_DRAIN_READ : 0);
}

void vtd_flush_contexts(struct vtd_unit *unit)
{
	unsigned long flags = spin_lock_irqsave(&unit->lock);

	put(unit, GRANULE_GLOBAL | TYPE_CONTEXT, 0);
	put(unit, iotlb(unit, GRANULE_GLOBAL), 0);
	run(unit);
	spin_unlock_irqrestore(&unit->lock, flags);
}

void vtd_flush_context(struct vtd_unit *unit, u16 id, u16 requester)
{
	unsigned long flags = spin_lock_irqsave(&unit->lock);

	put(unit, (u64)requester << 32 | (u64)id << 16 | GRANULE_DEVICE | TYPE_CONTEXT, 0);
	put(unit, iotlb(unit, (u64)id << 16 | GRANULE_DOMAIN), 0);
	run(unit);
	spin_unlock_irqrestore(&unit->lock, flags);
}

void vtd_flush_domain(struct vtd_unit *unit, u16 id)
{
	unsigned long flags = spin_lock_irqsave(&unit->lock);

	put(unit, iotlb(unit, (u64)id << 16 | GRANULE_DOMAIN), 0);
	run(unit);
	spin_unlock_irqrestore(&unit->lock, flags);
}

void vtd_flush_interrupts(struct vtd_unit *unit, bool is_all, u16 index)
{
	unsigned long flags = spin_lock_irqsave(&unit->lock);

	put(unit, is_all ? TYPE_INTERRUPT : (u64)index << 32 | INTERRUPT_INDEX | TYPE_INTERRUPT, 0);
	run(unit);
	spin_unlock_irqrestore(&unit->lock, flags);
}
