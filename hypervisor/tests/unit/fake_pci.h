/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with three PCI functions for tests of vpci/, and everything that vpci/ calls:
 * configuration space as bytes with the writable bits of real devices, a p2m that is a list of
 * pages, bindings that count, memory of devices in an array.
 *
 *   00:01.0  MSI with 64-bit address and mask bits; BAR 0 of 4 KiB below 4 GiB, BAR 1 I/O
 *   00:02.0  MSI-X, 8 entries at BAR 2 + 0x800; BAR 2 is 64-bit, 16 KiB
 *   00:03.0  nothing: added by tests as a plugged-in device (vendor ffff until then)
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "arch/contract/guest.h"
#include "arch/unit/unit.h"
#include "drivers/acpi/acpi.h"
#include "drivers/iommu/iommu.h"
#include "drivers/pci/pci.h"
#include "memory/p2m.h"
#include "mm/window.h"
#include "vpci/vpci.h"

#define FAKE_FUNCTIONS	 3
#define FAKE_BAR_HIGH	 0x4000000000ull
#define FAKE_MSI_AT	 0x50
#define FAKE_MSIX_AT	 0x70
#define FAKE_TABLE	 0x800u
#define FAKE_TABLE_COUNT 8u
#define FAKE_MESSAGE	 0xfee0abc0ull /* what a binding gives to the device */

struct fake_device {
	u8 config[4096];
	u8 writable[4096]; /* bits that a write changes */
};
static struct fake_device fake_devices[FAKE_FUNCTIONS];
static struct pci_function fake_functions[FAKE_FUNCTIONS];
struct pci_function *pci_functions;

static u8 fake_memory[0x4000];		/* BAR 2 of the second function */
static unsigned int fake_window_misses; /* windows on anything else */

struct arch_msi {
	u64 guest_address;
	u32 guest_data;
};
static unsigned int fake_bound, fake_binds;
static int fake_bind_error;
static u64 fake_trap; /* first address, 0: none */
static unsigned int fake_traps, fake_flushes, fake_assigned, fake_starts;

struct fake_page {
	u64 gfn;
	u64 mfn;
	unsigned int order;
};
static struct fake_page fake_pages[64];
static unsigned int fake_page_count;
static unsigned int
	fake_removed_holes; /* removals of pages below 4 GiB, all there from the start */

/* --- drivers/pci --- */

static struct fake_device *fake_device_of(struct pci_bdf bdf)
{
	unsigned int i = bdf.devfn >> 3;

	return bdf.segment == 0 && bdf.bus == 0 && (bdf.devfn & 7) == 0 && i >= 1 &&
			       i <= FAKE_FUNCTIONS
		       ? &fake_devices[i - 1]
		       : NULL;
}

unsigned int pci_config_bytes(struct pci_bdf bdf)
{
	return bdf.segment == 0 ? 4096 : 0;
}

u32 pci_config_read(struct pci_bdf bdf, u16 offset, unsigned int size_bytes)
{
	const struct fake_device *d = fake_device_of(bdf);
	u32 value = ~0u;

	if (!(size_bytes == 1 || size_bytes == 2 || size_bytes == 4) || offset % size_bytes ||
	    offset + size_bytes > 4096) {
		abort(); /* the caller checks */
	}
	if (d) {
		value = 0;
		memcpy(&value, d->config + offset, size_bytes);
	}
	return value;
}

void pci_config_write(struct pci_bdf bdf, u16 offset, unsigned int size_bytes, u32 value)
{
	struct fake_device *d = fake_device_of(bdf);
	unsigned int i;

	if (!(size_bytes == 1 || size_bytes == 2 || size_bytes == 4) || offset % size_bytes ||
	    offset + size_bytes > 4096) {
		abort();
	}
	for (i = 0; d && i < size_bytes; i++) {
		u8 mask = d->writable[offset + i];

		d->config[offset + i] =
			(u8)((d->config[offset + i] & ~mask) | (value >> 8 * i & mask));
	}
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

void pci_function_size_bars(struct pci_function *f)
{
}

struct pci_function *pci_function_probe(struct pci_bdf bdf)
{
	struct fake_device *d = fake_device_of(bdf);
	struct pci_function *f;

	if (!d || (d->config[0] == 0xff && d->config[1] == 0xff)) {
		return NULL;
	}
	f = &fake_functions[(bdf.devfn >> 3) - 1];
	if (!pci_function_find(bdf)) {
		f->bdf = bdf;
		f->next = pci_functions;
		pci_functions = f;
	}
	f->is_present = true;
	return f;
}

/* --- what is below and beside vpci/ --- */

struct acpi_info acpi_info;

int iommu_assign(struct domain *d, u16 segment, u8 bus, u8 devfn)
{
	fake_assigned++;
	return 0;
}

void iommu_start(void)
{
	fake_starts++;
}

static struct fake_page *fake_page_find(u64 gfn)
{
	unsigned int i;

	for (i = 0; i < fake_page_count; i++) {
		if (gfn >= fake_pages[i].gfn &&
		    gfn < fake_pages[i].gfn + (1ull << fake_pages[i].order)) {
			return &fake_pages[i];
		}
	}
	return NULL;
}

struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn)
{
	struct fake_page *page = fake_page_find(gfn_raw(gfn));

	if (page) {
		return (struct p2m_entry){P2M_MMIO, mfn_of(gfn_raw(gfn)), page->order};
	}
	if (gfn_raw(gfn) < 0x100000) {
		return (struct p2m_entry){P2M_MMIO, mfn_of(gfn_raw(gfn)),
					  0}; /* the holes of the start */
	}
	return (struct p2m_entry){P2M_NONE, MFN_INVALID, 0};
}

int p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type)
{
	if (gfn_raw(gfn) != mfn_raw(mfn) || type != P2M_MMIO) {
		abort(); /* device memory is mapped where it is */
	}
	if (fake_page_count == 64) {
		return -ENOMEM;
	}
	fake_pages[fake_page_count++] = (struct fake_page){gfn_raw(gfn), mfn_raw(mfn), order};
	return 0;
}

int p2m_remove(struct domain *d, gfn_t gfn, unsigned int order)
{
	u64 at, end = gfn_raw(gfn) + (1ull << order);

	for (at = gfn_raw(gfn); at < end && at < gfn_raw(gfn) + 64; at++) {
		struct fake_page *page = fake_page_find(at);

		fake_removed_holes += at < 0x100000;
		if (page && page->order == 0) {
			*page = fake_pages[--fake_page_count];
		}
	}
	return 0;
}

void p2m_flush(struct domain *d)
{
	fake_flushes++;
}

int arch_msi_bind(struct domain *d, u16 segment, u8 bus, u8 devfn, u64 guest_address,
		  u32 guest_data, struct arch_msi **msi, u64 *address, u32 *data)
{
	if (fake_bind_error) {
		return fake_bind_error;
	}
	if (!*msi) {
		*msi = calloc(1, sizeof(**msi));
		fake_bound++;
	}
	fake_binds++;
	(*msi)->guest_address = guest_address;
	(*msi)->guest_data = guest_data;
	*address = FAKE_MESSAGE;
	*data = 0x5a;
	return 0;
}

void arch_msi_unbind(struct domain *d, struct arch_msi *msi)
{
	fake_bound -= msi != NULL;
	free(msi);
}

int arch_vpci_trap(struct domain *d, gpa_t first, u64 size_bytes)
{
	fake_trap = gpa_raw(first);
	fake_traps++;
	return 0;
}

void arch_vpci_untrap(struct domain *d, gpa_t first)
{
	fake_traps -= fake_trap == gpa_raw(first);
	fake_trap = 0;
}

static u8 fake_nowhere[PAGE_SIZE];
static u64 fake_bar2;

void *window_map(mfn_t mfn)
{
	u64 at = mfn_raw(mfn) << PAGE_SHIFT;

	if (fake_bar2 && at >= fake_bar2 && at < fake_bar2 + sizeof(fake_memory)) {
		return fake_memory + (at - fake_bar2);
	}
	fake_window_misses++;
	return fake_nowhere;
}

void window_unmap(void *p)
{
}

void window_zero(mfn_t mfn)
{
	memset(unit_frame_bytes(mfn), 0, PAGE_SIZE);
}

void window_copy(mfn_t to, mfn_t from)
{
	memcpy(unit_frame_bytes(to), unit_frame_bytes(from), PAGE_SIZE);
}

bool window_is_idle(void)
{
	return true;
}

/* --- the machine --- */

static void fake_put(struct fake_device *d, unsigned int at, unsigned int bytes, u32 value,
		     u32 writable)
{
	memcpy(d->config + at, &value, bytes);
	memcpy(d->writable + at, &writable, bytes);
}

static void fake_pci_reset(void)
{
	struct fake_device *d = fake_devices;
	unsigned int i;

	memset(fake_devices, 0, sizeof(fake_devices));
	memset(fake_functions, 0, sizeof(fake_functions));
	memset(fake_memory, 0, sizeof(fake_memory));
	memset(&acpi_info, 0, sizeof(acpi_info));
	pci_functions = NULL;
	fake_bound = fake_binds = fake_traps = fake_flushes = fake_assigned = fake_starts = 0;
	fake_bind_error = 0;
	fake_trap = fake_bar2 = 0;
	fake_page_count = fake_removed_holes = fake_window_misses = 0;

	for (i = 0; i < FAKE_FUNCTIONS; i++) {
		fake_functions[i].bdf = pci_bdf_of(0, 0, (u8)((i + 1) << 3));
		fake_put(&d[i], PCI_VENDOR, 4, 0x12341af4, 0);
		fake_put(&d[i], PCI_COMMAND, 4, 0x00100000, 0x547);
	}
	fake_put(&d[0], PCI_BAR0, 4, 0xfebf0000, 0xfffff000);
	fake_put(&d[0], PCI_BAR0 + 4, 4, 0xc001, 0xffe0);
	fake_put(&d[0], FAKE_MSI_AT, 4, 0x018a0005, 0x00710000); /* 64 bit, masks, 32 vectors */
	fake_put(&d[0], FAKE_MSI_AT + 4, 4, 0, ~3u);
	fake_put(&d[0], FAKE_MSI_AT + 8, 4, 0, ~0u);
	fake_put(&d[0], FAKE_MSI_AT + 12, 4, 0, 0xffff);
	fake_put(&d[0], FAKE_MSI_AT + 16, 4, 0, ~0u);
	fake_functions[0].bars[0] =
		(struct pci_bar){.offset = 0x10, .size_bytes = 0x1000, .is_memory = true};
	fake_functions[0].bars[1] = (struct pci_bar){.offset = 0x14, .size_bytes = 0x20};
	fake_functions[0].msi = FAKE_MSI_AT;

	fake_put(&d[1], PCI_BAR0 + 8, 4, (u32)FAKE_BAR_HIGH | 4, 0xffffc000);
	fake_put(&d[1], PCI_BAR0 + 12, 4, (u32)(FAKE_BAR_HIGH >> 32), ~0u);
	fake_put(&d[1], FAKE_MSIX_AT, 4, (FAKE_TABLE_COUNT - 1) << 16 | 0x0011, 0xc0000000);
	fake_put(&d[1], FAKE_MSIX_AT + 4, 4, FAKE_TABLE | 2, 0);
	fake_functions[1].bars[2] = (struct pci_bar){
		.offset = 0x18, .size_bytes = 0x4000, .is_memory = true, .is_64bit = true};
	fake_functions[1].msix = FAKE_MSIX_AT;
	fake_put(&d[2], PCI_VENDOR, 4, ~0u, 0);

	for (i = 0; i < 2; i++) {
		fake_functions[i].is_present = true;
		fake_functions[i].next = pci_functions;
		pci_functions = &fake_functions[i];
	}
}
