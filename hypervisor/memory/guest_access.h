/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only way to read or write a caller's memory. Bounded, may cross pages, faults give
 * -EFAULT with nothing promised about how much was copied. The caller is the current vCPU.
 * Addresses are linear (hypercall arguments of HVM and PVH guests).
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

struct domain;

int guest_read(void *to, guest_ptr_t from, size_t size_bytes) MUST_CHECK;
int guest_write(guest_ptr_t to, const void *from, size_t size_bytes) MUST_CHECK;
int guest_clear(guest_ptr_t to, size_t size_bytes) MUST_CHECK;
/* Element i of an array of size_bytes each; -EFAULT when the address wraps. */
int guest_read_element(void *to, guest_ptr_t array, u64 i, size_t size_bytes) MUST_CHECK;
int guest_write_element(guest_ptr_t array, u64 i, const void *from, size_t size_bytes) MUST_CHECK;
/* Guest physical memory of any domain (emulation, start state, runstate areas). */
int guest_phys_read(struct domain *d, void *to, gpa_t from, size_t size_bytes) MUST_CHECK;
int guest_phys_write(struct domain *d, gpa_t to, const void *from, size_t size_bytes) MUST_CHECK;
