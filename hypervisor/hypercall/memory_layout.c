/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hypercall/memory_layout.h"

#include "memory/guest_access.h"

/* As <xen/memory.h> lies in memory for i386. */
struct add_to_physmap_32 {
	u16 domid, size;
	u32 space, idx, gpfn;
};
_Static_assert(sizeof(struct add_to_physmap_32) == 16, "i386 ABI");

struct memory_map_32 {
	u32 nr_entries, buffer;
};
_Static_assert(sizeof(struct memory_map_32) == 8, "i386 ABI");

int memory_read_add(const struct hypercall *call, struct xen_add_to_physmap *out)
{
	struct add_to_physmap_32 a;

	if (!call->is_32bit) {
		return guest_read(out, call_ptr(call, 1), sizeof(*out));
	}
	if (guest_read(&a, call_ptr(call, 1), sizeof(a))) {
		return -EFAULT;
	}
	*out = (struct xen_add_to_physmap){
		.domid = a.domid, .size = a.size, .space = a.space, .idx = a.idx, .gpfn = a.gpfn};
	return 0;
}

int memory_read_map(const struct hypercall *call, struct xen_memory_map *out)
{
	struct memory_map_32 a;

	if (!call->is_32bit) {
		return guest_read(out, call_ptr(call, 1), sizeof(*out));
	}
	if (guest_read(&a, call_ptr(call, 1), sizeof(a))) {
		return -EFAULT;
	}
	out->nr_entries = a.nr_entries;
	out->buffer.p = (void *)(unsigned long)a.buffer;
	return 0;
}
