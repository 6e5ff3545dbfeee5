/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/pci_access.h"

#include "arch/contract/guest.h"
#include "arch/x86/guest/trap.h"
#include "asm/io.h"
#include "drivers/acpi/acpi.h"
#include "vpci/vpci.h"

/* PCI Local Bus 3.0, 3.2.2.3.2: configuration mechanism 1. */
#define PORT_ADDRESS  0xcf8
#define PORT_DATA     0xcfc
#define ADDRESS_VALID BIT(31)

struct address {
	u8 bus, devfn;
	u16 offset;
};

/* False: the latch does not name a register. */
static bool decode_latch(u32 latch, u64 port, struct address *out)
{
	if (!(latch & ADDRESS_VALID)) {
		return false;
	}
	out->bus = (u8)(latch >> 16);
	out->devfn = (u8)(latch >> 8);
	out->offset = (u16)((latch & 0xfc) | (port & 3));
	return true;
}

static int port_read(struct vcpu *v, void *data, u64 port, unsigned int size_bytes, u64 *value)
{
	u32 latch = load_relaxed(vpci_port_latch(v->domain));
	struct address a;

	if (port < PORT_DATA) {
		/* narrower than the latch: other devices live there (0xcf9 resets the machine) */
		*value = size_bytes == 4 ? latch : port_in((u16)port, size_bytes);
	} else if (decode_latch(latch, port, &a)) {
		*value = vpci_read(v->domain, 0, a.bus, a.devfn, a.offset, size_bytes);
	} else {
		*value = ~0ull >> (64 - 8 * size_bytes);
	}
	return 0;
}

static int port_write(struct vcpu *v, void *data, u64 port, unsigned int size_bytes, u64 value)
{
	struct address a;

	if (port < PORT_DATA) {
		if (size_bytes == 4) {
			store_relaxed(vpci_port_latch(v->domain), (u32)value);
		} else {
			port_out((u16)port, size_bytes, (u32)value);
		}
	} else if (decode_latch(load_relaxed(vpci_port_latch(v->domain)), port, &a)) {
		vpci_write(v->domain, 0, a.bus, a.devfn, a.offset, size_bytes, (u32)value);
	}
	return 0;
}

static int ecam_read(struct vcpu *v, void *data, u64 address, unsigned int size_bytes, u64 *value)
{
	const struct acpi_mcfg *m = data;
	u64 at = address - hpa_raw(m->base);
	u64 high = 0;

	if (size_bytes == 8) {
		high = vpci_read(v->domain, m->segment, (u8)(at >> 20), (u8)(at >> 12),
				 (u16)((at & 0xfff) + 4), 4);
		size_bytes = 4;
	}
	*value = high << 32 | vpci_read(v->domain, m->segment, (u8)(at >> 20), (u8)(at >> 12),
					(u16)(at & 0xfff), size_bytes);
	return 0;
}

static int ecam_write(struct vcpu *v, void *data, u64 address, unsigned int size_bytes, u64 value)
{
	const struct acpi_mcfg *m = data;
	u64 at = address - hpa_raw(m->base);

	vpci_write(v->domain, m->segment, (u8)(at >> 20), (u8)(at >> 12), (u16)(at & 0xfff),
		   MIN(size_bytes, 4u), (u32)value);
	if (size_bytes == 8) {
		vpci_write(v->domain, m->segment, (u8)(at >> 20), (u8)(at >> 12),
			   (u16)((at & 0xfff) + 4), 4, (u32)(value >> 32));
	}
	return 0;
}

static int memory_read(struct vcpu *v, void *data, u64 address, unsigned int size_bytes, u64 *value)
{
	return vpci_memory_read(v->domain, gpa_of(address), size_bytes, value) ? 0 : -EAGAIN;
}

static int memory_write(struct vcpu *v, void *data, u64 address, unsigned int size_bytes, u64 value)
{
	return vpci_memory_write(v->domain, gpa_of(address), size_bytes, value) ? 0 : -EAGAIN;
}

static const struct trap_ops port_ops = {.read = port_read, .write = port_write};
static const struct trap_ops ecam_ops = {.read = ecam_read, .write = ecam_write};
static const struct trap_ops memory_ops = {.read = memory_read, .write = memory_write};

int arch_vpci_trap(struct domain *d, gpa_t first, u64 size_bytes)
{
	return trap_memory(d, first, size_bytes, &memory_ops, NULL);
}

void arch_vpci_untrap(struct domain *d, gpa_t first)
{
	trap_memory_remove(d, first);
}

int pci_access_init(struct domain *d)
{
	unsigned int i;
	int rc;

	if (!d->is_hardware) {
		return 0;
	}
	rc = trap_ports(d, PORT_ADDRESS, 4, &port_ops, NULL);
	if (rc) {
		return rc;
	}
	rc = trap_ports(d, PORT_DATA, 4, &port_ops, NULL);
	if (rc) {
		return rc;
	}
	for (i = 0; i < acpi_info.mcfg_count; i++) {
		struct acpi_mcfg *m = &acpi_info.mcfg[i];

		rc = trap_memory(d, gpa_of(hpa_raw(m->base) + ((u64)m->bus_first << 20)),
				 (u64)(m->bus_last - m->bus_first + 1) << 20, &ecam_ops, m);
		if (rc) {
			return rc;
		}
	}
	return 0;
}
