/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot loader handed over, in one form for multiboot 1 and 2: command line, memory
 * map, modules, RSDP. Copied in and checked before the loader's memory is reused.
 */
#pragma once

#include "hv/addr.h"
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
	hpa_t rsdp; /* 0: look for it in low memory */
	/* frame buffer of the loader, for XENPF_get_dom0_console; width 0: none */
	struct {
		hpa_t base;
		u32 width, height, pitch;
		u8 bits_per_pixel, type;
	} framebuffer;
};
extern struct boot_info boot_info;
