/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments of memory_op whose layout depends on the caller's mode: a 32-bit kernel's longs, frame
 * numbers and pointers have four bytes. Here are those that GRUB's PVH port needs, which is such a
 * kernel. -EFAULT: not the caller's memory.
 */
#pragma once

#include "hypercall/hypercall.h"

#include <xen/memory.h>

int memory_read_add(const struct hypercall *call, struct xen_add_to_physmap *out) MUST_CHECK;
int memory_read_map(const struct hypercall *call, struct xen_memory_map *out) MUST_CHECK;
