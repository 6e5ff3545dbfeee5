/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first module: bzImage and ELF headers. What is accepted lies inside of the file, is sorted
 * and has its entry in a segment.
 */
#include "loader/bzimage.h"
#include "loader/elf.h"
#include "hv/error.h"

static void check_segments(const struct kernel_image *image, const u8 *data, size_t size_bytes)
{
	bool has_entry = false;
	u64 end = 0;
	unsigned int i;

	if (image->segment_count < 1 || image->segment_count > KERNEL_SEGMENT_MAX) {
		__builtin_trap();
	}
	for (i = 0; i < image->segment_count; i++) {
		const struct kernel_segment *s = &image->segments[i];

		if (s->physical < end || s->memory_size_bytes == 0 ||
		    s->file_size_bytes > s->memory_size_bytes ||
		    s->physical + s->memory_size_bytes < s->physical) {
			__builtin_trap();
		}
		if (s->bytes < data ||
		    s->file_size_bytes > (size_t)(data + size_bytes - s->bytes)) {
			__builtin_trap();
		}
		end = s->physical + s->memory_size_bytes;
		has_entry |= image->pvh_entry >= s->physical && image->pvh_entry < end;
	}
	if (!has_entry || image->end != end) {
		__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes)
{
	struct kernel_image image;
	struct bzimage packed;
	const char *why = NULL;
	int rc;

	if (elf_parse(data, size_bytes, &image, &why) == 0) {
		check_segments(&image, data, size_bytes);
	} else if (!why) {
		__builtin_trap(); /* a refusal has a sentence */
	}

	why = NULL;
	rc = bzimage_parse(data, size_bytes, &packed, &why);
	if (rc == 0 && (packed.payload < data ||
			packed.payload_size_bytes > (size_t)(data + size_bytes - packed.payload) ||
			packed.kernel_size_bytes > BZIMAGE_KERNEL_MAX)) {
		__builtin_trap();
	}
	if (rc == -EINVAL && !why) {
		__builtin_trap();
	}
	return 0;
}
