/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/iommu/iommu.h"

#include "arch/contract/host.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/timer.h"
#include "drivers/acpi/acpi.h"
#include "drivers/iommu/backend.h"
#include "lib/bitmap.h"
#include "mm/frame.h"
#include "mm/heap.h"

#define FAULTS_PER_SECOND 10u

/* An interrupt message without remapping, SDM 3 10.11. */
#define MSI_ADDRESS 0xfee00000ull

bool iommu_is_wanted = true;
static const struct iommu_backend *backend RO_AFTER_INIT;
static struct iommu_table template RO_AFTER_INIT;
static bool has_remapping RO_AFTER_INIT;
static u64 ids_used[BITMAP_WORDS(IOMMU_DOMAIN_MAX)] = {1}; /* 0 is the units' own */

bool iommu_is_on(void)
{
	return backend != NULL;
}

bool iommu_has_remapping(void)
{
	return has_remapping;
}

void iommu_setup(void)
{
	const char *why = "";
	const struct iommu_backend *found = NULL;

	if (!iommu_is_wanted) {
		log_warning(
			"IOMMU: switched off by iommu=off. Devices reach all memory; this is for "
			"tests only.\n");
		return;
	}
	if (acpi_info.dmar.is_present) {
		found = &vtd_backend;
	} else if (acpi_info.ivrs.is_present) {
		found = &amd_backend;
	} else {
		boot_refuse(
			"This machine shows no IOMMU (VT-d or AMD-Vi), without which devices can "
			"overwrite the hypervisor. Switch it on in the firmware's setup.");
	}
	if (!found->setup(&template, &has_remapping, &why)) {
		boot_refuse("The IOMMU (%s) cannot be used: %s.", found->name, why);
	}
	backend = found;
	if (has_remapping) {
		arch_irq_set_remap(iommu_irq_map_ioapic);
	} else {
		log_warning("IOMMU: no interrupt remapping; a device can fake interrupts\n");
	}
	log_info("IOMMU: %s, %u-level tables%s%s\n", backend->name, template.levels,
		 template.large_levels ? ", superpages" : "",
		 has_remapping ? ", interrupts remapped" : "");
}

void iommu_start(void)
{
	if (backend) {
		backend->start();
	}
}

/* --- mappings --- */

/*
 * Device memory that tables of this depth cannot name is left out: no device asks for it, and the
 * domain reaches it all the same. RAM there is an error.
 */
static bool may_leave_out(mfn_t mfn)
{
	const struct frame *f = frame_of(mfn);

	return !f || f->state == FRAME_NONE;
}

int iommu_map(struct domain *d, iofn_t iofn, mfn_t mfn, unsigned int order, unsigned int access)
{
	struct iommu_domain *io = d->iommu;
	bool was_present;
	int rc;

	if (!io) {
		return 0;
	}
	spin_lock(&io->lock);
	rc = iommu_table_map(&io->table, iofn, mfn, order, access, &was_present);
	if (was_present || io->table.caches_empty) {
		store_release(&io->needs_flush, 1);
	}
	spin_unlock(&io->lock);
	return rc == -ERANGE && may_leave_out(mfn) ? 0 : rc;
}

int iommu_unmap(struct domain *d, iofn_t iofn, unsigned int order)
{
	struct iommu_domain *io = d->iommu;
	bool was_present;
	int rc;

	if (!io) {
		return 0;
	}
	spin_lock(&io->lock);
	rc = iommu_table_unmap(&io->table, iofn, order, &was_present);
	if (was_present) {
		store_release(&io->needs_flush, 1);
	}
	spin_unlock(&io->lock);
	return rc == -ERANGE ? 0 : rc; /* nothing is mapped where the tables do not reach */
}

void iommu_flush(struct domain *d)
{
	struct iommu_domain *io = d->iommu;

	if (!io || !load_acquire(&io->needs_flush)) {
		return;
	}
	/* the lock is held over the wait, so that nobody returns while another's flush still runs
	 */
	spin_lock(&io->lock);
	if (__atomic_exchange_n(&io->needs_flush, 0, __ATOMIC_ACQ_REL)) {
		backend->flush(io);
	}
	spin_unlock(&io->lock);
}

/* --- devices --- */

/* Through the bridges of path; false when a bridge is not there. */
static bool scope_resolve(u16 segment, const struct acpi_scope *scope, struct pci_bdf *out)
{
	u8 bus = scope->bus;
	unsigned int i;

	for (i = 0; i < scope->path_count; i++) {
		struct pci_function *f;

		*out = pci_bdf_of(segment, bus,
				  (u8)(scope->path[i].device << 3 | scope->path[i].function));
		if (i + 1 == scope->path_count) {
			return true;
		}
		f = pci_function_find(*out);
		if (!f || f->header_type != 1) {
			return false;
		}
		bus = f->secondary;
	}
	return false;
}

bool iommu_range_is_for(const struct acpi_reserved_range *r, struct pci_bdf bdf)
{
	unsigned int i;
	struct pci_bdf at;

	if (r->segment != bdf.segment) {
		return false;
	}
	if (r->device_first <= r->device_last) {
		return pci_requester(bdf) >= r->device_first &&
		       pci_requester(bdf) <= r->device_last;
	}
	for (i = 0; i < r->scope_count; i++) {
		const struct acpi_scope *scope = &acpi_info.dmar.scopes[r->scope_first + i];
		struct pci_function *bridge;

		if (!scope_resolve(r->segment, scope, &at)) {
			continue;
		}
		bridge = scope->type == ACPI_SCOPE_BRIDGE ? pci_function_find(at) : NULL;
		if (pci_bdf_equal(at, bdf) ||
		    (bridge && bridge->secondary && bdf.bus >= bridge->secondary &&
		     bdf.bus <= bridge->subordinate)) {
			return true;
		}
	}
	return false;
}

static int map_reserved(struct domain *d, struct pci_bdf bdf)
{
	unsigned int i;
	u64 at, end;
	int rc;

	for (i = 0; i < acpi_info.reserved_range_count; i++) {
		const struct acpi_reserved_range *r = &acpi_info.reserved_ranges[i];

		if (!iommu_range_is_for(r, bdf)) {
			continue;
		}
		end = ROUND_UP(hpa_raw(r->start) + r->size_bytes, PAGE_SIZE) >> PAGE_SHIFT;
		for (at = hpa_raw(r->start) >> PAGE_SHIFT; at < end; at++) {
			rc = iommu_map(d, iofn_of(at), mfn_of(at), 0, r->access);
			if (rc) {
				return rc;
			}
		}
	}
	return 0;
}

int iommu_assign(struct domain *d, u16 segment, u8 bus, u8 devfn)
{
	struct pci_bdf bdf = pci_bdf_of(segment, bus, devfn);
	struct pci_function *bridge;
	int rc;

	if (!backend) {
		return 0;
	}
	if (!d->iommu) {
		return -ENODEV;
	}
	rc = map_reserved(d, bdf);
	if (rc) {
		return rc;
	}
	rc = backend->assign(d->iommu, bdf);
	if (rc) {
		return rc;
	}
	bridge = pci_alias_bridge(bdf);
	if (!bridge) {
		return 0;
	}
	/* behind a conventional bridge: requests carry its number, or that of device 0 on its bus
	 */
	rc = backend->assign(d->iommu, bridge->bdf);
	if (rc) {
		return rc;
	}
	return backend->assign(d->iommu, pci_bdf_of(segment, bridge->secondary, 0));
}

/* --- interrupts --- */

/* What a message of this function says that it comes from. */
static struct pci_bdf requester_of(struct pci_bdf bdf)
{
	struct pci_function *bridge = pci_alias_bridge(bdf);

	if (!bridge) {
		return bdf;
	}
	return bridge->express_type == 0xff ? bridge->bdf
					    : pci_bdf_of(bdf.segment, bridge->secondary, 0);
}

int iommu_irq_map_msi(u16 segment, u8 bus, u8 devfn, struct irq_target target, struct iommu_irq *io)
{
	u32 destination = arch_irq_destination(target.cpu);

	if (has_remapping) {
		return backend->irq_map_msi(requester_of(pci_bdf_of(segment, bus, devfn)), target,
					    io);
	}
	if (destination > 0xff) {
		return -ERANGE;
	}
	io->address = MSI_ADDRESS | destination << 12;
	io->data = target.vector;
	io->index = 0;
	return 0;
}

void iommu_irq_unmap_msi(u16 segment, u8 bus, u8 devfn, struct iommu_irq *io)
{
	if (has_remapping && io->index != ~0u) {
		backend->irq_unmap_msi(requester_of(pci_bdf_of(segment, bus, devfn)), io);
	}
	io->index = ~0u;
}

int iommu_irq_map_ioapic(u8 ioapic_id, unsigned int pin, struct irq_target target, bool is_level,
			 bool is_low, u64 *rte)
{
	if (!has_remapping) {
		return -ENODEV;
	}
	return backend->irq_map_ioapic(ioapic_id, pin, target, is_level, is_low, rte);
}

/* --- faults --- */

void iommu_report_fault(u16 segment, u16 requester, u64 address, bool is_write, const char *what,
			unsigned int reason)
{
	static ns_t second;
	static u32 count, suppressed;
	ns_t now = clock_now() / NS_PER_SEC;
	u32 missed;

	/* races only make the count a little wrong */
	if (load_relaxed(&second) != now) {
		store_relaxed(&second, now);
		store_relaxed(&count, 0);
		missed = __atomic_exchange_n(&suppressed, 0, __ATOMIC_RELAXED);
		if (missed) {
			log_warning("IOMMU: %u more refusals\n", missed);
		}
	}
	if (__atomic_fetch_add(&count, 1, __ATOMIC_RELAXED) >= FAULTS_PER_SECOND) {
		__atomic_fetch_add(&suppressed, 1, __ATOMIC_RELAXED);
		return;
	}
	log_warning("IOMMU: %04x:%02x:%02x.%x refused: %s %s %#llx, reason %#x\n", segment,
		    requester >> 8, requester >> 3 & 0x1f, requester & 7, what,
		    is_write ? "write to" : "read of", (unsigned long long)address, reason);
}

/* --- domain service --- */

static bool id_claim(u16 *out)
{
	unsigned int id;

	for (id = 1; id < IOMMU_DOMAIN_MAX; id++) {
		if (!bitmap_atomic_test_and_set(ids_used, id)) {
			*out = (u16)id;
			return true;
		}
	}
	return false;
}

static int service_init(struct domain *d, const struct domain_config *config)
{
	struct iommu_domain *io;
	int rc;

	/* domains that get devices later are made when they get the first one */
	if (!backend || !d->is_hardware) {
		return 0;
	}
	io = heap_alloc(sizeof(*io));
	if (!io) {
		return -ENOMEM;
	}
	if (!id_claim(&io->id)) {
		rc = -ENOSPC;
		goto free_io;
	}
	io->domain = d;
	spinlock_init(&io->lock, LOCK_IOMMU);
	io->table = template;
	io->table.owner = d;
	rc = iommu_table_init(&io->table);
	if (rc) {
		goto free_id;
	}
	d->iommu = io;
	return 0;

free_id:
	bitmap_atomic_test_and_clear(ids_used, io->id);
free_io:
	heap_free(io);
	return rc;
}

static void service_fini(struct domain *d)
{
	struct iommu_domain *io = d->iommu;

	if (!io) {
		return;
	}
	iommu_table_fini(&io->table);
	bitmap_atomic_test_and_clear(ids_used, io->id);
	heap_free(io);
	d->iommu = NULL;
}

static void service_dump(struct domain *d)
{
	if (d->iommu) {
		log_info("IOMMU: domain %u has id %u and %u table pages\n", domain_id_raw(d->id),
			 d->iommu->id, d->iommu->table.page_count);
	}
}

const struct domain_service iommu_service = {
	.name = "IOMMU",
	.init = service_init,
	.fini = service_fini,
	.dump = service_dump,
};

#ifdef HV_UNIT
void iommu_forget_all(void)
{
	backend = NULL;
	has_remapping = false;
	ids_used[0] = 1;
	vtd_forget_all();
	amd_forget_all();
}
#endif
