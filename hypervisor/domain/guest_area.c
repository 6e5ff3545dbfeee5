/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/guest_area.h"

#include "hv/error.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/window.h"

void guest_area_write(const struct guest_area *a, unsigned int offset, const void *from, size_t size_bytes)
{
	const u8 *bytes = from;
	size_t done = 0;

	if (!guest_area_is_set(a)) {
		return;
	}
	ASSERT(offset + size_bytes <= a->size_bytes);
	while (done < size_bytes) {
		unsigned int at = a->offset + offset + (unsigned int)done;
		size_t piece = MIN(size_bytes - done, PAGE_SIZE - page_offset(at));
		u8 *page = window_map(frame_mfn(a->frames[at >> PAGE_SHIFT]));

		memcpy(page + page_offset(at), bytes + done, piece);
		window_unmap(page);
		done += piece;
	}
}

void guest_area_release(struct guest_area *a)
{
	for (unsigned int i = 0; i < 2; i++) {
		if (a->frames[i]) {
			frame_put(a->frames[i]);
		}
	}
	*a = (struct guest_area){.frames = {NULL, NULL}};
}
