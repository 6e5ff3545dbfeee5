/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory map: in the start info, by hypercall, and in what can be written. */
#include "lib/guest.h"

#include <xen/memory.h>

#define E820_RAM    1
#define MAX_ENTRIES 128

struct e820_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

extern uint8_t guest_end[];

static struct e820_entry entries[MAX_ENTRIES];

static long get_map(unsigned *count)
{
	struct xen_memory_map map = {.nr_entries = MAX_ENTRIES};
	long rc;

	set_xen_guest_handle(map.buffer, entries);
	rc = hypercall2(__HYPERVISOR_memory_op, XENMEM_memory_map, &map);
	*count = map.nr_entries;
	return rc;
}

TEST(hypercall_gives_a_map)
{
	unsigned count = 0;

	EXPECT_EQ(get_map(&count), 0);
	EXPECT(count >= 2 && count <= MAX_ENTRIES);
}

TEST(ranges_do_not_overlap_and_do_not_wrap)
{
	unsigned count = 0;

	get_map(&count);
	for (unsigned i = 0; i < count; i++) {
		EXPECT(entries[i].size > 0);
		EXPECT(entries[i].addr + entries[i].size > entries[i].addr);
		for (unsigned k = 0; k < i; k++) { /* a toolstack need not sort them */
			EXPECT(entries[i].addr >= entries[k].addr + entries[k].size ||
			       entries[k].addr >= entries[i].addr + entries[i].size);
		}
	}
}

TEST(ram_covers_this_guest)
{
	unsigned count = 0;
	bool is_covered = false;

	get_map(&count);
	for (unsigned i = 0; i < count; i++) {
		is_covered |= entries[i].type == E820_RAM && entries[i].addr <= 0x200000 &&
			      entries[i].addr + entries[i].size >= (uint64_t)guest_end;
	}
	EXPECT(is_covered);
}

TEST(start_info_has_the_same_map)
{
	struct hvm_start_info *info = start_info();
	const struct hvm_memmap_table_entry *table;
	unsigned count = 0;

	get_map(&count);
	if (info->version < 1) {
		return;
	}
	table = (const struct hvm_memmap_table_entry *)info->memmap_paddr;
	if (!EXPECT_EQ(info->memmap_entries, count)) {
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		EXPECT_EQ(table[i].addr, entries[i].addr);
		EXPECT_EQ(table[i].size, entries[i].size);
		EXPECT_EQ(table[i].type, entries[i].type);
	}
}

TEST(ram_below_4_gib_can_be_written)
{
	unsigned count = 0;
	uint64_t pages = 0;

	get_map(&count);
	for (unsigned i = 0; i < count; i++) {
		uint64_t at = entries[i].addr;
		uint64_t end = at + entries[i].size;

		if (entries[i].type != E820_RAM) {
			continue;
		}
		at = at < (uint64_t)guest_end + 0x400000 ? (uint64_t)guest_end + 0x400000 : at;
		for (at = (at + 0xfff) & ~0xfffUL; at + 4096 <= end && at < 1UL << 32;
		     at += 0x10000) {
			volatile uint64_t *word = (uint64_t *)at;
			uint64_t before = *word;

			*word = at ^ 0x5555;
			if (*word != (at ^ 0x5555)) {
				test_failed(__FILE__, __LINE__, "ram holds a word", (long)at, 0);
				return;
			}
			*word = before;
			pages++;
		}
	}
	EXPECT(pages > 100);
}

TEST(too_small_a_buffer_is_refused_or_cut)
{
	struct xen_memory_map map = {.nr_entries = 1};

	set_xen_guest_handle(map.buffer, entries);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_memory_map, &map), 0);
	EXPECT_EQ(map.nr_entries, 1);
}

/* The machine's own map is for PV domains. */
TEST(machine_memory_map_is_not_for_pvh)
{
	struct xen_memory_map map = {.nr_entries = MAX_ENTRIES};

	set_xen_guest_handle(map.buffer, entries);
	EXPECT_EQ(hypercall2(__HYPERVISOR_memory_op, XENMEM_machine_memory_map, &map), -ENOSYS);
}
