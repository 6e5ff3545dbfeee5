/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel payloads: xz, gzip and zstd from one buffer to another.
 *
 * Pure code without allocation or global state: the same in the hypervisor, in the unit test and
 * in the fuzzer. Used during start only; the code is thrown away afterwards. Input is hostile:
 * nothing is read outside of in or written outside of out, and every step makes progress. What a
 * failed call left in out has no meaning.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

/* Working memory for the decoders; what is in it before does not matter. */
#define DECOMPRESS_SCRATCH_SIZE (160u * 1024u)

struct decompress_job {
	const u8 *in;
	size_t in_size_bytes;
	u8 *out;
	size_t out_capacity_bytes;
	void *scratch; /* DECOMPRESS_SCRATCH_SIZE bytes, aligned to 8 */
	/* Results: */
	size_t out_size_bytes;
	size_t in_used_bytes; /* gzip only: where what follows the stream begins */
	const char *why; /* after -EINVAL: a sentence for the user */
};

/*
 * The format is told by its first bytes, its own checksum is verified, and what follows the
 * compressed stream is ignored (bzImage puts a size there). -EINVAL: broken, too large for out, or
 * a format that we do not know.
 */
int decompress(struct decompress_job *job) MUST_CHECK;
