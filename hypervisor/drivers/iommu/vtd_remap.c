/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt remapping: one table for all units. An entry says vector, CPU and which
 * requester may use it; messages and redirection entries carry its index (section 5.1).
 */
#include "arch/contract/host.h"
#include "core/log.h"
#include "drivers/acpi/acpi.h"
#include "drivers/iommu/vtd.h"
#include "lib/bitmap.h"
#include "mm/heap.h"

#define ENTRY_ORDER 4u /* pages: 64 KiB */
#define ENTRY_COUNT 4096u
#define TABLE_SIZE  11u /* the register's S: 2^(S+1) entries */
#define TABLE_WIDE  BIT(11)
#define PIN_MAX	    240u

/* Entry, section 9.9. */
#define ENTRY_PRESENT	     BIT(0)
#define ENTRY_LEVEL	     BIT(4)
#define ENTRY_VECTOR(v)	     ((u64)(v) << 16)
#define ENTRY_DESTINATION(d) ((u64)(d) << 32)
#define ENTRY_VERIFY	     BIT(18) /* high word: compare all 16 bits of the requester */

/* Remappable message and redirection entry, sections 5.1.2.2 and 5.1.5.1. */
#define MESSAGE_ADDRESS	     0xfee00010ull
#define REDIRECTION_REMAPPED BIT(48)
#define REDIRECTION_LEVEL    BIT(15)
#define REDIRECTION_LOW	     BIT(13)

struct entry {
	u64 low, high;
};
static struct entry *table;
static u64 used[BITMAP_WORDS(ENTRY_COUNT)];
static bool is_wide RO_AFTER_INIT;
static bool is_coherent RO_AFTER_INIT;
static u16 *pin_index[ACPI_IOAPIC_MAX]; /* + 1; 0: none yet */
static struct spinlock lock = SPINLOCK_INIT(LOCK_IOMMU);

static bool enable(struct vtd_unit *unit)
{
	mmio_write64(unit->registers + VTD_IRTA, hpa_raw(mfn_to_hpa(heap_to_mfn(table))) |
							 (is_wide ? TABLE_WIDE : 0) | TABLE_SIZE);
	if (!vtd_command(unit, VTD_SET_REMAP_TABLE, true)) {
		return false;
	}
	vtd_flush_interrupts(unit, true, 0);
	/* plain messages are refused: with wide ids they could not name a CPU anyway */
	return vtd_command(unit, VTD_REMAPPING, true);
}

bool vtd_remap_setup(const char **why)
{
	unsigned int i;

	is_wide = arch_irq_is_wide();
	is_coherent = true;
	for (i = 0; i < vtd_unit_count; i++) {
		if (is_wide && !VTD_ECAP_EXTENDED(vtd_units[i].ecap)) {
			*why = "the CPUs are in x2APIC mode, which its interrupt remapping cannot address";
			return false;
		}
		is_coherent &= VTD_ECAP_COHERENT(vtd_units[i].ecap);
	}
	table = heap_alloc_pages(ENTRY_ORDER);
	if (!table) {
		*why = "there is no memory for its tables";
		return false;
	}
	for (i = 0; i < acpi_info.ioapic_count; i++) {
		pin_index[i] = heap_alloc_array(PIN_MAX, sizeof(u16));
		if (!pin_index[i]) {
			*why = "there is no memory for its tables";
			return false;
		}
	}
	if (!is_coherent) {
		arch_cache_write_back(table, PAGE_SIZE << ENTRY_ORDER);
	}
	for (i = 0; i < vtd_unit_count; i++) {
		if (!enable(&vtd_units[i])) {
			*why = "interrupt remapping does not start";
			return false;
		}
	}
	return true;
}

static u64 destination_of(struct irq_target target)
{
	u32 id = arch_irq_destination(target.cpu);

	return ENTRY_DESTINATION(is_wide ? id : id << 8);
}

/*
 * A live entry keeps its requester, so only the low word changes: one store, never torn.
 * A new one becomes present last.
 */
static void entry_set(u32 index, u64 low, u16 requester)
{
	struct entry *e = &table[index];
	unsigned int i;

	if (!(e->low & ENTRY_PRESENT)) {
		store_relaxed(&e->high, ENTRY_VERIFY | requester);
	}
	store_release(&e->low, low);
	if (!is_coherent) {
		arch_cache_write_back(e, sizeof(*e));
	}
	for (i = 0; i < vtd_unit_count; i++) {
		vtd_flush_interrupts(&vtd_units[i], false, (u16)index);
	}
}

static bool index_claim(u32 *out)
{
	unsigned long index;

	index = bitmap_find_clear(used, ENTRY_COUNT, 0);
	if (index == ENTRY_COUNT) {
		return false;
	}
	bitmap_set(used, index);
	*out = (u32)index;
	return true;
}

int vtd_irq_map_msi(struct pci_bdf requester, struct irq_target target, struct iommu_irq *io)
{
	unsigned long flags;

	if (!is_wide && arch_irq_destination(target.cpu) > 0xff) {
		return -ERANGE;
	}
	flags = spin_lock_irqsave(&lock);
	if (io->index == ~0u && !index_claim(&io->index)) {
		spin_unlock_irqrestore(&lock, flags);
		return -ENOSPC;
	}
	entry_set(io->index, destination_of(target) | ENTRY_VECTOR(target.vector) | ENTRY_PRESENT,
		  pci_requester(requester));
	spin_unlock_irqrestore(&lock, flags);
	io->address =
		MESSAGE_ADDRESS | (u64)(io->index & 0x7fff) << 5 | (u64)(io->index >> 15) << 2;
	io->data = 0;
	return 0;
}

void vtd_irq_unmap_msi(struct pci_bdf requester, struct iommu_irq *io)
{
	unsigned long flags = spin_lock_irqsave(&lock);

	entry_set(io->index, 0, 0);
	bitmap_clear(used, io->index);
	spin_unlock_irqrestore(&lock, flags);
}

/* Which requester an I/O APIC is: the DMAR names it among a unit's devices. */
static bool ioapic_requester(u8 id, u16 *out)
{
	unsigned int i;

	for (i = 0; i < acpi_info.dmar.scope_count; i++) {
		const struct acpi_scope *scope = &acpi_info.dmar.scopes[i];

		if (scope->type == ACPI_SCOPE_IOAPIC && scope->id == id && scope->path_count == 1) {
			*out = (u16)(scope->bus << 8 | scope->path[0].device << 3 |
				     scope->path[0].function);
			return true;
		}
	}
	return false;
}

static bool pin_slot(u8 ioapic_id, unsigned int pin, u16 **out)
{
	unsigned int i;

	for (i = 0; i < acpi_info.ioapic_count; i++) {
		if (acpi_info.ioapics[i].id != ioapic_id || pin >= PIN_MAX) {
			continue;
		}
		*out = &pin_index[i][pin];
		return true;
	}
	return false;
}

int vtd_irq_map_ioapic(u8 ioapic_id, unsigned int pin, struct irq_target target, bool is_level,
		       bool is_low, u64 *rte)
{
	unsigned long flags;
	u16 requester, *slot;
	u32 index;

	if (!is_wide && arch_irq_destination(target.cpu) > 0xff) {
		return -ERANGE;
	}
	if (!ioapic_requester(ioapic_id, &requester)) {
		log_warning("IOMMU: the DMAR does not name I/O APIC %u\n", ioapic_id);
		return -ENODEV;
	}
	flags = spin_lock_irqsave(&lock);
	if (!pin_slot(ioapic_id, pin, &slot)) {
		spin_unlock_irqrestore(&lock, flags);
		return -ENODEV;
	}
	if (*slot) {
		index = *slot - 1u;
	} else if (index_claim(&index)) {
		*slot = (u16)(index + 1);
	} else {
		spin_unlock_irqrestore(&lock, flags);
		return -ENOSPC;
	}
	entry_set(index,
		  destination_of(target) | ENTRY_VECTOR(target.vector) |
			  (is_level ? ENTRY_LEVEL : 0) | ENTRY_PRESENT,
		  requester);
	spin_unlock_irqrestore(&lock, flags);
	/* the vector is here, too: the EOI of a level-triggered interrupt is matched by it */
	*rte = (u64)(index & 0x7fff) << 49 | REDIRECTION_REMAPPED | (u64)(index >> 15) << 11 |
	       (is_level ? REDIRECTION_LEVEL : 0) | (is_low ? REDIRECTION_LOW : 0) | target.vector;
	return 0;
}

#ifdef HV_UNIT
void vtd_remap_forget_all(void)
{
	unsigned int i;

	for (i = 0; i < ACPI_IOAPIC_MAX; i++) {
		heap_free(pin_index[i]);
		pin_index[i] = NULL;
	}
	bitmap_clear_range(used, 0, ENTRY_COUNT);
}
#endif
