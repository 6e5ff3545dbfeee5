/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt remapping tables: one of 256 entries for each requester, found through its
 * device table entry, so nobody can use another's entries. What a message or redirection
 * entry carries as its vector is the index.
 *
 * An I/O APIC compares the vector of an EOI with its redirection entry, so for pins index and
 * vector are the same number; when two pins want the same one, the second is told -EBUSY and
 * comes back with another vector.
 */
#include "core/log.h"
#include "drivers/acpi/acpi.h"
#include "drivers/iommu/amd.h"
#include "lib/bitmap.h"
#include "mm/heap.h"

#define ENTRIES	       256u
#define ENTRIES_LENGTH 8u
#define PIN_MAX	       240u
#define REQUESTER_MAX  512u

/* Entries of 32 bits, and the 128-bit ones that x2APIC ids need. */
#define ENTRY_ENABLED	     BIT(0)
#define ENTRY_DESTINATION(d) ((u64)(d) << 8)
#define ENTRY_VECTOR(v)	     ((u64)(v) << 16)
#define WIDE_DESTINATION(d)  ((u64)((d)&0xffffff) << 8)
#define WIDE_HIGH(d, v)	     ((u64)((d) >> 24) << 56 | (v))

#define MESSAGE_ADDRESS	  0xfee00000ull
#define REDIRECTION_LEVEL BIT(15)
#define REDIRECTION_LOW	  BIT(13)

struct remap {
	u16 requester;
	void *table; /* ENTRIES of 4 or 16 bytes; one page */
	u64 used[BITMAP_WORDS(ENTRIES)];
	u16 *pins; /* of an I/O APIC: index + 1 of each pin */
};
static struct remap *remaps[REQUESTER_MAX];
static unsigned int remap_count;
static bool is_wide RO_AFTER_INIT;
static struct spinlock lock = SPINLOCK_INIT(LOCK_IOMMU);

bool amd_remap_is_wide(void)
{
	return is_wide;
}

static struct remap *find(u16 requester)
{
	unsigned int i, count = load_acquire(&remap_count); /* pairs with amd_remap_add() */

	for (i = 0; i < count; i++) {
		if (remaps[i]->requester == requester) {
			return remaps[i];
		}
	}
	return NULL;
}

int amd_remap_add(u16 requester)
{
	struct amd_device *device = amd_device_of(requester);
	struct remap *r;

	if (!device) {
		return -ENODEV;
	}
	if (find(requester)) {
		return 0;
	}
	r = heap_alloc(sizeof(*r));
	if (!r) {
		return -ENOMEM;
	}
	r->requester = requester;
	r->table = heap_alloc_pages(0);
	if (!r->table) {
		heap_free(r);
		return -ENOMEM;
	}
	spin_lock(&lock);
	if (remap_count == REQUESTER_MAX) {
		spin_unlock(&lock);
		heap_free_pages(r->table, 0);
		heap_free(r);
		return -ENOSPC;
	}
	remaps[remap_count] = r;
	store_release(&remap_count, remap_count + 1);
	/* keeps the pass flags that firmware's table gave */
	store_release(&device->interrupts, (device->interrupts & (0xc7ull << 56)) |
						   hpa_raw(mfn_to_hpa(heap_to_mfn(r->table))) |
						   AMD_DEVICE_IRQ_LENGTH(ENTRIES_LENGTH) |
						   AMD_DEVICE_IRQ_REMAP | AMD_DEVICE_IRQ_VALID);
	spin_unlock(&lock);
	return 0;
}

bool amd_remap_setup(const char **why)
{
	unsigned int i;

	is_wide = arch_irq_is_wide();
	for (i = 0; i < amd_unit_count; i++) {
		if (is_wide &&
		    (~amd_units[i].features & (AMD_FEATURE_X2APIC | AMD_FEATURE_GUEST_IRQ))) {
			*why = "the CPUs are in x2APIC mode, which its interrupt remapping cannot address";
			return false;
		}
	}
	for (i = 0; i < acpi_info.ivrs.entry_count; i++) {
		const struct acpi_ivrs_entry *e = &acpi_info.ivrs.entries[i];
		struct remap *r;

		if (e->special != ACPI_IVRS_IOAPIC) {
			continue;
		}
		if (amd_remap_add(e->first)) {
			*why = "there is no memory for its tables";
			return false;
		}
		r = find(e->first);
		if (!r->pins) {
			r->pins = heap_alloc_array(PIN_MAX, sizeof(u16));
		}
		if (!r->pins) {
			*why = "there is no memory for its tables";
			return false;
		}
	}
	return true;
}

/* Live entries change by one store: 32 bits, or the vector's half after a disabled moment. */
static void entry_set(struct remap *r, unsigned int index, bool is_on, struct irq_target target)
{
	u32 destination = is_on ? arch_irq_destination(target.cpu) : 0;
	unsigned int i;

	if (is_wide) {
		u64 *e = (u64 *)r->table + 2 * index;

		store_release(&e[0], 0ull);
		store_release(&e[1], is_on ? WIDE_HIGH(destination, target.vector) : 0);
		store_release(&e[0], is_on ? WIDE_DESTINATION(destination) | ENTRY_ENABLED : 0);
	} else {
		u32 *e = (u32 *)r->table + index;

		store_release(e, is_on ? (u32)(ENTRY_DESTINATION(destination) |
					       ENTRY_VECTOR(target.vector) | ENTRY_ENABLED)
				       : 0u);
	}
	for (i = 0; i < amd_unit_count; i++) {
		amd_cmd_flush_interrupts(&amd_units[i], r->requester);
	}
}

int amd_irq_map_msi(struct pci_bdf requester, struct irq_target target, struct iommu_irq *io)
{
	struct remap *r = find(amd_alias_of(pci_requester(requester)));
	unsigned long flags, index;

	if (!r) {
		return -ENODEV;
	}
	if (!is_wide && arch_irq_destination(target.cpu) > 0xff) {
		return -ERANGE;
	}
	flags = spin_lock_irqsave(&lock);
	index = io->index;
	if (io->index == ~0u) {
		index = bitmap_find_clear(r->used, ENTRIES, 0);
		if (index == ENTRIES) {
			spin_unlock_irqrestore(&lock, flags);
			return -ENOSPC;
		}
		bitmap_set(r->used, index);
		io->index = (u32)index;
	}
	entry_set(r, (unsigned int)index, true, target);
	spin_unlock_irqrestore(&lock, flags);
	io->address = MESSAGE_ADDRESS;
	io->data = (u32)index;
	return 0;
}

void amd_irq_unmap_msi(struct pci_bdf requester, struct iommu_irq *io)
{
	struct remap *r = find(amd_alias_of(pci_requester(requester)));
	unsigned long flags;

	if (!r || io->index >= ENTRIES) {
		return;
	}
	flags = spin_lock_irqsave(&lock);
	entry_set(r, io->index, false, (struct irq_target){0});
	bitmap_clear(r->used, io->index);
	spin_unlock_irqrestore(&lock, flags);
}

static struct remap *find_ioapic(u8 id)
{
	unsigned int i;

	for (i = 0; i < acpi_info.ivrs.entry_count; i++) {
		const struct acpi_ivrs_entry *e = &acpi_info.ivrs.entries[i];

		if (e->special == ACPI_IVRS_IOAPIC && e->handle == id) {
			return find(e->first);
		}
	}
	return NULL;
}

int amd_irq_map_ioapic(u8 ioapic_id, unsigned int pin, struct irq_target target, bool is_level,
		       bool is_low, u64 *rte)
{
	struct remap *r = find_ioapic(ioapic_id);
	unsigned long flags;

	if (!r || !r->pins || pin >= PIN_MAX) {
		log_warning("IOMMU: the IVRS does not name I/O APIC %u\n", ioapic_id);
		return -ENODEV;
	}
	if (!is_wide && arch_irq_destination(target.cpu) > 0xff) {
		return -ERANGE;
	}
	flags = spin_lock_irqsave(&lock);
	if (r->pins[pin] != target.vector + 1u) {
		if (bitmap_test(r->used, target.vector)) {
			spin_unlock_irqrestore(&lock, flags);
			return -EBUSY;
		}
		if (r->pins[pin]) {
			/* the caller has masked the pin, so its old entry is not in use */
			entry_set(r, r->pins[pin] - 1u, false, target);
			bitmap_clear(r->used, r->pins[pin] - 1u);
		}
		bitmap_set(r->used, target.vector);
		r->pins[pin] = (u16)(target.vector + 1u);
	}
	entry_set(r, target.vector, true, target);
	spin_unlock_irqrestore(&lock, flags);
	*rte = target.vector | (is_level ? REDIRECTION_LEVEL : 0) | (is_low ? REDIRECTION_LOW : 0);
	return 0;
}

#ifdef HV_UNIT
void amd_remap_forget_all(void)
{
	unsigned int i;

	for (i = 0; i < remap_count; i++) {
		heap_free(remaps[i]->pins);
		heap_free(remaps[i]);
	}
	remap_count = 0;
}
#endif
