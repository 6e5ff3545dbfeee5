/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader/decompress.h"

#include "loader/decompress_formats.h"
#include "lib/string.h"

static const struct {
	u8 size_bytes;
	u8 magic[6];
	int (*decode)(struct decompress_job *job);
} formats[] = {
	{6, {0xfd, '7', 'z', 'X', 'Z', 0}, decompress_xz},
	{3, {0x1f, 0x8b, 8}, decompress_gzip},
	{4, {0x28, 0xb5, 0x2f, 0xfd}, decompress_zstd},
};

int decompress(struct decompress_job *job)
{
	unsigned int i;

	job->out_size_bytes = 0;
	job->why = NULL;
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		if (job->in_size_bytes >= formats[i].size_bytes &&
		    memcmp(job->in, formats[i].magic, formats[i].size_bytes) == 0) {
			return formats[i].decode(job);
		}
	}
	return decompress_fail(job, "the kernel is compressed in a way that is not known "
				    "(xz, gzip and zstd are)");
}
