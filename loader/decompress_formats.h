/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One function for each format of decompress(), and what they share.
 */
#pragma once

#include "loader/decompress.h"

int decompress_xz(struct decompress_job *job) MUST_CHECK;
/* With out NULL it only finds the end: nothing is written, and the size is checked but no checksum. */
int decompress_gzip(struct decompress_job *job) MUST_CHECK;
int decompress_zstd(struct decompress_job *job) MUST_CHECK;

/*
 * The LZMA2 stream that starts at job->in + *position; *position is moved behind its end marker.
 * Appends to job->out from job->out_size_bytes on.
 */
int decompress_lzma2(struct decompress_job *job, size_t *position) MUST_CHECK;

/* The variable-length integer of xz (1.2); sticky like any other short read. */
struct wire;
u64 xz_read_number(struct wire *in);

/* Always -EINVAL. */
static inline MUST_CHECK int decompress_fail(struct decompress_job *job, const char *why)
{
	job->why = why;
	return -22;
}
