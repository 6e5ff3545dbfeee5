/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's own page tables: one root for each CPU, equal but for the windows.
 *
 * There is no map of RAM: the image, the heap's chunks, the frame table, stacks and device
 * memory are mapped, and nothing else (docs/memory-layout.md). All of it is W^X.
 */
#pragma once

#include "arch/contract/paging.h"
#include "asm/page.h"
#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

/* A root and a stack for cpu. False: no memory. */
bool paging_add_cpu(cpu_t cpu, hpa_t *root, void **stack_top) MUST_CHECK;
/* Root of a CPU that was added, for the walk that looks for guest memory. */
hpa_t paging_root_of(cpu_t cpu);
