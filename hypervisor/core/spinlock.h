/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spinlocks with a rank. A lock is taken either always with interrupts off
 * (_irqsave) or never in interrupt context; debug builds check it. No sleeping, no
 * allocation while one is held (except by the allocators' own).
 */
#pragma once

#include "core/lock_rank.h"
#include "hv/compiler.h"
#include "hv/types.h"

struct CAPABILITY("spinlock") spinlock {
	u32 is_taken;
	u8 rank;	 /* enum lock_rank */
#ifndef NDEBUG
	u16 holder;	 /* cpu + 1 while held */
#endif
};

#define SPINLOCK_INIT(r) {.rank = (r)}

void spinlock_init(struct spinlock *lock, enum lock_rank rank);
void spin_lock(struct spinlock *lock) ACQUIRES(lock);
void spin_unlock(struct spinlock *lock) RELEASES(lock);
bool spin_trylock(struct spinlock *lock) TS_ATTR(try_acquire_capability(true, lock));
/* Returns the interrupt flag for spin_unlock_irqrestore(). */
unsigned long spin_lock_irqsave(struct spinlock *lock) ACQUIRES(lock);
void spin_unlock_irqrestore(struct spinlock *lock, unsigned long flags) RELEASES(lock);
bool spin_is_held_here(const struct spinlock *lock); /* debug builds; true in release builds */
/* Takes two locks of one rank; a before b is the caller's promise. a == b takes it once. */
void spin_lock_pair(struct spinlock *a, struct spinlock *b) NO_THREAD_SAFETY;
void spin_unlock_pair(struct spinlock *a, struct spinlock *b) NO_THREAD_SAFETY;
