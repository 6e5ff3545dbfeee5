/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What both IOMMU tests need beside a fake unit: interrupt destinations, PCI functions that are
 * not there, and reading the memory that a unit would read.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "arch/contract/host.h"
#include "arch/unit/unit.h"
#include "core/irq_dispatch.h"
#include "core/log.h"
#include "drivers/acpi/acpi.h"
#include "drivers/iommu/backend.h"
#include "drivers/iommu/iommu.h"
#include "mm/heap.h"

struct acpi_info acpi_info;
struct pci_function *pci_functions;
static bool fake_is_wide;
static arch_irq_remap_t fake_remap;
static u32 fake_config[64];

u32 arch_irq_destination(cpu_t cpu)
{
	return 0x10 + cpu;
}

bool arch_irq_is_wide(void)
{
	return fake_is_wide;
}

void arch_irq_set_remap(arch_irq_remap_t remap)
{
	fake_remap = remap;
}

void arch_cache_write_back(const void *p, size_t size_bytes)
{
}

struct pci_function *pci_function_find(struct pci_bdf bdf)
{
	return NULL;
}

struct pci_function *pci_alias_bridge(struct pci_bdf bdf)
{
	return NULL;
}

u8 pci_find_capability(struct pci_bdf bdf, u8 id)
{
	return id == PCI_CAP_MSI ? 0x40 : 0;
}

u32 pci_config_read(struct pci_bdf bdf, u16 offset, unsigned int size_bytes)
{
	return fake_config[offset / 4 % 64] >> offset % 4 * 8;
}

void pci_config_write(struct pci_bdf bdf, u16 offset, unsigned int size_bytes, u32 value)
{
	fake_config[offset / 4 % 64] = value << offset % 4 * 8;
}

void *heap_alloc_pages_for(struct domain *d, unsigned int order)
{
	return heap_alloc_pages(order);
}

void heap_free_pages_for(struct domain *d, void *p, unsigned int order)
{
	heap_free_pages(p, order);
}

/* Is text in what was logged since the last call? */
static bool fake_was_logged(const char *text)
{
	static char ring[1 << 16];
	static u32 position;
	size_t size;

	size = log_ring_read(ring, sizeof(ring) - 1, &position, false);
	ring[MIN(size, sizeof(ring) - 1)] = 0;
	return strstr(ring, text) != NULL;
}

static void *fake_physical(u64 address)
{
	return (char *)unit_frame_bytes(hpa_to_mfn(hpa_of(address & 0x000ffffffffff000))) +
	       page_offset(address);
}

static u64 fake_read64(u64 address)
{
	u64 value;

	memcpy(&value, fake_physical(address), 8);
	return value;
}
