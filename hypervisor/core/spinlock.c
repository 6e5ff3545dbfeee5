// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/spinlock.h"

#include "core/percpu.h"
#include "core/panic.h"
#include "hv/error.h"

#ifndef NDEBUG
/*
 * Ranks that this CPU holds, as bits. A lock with a rank may be taken when no bit at or above it
 * is set: the order of lock_rank.h is then kept whatever the code path.
 */
DEFINE_PER_CPU(u32, held_ranks);
_Static_assert(LOCK_RANK_COUNT <= 32, "held_ranks has a bit for each rank");

#define RANK_NAME(name) #name,
static const char *const rank_names[] = {LOCK_RANKS(RANK_NAME)};

static void debug_before(const struct spinlock *lock, bool is_second_of_pair)
{
	u32 held = *this_cpu_ptr(held_ranks);

	if (panic_is_under_way()) {
		return;
	}
	if (held >> (lock->rank + is_second_of_pair)) {
		panic("lock %s taken while %s is held", rank_names[lock->rank],
		      rank_names[31 - __builtin_clz(held)]);
	}
}

static void debug_after(struct spinlock *lock)
{
	lock->holder = (u16)(arch_cpu_id() + 1);
	*this_cpu_ptr(held_ranks) |= 1u << lock->rank;
}

static void debug_release(struct spinlock *lock, bool is_first_of_pair)
{
	if (lock->holder != arch_cpu_id() + 1 && !panic_is_under_way()) {
		panic("lock %s released by cpu %u, held by %d", rank_names[lock->rank], arch_cpu_id(),
		      lock->holder - 1);
	}
	lock->holder = 0;
	if (!is_first_of_pair) {
		*this_cpu_ptr(held_ranks) &= ~(1u << lock->rank);
	}
}

bool spin_is_held_here(const struct spinlock *lock)
{
	return load_relaxed(&lock->holder) == arch_cpu_id() + 1;
}
#else
static void debug_before(const struct spinlock *lock, bool is_second_of_pair)
{
}
static void debug_after(struct spinlock *lock)
{
}
static void debug_release(struct spinlock *lock, bool is_first_of_pair)
{
}
bool spin_is_held_here(const struct spinlock *lock)
{
	return true;
}
#endif

void spinlock_init(struct spinlock *lock, enum lock_rank rank)
{
	*lock = (struct spinlock)SPINLOCK_INIT((u8)rank);
}

static bool try_take(struct spinlock *lock)
{
	/* pairs with the release in give_up() */
	return !__atomic_exchange_n(&lock->is_taken, 1, __ATOMIC_ACQUIRE);
}

/*
 * Who comes first gets it; there is no queue. Below another hypervisor or an emulator, the CPU
 * whose turn a queue says it is may not be running for milliseconds, and all others wait for it:
 * 16 CPUs on 2 real ones came to a standstill. What is done under a lock here is short, so on
 * a real machine nobody starves.
 */
static void take(struct spinlock *lock)
{
	while (unlikely(!try_take(lock))) {
		while (load_relaxed(&lock->is_taken)) { /* without writing: the line stays shared */
			arch_cpu_relax();
		}
	}
}

static void give_up(struct spinlock *lock)
{
	store_release(&lock->is_taken, 0);
}

void spin_lock(struct spinlock *lock) NO_THREAD_SAFETY
{
	debug_before(lock, false);
	take(lock);
	debug_after(lock);
}

void spin_unlock(struct spinlock *lock) NO_THREAD_SAFETY
{
	debug_release(lock, false);
	give_up(lock);
}

bool spin_trylock(struct spinlock *lock) NO_THREAD_SAFETY
{
	if (!try_take(lock)) {
		return false;
	}
	debug_after(lock);
	return true;
}

unsigned long spin_lock_irqsave(struct spinlock *lock) NO_THREAD_SAFETY
{
	unsigned long flags = arch_irq_save();

	spin_lock(lock);
	return flags;
}

void spin_unlock_irqrestore(struct spinlock *lock, unsigned long flags) NO_THREAD_SAFETY
{
	spin_unlock(lock);
	arch_irq_restore(flags);
}

void spin_lock_pair(struct spinlock *a, struct spinlock *b)
{
	spin_lock(a);
	if (a != b) {
		ASSERT(a->rank == b->rank);
		debug_before(b, true);
		take(b);
		debug_after(b);
	}
}

void spin_unlock_pair(struct spinlock *a, struct spinlock *b)
{
	if (a != b) {
		debug_release(b, true);
		give_up(b);
	}
	spin_unlock(a);
}
