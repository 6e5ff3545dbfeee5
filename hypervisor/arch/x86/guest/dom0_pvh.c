/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first domain as a PVH guest: memory, firmware tables, loader, start state
 * (<xen/arch-x86/hvm/start_info.h>, and "PVH" of Xen's guest documentation for the registers).
 */
#include "arch/contract/dom0.h"

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/xen.h>

#include "arch/x86/guest/dom0_acpi.h"
#include "arch/x86/guest/dom0_plan.h"
#include "arch/x86/guest/hvm.h"
#include "arch/x86/guest/trap.h"
#include "core/log.h"
#include "core/panic.h"
#include "drivers/acpi/acpi.h"
#include "drivers/uart/ns16550.h"
#include "lib/string.h"
#include "loader/interface.h"
#include "memory/guest_access.h"
#include "memory/p2m.h"
#include "memory/physmap.h"
#include "mm/frame_alloc.h"
#include "mm/window.h"

#define SIZE_1M	   (1ull << 20)
#define SIZE_4G	   (1ull << 32)
#define INFO_BYTES LOADER_INFO_BYTES

#define LAPIC_SPAN_START  0xfee00000ull /* registers, and where messages are sent */
#define LAPIC_SPAN_END	  0xfef00000ull
#define IOMMU_INTEL_BYTES 0x1000u
#define IOMMU_AMD_BYTES	  0x80000u

/* All of this is too large for the stack, and needed once. */
static INIT_DATA struct dom0_plan_input plan_input;
static INIT_DATA struct dom0_plan plan;
static INIT_DATA u8 acpi_bytes[DOM0_ACPI_BYTES];
static INIT_DATA u8 info_bytes[INFO_BYTES];

/* The image of the dom0 loader, as the build made it. */
extern const u8 loader_image[], loader_image_end[];

struct placement {
	u64 loader; /* guest physical */
	u64 kernel, initrd;
	u64 rsdp;
};

/* --- what is not the domain's --- */

static void exclude(u64 start, u64 size_bytes)
{
	if (plan_input.excluded_count < DOM0_EXCLUDED_MAX && start && size_bytes) {
		plan_input.excluded[plan_input.excluded_count++] = (struct dom0_span){
			.start = start & PAGE_MASK,
			.end = ROUND_UP(start + size_bytes, PAGE_SIZE),
		};
	}
}

static void exclude_devices(void)
{
	const struct acpi_info *acpi = &acpi_info;
	unsigned int i;

	_Static_assert(2 + ACPI_IOAPIC_MAX + ACPI_MCFG_MAX + 2 * ACPI_IOMMU_MAX <=
			       DOM0_EXCLUDED_MAX,
		       "every device that is kept has a place");
	exclude(LAPIC_SPAN_START, LAPIC_SPAN_END - LAPIC_SPAN_START);
	exclude(hpa_raw(acpi->hpet), PAGE_SIZE);
	for (i = 0; i < acpi->ioapic_count; i++) {
		exclude(hpa_raw(acpi->ioapics[i].address), PAGE_SIZE);
	}
	for (i = 0; i < acpi->mcfg_count; i++) {
		const struct acpi_mcfg *m = &acpi->mcfg[i];

		exclude(hpa_raw(m->base) + ((u64)m->bus_first << 20),
			(u64)(m->bus_last - m->bus_first + 1) << 20);
	}
	for (i = 0; i < acpi->dmar.drhd_count; i++) {
		exclude(hpa_raw(acpi->dmar.drhds[i].base), IOMMU_INTEL_BYTES);
	}
	for (i = 0; i < acpi->ivrs.ivhd_count; i++) {
		exclude(hpa_raw(acpi->ivrs.ivhds[i].base), IOMMU_AMD_BYTES);
	}
}

static void refuse_ports(struct domain *d)
{
	static const struct {
		u16 first, count;
	} refused[] = {
		{0x20, 2},  {0xa0, 2}, /* interrupt controllers */
		{0x40, 4},	       /* timer */
		{0x61, 1},	       /* its gate */
		{0xcf8, 8},	       /* PCI configuration */
	};
	unsigned int i;

	trap_ports_allow(d, 0, 0x10000, true);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		trap_ports_allow(d, refused[i].first, refused[i].count, false);
	}
	if (acpi_info.pm_timer_port && acpi_info.pm_timer_port <= 0xfffc) {
		trap_ports_allow(d, (u16)acpi_info.pm_timer_port, 4, false);
	}
	for (i = 0; i < 0x10000; i += 8) {
		if (ns16550_owns_port((u16)i)) {
			trap_ports_allow(d, (u16)i, 8, false);
		}
	}
}

/* --- memory --- */

static void make_plan(const struct dom0_input *in)
{
	const char *why;

	plan_input.host = in->host;
	plan_input.host_count = in->host_count;
	plan_input.ram_bytes = in->ram_bytes;
	plan_input.acpi_bytes = DOM0_ACPI_BYTES;
	exclude_devices();
	if (dom0_plan_make(&plan_input, &plan, &why)) {
		boot_refuse("Cannot build the first domain: %s.", why);
	}
}

static bool is_backed_by_ram(const struct memory_region *r)
{
	return r->type == MEMORY_RAM || r->start == plan.acpi_start;
}

static void put_in_place(struct domain *d, u64 at, mfn_t mfn, unsigned int order, enum p2m_type type)
{
	int rc = p2m_set(d, gpa_to_gfn(gpa_of(at)), mfn, order, type);

	if (rc) {
		boot_refuse("The first domain's memory at %#llx cannot be mapped (error %d): too little "
			    "memory for its page tables. Give it less with dom0_mem=.",
			    (unsigned long long)at, -rc);
	}
}

/* One block that ends at end: the largest that is aligned, fits, and can be had. 0: no memory. */
static u64 populate_block(struct domain *d, u64 start, u64 end)
{
	static const u8 orders[] = {ORDER_1G, ORDER_2M, ORDER_4K};
	struct frame *f;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		u64 size = PAGE_SIZE << orders[i];

		if (end % size || size > end - start) {
			continue;
		}
		f = frame_alloc_domain(d, orders[i], FRAME_ANYWHERE);
		if (!f) {
			continue;
		}
		put_in_place(d, end - size, frame_mfn(f), orders[i], P2M_RAM);
		return size;
	}
	return 0;
}

/*
 * From the top down, because what the loader is given lies there. Goes on at *cursor; false when
 * memory runs out before the bottom is reached.
 */
static bool populate(struct domain *d, u64 *cursor)
{
	unsigned int i = plan.map_count;
	u64 at, size;

	while (i-- > 0) {
		const struct memory_region *r = &plan.map[i];

		if (!is_backed_by_ram(r)) {
			continue;
		}
		for (at = MIN(r->end, *cursor); at > r->start; *cursor = at) {
			size = populate_block(d, r->start, at);
			if (!size) {
				return false;
			}
			at -= size;
		}
	}
	return true;
}

static void map_direct(struct domain *d, u64 at, u64 end, enum p2m_type type)
{
	unsigned int order;
	u64 size;

	for (; at < end; at += size) {
		for (order = ORDER_1G; order; order -= ORDER_2M) {
			size = PAGE_SIZE << order;
			if (at % size == 0 && size <= end - at) {
				break;
			}
		}
		size = PAGE_SIZE << order;
		put_in_place(d, at, hpa_to_mfn(hpa_of(at)), order, type);
	}
}

static void map_devices(struct domain *d)
{
	unsigned int i;

	for (i = 0; i < plan.direct_count; i++) {
		map_direct(d, plan.direct[i].start, plan.direct[i].end, P2M_MMIO);
	}
	if (hpa_raw(acpi_info.hpet)) {
		u64 page = hpa_raw(acpi_info.hpet) & PAGE_MASK;

		map_direct(d, page, page + PAGE_SIZE, P2M_MMIO_RO);
	}
}

static void write_or_refuse(struct domain *d, u64 to, const void *from, u64 size_bytes)
{
	if (guest_phys_write(d, gpa_of(to), from, size_bytes)) {
		boot_refuse("The memory of the first domain has a hole at %#llx.",
			    (unsigned long long)to);
	}
}

/* The BIOS left things in low RAM that kernels look at (BIOS data area, EBDA). */
static void copy_low_memory(struct domain *d)
{
	unsigned int i;
	u64 at;

	for (i = 0; i < plan.map_count; i++) {
		const struct memory_region *r = &plan.map[i];

		for (at = r->start; r->type == MEMORY_RAM && at < MIN(r->end, SIZE_1M);
		     at += PAGE_SIZE) {
			window_copy(p2m_lookup(d, gpa_to_gfn(gpa_of(at))).mfn,
				    hpa_to_mfn(hpa_of(at)));
		}
	}
}

/* --- what the loader is given --- */

static u64 find_below(u64 end, u64 size_bytes, u64 align, const char *what)
{
	u64 at = dom0_plan_find(&plan, SIZE_1M, end, size_bytes, align);

	if (at == ~0ull) {
		boot_refuse("The first domain has %llu MiB of memory: too little for its %s. "
			    "Give it more with dom0_mem=.",
			    (unsigned long long)(plan.ram_bytes >> 20), what);
	}
	return at;
}

/* As high as possible, because kernels want to be low. */
static void place(const struct dom0_input *in, struct placement *out)
{
	out->initrd = find_below(SIZE_4G, in->initrd.size_bytes, PAGE_SIZE, "initrd");
	out->kernel = find_below(out->initrd, in->kernel.size_bytes, PAGE_SIZE, "kernel");
	out->loader = find_below(out->kernel, LOADER_BYTES, LOADER_ALIGN, "loader");
}

static void copy_file(struct domain *d, u64 to, const struct dom0_file *file)
{
	u64 from = hpa_raw(file->start), end = from + file->size_bytes, piece;
	char *page;

	for (; from < end; from += piece, to += piece) {
		piece = MIN(end - from, PAGE_SIZE - page_offset(from));
		page = window_map(hpa_to_mfn(hpa_of(from)));
		write_or_refuse(d, to, page + page_offset(from), piece);
		window_unmap(page);
	}
}

static void load(struct domain *d, const struct dom0_input *in, const struct placement *at)
{
	write_or_refuse(d, at->loader, loader_image, (u64)(loader_image_end - loader_image));
	copy_file(d, at->kernel, &in->kernel);
	copy_file(d, at->initrd, &in->initrd);
}

/* The kernel can read a table unless it lies in what the machine has as RAM. */
static bool is_table_reachable(void *context, const struct acpi_table *table)
{
	const struct dom0_input *in = context;
	u64 start = hpa_raw(table->address), end = start + table->size_bytes;
	unsigned int i;

	for (i = 0; i < in->host_count; i++) {
		if (in->host[i].type == MEMORY_RAM && start < in->host[i].end &&
		    end > in->host[i].start) {
			log_warning("ACPI table %s lies in RAM: hidden from the first domain\n",
				    table->signature);
			return false;
		}
	}
	return true;
}

static void write_acpi(struct domain *d, const struct dom0_input *in, struct placement *at)
{
	if (dom0_acpi_build(&acpi_info, d->vcpu_count, plan.acpi_start, acpi_bytes,
			    is_table_reachable, (void *)(uintptr_t)in, &at->rsdp)) {
		boot_refuse("The ACPI tables for the first domain do not fit.");
	}
	write_or_refuse(d, plan.acpi_start, acpi_bytes, sizeof(acpi_bytes));
}

/* The same map for XENMEM_memory_map. */
static INIT_DATA struct physmap_region hypercall_map[DOM0_MAP_MAX];

static void write_start_info(struct domain *d, const struct dom0_input *in,
			     const struct placement *at)
{
	struct hvm_start_info *info = (void *)info_bytes;
	struct hvm_modlist_entry *module = (void *)(info + 1);
	struct hvm_memmap_table_entry *map = (void *)(module + 2);
	char *command_line = (char *)(map + plan.map_count);
	u64 here = at->loader + LOADER_INFO_AT;
	unsigned int i;

	_Static_assert(sizeof(*info) + 2 * sizeof(*module) + DOM0_MAP_MAX * sizeof(*map) + 2048 <=
			       INFO_BYTES,
		       "everything fits");
	info->magic = XEN_HVM_START_MAGIC_VALUE;
	info->version = 1;
	info->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
	info->rsdp_paddr = at->rsdp;
	info->cmdline_paddr = here + (u64)(command_line - (char *)info_bytes);
	info->memmap_paddr = here + (u64)((u8 *)map - info_bytes);
	info->memmap_entries = plan.map_count;
	info->modlist_paddr = here + (u64)((u8 *)module - info_bytes);
	info->nr_modules = in->initrd.size_bytes ? 2 : 1;
	module[0].paddr = at->kernel;
	module[0].size = in->kernel.size_bytes;
	module[1].paddr = at->initrd;
	module[1].size = in->initrd.size_bytes;
	for (i = 0; i < plan.map_count; i++) {
		map[i].addr = plan.map[i].start;
		map[i].size = plan.map[i].end - plan.map[i].start;
		map[i].type = plan.map[i].type;
		hypercall_map[i] = (struct physmap_region){
			.start = map[i].addr,
			.size_bytes = map[i].size,
			.type = map[i].type,
		};
	}
	if (physmap_set_regions(d, hypercall_map, plan.map_count)) {
		boot_refuse("There is no memory for the first domain's memory map.");
	}
	(void)string_copy(command_line, in->command_line, 2048);
	write_or_refuse(d, here, info_bytes, sizeof(info_bytes));
}

static void set_start_state(struct vcpu *v, u32 entry, u64 start_info)
{
	const struct hvm_segment flat_data = {.attributes = 0xc93, .limit = ~0u};
	struct hvm_cpu_state state = {
		.gpr[GPR_RBX] = start_info,
		.rip = entry,
		.rflags = 2,
		.cr0 = 0x11, /* PE, ET */
		.dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.pat = 0x0007040600070406ull,
	};

	state.seg[SEG_CS] = (struct hvm_segment){.attributes = 0xc9b, .limit = ~0u};
	state.seg[SEG_DS] = state.seg[SEG_ES] = state.seg[SEG_SS] = flat_data;
	state.seg[SEG_TR] = (struct hvm_segment){.attributes = 0x8b, .limit = 0x67};
	hvm->set_state(v, &state);
	store_release(&v->is_initialised, true);
}

void arch_dom0_build(struct domain *d, const struct dom0_input *in)
{
	struct placement at = {0};
	u64 cursor = ~0ull;

	make_plan(in);
	place(in, &at);
	refuse_ports(d);

	/* Kernel and initrd still have memory of their own, so it may run out here: below them. */
	(void)populate(d, &cursor);
	load(d, in, &at);
	in->release();
	if (!populate(d, &cursor)) {
		boot_refuse("The first domain's memory (%llu MiB) is more than there is.",
			    (unsigned long long)(plan.ram_bytes >> 20));
	}
	copy_low_memory(d);
	map_devices(d);
	write_acpi(d, in, &at);
	write_start_info(d, in, &at);
	p2m_flush(d);
	set_start_state(d->vcpus[0], (u32)at.loader, at.loader + LOADER_INFO_AT);
	log_info("first domain: %llu MiB, %u vCPUs, loader at %#llx, kernel file %llu KiB, initrd %llu KiB\n",
		 (unsigned long long)(plan.ram_bytes >> 20), d->vcpu_count,
		 (unsigned long long)at.loader, (unsigned long long)(in->kernel.size_bytes >> 10),
		 (unsigned long long)(in->initrd.size_bytes >> 10));
}
