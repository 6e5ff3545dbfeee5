/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/trap.h"

#include "arch/x86/guest/hvm_arch.h"
#include "core/rcu.h"
#include "hv/error.h"
#include "mm/heap.h"

struct trap_range {
	struct rcu_head rcu;
	u64 first, last;
	const struct trap_ops *ops;
	void *data;
};

static void range_free(struct rcu_head *head)
{
	heap_free(container_of(head, struct trap_range, rcu));
}

/*
 * Slots are claimed and given up with compare-and-swap: BARs move while other vCPUs access
 * theirs, and the callers hold locks of different ranks.
 */
static int range_add(struct trap_range **slots, unsigned int count, u32 *used, u64 first, u64 last,
		     const struct trap_ops *ops, void *data)
{
	struct trap_range *range;
	unsigned int i;

	range = heap_alloc(sizeof(*range));
	if (!range) {
		return -ENOMEM;
	}
	range->first = first;
	range->last = last;
	range->ops = ops;
	range->data = data;
	for (i = 0; i < count; i++) {
		struct trap_range *empty = NULL;

		if (__atomic_compare_exchange_n(&slots[i], &empty, range, false, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED)) {
			u32 old = load_relaxed(used);

			/* Only ever grows: readers look at that many slots. */
			while (old < i + 1 &&
			       !__atomic_compare_exchange_n(used, &old, i + 1, false,
							    __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
			}
			return 0;
		}
	}
	heap_free(range);
	return -ENOSPC;
}

static struct trap_range *range_find(struct trap_range **slots, unsigned int count, u64 address,
				     unsigned int size_bytes)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct trap_range *range = rcu_load(&slots[i]);

		if (range && address >= range->first && address <= range->last &&
		    size_bytes - 1 <= range->last - address) {
			return range;
		}
	}
	return NULL;
}

int trap_ports(struct domain *d, u16 first, u32 count, const struct trap_ops *ops, void *data)
{
	int rc;

	if (count == 0 || (u32)first + count > 0x10000) {
		return -EINVAL;
	}
	rc = range_add(d->arch->ports, TRAP_PORTS_MAX, &d->arch->ports_used, first,
		       first + count - 1, ops, data);
	if (rc) {
		return rc;
	}
	trap_ports_allow(d, first, count, false);
	return 0;
}

int trap_memory(struct domain *d, gpa_t first, u64 size_bytes, const struct trap_ops *ops,
		void *data)
{
	u64 start = gpa_raw(first);

	if (size_bytes == 0 || start + size_bytes - 1 < start) {
		return -EINVAL;
	}
	return range_add(d->arch->memory, TRAP_MEMORY_MAX, &d->arch->memory_used, start,
			 start + size_bytes - 1, ops, data);
}

void trap_memory_remove(struct domain *d, gpa_t first)
{
	unsigned int i;

	for (i = 0; i < TRAP_MEMORY_MAX; i++) {
		struct trap_range *range = rcu_load(&d->arch->memory[i]);

		if (range && range->first == gpa_raw(first) &&
		    __atomic_compare_exchange_n(&d->arch->memory[i], &range, NULL, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
			rcu_call(&range->rcu, range_free);
			return;
		}
	}
}

void trap_ports_allow(struct domain *d, u16 first, u32 count, bool is_allowed)
{
	u32 port;

	for (port = first; port < (u32)first + count && port < 0x10000; port++) {
		u8 mask = (u8)(1u << (port % 8));

		if (is_allowed) {
			__atomic_fetch_and(&d->arch->iopm[port / 8], (u8)~mask, __ATOMIC_RELAXED);
		} else {
			__atomic_fetch_or(&d->arch->iopm[port / 8], mask, __ATOMIC_RELAXED);
		}
	}
	hvm->ports_changed(d);
}

static bool dispatch(struct vcpu *v, struct trap_range *range, u64 address, unsigned int size_bytes,
		     bool is_write, u64 *value)
{
	if (!range) {
		return false;
	}
	if (is_write) {
		return range->ops->write(v, range->data, address, size_bytes, *value) == 0;
	}
	return range->ops->read(v, range->data, address, size_bytes, value) == 0;
}

bool trap_dispatch_port(struct vcpu *v, u16 port, unsigned int size_bytes, bool is_write,
			u64 *value)
{
	struct arch_domain *a = v->domain->arch;

	return dispatch(v, range_find(a->ports, load_relaxed(&a->ports_used), port, size_bytes),
			port, size_bytes, is_write, value);
}

bool trap_dispatch_memory(struct vcpu *v, gpa_t address, unsigned int size_bytes, bool is_write,
			  u64 *value)
{
	struct arch_domain *a = v->domain->arch;
	u64 raw = gpa_raw(address);

	return dispatch(v, range_find(a->memory, load_relaxed(&a->memory_used), raw, size_bytes),
			raw, size_bytes, is_write, value);
}

void trap_free_all(struct domain *d)
{
	unsigned int i;

	for (i = 0; i < TRAP_PORTS_MAX; i++) {
		heap_free(d->arch->ports[i]);
	}
	for (i = 0; i < TRAP_MEMORY_MAX; i++) {
		heap_free(d->arch->memory[i]);
	}
}
