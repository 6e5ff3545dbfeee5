/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vpci/vpci.h"

#include "core/log.h"
#include "drivers/acpi/acpi.h"
#include "drivers/iommu/iommu.h"
#include "memory/p2m.h"
#include "mm/heap.h"
#include "vpci/vpci_private.h"

#define CONFIG_BYTES 4096u
#define HIDDEN_MAX   32u

struct vpci_domain {
	struct spinlock lock; /* LOCK_VPCI: adding to functions; never with a function's lock */
	struct vpci_function *functions;
	u32 port_latch;
};

static struct pci_bdf hidden[HIDDEN_MAX] RO_AFTER_INIT;
static unsigned int hidden_count RO_AFTER_INIT;

void vpci_hide(u16 segment, u8 bus, u8 devfn)
{
	if (hidden_count < HIDDEN_MAX) {
		hidden[hidden_count++] = pci_bdf_of(segment, bus, devfn);
	}
}

static bool is_hidden(struct pci_bdf bdf)
{
	unsigned int i;

	for (i = 0; i < hidden_count; i++) {
		if (pci_bdf_equal(hidden[i], bdf)) {
			return true;
		}
	}
	return false;
}

u32 *vpci_port_latch(struct domain *d)
{
	return &d->vpci->port_latch;
}

/* --- functions --- */

static struct vpci_function *find(struct domain *d, struct pci_bdf bdf)
{
	struct vpci_function *f;

	for (f = load_acquire(&d->vpci->functions); f; f = f->next) {
		if (pci_bdf_equal(f->host->bdf, bdf)) {
			return f->host->is_present ? f : NULL;
		}
	}
	return NULL;
}

static void function_setup(struct vpci_function *f)
{
	spin_lock(&f->lock);
	if (vpci_msi_init(f) || vpci_msix_init(f)) {
		log_warning(PCI_FMT ": no memory for its interrupts\n", PCI_ARGS(f->host->bdf));
	}
	vpci_header_init(f);
	spin_unlock(&f->lock);
}

/* A record of the same function that went away is used again. */
static struct vpci_function *find_gone(struct domain *d, const struct pci_function *host)
{
	struct vpci_function *f;

	for (f = load_acquire(&d->vpci->functions); f; f = f->next) {
		if (f->host == host) {
			return f;
		}
	}
	return NULL;
}

static int function_add(struct domain *d, struct pci_function *host)
{
	struct vpci_function *f = find_gone(d, host);
	struct pci_bdf bdf = host->bdf;
	int rc;

	rc = iommu_assign(d, bdf.segment, bdf.bus, bdf.devfn);
	if (rc) {
		return rc;
	}
	if (!f) {
		f = heap_alloc(sizeof(*f));
		if (!f) {
			return -ENOMEM;
		}
		spinlock_init(&f->lock, LOCK_VPCI);
		f->domain = d;
		f->host = host;
		function_setup(f);
		spin_lock(&d->vpci->lock);
		f->next = d->vpci->functions;
		store_release(&d->vpci->functions, f); /* pairs with find() */
		spin_unlock(&d->vpci->lock);
	} else {
		function_setup(f);
	}
	p2m_flush(d);
	return 0;
}

int vpci_device_add(struct domain *d, u16 segment, u8 bus, u8 devfn)
{
	struct pci_bdf bdf = pci_bdf_of(segment, bus, devfn);
	struct pci_function *host;

	if (find(d, bdf)) {
		return 0;
	}
	if (is_hidden(bdf) || pci_config_bytes(bdf) == 0) {
		return -ENODEV;
	}
	host = pci_function_probe(bdf);
	if (!host) {
		return -ENODEV;
	}
	return function_add(d, host);
}

int vpci_device_remove(struct domain *d, u16 segment, u8 bus, u8 devfn)
{
	struct vpci_function *f = find(d, pci_bdf_of(segment, bus, devfn));

	if (!f) {
		return -ENODEV;
	}
	spin_lock(&f->lock);
	vpci_msi_fini(f);
	vpci_header_fini(f); /* untraps the table that the next line frees */
	vpci_msix_fini(f);
	f->host->is_present = false;
	spin_unlock(&f->lock);
	p2m_flush(d);
	return 0;
}

int vpci_give_all(struct domain *d)
{
	struct pci_function *host;
	unsigned int i;
	int rc;

	/* AMD's IOMMUs are PCI functions; dom0 must not move their registers or interrupts */
	for (i = 0; i < acpi_info.ivrs.ivhd_count; i++) {
		const struct acpi_ivhd *unit = &acpi_info.ivrs.ivhds[i];

		vpci_hide(unit->segment, (u8)(unit->device >> 8), (u8)unit->device);
	}
	for_each_pci_function(host)
	{
		if (!host->is_present || is_hidden(host->bdf)) {
			continue;
		}
		rc = function_add(d, host);
		if (rc) {
			log_error(PCI_FMT ": cannot be given to dom0: %d\n", PCI_ARGS(host->bdf),
				  rc);
			return rc;
		}
	}
	iommu_start();
	return 0;
}

/* --- accesses --- */

/* The register at `at` (a multiple of 4), or what of it the access wants: size_bytes at offset. */
static u32 read_part(struct domain *d, struct pci_bdf bdf, u16 offset, unsigned int size_bytes)
{
	struct vpci_function *f = find(d, bdf);
	u16 at = offset & ~3u;
	bool is_emulated;
	u32 value = 0;

	if (!f) {
		return pci_config_read(bdf, offset, size_bytes);
	}
	spin_lock(&f->lock);
	is_emulated = vpci_msi_read(f, at, &value) || vpci_msix_read(f, at, &value);
	spin_unlock(&f->lock);
	if (!is_emulated) {
		return pci_config_read(bdf, offset, size_bytes);
	}
	return value >> offset % 4 * 8;
}

static u32 size_mask(unsigned int size_bytes)
{
	return size_bytes == 4 ? ~0u : (1u << 8 * size_bytes) - 1;
}

u32 vpci_read(struct domain *d, u16 segment, u8 bus, u8 devfn, u16 offset, unsigned int size_bytes)
{
	struct pci_bdf bdf = pci_bdf_of(segment, bus, devfn);
	u32 value = 0;
	unsigned int i;

	if ((size_bytes != 1 && size_bytes != 2 && size_bytes != 4) ||
	    offset > CONFIG_BYTES - size_bytes || !d->is_hardware || is_hidden(bdf)) {
		return size_mask(size_bytes <= 4 && size_bytes ? size_bytes : 4);
	}
	if (offset % size_bytes == 0) {
		return read_part(d, bdf, offset, size_bytes) & size_mask(size_bytes);
	}
	for (i = 0; i < size_bytes; i++) {
		value |= (read_part(d, bdf, (u16)(offset + i), 1) & 0xff) << 8 * i;
	}
	return value;
}

static void write_part(struct domain *d, struct pci_bdf bdf, u16 offset, unsigned int size_bytes,
		       u32 value)
{
	struct vpci_function *f = find(d, bdf);
	struct vpci_write w = {
		.at = offset & ~3u,
		.value = value << offset % 4 * 8,
		.mask = size_mask(size_bytes) << offset % 4 * 8,
	};
	bool is_emulated;

	if (!f) {
		/* plugged in since: from now on it is watched like the others */
		if (vpci_device_add(d, bdf.segment, bdf.bus, bdf.devfn)) {
			return;
		}
		f = find(d, bdf);
		if (!f) {
			return;
		}
	}
	spin_lock(&f->lock);
	is_emulated = vpci_header_write(f, &w) || vpci_msi_write(f, &w) || vpci_msix_write(f, &w);
	if (!is_emulated) {
		pci_config_write(bdf, offset, size_bytes, value & size_mask(size_bytes));
	}
	spin_unlock(&f->lock);
	p2m_flush(d);
}

void vpci_write(struct domain *d, u16 segment, u8 bus, u8 devfn, u16 offset,
		unsigned int size_bytes, u32 value)
{
	struct pci_bdf bdf = pci_bdf_of(segment, bus, devfn);
	unsigned int i;

	if ((size_bytes != 1 && size_bytes != 2 && size_bytes != 4) ||
	    offset > CONFIG_BYTES - size_bytes || !d->is_hardware || is_hidden(bdf)) {
		return;
	}
	if (offset % size_bytes == 0) {
		write_part(d, bdf, offset, size_bytes, value);
		return;
	}
	for (i = 0; i < size_bytes; i++) {
		write_part(d, bdf, (u16)(offset + i), 1, value >> 8 * i & 0xff);
	}
}

bool vpci_memory_read(struct domain *d, gpa_t address, unsigned int size_bytes, u64 *value)
{
	struct vpci_function *f;
	bool is_mine;

	for (f = load_acquire(&d->vpci->functions); f; f = f->next) {
		if (!vpci_msix_has_page(f, gpa_raw(address))) {
			continue;
		}
		spin_lock(&f->lock);
		is_mine = vpci_msix_memory_read(f, gpa_raw(address), size_bytes, value);
		spin_unlock(&f->lock);
		if (is_mine) {
			return true;
		}
	}
	return false;
}

bool vpci_memory_write(struct domain *d, gpa_t address, unsigned int size_bytes, u64 value)
{
	struct vpci_function *f;
	bool is_mine;

	for (f = load_acquire(&d->vpci->functions); f; f = f->next) {
		if (!vpci_msix_has_page(f, gpa_raw(address))) {
			continue;
		}
		spin_lock(&f->lock);
		is_mine = vpci_msix_memory_write(f, gpa_raw(address), size_bytes, value);
		spin_unlock(&f->lock);
		if (is_mine) {
			return true;
		}
	}
	return false;
}

/* --- domain service --- */

static int vpci_init(struct domain *d, const struct domain_config *config)
{
	d->vpci = heap_alloc(sizeof(*d->vpci));
	if (!d->vpci) {
		return -ENOMEM;
	}
	spinlock_init(&d->vpci->lock, LOCK_VPCI);
	return 0;
}

static void vpci_fini(struct domain *d)
{
	struct vpci_function *f, *next;

	for (f = d->vpci ? d->vpci->functions : NULL; f; f = next) {
		next = f->next;
		vpci_msi_fini(f);
		vpci_msix_fini(f);
		heap_free(f);
	}
	heap_free(d->vpci);
	d->vpci = NULL;
}

const struct domain_service vpci_service = {
	.name = "virtual PCI",
	.init = vpci_init,
	.fini = vpci_fini,
};
