/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/iommu/amd.h"

#include "core/log.h"
#include "drivers/acpi/acpi.h"
#include "mm/heap.h"

#define LEVELS		 4u /* 48 bits: every unit has them */
#define DEVICES_PER_PAGE (PAGE_SIZE / sizeof(struct amd_device))

/* Version 1 page table entries, section 2.2.3. */
#define ENTRY_PRESENT	 BIT(0)
#define ENTRY_LEVEL(l)	 ((u64)(l) << 9) /* of the table below; 0: a leaf */
#define ENTRY_LEVEL_MASK (7ull << 9)
#define ENTRY_COHERENT	 BIT(60)
#define ENTRY_READ	 BIT(61)
#define ENTRY_WRITE	 BIT(62)

/* IVHD flags, section 5.2.2.1. */
#define IVHD_HT_TUNNEL	 BIT(0)
#define IVHD_PASS_PW	 BIT(1)
#define IVHD_RES_PASS_PW BIT(2)
#define IVHD_ISOC	 BIT(3)

struct amd_unit amd_units[ACPI_IOMMU_MAX];
unsigned int amd_unit_count;
static struct amd_device *devices RO_AFTER_INIT;
static unsigned int device_order RO_AFTER_INIT; /* pages of the table */
static unsigned int device_count RO_AFTER_INIT;
static struct spinlock lock = SPINLOCK_INIT(LOCK_IOMMU); /* device table */

/* --- table format --- */

static u64 leaf(mfn_t mfn, unsigned int level, unsigned int access)
{
	return hpa_raw(mfn_to_hpa(mfn)) | ENTRY_PRESENT | ENTRY_COHERENT |
	       (access & IOMMU_READ ? ENTRY_READ : 0) | (access & IOMMU_WRITE ? ENTRY_WRITE : 0);
}

static u64 table(mfn_t mfn, unsigned int level)
{
	return hpa_raw(mfn_to_hpa(mfn)) | ENTRY_PRESENT | ENTRY_LEVEL(level - 1) | ENTRY_READ |
	       ENTRY_WRITE;
}

static bool is_leaf(u64 entry, unsigned int level)
{
	return (entry & ENTRY_LEVEL_MASK) == 0;
}

static unsigned int access_of(u64 entry)
{
	return (entry & ENTRY_READ ? IOMMU_READ : 0) | (entry & ENTRY_WRITE ? IOMMU_WRITE : 0);
}

static const struct iommu_format format = {
	.leaf = leaf,
	.table = table,
	.is_leaf = is_leaf,
	.access = access_of,
	.present = ENTRY_PRESENT,
};

/* --- device table --- */

struct amd_device *amd_device_of(u16 requester)
{
	return requester < device_count ? &devices[requester] : NULL;
}

u16 amd_alias_of(u16 requester)
{
	unsigned int i;

	for (i = 0; i < acpi_info.ivrs.entry_count; i++) {
		const struct acpi_ivrs_entry *e = &acpi_info.ivrs.entries[i];

		if (e->has_alias && requester >= e->first && requester <= e->last) {
			return e->alias;
		}
	}
	return requester;
}

void amd_device_changed(u16 requester, u16 domain_id)
{
	unsigned int i;

	for (i = 0; i < amd_unit_count; i++) {
		amd_cmd_flush_device(&amd_units[i], requester, domain_id);
	}
}

/* Bus numbers in use, with what bridges may still get below them. */
static unsigned int highest_bus(void)
{
	const struct pci_function *f;
	unsigned int bus = 0, i;

	for_each_pci_function(f)
	{
		if (f->bdf.segment == 0) {
			bus = MAX(bus, MAX((unsigned int)f->bdf.bus, (unsigned int)f->subordinate));
		}
	}
	for (i = 0; i < acpi_info.ivrs.entry_count; i++) {
		const struct acpi_ivrs_entry *e = &acpi_info.ivrs.entries[i];

		bus = MAX(bus, (unsigned int)e->first >> 8);
		if (e->has_alias) {
			bus = MAX(bus, (unsigned int)e->alias >> 8);
		}
	}
	return MIN(bus, 255u);
}

/* Flags of firmware's table that let INIT, NMI and LINT of some devices pass, section 5.2.2.4. */
static void apply_settings(void)
{
	unsigned int i, device;

	for (i = 0; i < acpi_info.ivrs.entry_count; i++) {
		const struct acpi_ivrs_entry *e = &acpi_info.ivrs.entries[i];

		for (device = e->first; device <= e->last && device < device_count; device++) {
			devices[device].interrupts |= (u64)(e->settings & 0xc7) << 56;
			devices[device].domain |= (u64)(e->settings >> 4 & 3) << 40;
		}
	}
}

/* Until start(), DMA passes; interrupts of those without a table are refused from the beginning. */
static bool create_devices(void)
{
	unsigned int i, pages;

	device_count = (highest_bus() + 1) * 256;
	pages = (unsigned int)(device_count / DEVICES_PER_PAGE);
	while (1u << device_order < pages) {
		device_order++;
	}
	devices = heap_alloc_pages(device_order);
	if (!devices) {
		return false;
	}
	for (i = 0; i < device_count; i++) {
		devices[i].interrupts = AMD_DEVICE_IRQ_VALID;
	}
	apply_settings();
	return true;
}

/* --- units --- */

static const char *unit_add(const struct acpi_ivhd *ivhd)
{
	struct amd_unit *unit = &amd_units[amd_unit_count];

	if (ivhd->segment != 0) {
		return "a unit is for another PCI segment";
	}
	unit->registers = arch_mmio_map(ivhd->base, AMD_REGISTER_BYTES);
	if (!unit->registers) {
		return "there is no address space for its registers";
	}
	unit->bdf = pci_bdf_of(ivhd->segment, (u8)(ivhd->device >> 8), (u8)ivhd->device);
	unit->features = mmio_read64(unit->registers + AMD_FEATURES);
	if (unit->features == ~0ull) {
		return "a unit does not answer";
	}
	mmio_write64(unit->registers + AMD_CONTROL, 0); /* firmware may have used it */
	unit->control = AMD_CONTROL_COHERENT |
			(ivhd->flags & IVHD_HT_TUNNEL ? AMD_CONTROL_HT_TUNNEL : 0) |
			(ivhd->flags & IVHD_PASS_PW ? AMD_CONTROL_PASS_PW : 0) |
			(ivhd->flags & IVHD_RES_PASS_PW ? AMD_CONTROL_RES_PASS_PW : 0) |
			(ivhd->flags & IVHD_ISOC ? AMD_CONTROL_ISOC : 0);
	mmio_write64(unit->registers + AMD_DEVICE_TABLE,
		     hpa_raw(mfn_to_hpa(heap_to_mfn(devices))) |
			     (device_count / DEVICES_PER_PAGE - 1));
	if (!amd_cmd_setup(unit)) {
		return "there is no memory for its queues";
	}
	amd_unit_count++;
	return NULL;
}

static void unit_enable(struct amd_unit *unit)
{
	if (amd_remap_is_wide()) {
		unit->control |= AMD_CONTROL_GUEST_IRQ | AMD_CONTROL_X2APIC;
	}
	unit->control |= AMD_CONTROL_COMMANDS | AMD_CONTROL_EVENT_LOG;
	mmio_write64(unit->registers + AMD_CONTROL, unit->control);
	unit->control |= AMD_CONTROL_ENABLE;
	mmio_write64(unit->registers + AMD_CONTROL, unit->control);
	amd_events_setup(unit);
}

static bool setup(struct iommu_table *template, bool *has_remapping, const char **why)
{
	unsigned int i;

	if (acpi_info.ivrs.ivhd_count == 0) {
		*why = "the IVRS names no unit";
		return false;
	}
	if (!create_devices()) {
		*why = "there is no memory for its device table";
		return false;
	}
	for (i = 0; i < acpi_info.ivrs.ivhd_count; i++) {
		*why = unit_add(&acpi_info.ivrs.ivhds[i]);
		if (*why) {
			return false;
		}
	}
	*template = (struct iommu_table){
		.format = &format,
		.levels = LEVELS,
		.large_levels = 6,
	};
	if (!amd_remap_setup(why)) {
		return false;
	}
	for (i = 0; i < amd_unit_count; i++) {
		unit_enable(&amd_units[i]);
	}
	*has_remapping = true;
	return true;
}

static void start(void)
{
	unsigned int i;

	for (i = 0; i < device_count; i++) {
		if (!(devices[i].translation & AMD_DEVICE_VALID)) {
			/* no levels, no right to read or write: everything is refused */
			store_release(&devices[i].translation,
				      AMD_DEVICE_VALID | AMD_DEVICE_TRANSLATED);
			amd_device_changed((u16)i, 0);
		}
	}
}

/* --- devices --- */

static int assign_one(struct iommu_domain *d, u16 requester)
{
	struct amd_device *device = amd_device_of(requester);
	int rc;

	if (!device) {
		return -ENODEV;
	}
	rc = amd_remap_add(requester);
	if (rc) {
		return rc;
	}
	spin_lock(&lock);
	/* refused while it changes: the words belong together */
	store_release(&device->translation, AMD_DEVICE_VALID | AMD_DEVICE_TRANSLATED);
	amd_device_changed(requester, d->id);
	store_release(&device->domain, (device->domain & ~0xffffull) | d->id);
	store_release(&device->translation, hpa_raw(mfn_to_hpa(heap_to_mfn(d->table.root))) |
						    AMD_DEVICE_LEVELS(d->table.levels) |
						    AMD_DEVICE_READ | AMD_DEVICE_WRITE |
						    AMD_DEVICE_TRANSLATED | AMD_DEVICE_VALID);
	amd_device_changed(requester, d->id);
	spin_unlock(&lock);
	return 0;
}

static int assign(struct iommu_domain *d, struct pci_bdf bdf)
{
	u16 requester = pci_requester(bdf), alias = amd_alias_of(requester);
	int rc;

	if (bdf.segment != 0) {
		return -ENODEV;
	}
	rc = assign_one(d, requester);
	if (rc || alias == requester) {
		return rc;
	}
	return assign_one(d, alias);
}

static void flush(struct iommu_domain *d)
{
	unsigned int i;

	for (i = 0; i < amd_unit_count; i++) {
		amd_cmd_flush_domain(&amd_units[i], d->id);
	}
}

const struct iommu_backend amd_backend = {
	.name = "AMD-Vi",
	.setup = setup,
	.start = start,
	.assign = assign,
	.flush = flush,
	.irq_map_msi = amd_irq_map_msi,
	.irq_unmap_msi = amd_irq_unmap_msi,
	.irq_map_ioapic = amd_irq_map_ioapic,
};

#ifdef HV_UNIT
void amd_forget_all(void)
{
	amd_unit_count = 0;
	device_order = 0;
	device_count = 0;
	amd_remap_forget_all();
}
#endif
