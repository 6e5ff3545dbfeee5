/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes: the decoder stays inside them and what it says is consistent. */
#include <stdlib.h>

#include "arch/x86/guest/decode.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes)
{
	static const unsigned int modes[] = {2, 4, 8};
	unsigned int i, mode;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct decoded d, again;

		mode = modes[i];
		if (decode_instruction(data, (unsigned int)size_bytes, mode, &d) != 0) {
			continue;
		}
		if (d.length == 0 || d.length > size_bytes || d.length > DECODE_BYTES_MAX ||
		    d.reg > 15 || d.rm > 15 || d.base > 15 || d.index > 15 || d.segment > SEG_GS ||
		    d.immediate_bytes > 8) {
			abort();
		}
		/* exactly its own bytes are enough, one less is not */
		if (decode_instruction(data, d.length, mode, &again) != 0 ||
		    again.length != d.length ||
		    decode_instruction(data, d.length - 1u, mode, &again) == 0) {
			abort();
		}
	}
	return 0;
}
