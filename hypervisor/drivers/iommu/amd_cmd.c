/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/log.h"
#include "core/panic.h"
#include "drivers/iommu/amd.h"
#include "hv/error.h"
#include "mm/heap.h"

#define RING_BYTES   PAGE_SIZE
#define RING_ENTRIES 256u	  /* of 16 bytes */
#define RING_LENGTH  (8ull << 56) /* as the base registers say it: 2^8 */
#define WAIT_MAX_NS  NS_PER_SEC

#define COMMAND(n)	   ((u64)(n) << 60)
#define COMMAND_WAIT	   COMMAND(1)
#define COMMAND_DEVICE	   COMMAND(2)
#define COMMAND_PAGES	   COMMAND(3)
#define COMMAND_INTERRUPTS COMMAND(5)
#define WAIT_STORE	   BIT(0)
#define PAGES_ALL	   0x7ffffffffffff003ull /* every address, tables included */

#define EVENT_CODE(e)	 ((unsigned int)((e) >> 60))
#define EVENT_PAGE_FAULT 2u
#define EVENT_IS_IRQ	 BIT(51)
#define EVENT_IS_WRITE	 BIT(53)

bool amd_cmd_setup(struct amd_unit *unit)
{
	spinlock_init(&unit->lock, LOCK_IOMMU_UNIT);
	unit->commands = heap_alloc_pages(0);
	unit->status = heap_alloc_pages(0);
	unit->events = heap_alloc_pages(0);
	if (!unit->commands || !unit->status || !unit->events) {
		return false;
	}
	unit->tail = 0;
	mmio_write64(unit->registers + AMD_COMMAND_BASE,
		     hpa_raw(mfn_to_hpa(heap_to_mfn(unit->commands))) | RING_LENGTH);
	mmio_write64(unit->registers + AMD_COMMAND_HEAD, 0);
	mmio_write64(unit->registers + AMD_COMMAND_TAIL, 0);
	mmio_write64(unit->registers + AMD_EVENT_BASE,
		     hpa_raw(mfn_to_hpa(heap_to_mfn(unit->events))) | RING_LENGTH);
	mmio_write64(unit->registers + AMD_EVENT_HEAD, 0);
	mmio_write64(unit->registers + AMD_EVENT_TAIL, 0);
	return true;
}

static void put(struct amd_unit *unit, u64 low, u64 high)
{
	unit->commands[2 * unit->tail] = low;
	unit->commands[2 * unit->tail + 1] = high;
	unit->tail = (unit->tail + 1) % RING_ENTRIES;
}

/* Runs what was put and returns when it is done. A unit that stays silent may leak: stop. */
static void run(struct amd_unit *unit)
{
	ns_t deadline = arch_clock_read() + WAIT_MAX_NS;
	u64 ticket = ++unit->ticket;

	put(unit, COMMAND_WAIT | hpa_raw(mfn_to_hpa(heap_to_mfn(unit->status))) | WAIT_STORE,
	    ticket);
	mmio_write64(unit->registers + AMD_COMMAND_TAIL, (u64)unit->tail * 16);
	while (load_acquire(unit->status) != ticket) { /* pairs with the unit's own store */
		if (arch_clock_read() > deadline) {
			panic("IOMMU: AMD-Vi unit does not finish a command, status %#llx",
			      (unsigned long long)mmio_read64(unit->registers + AMD_STATUS));
		}
		arch_cpu_relax();
	}
}

static void put_pages(struct amd_unit *unit, u16 domain_id)
{
	put(unit, COMMAND_PAGES | (u64)domain_id << 32, PAGES_ALL);
}

void amd_cmd_flush_device(struct amd_unit *unit, u16 requester, u16 domain_id)
{
	unsigned long flags = spin_lock_irqsave(&unit->lock);

	put(unit, COMMAND_DEVICE | requester, 0);
	put_pages(unit, domain_id);
	put(unit, COMMAND_INTERRUPTS | requester, 0);
	run(unit);
	spin_unlock_irqrestore(&unit->lock, flags);
}

void amd_cmd_flush_domain(struct amd_unit *unit, u16 domain_id)
{
	unsigned long flags = spin_lock_irqsave(&unit->lock);

	put_pages(unit, domain_id);
	run(unit);
	spin_unlock_irqrestore(&unit->lock, flags);
}

void amd_cmd_flush_interrupts(struct amd_unit *unit, u16 requester)
{
	unsigned long flags = spin_lock_irqsave(&unit->lock);

	put(unit, COMMAND_INTERRUPTS | requester, 0);
	run(unit);
	spin_unlock_irqrestore(&unit->lock, flags);
}

/* --- events --- */

static void report(u64 low, u64 address)
{
	static const char *const names[16] = {
		[1] = "illegal device table entry at",
		[2] = "DMA",
		[3] = "device table error at",
		[4] = "page table error at",
		[5] = "illegal command at",
		[6] = "command error at",
		[7] = "device's IOTLB silent,",
		[8] = "invalid request,",
	};
	unsigned int code = EVENT_CODE(low);
	const char *what = names[code] ? names[code] : "event,";

	if (code == EVENT_PAGE_FAULT && low & EVENT_IS_IRQ) {
		what = "interrupt";
	}
	iommu_report_fault(0, (u16)low, address, low & EVENT_IS_WRITE, what, code);
}

/* Interrupt context. */
static void handle_events(void *data)
{
	struct amd_unit *unit = data;
	u64 status = mmio_read64(unit->registers + AMD_STATUS);
	unsigned int tail, i;

	/* first acknowledged, then read: one that comes meanwhile interrupts again */
	mmio_write64(unit->registers + AMD_STATUS,
		     status & (AMD_STATUS_EVENT | AMD_STATUS_OVERFLOW));
	tail = (unsigned int)(mmio_read64(unit->registers + AMD_EVENT_TAIL) / 16) % RING_ENTRIES;
	for (i = 0; i < RING_ENTRIES && unit->event_head != tail; i++) {
		u64 *event = &unit->events[2 * unit->event_head];

		report(load_relaxed(&event[0]), load_relaxed(&event[1]));
		unit->event_head = (unit->event_head + 1) % RING_ENTRIES;
	}
	mmio_write64(unit->registers + AMD_EVENT_HEAD, (u64)unit->event_head * 16);
	if (status & AMD_STATUS_OVERFLOW) {
		/* the log stopped; it goes on when it is switched off and on (3.4.3) */
		mmio_write64(unit->registers + AMD_CONTROL, unit->control & ~AMD_CONTROL_EVENT_LOG);
		mmio_write64(unit->registers + AMD_CONTROL, unit->control);
	}
}

/* The unit is a PCI function with MSI; its own interrupts are not remapped. */
void amd_events_setup(struct amd_unit *unit)
{
	u8 msi = pci_find_capability(unit->bdf, PCI_CAP_MSI);
	u32 destination = arch_irq_destination(0), control;
	struct irq_target target;
	bool is_64bit;

	if (!msi || destination > 0xff || irq_alloc(0, handle_events, unit, &target)) {
		log_warning("IOMMU: no interrupt for refusals; they are not reported\n");
		return;
	}
	control = pci_config_read(unit->bdf, (u16)(msi + 2), 2);
	is_64bit = control & BIT(7);
	pci_config_write(unit->bdf, (u16)(msi + 4), 4, 0xfee00000u | destination << 12);
	if (is_64bit) {
		pci_config_write(unit->bdf, (u16)(msi + 8), 4, 0);
	}
	pci_config_write(unit->bdf, (u16)(msi + (is_64bit ? 12 : 8)), 2, target.vector);
	pci_config_write(unit->bdf, (u16)(msi + 2), 2, (control & ~0x70u) | 1);
	unit->control |= AMD_CONTROL_EVENT_IRQ;
	mmio_write64(unit->registers + AMD_CONTROL, unit->control);
}
