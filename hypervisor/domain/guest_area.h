/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small piece of a guest's memory that the hypervisor writes again and again (vcpu_info,
 * run state, time). It is found once, when the guest registers it, and keeps a reference
 * on its one or two frames; so a write needs no lookup, no lock, and works in any context.
 * If the guest gives the frame away meanwhile, it still exists and is written in vain.
 */
#pragma once

#include "hv/addr.h"
#include "hv/types.h"

struct frame;

struct guest_area {
	struct frame *frames[2]; /* [1] only when the area crosses a page; [0] NULL: unset */
	u16 offset;		 /* in the first frame */
	u16 size_bytes;		 /* at most a page */
};

static inline bool guest_area_is_set(const struct guest_area *a)
{
	return __atomic_load_n(&a->frames[0], __ATOMIC_ACQUIRE) != NULL;
}
/* Any context. Does nothing when unset. offset + size_bytes must be inside the area. */
void guest_area_write(const struct guest_area *a, unsigned int offset, const void *from, size_t size_bytes);
/* Drops the references and leaves it unset. */
void guest_area_release(struct guest_area *a);
