/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that the linker script (image.lds.S) and head.S define.
 */
#pragma once

#include "asm/page.h"
#include "hv/types.h"

extern char image_start[], image_end[];
extern char text_start[], text_end[], rodata_start[], rodata_end[];
extern char start_text_start[], start_text_end[]; /* code that is gone when dom0 runs */
extern char start_rodata_start[], start_rodata_end[]; /* the dom0 loader, likewise */
extern char ro_after_init_start[], ro_after_init_end[], data_start[], data_end[];
extern char ro_after_init_bss_start[], ro_after_init_bss_end[];
extern char percpu_start[], percpu_end[], percpu_boot_area[];
extern char boot_stack_slot[];
extern pte_t boot_pml4[];

/* Physical address of something in the image. */
static inline hpa_t image_physical(const void *p)
{
	return hpa_of((u64)p - IMAGE_BASE);
}
