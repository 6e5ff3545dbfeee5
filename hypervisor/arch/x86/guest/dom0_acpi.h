/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of the first domain that are not the machine's: RSDP, XSDT and MADT (ACPI 6.4, 5.2.5,
 * 5.2.8, 5.2.12). All other tables stay where they are, or are hidden. Pure.
 */
#pragma once

#include "drivers/acpi/acpi.h"
#include "hv/compiler.h"
#include "hv/types.h"

#define DOM0_ACPI_BYTES 16384u

/* Tables that describe what the hypervisor keeps for itself are hidden. */
bool dom0_acpi_is_passed(const char *signature);
/*
 * Writes them to out (DOM0_ACPI_BYTES) as they will lie at guest address base; *rsdp is the address
 * of the first one. is_reachable says of each machine table whether the domain can read it.
 * -ENOSPC: too many CPUs and overrides.
 */
int dom0_acpi_build(const struct acpi_info *host, unsigned int vcpu_count, u64 base, void *out,
		    bool (*is_reachable)(void *context, const struct acpi_table *table), void *context,
		    u64 *rsdp) MUST_CHECK;
