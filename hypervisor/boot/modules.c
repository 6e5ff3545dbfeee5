/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/modules.h"

#include "boot/memory.h"

struct boot_info boot_info RO_AFTER_INIT;

/* Loaders may let one module begin on the page where another one ends. */
static void give_back(const struct boot_module *m)
{
	u64 start = hpa_raw(m->start), end = start + m->size_bytes, other_start, other_end;
	unsigned int i;

	if (m->size_bytes == 0) {
		return;
	}
	for (i = 0; i < boot_info.module_count; i++) {
		other_start = hpa_raw(boot_info.modules[i].start);
		other_end = other_start + boot_info.modules[i].size_bytes;
		if (other_start < start && ROUND_UP(other_end, PAGE_SIZE) > start) {
			start = ROUND_UP(start, PAGE_SIZE);
		}
	}
	if (start < end) {
		boot_memory_release(hpa_of(start), end - start);
	}
}

void modules_release(void)
{
	unsigned int i;

	for (i = 0; i < boot_info.module_count; i++) {
		give_back(&boot_info.modules[i]);
	}
}
