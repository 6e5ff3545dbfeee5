/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables that a device's addresses go through: 512 entries of 8 bytes a level, as both
 * vendors have it; the entries themselves are described by a const struct iommu_format.
 *
 * Table pages are the heap's, charged to the domain, and stay until the end: what a superpage
 * replaces is filled instead of freed, so no device can walk a page that became something
 * else. Lock: the caller's.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

struct domain;

#define IOMMU_READ  1u
#define IOMMU_WRITE 2u

struct iommu_format {
	u64 (*leaf)(mfn_t mfn, unsigned int level, unsigned int access);
	u64 (*table)(mfn_t mfn, unsigned int level); /* level of the entry, >= 2 */
	bool (*is_leaf)(u64 entry, unsigned int level);
	unsigned int (*access)(u64 entry);
	u64 present; /* an entry without any of these bits is empty */
};
#define IOMMU_ADDRESS_MASK 0x000ffffffffff000ull

struct iommu_table {
	const struct iommu_format *format;
	struct domain *owner;
	unsigned int levels;	   /* 3 or 4 */
	unsigned int large_levels; /* bit 1: 2M leaves, bit 2: 1G leaves */
	bool needs_write_back;	   /* the unit does not snoop its table reads */
	bool caches_empty;	   /* a new entry needs a flush, too */
	u64 *root;
	unsigned int page_count;
};

/* -ENOMEM. The caller has set all fields but root and page_count. */
int iommu_table_init(struct iommu_table *t) MUST_CHECK;
void iommu_table_fini(struct iommu_table *t);
/*
 * Maps 2^order frames. *was_present: something was mapped there before, and may be cached.
 * -ENOMEM: a part may be mapped already. -ERANGE: past what the tables reach.
 */
int iommu_table_map(struct iommu_table *t, iofn_t iofn, mfn_t mfn, unsigned int order,
		    unsigned int access, bool *was_present) MUST_CHECK;
int iommu_table_unmap(struct iommu_table *t, iofn_t iofn, unsigned int order,
		      bool *was_present) MUST_CHECK;
/* False: not mapped. *order is that of the leaf. */
bool iommu_table_lookup(const struct iommu_table *t, iofn_t iofn, mfn_t *mfn, unsigned int *order,
			unsigned int *access);
