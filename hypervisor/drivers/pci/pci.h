/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's PCI functions: configuration access (memory-mapped where the MCFG has
 * the bus, else ports 0xcf8/0xcfc), what was found at start and what dom0 reported later.
 *
 * Records are never freed: a function that goes away is marked, so that a pointer stays good.
 * Lock: LOCK_PCI for the ports and the list; reading the list takes none.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"

struct pci_bdf {
	u16 segment;
	u8 bus;
	u8 devfn; /* device << 3 | function */
};
#define PCI_FMT	    "%04x:%02x:%02x.%x"
#define PCI_ARGS(b) (b).segment, (b).bus, (b).devfn >> 3, (b).devfn & 7

static inline struct pci_bdf pci_bdf_of(u16 segment, u8 bus, u8 devfn)
{
	return (struct pci_bdf){.segment = segment, .bus = bus, .devfn = devfn};
}
static inline bool pci_bdf_equal(struct pci_bdf a, struct pci_bdf b)
{
	return a.segment == b.segment && a.bus == b.bus && a.devfn == b.devfn;
}
/* bus << 8 | devfn, what a request on the bus carries */
static inline u16 pci_requester(struct pci_bdf b)
{
	return (u16)(b.bus << 8 | b.devfn);
}

/* Configuration registers, PCI Local Bus 3.0 chapter 6. */
enum {
	PCI_VENDOR = 0x00,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_CLASS = 0x08, /* with the revision in the low byte */
	PCI_HEADER_TYPE = 0x0e,
	PCI_BAR0 = 0x10,
	PCI_BUSES = 0x18, /* bridges: primary, secondary, subordinate */
	PCI_ROM = 0x30,
	PCI_CAPABILITIES = 0x34,
	PCI_BRIDGE_ROM = 0x38,
};
#define PCI_COMMAND_IO		 BIT(0)
#define PCI_COMMAND_MEMORY	 BIT(1)
#define PCI_COMMAND_MASTER	 BIT(2)
#define PCI_COMMAND_INTX_DISABLE BIT(10)
#define PCI_STATUS_CAPABILITIES	 BIT(4)
#define PCI_CAP_MSI		 0x05
#define PCI_CAP_SECURE_DEVICE	 0x0f /* AMD's IOMMU among them */
#define PCI_CAP_EXPRESS		 0x10
#define PCI_CAP_MSIX		 0x11
#define PCI_BAR_COUNT		 7 /* six and the ROM */
#define PCI_BAR_ROM		 6

struct pci_bar {
	u16 offset; /* of its register; 0: there is none */
	u64 size_bytes;
	bool is_memory, is_64bit, is_prefetchable;
};
struct pci_function {
	struct pci_function *next;
	struct pci_bdf bdf;
	bool is_present;
	u16 vendor, device;
	u32 class_code;		   /* 24 bits */
	u8 header_type;		   /* without the multi-function bit */
	u8 express_type;	   /* device/port type, or 0xff: no PCI Express capability */
	u8 secondary, subordinate; /* header type 1 */
	u8 msi, msix;		   /* capability offsets, 0: none */
	struct pci_bar bars[PCI_BAR_COUNT];
};

/* Finds everything. Start only, after the heap; uses acpi_info.mcfg. */
void pci_setup(void);
/* size_bytes 1, 2 or 4, offset a multiple of it; all ones where nothing answers. Any context. */
u32 pci_config_read(struct pci_bdf bdf, u16 offset, unsigned int size_bytes);
void pci_config_write(struct pci_bdf bdf, u16 offset, unsigned int size_bytes, u32 value);
/* Registers that configuration space of this function has: 4096, or 256 by the ports; 0: none. */
unsigned int pci_config_bytes(struct pci_bdf bdf);
/* Offset of the capability, 0 when there is none; a looping list ends. */
u8 pci_find_capability(struct pci_bdf bdf, u8 id);

/* NULL: none is known there. */
struct pci_function *pci_function_find(struct pci_bdf bdf);
/* Looks at the hardware; adds or revives its record. NULL: nothing answers, or no memory. */
struct pci_function *pci_function_probe(struct pci_bdf bdf);
/* The sizes of f's BARs, anew (they can be made resizable). Decoding is off meanwhile. */
void pci_function_size_bars(struct pci_function *f);
extern struct pci_function *pci_functions;
#define for_each_pci_function(f) for ((f) = load_acquire(&pci_functions); (f); (f) = (f)->next)

/*
 * The conventional bridge above a function whose requests carry that bridge's identity
 * instead of their own (PCI Express to PCI/PCI-X Bridge 1.0, 2.3), or NULL.
 */
struct pci_function *pci_alias_bridge(struct pci_bdf bdf);
