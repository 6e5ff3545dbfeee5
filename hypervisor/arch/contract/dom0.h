/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the first domain is made of, handed by boot/ to the architecture: plain data, all of it
 * checked already.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

struct domain;

#define KERNEL_SEGMENT_MAX 16u

struct kernel_segment {
	const u8 *bytes;       /* file_size_bytes of them; the rest of memory is zeroes */
	u64 file_size_bytes;
	u64 physical;
	u64 memory_size_bytes; /* >= file_size_bytes, > 0; physical + this does not wrap */
};
struct kernel_image {
	unsigned int segment_count; /* at least 1; sorted by address, no overlaps */
	struct kernel_segment segments[KERNEL_SEGMENT_MAX];
	u64 start, end; /* physical, of all segments */
	u32 pvh_entry;	/* physical, inside of a segment */
};

/* Part of a physical address space: whole pages, in lists sorted and without overlaps. */
enum memory_type { MEMORY_RAM = 1, MEMORY_RESERVED = 2, MEMORY_ACPI = 3, MEMORY_NVS = 4, MEMORY_BAD = 5 };
struct memory_region {
	u64 start, end;
	u32 type; /* enum memory_type: the E820 numbers */
};

struct dom0_input {
	const struct kernel_image *kernel;
	const u8 *initrd; /* initrd_size_bytes, 0: none */
	u64 initrd_size_bytes;
	const char *command_line;
	const struct memory_region *host;
	unsigned int host_count;
	u64 ram_bytes; /* its share */
	/* Gives kernel and initrd back to the frame allocator, when they have been copied. */
	void (*release)(void);
};

/*
 * Fills the memory of d (created, with its vCPUs) and sets vCPU 0 to the kernel's entry.
 * boot_refuse() with a sentence when that cannot be. Start only.
 */
void arch_dom0_build(struct domain *d, const struct dom0_input *in);
