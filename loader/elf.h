/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF kernels with a PVH entry: which bytes go to which physical addresses, and where to start.
 * ELF 1.2 and the ELF-64 object file format; the note is <xen/elfnote.h>. Pure: the same code in
 * the hypervisor, in tests and in the fuzzer. The file is hostile; what passed is safe to load.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

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

/* -EINVAL: not an ELF kernel for this machine, broken, or without a PVH entry; *why is a sentence. */
int elf_parse(const u8 *bytes, size_t size_bytes, struct kernel_image *out, const char **why) MUST_CHECK;
