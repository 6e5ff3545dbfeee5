/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read-copy-update: a reader takes no lock, and what it can see is freed only after
 * every CPU has passed a quiescent state (the top of its run loop, or idle).
 *
 * A reader must not span a guest entry; the hypervisor never sleeps, so read sides
 * are marked for readers of the code and for the debug build only.
 */
#pragma once

#include "hv/types.h"

struct rcu_head {
	struct rcu_head *next;
	void (*callback)(struct rcu_head *head);
};

void rcu_read_lock(void);
void rcu_read_unlock(void);
/* callback(head) runs as a softirq after a grace period. Any context, no allocation. */
void rcu_call(struct rcu_head *head, void (*callback)(struct rcu_head *head));
void rcu_quiescent(void); /* run loop and idle loop only */
void rcu_barrier_poll(void); /* tests: is quiescent here and runs what is due */
void rcu_setup(void);
#ifdef HV_UNIT
void rcu_forget_all(void); /* between two tests */
#endif

#define rcu_load(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)	   /* pairs with rcu_publish() */
#define rcu_publish(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE) /* pairs with rcu_load() */
