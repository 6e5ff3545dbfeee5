/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

uint32_t xen_leaf;
bool uses_vmcall;
uint8_t hypercall_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

void hypercall_init(void)
{
	struct cpuid vendor = cpuid(0, 0);

	uses_vmcall = vendor.ebx == 0x756e6547; /* "Genu" of GenuineIntel */
	for (uint32_t leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100) {
		struct cpuid r = cpuid(leaf, 0);

		if (r.ebx == 0x566e6558 && r.ecx == 0x65584d4d && r.edx == 0x4d4d566e) {
			xen_leaf = leaf;
			break;
		}
	}
}
