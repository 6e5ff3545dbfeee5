/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCHEDOP_watchdog: a domain that does not report in time is shut down with
 * SHUTDOWN_watchdog. Two timers for each domain, as in the ABI. Lock: LOCK_DOMAIN.
 */
#pragma once

#include "domain/domain.h"

/*
 * id 0: a new one, its id (> 0) is the result; otherwise it is set again, or with timeout 0
 * stopped. -EINVAL: no such id, or a new one with timeout 0; -ENOSPC: both in use; -ENOMEM.
 */
int domain_watchdog_set(struct domain *d, u32 id, u32 timeout_seconds) MUST_CHECK;
void domain_watchdog_stop(struct domain *d); /* all; it dies */
