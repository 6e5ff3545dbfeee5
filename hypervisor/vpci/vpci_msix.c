/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MSI-X capability and its table. PCI Local Bus 3.0, 6.8.2.
 *
 * The guest's table is kept here; the device's entry is written when the guest's becomes
 * unmasked while MSI-X is enabled. The table's pages are not mapped for the guest; what else lies
 * in them (registers, pending bits) is reached for it, access by access.
 */
#include "vpci/vpci_private.h"

#include "arch/contract/guest.h"
#include "asm/io.h"
#include "core/log.h"
#include "memory/p2m.h"
#include "mm/heap.h"
#include "mm/window.h"

#define CONTROL_ENABLE BIT(15)
#define CONTROL_MASK   BIT(14)
#define CONTROL_SIZE   0x7ffu
#define ENTRY_BYTES    16u
#define ENTRY_MASKED   1u

static u64 table_bytes(const struct vpci_msix *msix)
{
	return (u64)msix->entry_count * ENTRY_BYTES;
}

/* --- the device's memory, one access of that size through a window --- */

static u64 device_read(u64 address, unsigned int size_bytes)
{
	u8 *page = window_map(hpa_to_mfn(hpa_of(address)));
	const u8 *p = page + page_offset(address);
	u64 value;

	value = size_bytes == 1	  ? mmio_read8(p)
		: size_bytes == 2 ? mmio_read16(p)
		: size_bytes == 4 ? mmio_read32(p)
				  : mmio_read64(p);
	window_unmap(page);
	return value;
}

static void device_write(u64 address, unsigned int size_bytes, u64 value)
{
	u8 *page = window_map(hpa_to_mfn(hpa_of(address)));
	u8 *p = page + page_offset(address);

	if (size_bytes == 1) {
		mmio_write8(p, (u8)value);
	} else if (size_bytes == 2) {
		mmio_write16(p, (u16)value);
	} else if (size_bytes == 4) {
		mmio_write32(p, (u32)value);
	} else {
		mmio_write64(p, value);
	}
	window_unmap(page);
}

/* --- entries --- */

static void device_mask_entry(struct vpci_msix *msix, unsigned int index, bool is_masked)
{
	if (msix->table) {
		device_write(msix->table + index * ENTRY_BYTES + 12, 4,
			     is_masked ? ENTRY_MASKED : 0);
	}
}

/* Binds and programs one entry if it is to send; the device's entry is masked meanwhile. */
static void update_entry(struct vpci_function *f, unsigned int index)
{
	struct vpci_msix *msix = f->msix;
	struct vpci_msix_entry *entry = &msix->entries[index];
	struct pci_bdf bdf = f->host->bdf;
	u64 at = msix->table + index * ENTRY_BYTES, address;
	u32 data;
	int rc;

	if (!msix->table) {
		return;
	}
	if (!msix->is_enabled || entry->is_masked) {
		device_mask_entry(msix, index, true);
		return;
	}
	rc = arch_msi_bind(f->domain, bdf.segment, bdf.bus, bdf.devfn, entry->address, entry->data,
			   &entry->irq, &address, &data);
	if (rc) {
		log_guest(f->domain, PCI_FMT ": MSI-X entry %u cannot be bound: %d\n",
			  PCI_ARGS(bdf), index, rc);
		device_mask_entry(msix, index, true);
		return;
	}
	device_mask_entry(msix, index, true);
	device_write(at, 4, (u32)address);
	device_write(at + 4, 4, address >> 32);
	device_write(at + 8, 4, data);
	device_mask_entry(msix, index, false);
}

static void update_all(struct vpci_function *f)
{
	unsigned int i;

	for (i = 0; i < f->msix->entry_count; i++) {
		update_entry(f, i);
	}
}

static void unbind_all(struct vpci_function *f)
{
	unsigned int i;

	for (i = 0; i < f->msix->entry_count; i++) {
		arch_msi_unbind(f->domain, f->msix->entries[i].irq);
		f->msix->entries[i].irq = NULL;
	}
}

/* --- capability --- */

static void write_control(struct vpci_function *f, bool is_enabled, bool is_masked)
{
	pci_config_write(f->host->bdf, (u16)(f->msix->at + 2), 2,
			 (is_enabled ? CONTROL_ENABLE : 0) | (is_masked ? CONTROL_MASK : 0));
}

int vpci_msix_init(struct vpci_function *f)
{
	u8 at = f->host->msix;
	struct vpci_msix *msix;
	unsigned int i, count;
	u32 table;

	if (!at) {
		return 0;
	}
	count = (pci_config_read(f->host->bdf, (u16)(at + 2), 2) & CONTROL_SIZE) + 1;
	table = pci_config_read(f->host->bdf, (u16)(at + 4), 4);
	if ((table & 7) >= PCI_BAR_ROM || !f->host->bars[table & 7].is_memory ||
	    (u64)(table & ~7u) + count * ENTRY_BYTES > f->host->bars[table & 7].size_bytes) {
		log_warning(PCI_FMT ": MSI-X table outside of its BAR, hidden\n",
			    PCI_ARGS(f->host->bdf));
		count = 0; /* the capability answers, and never enables */
	}
	msix = heap_alloc(sizeof(*msix) + count * sizeof(msix->entries[0]));
	if (!msix) {
		return -ENOMEM;
	}
	msix->at = at;
	msix->entry_count = count;
	msix->table_bar = (u8)(table & 7);
	msix->table_offset = table & ~7u;
	for (i = 0; i < count; i++) {
		msix->entries[i].is_masked = true;
	}
	rcu_publish(&f->msix, msix);
	write_control(f, false, false); /* firmware may have used it */
	return 0;
}

static void set_control(struct vpci_function *f, bool is_enabled, bool is_masked)
{
	struct vpci_msix *msix = f->msix;

	if (msix->entry_count == 0) {
		return;
	}
	msix->is_masked = is_masked;
	if (is_enabled && !msix->is_enabled) {
		/* some devices answer at the table only while enabled: enable with all masked */
		write_control(f, true, true);
		msix->is_enabled = true;
		update_all(f);
	}
	write_control(f, is_enabled, is_masked);
	if (!is_enabled && msix->is_enabled) {
		msix->is_enabled = false;
		unbind_all(f);
	}
}

static void msix_free(struct rcu_head *head)
{
	heap_free(container_of(head, struct vpci_msix, rcu));
}

void vpci_msix_fini(struct vpci_function *f)
{
	struct vpci_msix *msix = f->msix;

	if (msix) {
		set_control(f, false, false);
		rcu_publish(&f->msix, NULL);
		rcu_call(&msix->rcu, msix_free);
	}
}

bool vpci_msix_read(struct vpci_function *f, u16 at, u32 *value)
{
	struct vpci_msix *msix = f->msix;

	if (!msix || at != msix->at) {
		return false;
	}
	*value = pci_config_read(f->host->bdf, at, 4) &
		 ~((u32)(CONTROL_ENABLE | CONTROL_MASK) << 16);
	*value |= msix->is_enabled ? (u32)CONTROL_ENABLE << 16 : 0;
	*value |= msix->is_masked ? (u32)CONTROL_MASK << 16 : 0;
	return true;
}

bool vpci_msix_write(struct vpci_function *f, const struct vpci_write *w)
{
	struct vpci_msix *msix = f->msix;

	if (!msix || w->at != msix->at) {
		return false;
	}
	if (w->mask & 0xff000000u) {
		set_control(f, w->value >> 16 & CONTROL_ENABLE, w->value >> 16 & CONTROL_MASK);
	}
	return true;
}

/* --- where the table is --- */

static void table_pages(const struct vpci_msix *msix, u64 *first, u64 *end)
{
	*first = msix->table & PAGE_MASK;
	*end = ROUND_UP(msix->table + table_bytes(msix), PAGE_SIZE);
}

bool vpci_msix_has_page(const struct vpci_function *f, u64 address)
{
	const struct vpci_msix *msix = rcu_load(&f->msix);
	u64 first, end;

	if (!msix || !load_relaxed(&msix->table)) {
		return false;
	}
	table_pages(msix, &first, &end);
	return address >= first && address < end;
}

void vpci_msix_bar_changed(struct vpci_function *f, unsigned int bar, u64 address)
{
	struct vpci_msix *msix = f->msix;
	u64 first, end, at;

	if (!msix || msix->entry_count == 0 || msix->table_bar != bar) {
		return;
	}
	if (msix->table) {
		table_pages(msix, &first, &end);
		arch_vpci_untrap(f->domain, gpa_of(first));
		msix->table = 0;
	}
	if (!address) {
		return;
	}
	msix->table = address + msix->table_offset;
	table_pages(msix, &first, &end);
	for (at = first; at < end; at += PAGE_SIZE) {
		if (p2m_remove(f->domain, gpa_to_gfn(gpa_of(at)), ORDER_4K)) {
			log_guest(f->domain, PCI_FMT ": no memory to trap the MSI-X table\n",
				  PCI_ARGS(f->host->bdf));
		}
	}
	if (arch_vpci_trap(f->domain, gpa_of(first), end - first)) {
		log_guest(f->domain, PCI_FMT ": the MSI-X table cannot be trapped\n",
			  PCI_ARGS(f->host->bdf));
	}
}

void vpci_msix_decoding_on(struct vpci_function *f)
{
	if (f->msix && f->msix->is_enabled) {
		update_all(f);
	}
}

/* --- accesses to its pages --- */

static bool is_in_table(const struct vpci_msix *msix, u64 address)
{
	return address >= msix->table && address < msix->table + table_bytes(msix);
}

static u32 entry_read(const struct vpci_msix *msix, u64 offset)
{
	const struct vpci_msix_entry *entry =
		&msix->entries[index_clamp(offset / ENTRY_BYTES, msix->entry_count)];

	switch (offset % ENTRY_BYTES / 4) {
	case 0:
		return (u32)entry->address;
	case 1:
		return (u32)(entry->address >> 32);
	case 2:
		return entry->data;
	default:
		return entry->is_masked ? ENTRY_MASKED : 0;
	}
}

static void entry_write(struct vpci_msix *msix, u64 offset, u32 value)
{
	struct vpci_msix_entry *entry =
		&msix->entries[index_clamp(offset / ENTRY_BYTES, msix->entry_count)];

	switch (offset % ENTRY_BYTES / 4) {
	case 0:
		entry->address = (entry->address & ~0xffffffffull) | (value & ~3u);
		break;
	case 1:
		entry->address = (entry->address & 0xffffffffu) | (u64)value << 32;
		break;
	case 2:
		entry->data = value;
		break;
	default:
		entry->is_masked = value & ENTRY_MASKED;
		break;
	}
}

bool vpci_msix_memory_read(struct vpci_function *f, u64 address, unsigned int size_bytes,
			   u64 *value)
{
	struct vpci_msix *msix = f->msix;

	if (!vpci_msix_has_page(f, address) || !msix) {
		return false;
	}
	*value = ~0ull;
	if (address % size_bytes) {
		return true; /* the manual leaves it undefined; no device expects it */
	}
	if (!is_in_table(msix, address)) {
		*value = device_read(address, size_bytes);
	} else if (size_bytes >= 4) {
		*value = entry_read(msix, address - msix->table);
		if (size_bytes == 8) {
			*value |= (u64)entry_read(msix, address - msix->table + 4) << 32;
		}
	}
	return true;
}

bool vpci_msix_memory_write(struct vpci_function *f, u64 address, unsigned int size_bytes,
			    u64 value)
{
	struct vpci_msix *msix = f->msix;
	u64 offset;

	if (!msix || !vpci_msix_has_page(f, address)) {
		return false;
	}
	if (address % size_bytes) {
		return true;
	}
	if (!is_in_table(msix, address)) {
		device_write(address, size_bytes, value);
		return true;
	}
	if (size_bytes < 4) {
		return true; /* only whole and double words have a meaning (6.8.2) */
	}
	offset = address - msix->table;
	entry_write(msix, offset, (u32)value);
	if (size_bytes == 8) {
		entry_write(msix, offset + 4, (u32)(value >> 32));
	}
	update_entry(f, (unsigned int)index_clamp(offset / ENTRY_BYTES, msix->entry_count));
	return true;
}
