/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One copy of a variable for each physical CPU.
 *
 *     DEFINE_PER_CPU(struct softirq_state, softirq);
 *     this_cpu_ptr(softirq)->pending
 *     per_cpu_ptr(softirq, cpu)->pending
 *
 * The section "percpu" is a template that stays as it was linked; every CPU, the first one too,
 * gets a copy when it starts, so initial values hold everywhere. arch_percpu_offset() is this
 * CPU's distance from the template.
 */
#pragma once

#include "arch/contract/host.h"
#include "hv/compiler.h"
#include "hv/types.h"

#define DEFINE_PER_CPU(type, name) __typeof__(type) percpu_##name SECTION("percpu") USED
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) percpu_##name

extern unsigned long percpu_offset[CPU_MAX];

#define percpu_at(name, offset)                                                                    \
	((__typeof__(&percpu_##name))((unsigned long)&percpu_##name + (offset)))
#define this_cpu_ptr(name) percpu_at(name, arch_percpu_offset())
#define per_cpu_ptr(name, cpu) percpu_at(name, percpu_offset[cpu])
