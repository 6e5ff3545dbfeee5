/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses and frame numbers, and the only arithmetic on them.
 *
 *   gfn_t / gpa_t   guest frame / guest physical address: what a guest says
 *   mfn_t / hpa_t   machine frame / host physical address: what page tables say
 *   iofn_t          frame number as a device sees it
 *   guest_ptr_t     pointer into the caller's memory, only for guest_read()/guest_write()
 *
 * x_raw() belongs here, into page-table entry encoding, and into printing.
 */
#pragma once

#include "hv/types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define ORDER_4K 0u
#define ORDER_2M 9u
#define ORDER_1G 18u
#define WINDOW_SLOTS 16 /* mm/window.h */

DEFINE_ID_TYPE(gfn, u64)
DEFINE_ID_TYPE(gpa, u64)
DEFINE_ID_TYPE(mfn, u64)
DEFINE_ID_TYPE(hpa, u64)
DEFINE_ID_TYPE(iofn, u64)
DEFINE_ID_TYPE(guest_ptr, u64)

#define MFN_INVALID ((mfn_t){~0ull})
#define GFN_INVALID ((gfn_t){~0ull})

static inline gfn_t gpa_to_gfn(gpa_t a)
{
	return gfn_of(a.v >> PAGE_SHIFT);
}
static inline gpa_t gfn_to_gpa(gfn_t f)
{
	return gpa_of(f.v << PAGE_SHIFT);
}
static inline mfn_t hpa_to_mfn(hpa_t a)
{
	return mfn_of(a.v >> PAGE_SHIFT);
}
static inline hpa_t mfn_to_hpa(mfn_t f)
{
	return hpa_of(f.v << PAGE_SHIFT);
}
static inline gfn_t gfn_add(gfn_t f, u64 frames)
{
	return gfn_of(f.v + frames);
}
static inline mfn_t mfn_add(mfn_t f, u64 frames)
{
	return mfn_of(f.v + frames);
}
static inline gpa_t gpa_add(gpa_t a, u64 bytes)
{
	return gpa_of(a.v + bytes);
}
static inline hpa_t hpa_add(hpa_t a, u64 bytes)
{
	return hpa_of(a.v + bytes);
}
static inline guest_ptr_t guest_ptr_add(guest_ptr_t p, u64 bytes)
{
	return guest_ptr_of(p.v + bytes);
}
static inline unsigned int page_offset(u64 address)
{
	return (unsigned int)(address & (PAGE_SIZE - 1));
}
