/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain/watchdog.h"

#include <xen/sched.h>

#include "core/log.h"
#include "core/smp.h"
#include "core/timer.h"
#include "mm/heap.h"

#define WATCHDOG_COUNT 2u

struct domain_watchdog {
	struct timer timers[WATCHDOG_COUNT];
	bool is_used[WATCHDOG_COUNT];
};

static void handle_expiry(void *data)
{
	struct domain *d = data;

	log_guest(d, "watchdog expired\n");
	domain_shutdown(d, SHUTDOWN_watchdog);
}

static int allocate(struct domain *d)
{
	struct domain_watchdog *w;

	if (load_acquire(&d->watchdogs)) {
		return 0;
	}
	w = heap_alloc(sizeof(*w));
	if (!w) {
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < WATCHDOG_COUNT; i++) {
		timer_init(&w->timers[i], handle_expiry, d, smp_cpu_id());
	}
	spin_lock(&d->lock);
	if (!d->watchdogs) {
		store_release(&d->watchdogs, w);
		w = NULL;
	}
	spin_unlock(&d->lock);
	heap_free(w);
	return 0;
}

int domain_watchdog_set(struct domain *d, u32 id, u32 timeout_seconds)
{
	ns_t deadline = clock_now() + (ns_t)timeout_seconds * NS_PER_SEC;
	struct domain_watchdog *w;
	u32 i;
	int rc;

	if (id > WATCHDOG_COUNT || (id == 0 && timeout_seconds == 0)) {
		return -EINVAL;
	}
	rc = allocate(d);
	if (rc) {
		return rc;
	}
	w = d->watchdogs;
	spin_lock(&d->lock);
	if (id == 0) {
		for (i = 0; i < WATCHDOG_COUNT && w->is_used[i]; i++) {
		}
		rc = i == WATCHDOG_COUNT ? -ENOSPC : domain_is_dying(d) ? -EINVAL : (int)i + 1;
	} else {
		i = (u32)index_clamp(id - 1, WATCHDOG_COUNT);
		rc = w->is_used[i] ? 0 : -EINVAL;
	}
	if (rc >= 0) {
		w->is_used[i] = timeout_seconds != 0;
		if (timeout_seconds) {
			timer_set(&w->timers[i], deadline);
		}
	}
	spin_unlock(&d->lock);
	if (rc >= 0 && !timeout_seconds) {
		timer_stop(&w->timers[i]);
	}
	return rc;
}

void domain_watchdog_stop(struct domain *d)
{
	for (unsigned int i = 0; d->watchdogs && i < WATCHDOG_COUNT; i++) {
		timer_stop(&d->watchdogs->timers[i]);
	}
}
