/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames and heap pages on a domain's account (declared in mm/frame_alloc.h and mm/heap.h), and
 * pages of the hypervisor that a domain may map.
 *
 * A domain that owns a frame is kept: the first frame takes a reference on it, the last one
 * drops it. So a frame's owner can always be found by its number.
 */
#pragma once

#include "domain/domain.h"
#include "mm/frame.h"

void frame_owner_setup(void); /* start, before the first domain */
/*
 * A zeroed heap page that d may map (state FRAME_SHARED), with one reference for the caller,
 * on d's account. NULL: no memory, or d's limit.
 */
struct frame *frame_alloc_shared(struct domain *d, void **page);
/* The caller's reference goes; if others still map the page it lives on, nobody's. */
void frame_release_shared(struct domain *d, struct frame *f);
