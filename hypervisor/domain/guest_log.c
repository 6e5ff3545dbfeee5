// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * log_guest(): what a guest can make us say is limited for each domain, so that it can neither hide
 * other messages nor keep the console busy.
 */
#include <stdarg.h>

#include "core/log.h"
#include "core/timer.h"
#include "domain/domain.h"
#include "lib/format.h"

#define BURST	  10
#define REFILL_NS NS_PER_SEC
#define SLOTS	  64u /* domains share by id; a loud one may silence those of its slot */

static struct {
	u64 second; /* of the clock */
	u32 said, dropped;
} limits[SLOTS];

static bool may_say(u16 id, u32 *dropped)
{
	u64 now = (u64)(clock_now() / REFILL_NS);
	unsigned int slot = id % SLOTS;

	*dropped = 0;
	if (__atomic_exchange_n(&limits[slot].second, now, __ATOMIC_RELAXED) != now) {
		store_relaxed(&limits[slot].said, 0);
		*dropped = __atomic_exchange_n(&limits[slot].dropped, 0, __ATOMIC_RELAXED);
	}
	if (__atomic_fetch_add(&limits[slot].said, 1, __ATOMIC_RELAXED) >= BURST) {
		__atomic_fetch_add(&limits[slot].dropped, 1, __ATOMIC_RELAXED);
		return false;
	}
	return true;
}

void log_guest(const struct domain *d, const char *fmt, ...)
{
	char text[256];
	va_list args;
	u32 dropped;

	if (!may_say(d->id.v, &dropped)) {
		return;
	}
	va_start(args, fmt);
	format_text_v(text, sizeof(text), fmt, args);
	va_end(args);
	if (dropped) {
		log_print(LOG_WARNING, "d%u: %u messages were dropped\n", d->id.v, dropped);
	}
	log_print(LOG_WARNING, "d%u: %s", d->id.v, text);
}
