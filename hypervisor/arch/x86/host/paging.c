// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86/host/paging.h"

#include "arch/contract/host.h"
#include "arch/x86/host/layout.h"
#include "asm/regs.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "hv/error.h"
#include "lib/string.h"

#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)
#define MMIO_FLAGS  (PTE_DATA | PTE_NO_CACHE | PTE_WRITE_THROUGH)
#define SIZE_2M	    (1ul << 21)

static RO_AFTER_INIT hpa_t roots[CPU_MAX];
static RO_AFTER_INIT pte_t *shared_root;
static RO_AFTER_INIT void *(*table_source)(void);
static u64 pool_start, pool_next, pool_end; /* physical; next is end when it is used up */
static bool is_early = true;	/* tables are reached through the boot map */
static unsigned long mmio_next = MMIO_BASE;

static pte_t *table_at(mfn_t mfn)
{
	u64 physical = hpa_raw(mfn_to_hpa(mfn));

	return (pte_t *)(is_early ? physical : HEAP_BASE + physical);
}

static mfn_t table_mfn(const pte_t *table)
{
	return mfn_of(((u64)table - (is_early ? 0 : HEAP_BASE)) >> PAGE_SHIFT);
}

static pte_t *table_alloc(void)
{
	pte_t *table;

	if (table_source) {
		return table_source();
	}
	if (pool_next == pool_end) {
		return NULL;
	}
	table = table_at(mfn_of(pool_next >> PAGE_SHIFT));
	pool_next += PAGE_SIZE;
	memset(table, 0, PAGE_SIZE);
	return table;
}

/* The entry for an address at a level (1: 4 KiB leaf, 2: 2 MiB leaf); makes tables above it. */
static pte_t *entry_for(pte_t *root, unsigned long address, unsigned int level)
{
	pte_t *table = root, *entry, *below;
	unsigned int at;

	for (at = 4; at > level; at--) {
		entry = &table[pte_index(address, at)];
		if (*entry & PTE_PRESENT) {
			CHECK(!(*entry & PTE_LARGE) || at == 4);
			table = table_at(pte_mfn(*entry));
			continue;
		}
		below = table_alloc();
		if (!below) {
			return NULL;
		}
		*entry = pte_of(table_mfn(below), TABLE_FLAGS);
		table = below;
	}
	return &table[pte_index(address, level)];
}

static bool map_page(pte_t *root, unsigned long address, mfn_t mfn, u64 flags)
{
	pte_t *entry = entry_for(root, address, 1);

	if (!entry) {
		return false;
	}
	*entry = pte_of(mfn, flags);
	return true;
}

static bool map_large(pte_t *root, unsigned long address, mfn_t mfn, u64 flags)
{
	pte_t *entry = entry_for(root, address, 2);

	if (!entry) {
		return false;
	}
	*entry = pte_of(mfn, flags | PTE_LARGE);
	return true;
}

static void map_image_part(const char *from, const char *to, u64 flags)
{
	unsigned long at;

	for (at = (unsigned long)from; at < (unsigned long)to; at += PAGE_SIZE) {
		CHECK(map_page(shared_root, at, hpa_to_mfn(image_physical((void *)at)), flags));
	}
}

/* Pages of a stack slot that are there; the others are guards. */
static bool is_stack_page(unsigned long offset)
{
	return offset == STACK_DF_TOP - PAGE_SIZE || offset == STACK_NMI_TOP - PAGE_SIZE ||
	       offset == STACK_MC_TOP - PAGE_SIZE || offset >= STACK_MAIN_BOTTOM;
}

static void map_image(void)
{
	unsigned long offset;

	map_image_part(text_start, text_end, PTE_PRESENT | PTE_ACCESSED);
	map_image_part(rodata_start, rodata_end, PTE_PRESENT | PTE_ACCESSED | PTE_NX);
	map_image_part(ro_after_init_start, image_end, PTE_DATA);
	for (offset = 0; offset < STACK_SLOT_SIZE; offset += PAGE_SIZE) {
		if (!is_stack_page(offset)) {
			*entry_for(shared_root, (unsigned long)boot_stack_slot + offset, 1) = 0;
		}
	}
}

/* The PML4 entries that roots share must all be there before the first root is copied. */
static void make_shared_entries(hpa_t ram_end)
{
	unsigned long at;

	for (at = 0; at < hpa_raw(ram_end); at += 1ul << 30) {
		CHECK(entry_for(shared_root, HEAP_BASE + at, 2));
	}
	CHECK(entry_for(shared_root, FRAME_TABLE_BASE, 3));
	CHECK(entry_for(shared_root, MMIO_BASE, 3));
	CHECK(entry_for(shared_root, STACK_AREA_BASE, 3));
}

/* The table of the windows maps itself, so that a CPU changes its own without looking for it. */
static bool add_windows(pte_t *root)
{
	pte_t *table = entry_for(root, WINDOW_BASE, 1);

	if (!table) {
		return false;
	}
	table[pte_index(WINDOW_TABLE, 1)] = pte_of(table_mfn(table), PTE_DATA);
	return true;
}

struct hpa_range arch_image_range(void)
{
	return (struct hpa_range){image_physical(image_start), image_physical(image_end)};
}

bool arch_start_part(unsigned int i, struct hpa_range *out)
{
	switch (i) {
	case 0:
		*out = (struct hpa_range){image_physical(start_text_start), image_physical(start_text_end)};
		return true;
	case 1:
		*out = (struct hpa_range){image_physical(start_rodata_start), image_physical(start_rodata_end)};
		return true;
	default:
		return false;
	}
}

u64 paging_pool_bytes(hpa_t ram_end)
{
	u64 tables = (hpa_raw(ram_end) >> 30) + 1 + (hpa_raw(ram_end) >> 39) + 1 + 64;

	return ROUND_UP(tables * PAGE_SIZE, SIZE_2M);
}

void paging_setup(hpa_t pool, u64 pool_bytes, hpa_t ram_end)
{
	u64 at;

	pool_start = hpa_raw(pool);
	pool_next = pool_start;
	pool_end = pool_next + pool_bytes;
	shared_root = table_alloc();
	CHECK(shared_root);
	map_image();
	make_shared_entries(ram_end);
	for (at = 0; at < pool_bytes; at += SIZE_2M) {
		CHECK(map_large(shared_root, HEAP_BASE + hpa_raw(pool) + at,
				hpa_to_mfn(hpa_add(pool, at)), PTE_DATA));
	}
	CHECK(add_windows(shared_root));
	shared_root[0] = boot_pml4[0];
	roots[0] = mfn_to_hpa(table_mfn(shared_root));
	cr3_write(hpa_raw(roots[0]));

	shared_root = (pte_t *)(HEAP_BASE + (u64)shared_root);
	is_early = false;
}

u64 paging_set_table_source(void *(*alloc)(void))
{
	table_source = alloc;
	return pool_next - pool_start;
}

void paging_map_frame_table(unsigned long virtual_address, hpa_t memory)
{
	CHECK(map_large(shared_root, virtual_address, hpa_to_mfn(memory), PTE_DATA));
}

static bool map_stack(cpu_t cpu)
{
	unsigned long base = STACK_AREA_BASE + (unsigned long)cpu * STACK_SLOT_SIZE, offset;
	void *page;

	for (offset = 0; offset < STACK_SLOT_SIZE; offset += PAGE_SIZE) {
		if (!is_stack_page(offset)) {
			continue;
		}
		page = table_source();
		if (!page || !map_page(shared_root, base + offset, arch_heap_mfn(page), PTE_DATA)) {
			return false;
		}
	}
	return true;
}

bool paging_add_cpu(cpu_t cpu, hpa_t *root, void **stack_top)
{
	pte_t *table = table_alloc();
	unsigned int i;

	if (!table || !map_stack(cpu)) {
		return false;
	}
	for (i = PAGE_ENTRIES / 2; i < PAGE_ENTRIES; i++) {
		if (i != pte_index(WINDOW_BASE, 4)) {
			table[i] = shared_root[i];
		}
	}
	if (!add_windows(table)) {
		return false;
	}
	roots[cpu] = mfn_to_hpa(table_mfn(table));
	*root = roots[cpu];
	*stack_top = (void *)(STACK_AREA_BASE + (unsigned long)(cpu + 1) * STACK_SLOT_SIZE -
			      sizeof(struct cpu_info));
	return true;
}

hpa_t paging_root_of(cpu_t cpu)
{
	return roots[cpu];
}

static void flush_all_here(void *data)
{
	cr3_write(cr3_read());
}

static void make_read_only(const char *from, const char *to)
{
	unsigned long at;

	for (at = (unsigned long)from; at < (unsigned long)to; at += PAGE_SIZE) {
		*entry_for(shared_root, at, 1) &= ~(pte_t)PTE_WRITE;
	}
}

static void unmap(const char *from, const char *to)
{
	unsigned long at;

	for (at = (unsigned long)from; at < (unsigned long)to; at += PAGE_SIZE) {
		*entry_for(shared_root, at, 1) = 0;
	}
}

void paging_protect_after_init(void)
{
	unmap(start_text_start, start_text_end);
	unmap(start_rodata_start, start_rodata_end);
	make_read_only(ro_after_init_start, ro_after_init_end);
	make_read_only(ro_after_init_bss_start, ro_after_init_bss_end);
	smp_call(smp_online(), flush_all_here, NULL);
}

/* --- arch/contract/host.h --- */

int arch_heap_chunk_map(mfn_t first)
{
	pte_t *entry = entry_for(shared_root, HEAP_BASE + hpa_raw(mfn_to_hpa(first)), 2);

	if (!entry) {
		return -ENOMEM;
	}
	store_release(entry, pte_of(first, PTE_DATA | PTE_LARGE));
	return 0;
}

void *arch_heap_address(mfn_t mfn)
{
	return (void *)(HEAP_BASE + hpa_raw(mfn_to_hpa(mfn)));
}

mfn_t arch_heap_mfn(const void *p)
{
	unsigned long address = (unsigned long)p;

	CHECK(address >= HEAP_BASE && address < HEAP_LIMIT);
	return mfn_of((address - HEAP_BASE) >> PAGE_SHIFT);
}

void *arch_mmio_map(hpa_t base, size_t size_bytes)
{
	u64 first = hpa_raw(base) & PAGE_MASK, end = hpa_raw(base) + size_bytes, at, step;
	bool is_large = !(first % SIZE_2M) && size_bytes >= SIZE_2M;
	unsigned long start;

	mmio_next = ROUND_UP(mmio_next, is_large ? SIZE_2M : PAGE_SIZE);
	start = mmio_next;
	if (end < first || end - first > MMIO_LIMIT - start) {
		return NULL;
	}
	for (at = first; at < end; at += step) {
		step = is_large && end - at >= SIZE_2M ? SIZE_2M : PAGE_SIZE;
		if (!(step == SIZE_2M ? map_large : map_page)(shared_root, start + (at - first),
							      hpa_to_mfn(hpa_of(at)), MMIO_FLAGS)) {
			return NULL;
		}
	}
	mmio_next = start + (at - first);
	return (void *)(start + (hpa_raw(base) - first));
}

const void *arch_boot_map(hpa_t base, u64 size_bytes)
{
	if (hpa_raw(base) >= 1ull << 32 || size_bytes > (1ull << 32) - hpa_raw(base)) {
		return NULL;
	}
	CHECK(is_early || shared_root[0]);
	return (const void *)hpa_raw(base);
}

void arch_boot_map_end(void)
{
	shared_root[0] = 0;
	cr3_write(cr3_read());
}
