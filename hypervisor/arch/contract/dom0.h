/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the first domain is made of, handed by boot/ to the architecture: plain data. The files are
 * not looked into: the loader in the domain does that (loader/interface.h).
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

struct domain;

/* Part of a physical address space: whole pages, in lists sorted and without overlaps. */
enum memory_type { MEMORY_RAM = 1, MEMORY_RESERVED = 2, MEMORY_ACPI = 3, MEMORY_NVS = 4, MEMORY_BAD = 5 };
struct memory_region {
	u64 start, end;
	u32 type; /* enum memory_type: the E820 numbers */
};

/* A module of the boot loader, as it is in memory; size 0: there is none. */
struct dom0_file {
	hpa_t start;
	u64 size_bytes;
};

struct dom0_input {
	struct dom0_file kernel, initrd;
	const char *command_line;
	const struct memory_region *host;
	unsigned int host_count;
	u64 ram_bytes; /* its share */
	/* Gives kernel and initrd back to the frame allocator, when they have been copied. */
	void (*release)(void);
};

/*
 * Fills the memory of d (created, with its vCPUs) and sets vCPU 0 to the loader's entry.
 * boot_refuse() with a sentence when that cannot be. Start only.
 */
void arch_dom0_build(struct domain *d, const struct dom0_input *in);
