/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the loader's memory map to the frame table, the heap and the free lists. Start only.
 */
#pragma once

#include "hv/addr.h"
#include "hv/types.h"

void boot_memory_setup(void);
/* Memory that the loader used (a module) is free from now on; whole pages in it. */
void boot_memory_release(hpa_t start, u64 size_bytes);
#ifdef HV_UNIT
void boot_memory_forget_all(void); /* between two tests */
#endif
