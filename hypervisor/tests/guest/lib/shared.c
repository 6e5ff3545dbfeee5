/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#include <xen/event_channel.h>
#include <xen/memory.h>

struct shared_info *shared_info;
uint64_t start_ports;

extern uint8_t guest_end[];

struct hvm_start_info *start_info(void)
{
	return (struct hvm_start_info *)(uint64_t)entry_state.ebx;
}

bool is_dom0(void)
{
	return start_info()->flags & SIF_INITDOMAIN;
}

domid_t own_domain(void)
{
	return (domid_t)cpuid(xen_leaf + 4, 0).ecx;
}

/* Frames below the local APIC and above any RAM of the tests: 0xf0000000 upwards is a hole. */
uint64_t scratch_frame(void)
{
	static uint64_t next = 0xc0000;

	return next++;
}

/* dom0 tells there that it has read the console; no test expects an event of that. */
static void mask_start_ports(void)
{
	for (uint32_t port = 1; port < 64; port++) {
		struct evtchn_status status = {.dom = DOMID_SELF, .port = port};

		if (hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &status) == 0 &&
		    status.status != EVTCHNSTAT_closed) {
			start_ports |= 1UL << port;
		}
	}
	shared_info->evtchn_mask[0] |= start_ports;
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
		mask_start_ports();
	}
}
