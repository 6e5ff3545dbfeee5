/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One decoder for each table that the hypervisor understands. Pure: they read what follows
 * the 36-byte header of a table whose length and checksum are right, and fill their part of
 * struct acpi_info. Entries past a limit are left out with a warning; an entry
 * whose length makes no sense ends in -EINVAL with a sentence in *why.
 */
#pragma once

#include "base/wire.h"
#include "drivers/acpi/acpi.h"
#include "hv/error.h"

#define ACPI_HEADER_BYTES 36u

int acpi_decode_madt(struct wire *in, struct acpi_info *out, const char **why) MUST_CHECK;
int acpi_decode_fadt(struct wire *in, struct acpi_info *out, const char **why) MUST_CHECK;
int acpi_decode_hpet(struct wire *in, struct acpi_info *out, const char **why) MUST_CHECK;
int acpi_decode_mcfg(struct wire *in, struct acpi_info *out, const char **why) MUST_CHECK;
int acpi_decode_dmar(struct wire *in, struct acpi_info *out, const char **why) MUST_CHECK;
int acpi_decode_ivrs(struct wire *in, struct acpi_info *out, const char **why) MUST_CHECK;

/* The next size_bytes bytes as a reader of their own; false when fewer are left. */
static inline bool acpi_take(struct wire *in, size_t size_bytes, struct wire *out)
{
	const u8 *bytes = wire_bytes(in, size_bytes);

	if (!bytes) {
		return false;
	}
	*out = wire_of(bytes, size_bytes);
	return true;
}
