/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot loader handed over, in one form for multiboot 1 and 2: command line, memory
 * map, modules, RSDP. Copied in and checked before the loader's memory is reused.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

#define BOOT_REGION_MAX 128
#define BOOT_MODULE_MAX 4
#define BOOT_COMMAND_LINE_MAX 2048

enum boot_region_type { BOOT_RAM = 1, BOOT_RESERVED = 2, BOOT_ACPI = 3, BOOT_NVS = 4, BOOT_BAD = 5 };

struct boot_region {
	hpa_t start;
	u64 size_bytes;
	u32 type; /* E820 number */
};
struct boot_module {
	hpa_t start;
	u64 size_bytes;
	char command_line[BOOT_COMMAND_LINE_MAX];
};
struct boot_info {
	char command_line[BOOT_COMMAND_LINE_MAX];
	char loader_name[32];
	unsigned int region_count;
	struct boot_region regions[BOOT_REGION_MAX]; /* sorted, no overlaps */
	unsigned int module_count;
	struct boot_module modules[BOOT_MODULE_MAX];
	hpa_t rsdp; /* 0: look for it in low memory; else it may be inside of loader_data */
	/* The loader's own structure: RAM that keeps its contents until ACPI was read. Size 0: none. */
	struct {
		hpa_t start;
		u64 size_bytes;
	} loader_data;
	/* frame buffer of the loader, for XENPF_get_dom0_console; width 0: none */
	struct {
		hpa_t base;
		u32 width, height, pitch;
		u8 bits_per_pixel, type;
	} framebuffer;
};
extern struct boot_info boot_info;

/* What the boot loader leaves in EAX: which of the two protocols it spoke. */
#define MULTIBOOT1_LOADER_MAGIC 0x2badb002u
#define MULTIBOOT2_LOADER_MAGIC 0x36d76289u

/* Reads size_bytes at address; false when it cannot (past RAM). Supplied by start, or by a test. */
typedef bool (*boot_read_t)(void *context, hpa_t address, void *to, size_t size_bytes);
/*
 * Copies everything out of the loader's structures at address (EBX) and checks it: *out is complete
 * and its memory map sorted, without overlaps (the more restrictive type wins) and page aligned
 * (RAM shrinks, everything else grows). -EINVAL: broken, *why is a sentence for the user.
 */
int boot_info_parse(boot_read_t read, void *context, u32 magic, hpa_t address, struct boot_info *out,
		    const char **why) MUST_CHECK;
/*
 * Makes a memory map out of what firmware says: sorted, no overlaps (the more restrictive type wins),
 * neighbours of one type merged, RAM shrunk and all else grown to whole pages; an unknown type
 * counts as reserved. Returns how many regions out has, at most capacity: what does not fit is left
 * out, so that RAM in it is not used. in and out do not overlap. Pure.
 */
unsigned int boot_regions_sanitise(const struct boot_region *in, unsigned int in_count,
				   struct boot_region *out, unsigned int capacity);
/* All of start .. start + size_bytes is RAM in this map. Pure. */
bool boot_regions_have_ram(const struct boot_region *regions, unsigned int count, hpa_t start,
			   u64 size_bytes);

/* Gives the modules' frames to the allocator. */
void modules_release(void);
