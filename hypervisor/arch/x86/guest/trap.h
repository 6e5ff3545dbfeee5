/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who emulates which ports and which memory of a domain. A device registers a range with
 * its handlers; an access that no range has is direct (ports that dom0 owns), or answers as an
 * empty bus does. Ranges are set up before the domain runs.
 */
#pragma once

#include "domain/vcpu.h"
#include "hv/types.h"

struct trap_ops {
	/* size_bytes 1, 2, 4 or 8. Return 0, or -EAGAIN: not mine after all (go on as unclaimed). */
	int (*read)(struct vcpu *v, void *data, u64 address, unsigned int size_bytes, u64 *value);
	int (*write)(struct vcpu *v, void *data, u64 address, unsigned int size_bytes, u64 value);
};

int trap_ports(struct domain *d, u16 first, u32 count, const struct trap_ops *ops, void *data) MUST_CHECK;
int trap_memory(struct domain *d, gpa_t first, u64 size_bytes, const struct trap_ops *ops, void *data) MUST_CHECK;
/* Takes away whatever starts at first (a BAR moved). */
void trap_memory_remove(struct domain *d, gpa_t first);
/* Direct access to machine ports (dom0); the I/O bitmap says no to the rest. */
void trap_ports_allow(struct domain *d, u16 first, u32 count, bool is_allowed);
bool trap_dispatch_port(struct vcpu *v, u16 port, unsigned int size_bytes, bool is_write, u64 *value);
bool trap_dispatch_memory(struct vcpu *v, gpa_t address, unsigned int size_bytes, bool is_write, u64 *value);
