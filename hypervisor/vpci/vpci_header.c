/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command register and BARs. PCI Local Bus 3.0, 6.2.
 *
 * BARs keep their values in the device, so sizing by all ones works as ever. When memory
 * decoding goes on, what they then say is checked and mapped; while it is on, BARs do not
 * change (a write is ignored), so that what is mapped is what the device decodes.
 */
#include "vpci/vpci_private.h"

#include "core/log.h"
#include "drivers/acpi/acpi.h"
#include "memory/p2m.h"
#include "mm/frame.h"

static bool overlaps(u64 a, u64 a_bytes, u64 b, u64 b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

bool vpci_may_map(u64 address, u64 size_bytes)
{
	unsigned int i;
	u64 end, at;

	if (size_bytes == 0 || __builtin_add_overflow(address, size_bytes, &end) || end > BIT(52)) {
		return false;
	}
	if (overlaps(address, size_bytes, 0xfee00000, 0x100000)) {
		return false;
	}
	for (i = 0; i < acpi_info.ioapic_count; i++) {
		if (overlaps(address, size_bytes, hpa_raw(acpi_info.ioapics[i].address) & PAGE_MASK,
			     PAGE_SIZE)) {
			return false;
		}
	}
	for (i = 0; i < acpi_info.dmar.drhd_count; i++) {
		if (overlaps(address, size_bytes, hpa_raw(acpi_info.dmar.drhds[i].base),
			     PAGE_SIZE)) {
			return false;
		}
	}
	for (i = 0; i < acpi_info.ivrs.ivhd_count; i++) {
		if (overlaps(address, size_bytes, hpa_raw(acpi_info.ivrs.ivhds[i].base), 0x80000)) {
			return false;
		}
	}
	for (i = 0; i < acpi_info.mcfg_count; i++) {
		const struct acpi_mcfg *m = &acpi_info.mcfg[i];

		if (overlaps(address, size_bytes, hpa_raw(m->base) + ((u64)m->bus_first << 20),
			     (u64)(m->bus_last - m->bus_first + 1) << 20)) {
			return false;
		}
	}
	for (at = address & PAGE_MASK; at < end; at += PAGE_SIZE) {
		const struct frame *frame = frame_of(hpa_to_mfn(hpa_of(at)));

		if (frame && frame->state != FRAME_NONE) {
			return false;
		}
	}
	return true;
}

/* The largest piece of [at, end) that one entry can map: 4K, 2M or 1G. */
static unsigned int piece_order(u64 at, u64 end)
{
	static const unsigned int orders[] = {ORDER_1G, ORDER_2M};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		u64 bytes = PAGE_SIZE << orders[i];

		if (at % bytes == 0 && end - at >= bytes) {
			return orders[i];
		}
	}
	return ORDER_4K;
}

/* Identity-maps what is not mapped yet; pages of an MSI-X table are taken away by their owner. */
static int map_pages(struct domain *d, u64 start, u64 end)
{
	u64 at = start;
	int rc;

	while (at < end) {
		struct p2m_entry entry = p2m_lookup(d, gpa_to_gfn(gpa_of(at)));
		u64 entry_bytes = PAGE_SIZE << entry.order;
		u64 entry_end = (at & ~(entry_bytes - 1)) + entry_bytes;
		unsigned int order;

		if (entry.type != P2M_NONE) {
			at = entry_end; /* device memory already, or frames that the domain put
					   there */
			continue;
		}
		order = piece_order(at, MIN(end, entry_end));
		rc = p2m_set(d, gpa_to_gfn(gpa_of(at)), hpa_to_mfn(hpa_of(at)), order, P2M_MMIO);
		if (rc) {
			return rc;
		}
		at += PAGE_SIZE << order;
	}
	return 0;
}

static void unmap_pages(struct domain *d, u64 start, u64 end)
{
	u64 at = start;

	while (at < end) {
		unsigned int order = piece_order(at, end);

		if (p2m_remove(d, gpa_to_gfn(gpa_of(at)), order)) {
			log_guest(d, "device memory at %#llx stays mapped: no memory\n",
				  (unsigned long long)at);
		}
		at += PAGE_SIZE << order;
	}
}

static u64 bar_address(const struct vpci_function *f, const struct pci_bar *bar)
{
	u64 address = pci_config_read(f->host->bdf, bar->offset, 4);

	if (bar->is_64bit) {
		address = (address & ~0xfull) |
			  (u64)pci_config_read(f->host->bdf, (u16)(bar->offset + 4), 4) << 32;
	}
	return address & ~0xfull;
}

static void map_bar(struct vpci_function *f, unsigned int index)
{
	const struct pci_bar *bar = &f->host->bars[index];
	struct vpci_bar *state = &f->bars[index];
	int rc;

	if (!bar->offset || !bar->is_memory || index == PCI_BAR_ROM) {
		return; /* expansion ROMs are 32-bit: in a hole that is mapped from the start */
	}
	state->address = bar_address(f, bar);
	state->size_bytes = bar->size_bytes;
	if (state->address == 0) {
		return; /* never assigned */
	}
	if (!vpci_may_map(state->address, state->size_bytes)) {
		log_guest(f->domain, PCI_FMT ": BAR %u at %#llx is not device memory, not mapped\n",
			  PCI_ARGS(f->host->bdf), index, (unsigned long long)state->address);
		return;
	}
	rc = map_pages(f->domain, state->address & PAGE_MASK,
		       ROUND_UP(state->address + state->size_bytes, PAGE_SIZE));
	if (rc) {
		log_guest(f->domain, PCI_FMT ": BAR %u cannot be mapped: %d\n",
			  PCI_ARGS(f->host->bdf), index, rc);
		return;
	}
	state->is_mapped = true;
	vpci_msix_bar_changed(f, index, state->address);
}

static void unmap_bar(struct vpci_function *f, unsigned int index)
{
	struct vpci_bar *state = &f->bars[index];

	if (!state->is_mapped) {
		return;
	}
	state->is_mapped = false;
	vpci_msix_bar_changed(f, index, 0);
	/* below 4 GiB the hole stays as it was at start: neighbours may share its page */
	if (state->address >= BIT(32)) {
		unmap_pages(f->domain, state->address & PAGE_MASK,
			    ROUND_UP(state->address + state->size_bytes, PAGE_SIZE));
	}
}

static void decoding_on(struct vpci_function *f)
{
	unsigned int i;

	for (i = 0; i < PCI_BAR_COUNT; i++) {
		map_bar(f, i);
	}
	f->is_memory_on = true;
}

static void decoding_off(struct vpci_function *f)
{
	unsigned int i;

	f->is_memory_on = false;
	for (i = 0; i < PCI_BAR_COUNT; i++) {
		unmap_bar(f, i);
	}
}

static bool is_bar_register(const struct vpci_function *f, u16 at)
{
	unsigned int i;

	for (i = 0; i < PCI_BAR_ROM; i++) {
		const struct pci_bar *bar = &f->host->bars[i];

		if (bar->offset && bar->is_memory &&
		    (at == bar->offset || (bar->is_64bit && at == bar->offset + 4))) {
			return true;
		}
	}
	return false;
}

static void write_command(struct vpci_function *f, const struct vpci_write *w)
{
	bool is_on, was_on = f->is_memory_on;
	u16 command;

	command = (u16)vpci_merge(w, pci_config_read(f->host->bdf, PCI_COMMAND, 2));
	is_on = command & PCI_COMMAND_MEMORY;
	if (is_on && !was_on) {
		/* resizable BARs: the size may be a new one; ports in use are left alone */
		if (!(pci_config_read(f->host->bdf, PCI_COMMAND, 2) & PCI_COMMAND_IO)) {
			pci_function_size_bars(f->host);
		}
		decoding_on(f);
	}
	pci_config_write(f->host->bdf, PCI_COMMAND, 2, command);
	if (!is_on && was_on) {
		decoding_off(f);
	}
	if (is_on && !was_on) {
		vpci_msix_decoding_on(f);
	}
	/* status: write one to clear */
	if (w->mask >> 16) {
		pci_config_write(f->host->bdf, PCI_STATUS, 2, (w->value & w->mask) >> 16);
	}
}

/* dom0 numbers buses anew: whose requests carry a bridge's identity is read from these. */
static void write_buses(struct vpci_function *f, const struct vpci_write *w)
{
	u32 buses = vpci_merge(w, pci_config_read(f->host->bdf, PCI_BUSES, 4));

	pci_config_write(f->host->bdf, PCI_BUSES, 4, buses);
	f->host->secondary = (u8)(buses >> 8);
	f->host->subordinate = (u8)(buses >> 16);
}

bool vpci_header_write(struct vpci_function *f, const struct vpci_write *w)
{
	if (w->at == PCI_COMMAND) {
		write_command(f, w);
		return true;
	}
	if (w->at == PCI_BUSES && f->host->header_type == 1) {
		write_buses(f, w);
		return true;
	}
	if (f->is_memory_on && is_bar_register(f, w->at)) {
		log_guest(f->domain, PCI_FMT ": write to a BAR while it is decoded, ignored\n",
			  PCI_ARGS(f->host->bdf));
		return true;
	}
	return false;
}

/* Firmware may have left decoding on. */
void vpci_header_init(struct vpci_function *f)
{
	if (pci_config_read(f->host->bdf, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY) {
		decoding_on(f);
	}
}

void vpci_header_fini(struct vpci_function *f)
{
	decoding_off(f);
}
