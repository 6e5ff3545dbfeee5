/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's linear addresses. What its CPU would translate, hypercalls and emulation translate,
 * too; each vCPU remembers the last few walks, since nearly all accesses repeat one.
 */
#pragma once

#include "arch/contract/guest.h"
#include "hv/addr.h"

#define GUEST_WALK_LEVELS 4u
#define GUEST_WALKS	  8u /* that a vCPU remembers */

/* An entry of the guest's tables: where it is, and its value with the bits that the walk set. */
struct guest_walk_step {
	mfn_t table;
	u32 offset;
	u64 entry;
};

/*
 * A walk of four levels, and all that its result follows from. It still holds when cr3, the
 * domain's memory (p2m_version) and the entries are the same, so these are looked at each time:
 * a guest that changes its tables need not tell anybody.
 */
struct guest_walk {
	u64 key; /* linear address of the page, and bit 0; 0: none */
	u64 cr3;
	u64 version;
	u64 rights; /* PTE_WRITE, PTE_USER: what all entries allow, with nothing left to mark */
	gpa_t gpa;  /* of the page */
	mfn_t mfn;  /* MFN_INVALID: not memory of its own */
	unsigned int levels; /* less than four: a large page */
	struct guest_walk_step step[GUEST_WALK_LEVELS];
};

/* Up to want bytes at a linear address, as far as they can be read. No fault is injected. */
unsigned int guest_walk_fetch(struct vcpu *v, u64 linear, u8 *bytes, unsigned int want);
