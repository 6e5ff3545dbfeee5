/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine that unit tests run on: an ordinary process that plays arch/contract/host.h.
 *
 * Call unit_reset() first in every test. Frames come from an arena of UNIT_FRAME_COUNT frames from
 * UNIT_FRAME_FIRST on; windows are real mappings of it, so that a use after window_unmap() faults.
 * Time stands still until a test moves it. One CPU runs at a time: unit_cpu() says as which
 * one, IPIs of calls run at once as their target, kicks are counted.
 * heap_alloc() is calloc() here, so that the sanitizers see every object (mm/heap.c has tests of its own).
 */
#pragma once

#include <setjmp.h>

#include "hv/addr.h"
#include "hv/types.h"

#define UNIT_FRAME_FIRST 0x1000ul
#define UNIT_FRAME_COUNT 0x2000ul /* 32 MiB */

/* Everything as at the start: one free arena, cpu_count CPUs online, time 0, no failures. */
void unit_reset(cpu_t cpu_count);
void unit_reset_cpus(cpu_t cpu_count); /* part of it */
void unit_cpu(cpu_t cpu);
extern unsigned int unit_kick_count[CPU_MAX];

extern ns_t unit_now;
/* Moves the clock; CPUs whose timer is due get SOFTIRQ_TIMER raised (run it as that CPU). */
void unit_advance(ns_t ns);
extern ns_t unit_timer_deadline[CPU_MAX];

/* The nth allocation from now on (1: the next; heap and frames count) fails; 0: none does. */
void unit_fail_allocation(unsigned int nth);
/* True when it did fail since unit_fail_allocation(): a loop over nth ends when it did not. */
bool unit_has_failed(void);
/* Heap objects and pages that are in use. */
unsigned long unit_heap_in_use(void);

extern unsigned long unit_objects;
bool unit_is_arena(const void *p);

/* Set by a test that plays a device: arch_mmio_map() gave base this memory. */
extern void (*unit_mmio_mapped)(hpa_t base, void *p, size_t size_bytes);

/* Memory of a frame, as a device or another CPU would see it. */
void *unit_frame_bytes(mfn_t mfn);
/* The last text of panic() or boot_refuse(). */
extern char unit_panic_text[256];
extern jmp_buf *unit_panic_jump;

/* True when statement ends in panic(), CHECK() or boot_refuse(). Leaks what it held. */
#define UNIT_PANICS(statement)                                                                     \
	({                                                                                         \
		jmp_buf unit_jump_;                                                                \
		volatile bool unit_did_ = true;                                                    \
		unit_panic_jump = &unit_jump_;                                                     \
		if (setjmp(unit_jump_) == 0) {                                                     \
			statement;                                                                 \
			unit_did_ = false;                                                         \
		}                                                                                  \
		unit_panic_jump = NULL;                                                            \
		unit_did_;                                                                         \
	})
