/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dom0_mem= as Xen has it: a comma-separated list of SIZE, min:SIZE and max:SIZE. A size is a
 * number with B, K, M, G or T (none: K), or a percentage of the machine's memory; -SIZE
 * means all but that much. Pure.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

struct dom0_memory {
	u64 initial_bytes; /* what it starts with, at most what is available */
	u64 max_bytes;	   /* what it may grow to; ~0: no limit */
};

/* text NULL: the defaults. -EINVAL: not such a list. */
int dom0_memory_choose(const char *text, u64 total_bytes, u64 available_bytes,
		       struct dom0_memory *out) MUST_CHECK;
