// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/contract/host.h"
#include "arch/x86/host/layout.h"
#include "arch/x86/host/paging.h"

/* Canonical address of entry i at a level below a prefix. */
static unsigned long extend(unsigned long prefix, unsigned int i, unsigned int level)
{
	unsigned long address = prefix | (unsigned long)i << (PAGE_SHIFT + 9 * (level - 1));

	return level == 4 && i >= PAGE_ENTRIES / 2 ? address | 0xffff000000000000ul : address;
}

void arch_host_map_walk(cpu_t cpu,
			void (*visit)(void *context, unsigned long virtual_address, mfn_t first,
				      unsigned int order, bool is_window),
			void *context)
{
	const pte_t *table[5];
	unsigned int index[5] = {0}, level = 4;
	unsigned long prefix[5] = {0}, address;
	pte_t entry;

	table[4] = arch_heap_address(hpa_to_mfn(paging_root_of(cpu)));
	index[4] = 1; /* 0 is the boot map, whose tables are not in the heap */
	while (level <= 4) {
		if (index[level] == PAGE_ENTRIES) {
			level++;
			continue;
		}
		entry = load_relaxed(&table[level][index[level]]);
		address = extend(prefix[level], index[level], level);
		index[level]++;
		if (!(entry & PTE_PRESENT)) {
			continue;
		}
		if (level == 1 || (level < 4 && (entry & PTE_LARGE))) {
			visit(context, address, pte_mfn(entry & (level == 1 ? ~0ull : ~(pte_t)PTE_PAT_LARGE)),
			      9 * (level - 1), address - WINDOW_BASE < WINDOW_SLOTS * PAGE_SIZE);
			continue;
		}
		level--;
		table[level] = arch_heap_address(pte_mfn(entry));
		prefix[level] = address;
		index[level] = 0;
	}
}
