/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/pci/pci.h"

#include "core/log.h"
#include "core/spinlock.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/config.h"
#include "mm/heap.h"

#define CAPABILITIES_MAX 48 /* 192 bytes of 4 each: a longer list loops */

struct pci_function *pci_functions;
static struct spinlock list_lock = SPINLOCK_INIT(LOCK_PCI);

u8 pci_find_capability(struct pci_bdf bdf, u8 id)
{
	unsigned int i;
	u8 offset;

	if (!(pci_config_read(bdf, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES)) {
		return 0;
	}
	offset = (u8)pci_config_read(bdf, PCI_CAPABILITIES, 1) & 0xfc;
	for (i = 0; i < CAPABILITIES_MAX && offset >= 0x40; i++) {
		u32 head = pci_config_read(bdf, offset, 2);

		if ((head & 0xff) == id) {
			return offset;
		}
		offset = (u8)(head >> 8) & 0xfc;
	}
	return 0;
}

/* What of the register stays zero when all ones are written is below the size. */
static u32 probe_register(struct pci_bdf bdf, u16 offset, u32 *old)
{
	u32 mask;

	*old = pci_config_read(bdf, offset, 4);
	pci_config_write(bdf, offset, 4, offset == PCI_ROM || offset == PCI_BRIDGE_ROM ? ~1u : ~0u);
	mask = pci_config_read(bdf, offset, 4);
	pci_config_write(bdf, offset, 4, *old);
	return mask;
}

/* Returns how many registers this BAR takes. Memory and I/O decoding are off. */
static unsigned int size_bar(struct pci_bdf bdf, u16 offset, struct pci_bar *bar)
{
	u32 old, mask, high;
	u64 size;

	mask = probe_register(bdf, offset, &old);
	if (mask == 0 || mask == ~0u) {
		return 1;
	}
	bar->offset = offset;
	if (mask & 1) {
		bar->size_bytes = (u64)(~(mask & ~3u) & 0xffff) + 1;
		return 1;
	}
	bar->is_memory = true;
	bar->is_prefetchable = mask & BIT(3);
	bar->is_64bit = (mask & 6) == 4;
	size = mask & ~0xfu;
	if (bar->is_64bit) {
		high = probe_register(bdf, (u16)(offset + 4), &old);
		size |= (u64)high << 32;
	} else {
		size |= ~0ull << 32;
	}
	bar->size_bytes = size & (~size + 1); /* its lowest bit */
	return bar->is_64bit ? 2 : 1;
}

void pci_function_size_bars(struct pci_function *f)
{
	unsigned int count = f->header_type == 0 ? 6 : f->header_type == 1 ? 2 : 0;
	u16 rom = f->header_type == 0 ? PCI_ROM : f->header_type == 1 ? PCI_BRIDGE_ROM : 0;
	u32 command = pci_config_read(f->bdf, PCI_COMMAND, 2);
	u32 old, mask;
	unsigned int i;

	for (i = 0; i < PCI_BAR_COUNT; i++) {
		f->bars[i] = (struct pci_bar){0};
	}
	if (f->class_code >> 8 == 0x0600) {
		return; /* a host bridge without decoding may take all memory away with it */
	}
	pci_config_write(f->bdf, PCI_COMMAND, 2,
			 command & ~(u32)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (i = 0; i < count;) {
		struct pci_bar *bar = &f->bars[i];

		i += size_bar(f->bdf, (u16)(PCI_BAR0 + 4 * i), bar);
		if (i > count) {
			bar->offset = 0; /* a 64-bit BAR without its upper half */
		}
	}
	if (rom) {
		mask = probe_register(f->bdf, rom, &old) & ~0x7ffu;
		if (mask) {
			f->bars[PCI_BAR_ROM] = (struct pci_bar){
				.offset = rom, .size_bytes = mask & (~mask + 1), .is_memory = true};
		}
	}
	pci_config_write(f->bdf, PCI_COMMAND, 2, command);
}

static void read_identity(struct pci_function *f)
{
	u32 id = pci_config_read(f->bdf, PCI_VENDOR, 4);
	u8 express = pci_find_capability(f->bdf, PCI_CAP_EXPRESS);

	f->vendor = (u16)id;
	f->device = (u16)(id >> 16);
	f->class_code = pci_config_read(f->bdf, PCI_CLASS, 4) >> 8;
	f->header_type = (u8)pci_config_read(f->bdf, PCI_HEADER_TYPE, 1) & 0x7f;
	f->express_type = 0xff;
	if (express) {
		f->express_type = (u8)(pci_config_read(f->bdf, (u16)(express + 2), 2) >> 4 & 0xf);
	}
	f->secondary = f->subordinate = 0;
	if (f->header_type == 1) {
		u32 buses = pci_config_read(f->bdf, PCI_BUSES, 4);

		f->secondary = (u8)(buses >> 8);
		f->subordinate = (u8)(buses >> 16);
	}
	f->msi = pci_find_capability(f->bdf, PCI_CAP_MSI);
	f->msix = pci_find_capability(f->bdf, PCI_CAP_MSIX);
	pci_function_size_bars(f);
}

struct pci_function *pci_function_find(struct pci_bdf bdf)
{
	struct pci_function *f;

	for_each_pci_function(f)
	{
		if (pci_bdf_equal(f->bdf, bdf)) {
			return f;
		}
	}
	return NULL;
}

static void list_insert(struct pci_function *f)
{
	unsigned long flags = spin_lock_irqsave(&list_lock);
	struct pci_function **last = &pci_functions;

	while (*last) {
		last = &(*last)->next;
	}
	store_release(last, f); /* pairs with for_each_pci_function() */
	spin_unlock_irqrestore(&list_lock, flags);
}

struct pci_function *pci_function_probe(struct pci_bdf bdf)
{
	struct pci_function *f = pci_function_find(bdf);
	u32 vendor = pci_config_read(bdf, PCI_VENDOR, 2);

	if (vendor == 0xffff || vendor == 0) {
		return NULL;
	}
	if (f && f->is_present) {
		return f;
	}
	if (f) {
		read_identity(f);
		f->is_present = true;
		return f;
	}
	f = heap_alloc(sizeof(*f));
	if (!f) {
		return NULL;
	}
	f->bdf = bdf;
	read_identity(f);
	f->is_present = true;
	list_insert(f);
	return f;
}

struct pci_function *pci_alias_bridge(struct pci_bdf bdf)
{
	enum { TYPE_PCIE_TO_PCI = 7, TYPE_NONE = 0xff };
	struct pci_function *f, *found = NULL;

	/* the topmost one that is not an Express port counts */
	for_each_pci_function(f)
	{
		if (f->bdf.segment == bdf.segment && f->header_type == 1 && f->secondary &&
		    bdf.bus >= f->secondary && bdf.bus <= f->subordinate &&
		    (f->express_type == TYPE_PCIE_TO_PCI || f->express_type == TYPE_NONE) &&
		    (!found || f->secondary < found->secondary)) {
			found = f;
		}
	}
	return found;
}

static void scan_bus(u16 segment, u8 bus)
{
	unsigned int device, function;

	for (device = 0; device < 32; device++) {
		struct pci_bdf first = pci_bdf_of(segment, bus, (u8)(device << 3));
		unsigned int count;

		if (!pci_function_probe(first)) {
			continue;
		}
		count = pci_config_read(first, PCI_HEADER_TYPE, 1) & 0x80 ? 8 : 1;
		for (function = 1; function < count; function++) {
			pci_function_probe(pci_bdf_of(segment, bus, (u8)(device << 3 | function)));
		}
	}
}

/* Every bus, not only those behind bridges: large machines have several root buses. */
void pci_setup(void)
{
	struct pci_function *f;
	unsigned int i, bus, count = 0;
	bool is_segment_0_seen = false;

	pci_config_setup();
	for (i = 0; i < acpi_info.mcfg_count; i++) {
		const struct acpi_mcfg *m = &acpi_info.mcfg[i];

		for (bus = m->bus_first; bus <= m->bus_last; bus++) {
			scan_bus(m->segment, (u8)bus);
		}
		is_segment_0_seen |= m->segment == 0;
	}
	for (bus = 0; bus < 256 && !is_segment_0_seen; bus++) {
		scan_bus(0, (u8)bus);
	}
	for_each_pci_function(f)
	{
		count++;
	}
	log_info("PCI: %u functions\n", count);
}
