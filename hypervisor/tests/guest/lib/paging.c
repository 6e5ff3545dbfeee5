/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#define MAX_SPLITS 16

extern uint64_t boot_pd[];

static uint64_t tables[MAX_SPLITS][512] __attribute__((aligned(PAGE_SIZE)));
static unsigned tables_used;

void map_page(uint64_t virt, uint64_t pte)
{
	uint64_t *pde = &boot_pd[virt >> 21];
	uint64_t *table;

	if (*pde & 0x80) {
		uint64_t base = *pde & ~0x1fffffUL;

		if (tables_used == MAX_SPLITS) {
			finish("FAIL", "map_page: too many regions");
		}
		table = tables[tables_used++];
		for (unsigned i = 0; i < 512; i++) {
			table[i] = base + i * PAGE_SIZE + (PTE_P | PTE_W);
		}
		*pde = (uint64_t)table | PTE_P | PTE_W | PTE_U;
	}
	table = (uint64_t *)(*pde & ~0xfffUL);
	table[virt >> 12 & 511] = pte;
	__asm__ volatile("invlpg (%0)" : : "r"(virt) : "memory");
}
