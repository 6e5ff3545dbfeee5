/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where everything of the first domain goes, decided before anything is done: which parts of its
 * memory are RAM, which are the machine's own devices and tables, and where the kernel's
 * companions lie. Pure, so that odd memory maps are tested without a machine.
 *
 * The guest's map is the host's: RAM is filled from the lowest address on, and what is beyond the
 * domain's share is marked unusable, so that nothing is put there. Frames behind RAM come from
 * anywhere; everything direct is at its own address.
 */
#pragma once

#include "arch/contract/dom0.h"
#include "hv/compiler.h"
#include "hv/types.h"

#define DOM0_MAP_MAX	  132u
#define DOM0_DIRECT_MAX	  256u
#define DOM0_EXCLUDED_MAX 64u

struct dom0_span {
	u64 start, end; /* bytes, whole pages */
};

struct dom0_plan_input {
	const struct memory_region *host;
	unsigned int host_count;
	u64 ram_bytes;	      /* its share */
	u64 acpi_bytes;	      /* for new tables, whole pages */
	/* Never direct: emulated, or the hypervisor's own. Any order, may overlap. */
	unsigned int excluded_count;
	struct dom0_span excluded[DOM0_EXCLUDED_MAX];
};

struct dom0_plan {
	unsigned int map_count;
	struct memory_region map[DOM0_MAP_MAX]; /* as the kernel gets it; sorted */
	u64 ram_bytes;			      /* less than asked for when the host has less */
	u64 acpi_start;			      /* RAM of type MEMORY_ACPI in map */
	unsigned int direct_count;
	struct dom0_span direct[DOM0_DIRECT_MAX]; /* identity-mapped; sorted, no overlaps */
};

/* -ENOMEM: no room below 4 GiB for tables, or too many spans; *why is a sentence. */
int dom0_plan_make(const struct dom0_plan_input *in, struct dom0_plan *out, const char **why) MUST_CHECK;

/*
 * The highest address >= from, a multiple of align (a power of two), where size_bytes fit in one piece of
 * RAM that ends at or below end. ~0: nowhere.
 */
u64 dom0_plan_find(const struct dom0_plan *plan, u64 from, u64 end, u64 size_bytes, u64 align);
