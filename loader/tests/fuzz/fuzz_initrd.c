/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second module, as far as its end is looked for: exactly on the heap, for the sanitizer. */
#include <stdlib.h>
#include <string.h>

#include "loader/decompress.h"
#include "loader/initrd.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes)
{
	u8 *exact = malloc(size_bytes ? size_bytes : 1);
	static void *scratch;
	const char *why = NULL;

	if (!scratch) {
		scratch = malloc(DECOMPRESS_SCRATCH_SIZE);
	}
	memcpy(exact, data, size_bytes);
	if (initrd_check(exact, size_bytes, scratch, &why) && !why) {
		__builtin_trap(); /* a refusal has a sentence */
	}
	free(exact);
	return 0;
}
