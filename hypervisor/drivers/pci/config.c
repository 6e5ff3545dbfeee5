/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration access. PCI Local Bus 3.0, 3.2.2.3; PCI Express Base 5.0, 7.2.2. */
#include "drivers/pci/pci.h"

#include "arch/contract/host.h"
#include "asm/io.h"
#include "core/log.h"
#include "core/spinlock.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/config.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc

struct ecam {
	u8 *registers; /* of bus_first */
	u16 segment;
	u8 bus_first, bus_last;
};
static struct ecam ecams[ACPI_MCFG_MAX] RO_AFTER_INIT;
static unsigned int ecam_count RO_AFTER_INIT;
static struct spinlock port_lock = SPINLOCK_INIT(LOCK_PCI);

void pci_config_setup(void)
{
	unsigned int i;

	for (i = 0; i < acpi_info.mcfg_count; i++) {
		const struct acpi_mcfg *m = &acpi_info.mcfg[i];
		struct ecam *e = &ecams[ecam_count];

		e->registers = arch_mmio_map(hpa_add(m->base, (u64)m->bus_first << 20),
					     ((size_t)m->bus_last - m->bus_first + 1) << 20);
		if (!e->registers) {
			log_warning("PCI: no room to map configuration space of segment %u\n",
				    m->segment);
			continue;
		}
		e->segment = m->segment;
		e->bus_first = m->bus_first;
		e->bus_last = m->bus_last;
		ecam_count++;
	}
}

static u8 *ecam_find(struct pci_bdf bdf)
{
	unsigned int i;

	for (i = 0; i < ecam_count; i++) {
		const struct ecam *e = &ecams[i];

		if (e->segment == bdf.segment && bdf.bus >= e->bus_first &&
		    bdf.bus <= e->bus_last) {
			return e->registers + ((size_t)(bdf.bus - e->bus_first) << 20) +
			       ((size_t)bdf.devfn << 12);
		}
	}
	return NULL;
}

unsigned int pci_config_bytes(struct pci_bdf bdf)
{
	if (ecam_find(bdf)) {
		return 4096;
	}
	return bdf.segment == 0 ? 256 : 0;
}

static u32 port_address(struct pci_bdf bdf, u16 offset)
{
	return (u32)BIT(31) | (u32)bdf.bus << 16 | (u32)bdf.devfn << 8 | (offset & 0xfcu);
}

static bool is_access_sane(u16 offset, unsigned int size_bytes)
{
	return (size_bytes == 1 || size_bytes == 2 || size_bytes == 4) &&
	       offset % size_bytes == 0 && offset < 4096;
}

u32 pci_config_read(struct pci_bdf bdf, u16 offset, unsigned int size_bytes)
{
	u8 *registers = ecam_find(bdf);
	u16 port = (u16)(PORT_DATA + offset % 4);
	unsigned long flags;
	u32 value;

	if (!is_access_sane(offset, size_bytes)) {
		return ~0u;
	}
	if (registers) {
		return mmio_read(registers + offset, size_bytes);
	}
	if (bdf.segment != 0 || offset >= 256) {
		return ~0u;
	}
	flags = spin_lock_irqsave(&port_lock);
	port_out32(PORT_ADDRESS, port_address(bdf, offset));
	value = port_in(port, size_bytes);
	spin_unlock_irqrestore(&port_lock, flags);
	return value;
}

void pci_config_write(struct pci_bdf bdf, u16 offset, unsigned int size_bytes, u32 value)
{
	u8 *registers = ecam_find(bdf);
	u16 port = (u16)(PORT_DATA + offset % 4);
	unsigned long flags;

	if (!is_access_sane(offset, size_bytes)) {
		return;
	}
	if (registers) {
		mmio_write(registers + offset, size_bytes, value);
		return;
	}
	if (bdf.segment != 0 || offset >= 256) {
		return;
	}
	flags = spin_lock_irqsave(&port_lock);
	port_out32(PORT_ADDRESS, port_address(bdf, offset));
	port_out(port, size_bytes, value);
	spin_unlock_irqrestore(&port_lock, flags);
}
