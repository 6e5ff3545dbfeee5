/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The input is 64 KiB of physical memory, zeroes behind its end; the first byte chooses the
 * protocol, the loader's structure is at 8. What is accepted must keep its promises.
 */
#include <string.h>

#include "boot/modules.h"

#define MEMORY_BYTES 0x10000u

struct memory {
	const u8 *bytes;
	size_t size_bytes;
};

static bool read_memory(void *context, hpa_t address, void *to, size_t size_bytes)
{
	const struct memory *m = context;
	u64 at = hpa_raw(address);
	size_t have;

	if (at > MEMORY_BYTES || size_bytes > MEMORY_BYTES - at) {
		return false;
	}
	memset(to, 0, size_bytes);
	have = at < m->size_bytes ? MIN(m->size_bytes - at, size_bytes) : 0;
	if (have) {
		memcpy(to, m->bytes + at, have);
	}
	return true;
}

static void check(const struct boot_info *info)
{
	unsigned int i;
	u64 end = 0;

	for (i = 0; i < info->region_count; i++) {
		const struct boot_region *r = &info->regions[i];

		if (hpa_raw(r->start) < end || r->size_bytes == 0 ||
		    hpa_raw(r->start) % PAGE_SIZE || r->size_bytes % PAGE_SIZE ||
		    r->type < BOOT_RAM || r->type > BOOT_BAD) {
			__builtin_trap();
		}
		end = hpa_raw(r->start) + r->size_bytes;
	}
	for (i = 0; i < info->module_count; i++) {
		const struct boot_module *m = &info->modules[i];

		if (m->size_bytes && !boot_regions_have_ram(info->regions, info->region_count,
							    m->start, m->size_bytes)) {
			__builtin_trap();
		}
		if (!memchr(m->command_line, 0, sizeof(m->command_line))) {
			__builtin_trap();
		}
	}
	if (info->region_count > BOOT_REGION_MAX || info->module_count > BOOT_MODULE_MAX ||
	    !memchr(info->command_line, 0, sizeof(info->command_line)) ||
	    !memchr(info->loader_name, 0, sizeof(info->loader_name))) {
		__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes)
{
	struct memory m = {data, size_bytes};
	static struct boot_info info;
	const char *why = NULL;
	u32 magic;

	if (size_bytes < 8) {
		return 0;
	}
	magic = data[0] & 1 ? MULTIBOOT1_LOADER_MAGIC : MULTIBOOT2_LOADER_MAGIC;
	if (boot_info_parse(read_memory, &m, magic, hpa_of(8), &info, &why) == 0) {
		check(&info);
	} else if (!why) {
		__builtin_trap(); /* a refusal has a sentence */
	}
	return 0;
}
