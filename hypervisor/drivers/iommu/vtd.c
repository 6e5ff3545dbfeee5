/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drivers/iommu/vtd.h"

#include "arch/contract/host.h"
#include "core/log.h"
#include "drivers/acpi/acpi.h"
#include "mm/heap.h"

#define COMMAND_MAX_NS NS_PER_SEC
#define SEGMENT_MAX    4u

/* Root and context entries, sections 9.1 and 9.3. */
#define ROOT_PRESENT	  BIT(0)
#define CONTEXT_PRESENT	  BIT(0)
#define CONTEXT_WIDTH(l)  ((u64)(l)-2) /* 3 levels: 1, 4 levels: 2 */
#define CONTEXT_DOMAIN(i) ((u64)(i) << 8)

/* Second-level entries, section 9.8. */
#define LEAF_LARGE BIT(7)

/* Fault recording, section 11.4.14. */
#define FAULT_STATUS_OVERFLOW BIT(0)
#define FAULT_STATUS_PENDING  BIT(1)
#define FAULT_VALID	      BIT(31) /* of the last of four words */
#define FAULT_IS_READ	      BIT(30)
#define FAULT_MASKED	      BIT(31)
#define FAULT_REASON_REMAP    0x20 /* from here on: interrupts */

struct root_entry {
	u64 low, high;
};
struct context_entry {
	u64 low, high;
};
struct segment {
	u16 number;
	struct root_entry *root;
};

struct vtd_unit vtd_units[ACPI_IOMMU_MAX];
unsigned int vtd_unit_count;
static struct segment segments[SEGMENT_MAX];
static unsigned int segment_count;
static unsigned int levels RO_AFTER_INIT;
static bool is_coherent RO_AFTER_INIT_DATA = true;
static bool caches_empty RO_AFTER_INIT;
static struct spinlock lock = SPINLOCK_INIT(LOCK_IOMMU); /* root and context tables */

/* --- table format --- */

static u64 leaf(mfn_t mfn, unsigned int level, unsigned int access)
{
	return hpa_raw(mfn_to_hpa(mfn)) | (level > 1 ? LEAF_LARGE : 0) | access;
}

static u64 table(mfn_t mfn, unsigned int level)
{
	return hpa_raw(mfn_to_hpa(mfn)) | IOMMU_READ | IOMMU_WRITE;
}

static bool is_leaf(u64 entry, unsigned int level)
{
	return level == 1 || entry & LEAF_LARGE;
}

static unsigned int access_of(u64 entry)
{
	return entry & (IOMMU_READ | IOMMU_WRITE);
}

static const struct iommu_format format = {
	.leaf = leaf,
	.table = table,
	.is_leaf = is_leaf,
	.access = access_of,
	.present = IOMMU_READ | IOMMU_WRITE,
};

/* --- registers --- */

bool vtd_command(struct vtd_unit *unit, u64 bit, bool is_on)
{
	/* section 11.4.4: what is on must be written again, one change at a time */
	u32 lasting = (u32)(VTD_TRANSLATION | VTD_QUEUE | VTD_REMAPPING | VTD_COMPATIBLE);
	u32 command = mmio_read32(unit->registers + VTD_GSTS) & lasting;
	ns_t deadline = arch_clock_read() + COMMAND_MAX_NS;

	command = is_on ? command | (u32)bit : command & ~(u32)bit;
	mmio_write32(unit->registers + VTD_GCMD, command);
	while (((mmio_read32(unit->registers + VTD_GSTS) & bit) != 0) != is_on) {
		if (arch_clock_read() > deadline) {
			return false;
		}
		arch_cpu_relax();
	}
	return true;
}

/* Firmware, or a loader, may have used it. */
static bool quiesce(struct vtd_unit *unit)
{
	u32 status = mmio_read32(unit->registers + VTD_GSTS);

	if ((status & VTD_TRANSLATION && !vtd_command(unit, VTD_TRANSLATION, false)) ||
	    (status & VTD_REMAPPING && !vtd_command(unit, VTD_REMAPPING, false)) ||
	    (status & VTD_COMPATIBLE && !vtd_command(unit, VTD_COMPATIBLE, false)) ||
	    (status & VTD_QUEUE && !vtd_command(unit, VTD_QUEUE, false))) {
		return false;
	}
	if (VTD_CAP_PROTECTED(unit->cap)) {
		mmio_write32(unit->registers + VTD_PMEN, 0);
	}
	return true;
}

/* --- faults --- */

static void report_one(struct vtd_unit *unit, u8 *record)
{
	u64 address = mmio_read64(record);
	u64 high = mmio_read64(record + 8);
	u32 reason = (u32)(high >> 32 & 0xff);

	if (reason >= FAULT_REASON_REMAP) {
		/* the address field has the index of the entry in its upper half */
		iommu_report_fault(unit->segment, (u16)high, address >> 48, true,
				   "interrupt with entry,", reason);
	} else {
		iommu_report_fault(unit->segment, (u16)high, address & PAGE_MASK,
				   !(high >> 32 & FAULT_IS_READ), "DMA", reason);
	}
}

/* Interrupt context. */
static void handle_fault(void *data)
{
	struct vtd_unit *unit = data;
	u32 status = mmio_read32(unit->registers + VTD_FSTS);
	unsigned int i, count = VTD_CAP_FAULT_COUNT(unit->cap);

	for (i = 0; i < count && status & FAULT_STATUS_PENDING; i++) {
		u8 *record = unit->registers + VTD_CAP_FAULT_OFFSET(unit->cap) + 16 * i;
		u32 top = mmio_read32(record + 12);

		if (top & FAULT_VALID) {
			report_one(unit, record);
			mmio_write32(record + 12, (u32)FAULT_VALID); /* write one to clear */
		}
	}
	mmio_write32(unit->registers + VTD_FSTS, FAULT_STATUS_OVERFLOW);
}

/* A plain message straight to the CPU: a unit's own interrupts are not remapped (5.1.8). */
static void setup_faults(struct vtd_unit *unit)
{
	struct irq_target target;
	u32 destination = arch_irq_destination(0);

	if (irq_alloc(0, handle_fault, unit, &target)) {
		log_warning("IOMMU: no vector for refusals; they are not reported\n");
		return;
	}
	mmio_write32(unit->registers + VTD_FEDATA, target.vector);
	mmio_write32(unit->registers + VTD_FEADDR, 0xfee00000u | (destination & 0xff) << 12);
	mmio_write32(unit->registers + VTD_FEUADDR, destination & ~0xffu);
	handle_fault(unit); /* what is left from before */
	mmio_write32(unit->registers + VTD_FECTL, 0);
}

/* --- setup --- */

static struct segment *segment_find(u16 number)
{
	unsigned int i;

	for (i = 0; i < segment_count; i++) {
		if (segments[i].number == number) {
			return &segments[i];
		}
	}
	return NULL;
}

static struct segment *segment_create(u16 number)
{
	struct segment *s = segment_find(number);

	if (s || segment_count == SEGMENT_MAX) {
		return s;
	}
	s = &segments[segment_count];
	s->number = number;
	s->root = heap_alloc_pages(0);
	if (!s->root) {
		return NULL;
	}
	arch_cache_write_back(s->root, PAGE_SIZE);
	segment_count++;
	return s;
}

static const char *unit_check(const struct vtd_unit *unit, u64 *sagaw, u64 *large)
{
	if (unit->cap == ~0ull || unit->ecap == ~0ull) {
		return "a unit does not answer";
	}
	if (!VTD_ECAP_QUEUE(unit->ecap)) {
		return "a unit has no queued invalidation";
	}
	if (VTD_CAP_DOMAINS(unit->cap) < IOMMU_DOMAIN_MAX) {
		return "a unit knows too few domains";
	}
	*sagaw &= VTD_CAP_SAGAW(unit->cap);
	*large &= VTD_CAP_LARGE(unit->cap);
	is_coherent &= VTD_ECAP_COHERENT(unit->ecap);
	caches_empty |= VTD_CAP_CACHING_MODE(unit->cap) | VTD_CAP_WRITE_FLUSH(unit->cap);
	return NULL;
}

static const char *unit_add(const struct acpi_drhd *drhd, u64 *sagaw, u64 *large)
{
	struct vtd_unit *unit = &vtd_units[vtd_unit_count];
	const char *why;

	/* one page has the general registers; fault records may lie further back */
	unit->registers = arch_mmio_map(drhd->base, 4 * PAGE_SIZE);
	if (!unit->registers) {
		return "there is no address space for its registers";
	}
	unit->segment = drhd->segment;
	unit->cap = mmio_read64(unit->registers + VTD_CAP);
	unit->ecap = mmio_read64(unit->registers + VTD_ECAP);
	why = unit_check(unit, sagaw, large);
	if (why) {
		return why;
	}
	if (VTD_CAP_FAULT_OFFSET(unit->cap) + 16 * VTD_CAP_FAULT_COUNT(unit->cap) > 4 * PAGE_SIZE) {
		return "a unit's fault records are too far away";
	}
	if (!segment_create(unit->segment)) {
		return "there is no memory for its tables";
	}
	if (!quiesce(unit) || !vtd_queue_setup(unit)) {
		return "a unit does not obey";
	}
	vtd_unit_count++;
	return NULL;
}

static bool unit_set_root(struct vtd_unit *unit)
{
	const struct segment *s = segment_find(unit->segment);

	mmio_write64(unit->registers + VTD_RTADDR, hpa_raw(mfn_to_hpa(heap_to_mfn(s->root))));
	if (!vtd_command(unit, VTD_SET_ROOT, true)) {
		return false;
	}
	vtd_flush_contexts(unit);
	return true;
}

static bool setup(struct iommu_table *template, bool *has_remapping, const char **why)
{
	u64 sagaw = VTD_SAGAW_39 | VTD_SAGAW_48, large = 3;
	bool can_remap = acpi_info.dmar.has_interrupt_remapping;
	unsigned int i;

	for (i = 0; i < acpi_info.dmar.drhd_count; i++) {
		*why = unit_add(&acpi_info.dmar.drhds[i], &sagaw, &large);
		if (*why) {
			return false;
		}
		can_remap &= VTD_ECAP_REMAPPING(vtd_units[i].ecap);
	}
	if (vtd_unit_count == 0 || sagaw == 0) {
		*why = vtd_unit_count ? "its units have no table depth in common"
				      : "the DMAR names no unit";
		return false;
	}
	levels = sagaw & VTD_SAGAW_48 ? 4 : 3;
	*template = (struct iommu_table){
		.format = &format,
		.levels = levels,
		.large_levels = (unsigned int)(large == 3   ? 6
					       : large == 1 ? 2
							    : 0),
		.needs_write_back = !is_coherent,
		.caches_empty = caches_empty,
	};
	for (i = 0; i < vtd_unit_count; i++) {
		if (!unit_set_root(&vtd_units[i])) {
			*why = "a unit does not take its tables";
			return false;
		}
	}
	*has_remapping = can_remap;
	if (can_remap && !vtd_remap_setup(why)) {
		return false;
	}
	for (i = 0; i < vtd_unit_count; i++) {
		setup_faults(&vtd_units[i]);
	}
	return true;
}

static void start(void)
{
	unsigned int i;

	for (i = 0; i < vtd_unit_count; i++) {
		struct vtd_unit *unit = &vtd_units[i];

		vtd_flush_contexts(unit);
		CHECK(vtd_command(unit, VTD_TRANSLATION, true));
	}
}

/* --- devices --- */

static struct context_entry *context_of(struct root_entry *root, struct pci_bdf bdf)
{
	struct root_entry *r = &root[bdf.bus];
	struct context_entry *contexts;

	if (r->low & ROOT_PRESENT) {
		contexts = heap_from_mfn(hpa_to_mfn(hpa_of(r->low & IOMMU_ADDRESS_MASK)));
		return &contexts[bdf.devfn];
	}
	contexts = heap_alloc_pages(0);
	if (!contexts) {
		return NULL;
	}
	arch_cache_write_back(contexts, PAGE_SIZE);
	store_release(&r->low, hpa_raw(mfn_to_hpa(heap_to_mfn(contexts))) | ROOT_PRESENT);
	arch_cache_write_back(r, sizeof(*r));
	return &contexts[bdf.devfn];
}

static int assign(struct iommu_domain *d, struct pci_bdf bdf)
{
	const struct segment *s = segment_find(bdf.segment);
	struct context_entry *c;
	u16 old_id;
	unsigned int i;

	if (!s) {
		return -ENODEV;
	}
	spin_lock(&lock);
	c = context_of(s->root, bdf);
	if (!c) {
		spin_unlock(&lock);
		return -ENOMEM;
	}
	old_id = c->low & CONTEXT_PRESENT ? (u16)(c->high >> 8) : 0;
	/* not present while it changes: both words belong together */
	store_relaxed(&c->low, 0);
	arch_cache_write_back(c, sizeof(*c));
	store_relaxed(&c->high, CONTEXT_DOMAIN(d->id) | CONTEXT_WIDTH(d->table.levels));
	store_release(&c->low, hpa_raw(mfn_to_hpa(heap_to_mfn(d->table.root))) | CONTEXT_PRESENT);
	arch_cache_write_back(c, sizeof(*c));
	spin_unlock(&lock);
	for (i = 0; i < vtd_unit_count; i++) {
		if (old_id || VTD_CAP_CACHING_MODE(vtd_units[i].cap)) {
			vtd_flush_context(&vtd_units[i], old_id, pci_requester(bdf));
		}
		if (VTD_CAP_WRITE_FLUSH(vtd_units[i].cap)) {
			vtd_flush_contexts(&vtd_units[i]);
		}
	}
	return 0;
}

static void flush(struct iommu_domain *d)
{
	unsigned int i;

	for (i = 0; i < vtd_unit_count; i++) {
		vtd_flush_domain(&vtd_units[i], d->id);
	}
}

const struct iommu_backend vtd_backend = {
	.name = "Intel VT-d",
	.setup = setup,
	.start = start,
	.assign = assign,
	.flush = flush,
	.irq_map_msi = vtd_irq_map_msi,
	.irq_unmap_msi = vtd_irq_unmap_msi,
	.irq_map_ioapic = vtd_irq_map_ioapic,
};

#ifdef HV_UNIT
void vtd_forget_all(void)
{
	vtd_unit_count = 0;
	segment_count = 0;
	is_coherent = true;
	caches_empty = false;
	vtd_remap_forget_all();
}
#endif
