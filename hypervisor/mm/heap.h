/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's own memory: small objects (size classes) and whole pages. Grows in
 * 2 MiB chunks that are mapped while they are its own. Everything is zeroed.
 * Not in interrupt context. Lock: LOCK_HEAP. In arch/unit each call can be made to fail.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

struct domain;

void *heap_alloc(size_t size_bytes); /* zeroed, 16-byte aligned; NULL: no memory */
void *heap_alloc_array(size_t count, size_t size_bytes); /* NULL on overflow, too */
void heap_free(void *p);	     /* NULL does nothing */
/* 2^order whole pages, zeroed, page aligned, physically contiguous. */
void *heap_alloc_pages(unsigned int order);
void heap_free_pages(void *p, unsigned int order);
mfn_t heap_to_mfn(const void *p); /* of a heap page */
void *heap_from_mfn(mfn_t mfn);	  /* NULL unless the frame is the heap's */
/* Start: frames that are mapped as heap already. */
void heap_add_pages(mfn_t first, u64 count);
u64 heap_page_count(void);	/* all pages of the heap's chunks */
u64 heap_free_page_count(void); /* of them unused */
/* The same for one owner: counted in d->heap_pages, refused past its limit. In domain/frame_owner.c. */
void *heap_alloc_pages_for(struct domain *d, unsigned int order);
void heap_free_pages_for(struct domain *d, void *p, unsigned int order);
#ifdef HV_UNIT
void heap_forget_all(void); /* between two tests */
#endif
