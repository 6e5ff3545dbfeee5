/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressed kernels. The first byte chooses the format (its magic is put in front), the second
 * one how much room there is. Checksums are the fuzzer's problem, but every decoder writes
 * before it can know them, and the sanitizer sees each byte.
 */
#include <stdlib.h>
#include <string.h>

#include "loader/decompress.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes)
{
	static const struct {
		u8 size_bytes, magic[36];
	} starts[] = {
		{0, {0}},
		{6, {0xfd, '7', 'z', 'X', 'Z', 0}},
		/* up to the first LZMA2 chunk, with right checksums */
		{24, {0xfd, '7',  'z',	'X',  'Z',  0,	  0,	0x01, 0x69, 0x22, 0xde, 0x36,
		      0x02, 0x01, 0x04, 0x00, 0x21, 0x01, 0x1a, 0x00, 0x01, 0xc9, 0x80, 0xb3}},
		{10, {0x1f, 0x8b, 8}},
		{4, {0x28, 0xb5, 0x2f, 0xfd}},
	};
	static void *scratch;
	struct decompress_job job = {0};
	u8 *in, *out;
	unsigned int which;
	size_t head;

	if (size_bytes < 2) {
		return 0;
	}
	if (!scratch) {
		scratch = malloc(DECOMPRESS_SCRATCH_SIZE);
	}
	which = data[0] % (sizeof(starts) / sizeof(starts[0]));
	head = starts[which].size_bytes;
	in = malloc(head + size_bytes - 2 + 1);
	memcpy(in, starts[which].magic, head);
	memcpy(in + head, data + 2, size_bytes - 2);
	job.in = in;
	job.in_size_bytes = head + size_bytes - 2;
	job.out_capacity_bytes = (size_t)data[1] * 1024;
	job.out = out = malloc(job.out_capacity_bytes + 1);
	job.scratch = scratch;
	if (decompress(&job) == 0) {
		if (job.out_size_bytes > job.out_capacity_bytes) {
			__builtin_trap();
		}
	} else if (!job.why) {
		__builtin_trap(); /* a refusal has a sentence */
	}
	free(in);
	free(out);
	return 0;
}
