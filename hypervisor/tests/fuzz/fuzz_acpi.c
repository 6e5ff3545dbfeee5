/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The input is one table's body, its kind in the first byte; with kind 7 the whole input is
 * "physical memory" and checksums are the fuzzer's problem.
 */
#include "drivers/acpi/acpi.h"
#include "tests/unit/fake_acpi.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes)
{
	static const char *const kinds[] = {"APIC", "FACP", "HPET", "MCFG", "DMAR", "IVRS", "SSDT"};
	static struct fake_firmware f;
	static struct acpi_info info;
	const char *why;
	unsigned int kind;

	if (size_bytes < 1 || size_bytes > 0x4000) {
		return 0;
	}
	kind = data[0] % 8;
	memset(&f, 0, sizeof(f));
	f.next = 0x4000;
	if (kind == 7) {
		memcpy(f.memory + FAKE_RSDP, data + 1, size_bytes - 1);
	} else {
		fake_table(&f, kinds[kind], data + 1, (u32)size_bytes - 1);
		if (kind != 0) {
			fake_madt(&f);
		}
		if (kind != 1) {
			fake_fadt(&f);
		}
		fake_finish(&f);
	}
	if (acpi_parse(fake_read, &f, hpa_of(0), &info, &why) && !why) {
		__builtin_trap(); /* a refusal has a sentence */
	}
	return 0;
}
