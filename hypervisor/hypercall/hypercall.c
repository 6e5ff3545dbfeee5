/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of hypercalls. A number that is not in it answers -ENOSYS; docs/abi.md lists all.
 */
#include "hypercall/hypercall.h"

#include <xen/xen.h>

#include "core/softirq.h"
#include "loader/interface.h"

#define HYPERCALL_COUNT 64u

const char *hypervisor_command_line = "";

static long (*const handlers[HYPERCALL_COUNT])(struct hypercall *call) = {
	[__HYPERVISOR_platform_op] = op_platform,
	[__HYPERVISOR_memory_op] = op_memory,
	[__HYPERVISOR_multicall] = op_multicall,
	[__HYPERVISOR_set_timer_op] = op_set_timer,
	[__HYPERVISOR_xen_version] = op_xen_version,
	[__HYPERVISOR_console_io] = op_console_io,
	[__HYPERVISOR_grant_table_op] = op_grant_table,
	[__HYPERVISOR_vm_assist] = op_vm_assist,
	[__HYPERVISOR_vcpu_op] = op_vcpu,
	[__HYPERVISOR_sched_op] = op_sched,
	[__HYPERVISOR_event_channel_op] = op_event_channel,
	[__HYPERVISOR_physdev_op] = op_physdev,
	[__HYPERVISOR_hvm_op] = op_hvm,
	[__HYPERVISOR_sysctl] = op_sysctl,
	[__HYPERVISOR_domctl] = op_domctl,
	[__HYPERVISOR_dm_op] = op_dm,
	[LOADER_HYPERCALL] = op_loader,
};

bool hypercall_should_yield(void)
{
	return softirq_is_pending();
}

long hypercall_dispatch(struct hypercall *call)
{
	unsigned int number = call->number;

	if (number >= HYPERCALL_COUNT || !handlers[index_clamp(number, HYPERCALL_COUNT)]) {
		return -ENOSYS;
	}
	number = (unsigned int)index_clamp(number, HYPERCALL_COUNT);
	return handlers[number](call);
}
