/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to the machine when dom0 goes down.
 */
#include "domain/domain.h"

#include <xen/sched.h>

#include "arch/contract/host.h"
#include "core/log.h"
#include "core/panic.h"

void domain_host_shutdown(u8 code)
{
	switch (code) {
	case SHUTDOWN_poweroff:
		log_info("dom0 powered off\n");
		arch_power_off();
	case SHUTDOWN_reboot:
		log_info("dom0 asked for a reboot\n");
		arch_reboot();
	case SHUTDOWN_watchdog:
		log_error("dom0's watchdog expired\n");
		arch_reboot();
	default:
		/* panic() knows the option that chooses between reboot and waiting. */
		panic("dom0 crashed (shutdown code %u)", code);
	}
}
