/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short-lived mappings of frames that are not the hypervisor's: the only way to a guest's
 * memory. Private to the CPU (its own page-table root has them), last mapped first unmapped;
 * an interrupt handler may use them if it undoes them before it returns. A window does not
 * survive a guest entry. A debug build checks that none is left open then.
 * WINDOW_SLOTS at once. The caller holds a reference on the frame.
 */
#pragma once

#include "arch/contract/host.h"
#include "hv/addr.h"
#include "hv/types.h"

void *window_map(mfn_t mfn);
void window_unmap(void *p); /* any address inside the page */
void window_zero(mfn_t mfn);
void window_copy(mfn_t to, mfn_t from);
bool window_is_idle(void); /* none is open on this CPU */

/* The window that p is in shows mfn from now on. */
static inline void window_move(void *p, mfn_t mfn)
{
	arch_window_move(p, mfn);
}
