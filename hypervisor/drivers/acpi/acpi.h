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

#define ACPI_IOAPIC_MAX 16
#define ACPI_OVERRIDE_MAX 32
#define ACPI_TABLE_MAX 64
#define ACPI_IOMMU_MAX 16
#define ACPI_MCFG_MAX 8

struct acpi_table { char signature[5]; hpa_t address; u32 size_bytes; };
struct acpi_ioapic { u8 id; hpa_t address; u32 gsi_base; };
struct acpi_override { u8 source_irq; u32 gsi; u16 flags; };
struct acpi_mcfg { hpa_t base; u16 segment; u8 bus_first, bus_last; };

/* What start needs of the firmware's tables. */
struct acpi_info {
	hpa_t rsdp, xsdt;
	unsigned int table_count;
	struct acpi_table tables[ACPI_TABLE_MAX];
	/* MADT */
	hpa_t lapic_address;
	unsigned int cpu_count;
	struct { u32 apic_id; u32 acpi_id; } cpus[CPU_MAX]; /* enabled ones; boot CPU is found by id */
	unsigned int ioapic_count;
	struct acpi_ioapic ioapics[ACPI_IOAPIC_MAX];
	unsigned int override_count;
	struct acpi_override overrides[ACPI_OVERRIDE_MAX];
	/* FADT, HPET */
	u32 pm_timer_port;
	bool is_pm_timer_32bit;
	u16 pm1a_control, pm1b_control, sci_irq;
	u8 reset_space; u64 reset_address; u8 reset_value; bool has_reset;
	hpa_t hpet;
	hpa_t facs, dsdt;
	/* MCFG */
	unsigned int mcfg_count;
	struct acpi_mcfg mcfg[ACPI_MCFG_MAX];
};
extern struct acpi_info acpi_info;

/* Reads size_bytes at address; false when it cannot (past RAM). Supplied by start, or by a test. */
typedef bool (*acpi_read_t)(void *context, hpa_t address, void *to, size_t size_bytes);
/* -ENOENT no RSDP, -EINVAL broken (why: a sentence for the user). */
int acpi_parse(acpi_read_t read, void *context, hpa_t rsdp_hint, struct acpi_info *out, const char **why) MUST_CHECK;
