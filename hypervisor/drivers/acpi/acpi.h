/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables: found, checked (signature, length, checksum), and decoded by bounded code;
 * firmware counts as hostile. Tables are read through a caller-given mapping, so the same code
 * runs in tests and fuzzers on plain buffers. ACPI 6.4, chapter 5.
 */
#pragma once

#include "hv/addr.h"
#include "hv/compiler.h"
#include "hv/types.h"
#include "lib/bitmap.h"

#define ACPI_IOAPIC_MAX		16
#define ACPI_OVERRIDE_MAX	32
#define ACPI_TABLE_MAX		64
#define ACPI_MCFG_MAX		8
#define ACPI_IOMMU_MAX		16
#define ACPI_SCOPE_MAX		128
#define ACPI_SCOPE_PATH_MAX	6
#define ACPI_RESERVED_RANGE_MAX 32
#define ACPI_IVRS_ENTRY_MAX	256
#define ACPI_DECODE_BYTES	32768 /* a table that is decoded may be this long */

/* Length and address are sane; a wrong checksum is kept: firmware has such, and dom0 may cope. */
struct acpi_table {
	char signature[5];
	bool is_checksum_wrong;
	hpa_t address;
	u32 size_bytes;
};
struct acpi_ioapic {
	u8 id;
	hpa_t address;
	u32 gsi_base;
};
struct acpi_override {
	u8 source_irq;
	u32 gsi;
	u16 flags;
};
struct acpi_mcfg {
	hpa_t base;
	u16 segment;
	u8 bus_first, bus_last;
};

/* DMAR, Intel VT-d specification chapter 8. */
enum acpi_scope_type {
	ACPI_SCOPE_ENDPOINT = 1,
	ACPI_SCOPE_BRIDGE = 2,
	ACPI_SCOPE_IOAPIC = 3,
	ACPI_SCOPE_HPET = 4,
	ACPI_SCOPE_NAMESPACE = 5
};
struct acpi_scope {
	u8 type; /* enum acpi_scope_type */
	u8 id;	 /* of the I/O APIC or HPET */
	u8 bus;
	u8 path_count;
	struct {
		u8 device, function;
	} path[ACPI_SCOPE_PATH_MAX]; /* through bridges */
};
struct acpi_drhd {
	hpa_t base;
	u16 segment;
	bool is_rest_of_segment; /* every device that no other unit names */
	u16 scope_first, scope_count;
};
/* Memory that firmware's devices use and that must stay identity-mapped: RMRR and IVMD. */
struct acpi_reserved_range {
	hpa_t start;
	u64 size_bytes;
	u16 segment;
	u16 scope_first, scope_count;  /* RMRR */
	u16 device_first, device_last; /* IVMD: bus << 8 | devfn */
	u8 access;		       /* bit 0 read, 1 write */
};
struct acpi_dmar {
	bool is_present;
	u8 address_bits;
	bool has_interrupt_remapping;
	bool is_x2apic_unwanted;
	unsigned int drhd_count;
	struct acpi_drhd drhds[ACPI_IOMMU_MAX];
	unsigned int scope_count;
	struct acpi_scope scopes[ACPI_SCOPE_MAX];
};

/* IVRS, AMD IOMMU specification chapter 5. */
struct acpi_ivhd {
	hpa_t base;
	u16 segment;
	u16 device; /* the IOMMU's own PCI function */
	u16 capability_offset;
	u8 type; /* 0x10, 0x11, 0x40 */
	u8 flags;
	u32 features;
};
enum acpi_ivrs_special { ACPI_IVRS_IOAPIC = 1, ACPI_IVRS_HPET = 2 };
struct acpi_ivrs_entry {
	u8 iommu;   /* index into ivhds */
	u8 special; /* 0, or enum acpi_ivrs_special with handle */
	u8 handle;
	u8 settings; /* LINT, NMI, INIT pass flags as in the device table */
	bool has_alias;
	u16 first, last; /* devices: bus << 8 | devfn */
	u16 alias;	 /* whose device table entry they use */
};
struct acpi_ivrs {
	bool is_present;
	u32 info;
	unsigned int ivhd_count;
	struct acpi_ivhd ivhds[ACPI_IOMMU_MAX];
	unsigned int entry_count;
	struct acpi_ivrs_entry entries[ACPI_IVRS_ENTRY_MAX];
};

/* What start needs of the firmware's tables. */
struct acpi_info {
	hpa_t rsdp, xsdt;
	unsigned int table_count;
	struct acpi_table tables[ACPI_TABLE_MAX];
	/* MADT */
	hpa_t lapic_address;
	unsigned int cpu_count;
	struct {
		u32 apic_id;
		u32 acpi_id;
	} cpus[CPU_MAX]; /* enabled ones; boot CPU is found by id */
	unsigned int ioapic_count;
	struct acpi_ioapic ioapics[ACPI_IOAPIC_MAX];
	unsigned int override_count;
	struct acpi_override overrides[ACPI_OVERRIDE_MAX];
	/* FADT, HPET */
	u32 pm_timer_port;
	bool is_pm_timer_32bit;
	u16 pm1a_event, pm1b_event, pm1a_control, pm1b_control, sci_irq;
	u8 pm1_event_size_bytes;
	u8 reset_space;
	u64 reset_address;
	u8 reset_value;
	bool has_reset;
	hpa_t hpet;
	hpa_t facs, dsdt;
	/* MCFG */
	unsigned int mcfg_count;
	struct acpi_mcfg mcfg[ACPI_MCFG_MAX];
	/* DMAR, IVRS */
	struct acpi_dmar dmar;
	struct acpi_ivrs ivrs;
	unsigned int reserved_range_count;
	struct acpi_reserved_range reserved_ranges[ACPI_RESERVED_RANGE_MAX];
};
extern struct acpi_info acpi_info;

/* Reads size_bytes at address; false when it cannot (past RAM). Supplied by start, or by a test. */
typedef bool (*acpi_read_t)(void *context, hpa_t address, void *to, size_t size_bytes);
/*
 * -ENOENT no RSDP, -EINVAL broken (why: a sentence for the user; *out is then half filled).
 * MADT, FADT, DMAR and IVRS must be right when they are there; HPET, MCFG and unknown
 * tables that are broken are left out with a warning. Not reentrant (one buffer); start only.
 */
int acpi_parse(acpi_read_t read, void *context, hpa_t rsdp_hint, struct acpi_info *out,
	       const char **why) MUST_CHECK;
