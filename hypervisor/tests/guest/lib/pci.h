/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI configuration by ports, bus 0 only. */
#pragma once

#include "guest.h"

#define PCI_NONE 0xffffffffU

static inline uint32_t pci_read32(unsigned devfn, unsigned reg)
{
	outl(0xcf8, 0x80000000U | devfn << 8 | (reg & ~3U));
	return inl(0xcfc);
}

static inline void pci_write32(unsigned devfn, unsigned reg, uint32_t value)
{
	outl(0xcf8, 0x80000000U | devfn << 8 | (reg & ~3U));
	outl(0xcfc, value);
}

static inline uint16_t pci_read16(unsigned devfn, unsigned reg)
{
	outl(0xcf8, 0x80000000U | devfn << 8 | (reg & ~3U));
	return inw(0xcfc + (reg & 2));
}

static inline void pci_write16(unsigned devfn, unsigned reg, uint16_t value)
{
	outl(0xcf8, 0x80000000U | devfn << 8 | (reg & ~3U));
	outw(0xcfc + (reg & 2), value);
}

static inline uint8_t pci_read8(unsigned devfn, unsigned reg)
{
	outl(0xcf8, 0x80000000U | devfn << 8 | (reg & ~3U));
	return inb(0xcfc + (reg & 3));
}

/* The device function with that vendor and device id (device in the upper half), or PCI_NONE. */
static inline unsigned pci_find(uint32_t id)
{
	for (unsigned devfn = 0; devfn < 256; devfn++) {
		if (pci_read32(devfn, 0) == id) {
			return devfn;
		}
	}
	return PCI_NONE;
}

/* Offset of a capability, 0 if there is none. */
static inline unsigned pci_capability(unsigned devfn, unsigned id)
{
	unsigned at = pci_read8(devfn, 0x34) & 0xfc;

	for (unsigned i = 0; at && i < 48; i++) {
		if (pci_read8(devfn, at) == id) {
			return at;
		}
		at = pci_read8(devfn, at + 1) & 0xfc;
	}
	return 0;
}
