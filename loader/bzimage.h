/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux's bzImage, only as far as finding the compressed ELF file in it (Linux/x86 boot protocol
 * 2.08 and later). Pure; the file is hostile.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

#define BZIMAGE_KERNEL_MAX (512u << 20) /* uncompressed; five times what distributions ship */

struct bzimage {
	const u8 *payload; /* compressed */
	size_t payload_size_bytes;
	size_t kernel_size_bytes; /* uncompressed, as the file says; at most BZIMAGE_KERNEL_MAX */
};

/* -ENOENT: not a bzImage. -EINVAL: a broken one, *why is a sentence for the user. */
int bzimage_parse(const u8 *bytes, size_t size_bytes, struct bzimage *out, const char **why) MUST_CHECK;
