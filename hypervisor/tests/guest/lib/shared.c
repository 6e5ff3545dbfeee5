/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#include <xen/memory.h>

struct shared_info *shared_info;

extern uint8_t guest_end[];

struct hvm_start_info *start_info(void)
{
	return (struct hvm_start_info *)(uint64_t)entry_state.ebx;
}

/* Frames below the local APIC and above any RAM of the tests: 0xf0000000 upwards is a hole. */
uint64_t scratch_frame(void)
{
	static uint64_t next = 0xc0000;

	return next++;
}

void shared_info_map(void)
{
	uint64_t frame;
	struct xen_add_to_physmap map = {.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info};

	if (shared_info) {
		return;
	}
	frame = scratch_frame();
	map.gpfn = frame;
	if (hypercall2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map) == 0) {
		shared_info = (struct shared_info *)(frame * PAGE_SIZE);
	}
}
