/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MCFG: where PCI configuration space is in memory. PCI Firmware Specification 3.2, 4.1.2. */
#include "drivers/acpi/decode.h"

#include "core/log.h"

int acpi_decode_mcfg(struct wire *in, struct acpi_info *out, const char **why)
{
	wire_u64le(in);
	while (wire_left(in)) {
		struct acpi_mcfg m;

		m.base = hpa_of(wire_u64le(in));
		m.segment = wire_u16le(in);
		m.bus_first = wire_u8(in);
		m.bus_last = wire_u8(in);
		wire_u32le(in);
		if (!wire_ok(in)) {
			*why = "the MCFG has a length that cannot be";
			return -EINVAL;
		}
		/* base is that of bus 0, also when bus_first is another one */
		if (m.bus_last < m.bus_first || hpa_raw(m.base) & 0xfffff || hpa_raw(m.base) == 0 ||
		    hpa_raw(m.base) >= BIT(52) || out->mcfg_count == ACPI_MCFG_MAX) {
			log_warning("ACPI: MCFG entry for segment %u left out\n", m.segment);
			continue;
		}
		out->mcfg[out->mcfg_count++] = m;
	}
	return 0;
}
