// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hypercalls with any arguments, over memory with any contents. The input is a list of records:
 * number, which of two callers, six arguments, and bytes for the callers' memory. Arguments that
 * look like small offsets are pointers into that memory. Afterwards nothing may be left.
 */
#include "tests/unit/fake_guest.h"

#include "hypercall/hypercall.h"
#include "mm/window.h"
#include "tests/unit/fake_tools.h"

#include <xen/sched.h>
#include <xen/vcpu.h>

#define MEMORY_BYTES 4096u
#define CALLS_MAX    64u

static u8 memory[MEMORY_BYTES];

static bool is_inside(u64 address, size_t size_bytes)
{
	return address >= 0x1000 && address - 0x1000 <= MEMORY_BYTES && size_bytes <= MEMORY_BYTES - (address - 0x1000);
}
int guest_read(void *to, guest_ptr_t from, size_t size_bytes)
{
	if (!is_inside(from.v, size_bytes)) {
		return -EFAULT;
	}
	memcpy(to, memory + (from.v - 0x1000), size_bytes);
	return 0;
}
int guest_write(guest_ptr_t to, const void *from, size_t size_bytes)
{
	if (!is_inside(to.v, size_bytes)) {
		return -EFAULT;
	}
	memcpy(memory + (to.v - 0x1000), from, size_bytes);
	return 0;
}
int guest_clear(guest_ptr_t to, size_t size_bytes)
{
	if (!is_inside(to.v, size_bytes)) {
		return -EFAULT;
	}
	memset(memory + (to.v - 0x1000), 0, size_bytes);
	return 0;
}
int guest_read_element(void *to, guest_ptr_t array, u64 i, size_t size_bytes)
{
	return i > MEMORY_BYTES ? -EFAULT : guest_read(to, guest_ptr_add(array, i * size_bytes), size_bytes);
}
int guest_write_element(guest_ptr_t array, u64 i, const void *from, size_t size_bytes)
{
	return i > MEMORY_BYTES ? -EFAULT : guest_write(guest_ptr_add(array, i * size_bytes), from, size_bytes);
}

int arch_guest_translate(struct vcpu *v, u64 linear, enum guest_access_kind kind, gpa_t *out)
{
	*out = gpa_of(linear);
	return linear >> 40 ? -EFAULT : 0;
}
int arch_vcpu_initialise(struct vcpu *v, const void *context)
{
	return -EINVAL;
}
bool hypercall_should_yield(void)
{
	return false;
}

/* The version is right seven times of eight, and the command one that there may be. */
static long call_tools(struct hypercall *c, u32 version, long (*op)(struct hypercall *))
{
	u32 *head = (u32 *)(memory + (c->arg[0] & 0x7f8));

	c->arg[0] = 0x1000 + (c->arg[0] & 0x7f8);
	if (head[0] % 8) {
		head[0] = version;
	}
	head[1] %= 90;
	return op(c);
}

static long call(struct hypercall *c)
{
	switch (c->number % 8) {
	case 0:
		return op_memory(c);
	case 1:
		return op_event_channel(c);
	case 2:
		return op_grant_table(c);
	case 3:
		c->arg[0] %= 16; /* dom0 without a vCPU that is up is the machine's end */
		return c->arg[0] == VCPUOP_down && c->caller->domain == dom0 ? 0 : op_vcpu(c);
	case 4:
		c->arg[0] %= 8;
		return c->arg[0] == SCHEDOP_shutdown ? 0 : op_sched(c);
	case 5:
		return op_vm_assist(c);
	case 6:
		return call_tools(c, XEN_DOMCTL_INTERFACE_VERSION, op_domctl);
	default:
		return call_tools(c, XEN_SYSCTL_INTERFACE_VERSION, op_sysctl);
	}
}

static void end(struct domain *d)
{
	dom0 = NULL;
	while (domain_kill(d) == -ERESTART) {
		fake_grace();
	}
	domain_put(d);
	for (unsigned int i = 0; i < 4; i++) {
		fake_grace();
	}
}

/* Those that domctls made. */
static void end_created(void)
{
	struct domain *d = domain_get_from(2);

	while (d) {
		p2m_flush(d);
		end(d);
		d = domain_get_from(2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct domain *d[2];
	struct record {
		u8 number, caller;
		u16 offset, length;
		u16 arg[6];
	} r;
	unsigned int calls = 0;

	fake_set_up();
	d[0] = fake_domain(0, 2);
	d[1] = fake_domain(1, 2);
	memset(memory, 0, sizeof(memory));
	while (size >= sizeof(r) && calls++ < CALLS_MAX) {
		struct hypercall c = {.number = 0};

		memcpy(&r, data, sizeof(r));
		data += sizeof(r);
		size -= sizeof(r);
		r.length %= 128;
		if (r.length <= size) {
			memcpy(memory + r.offset % (MEMORY_BYTES - 128), data, r.length);
			data += r.length;
			size -= r.length;
		}
		c.number = r.number;
		c.caller = d[r.caller % 2]->vcpus[r.caller / 2 % 2];
		fake_current = c.caller;
		for (unsigned int i = 0; i < 6; i++) {
			/* 0xf000 and up: numbers near the end of the address space. */
			c.arg[i] = r.arg[i] >= 0xf000 ? ~0ull - (0xffff - r.arg[i]) : r.arg[i];
		}
		(void)call(&c);
		if (!window_is_idle()) {
			abort();
		}
	}
	p2m_flush(d[0]);
	p2m_flush(d[1]);
	end_created();
	end(d[1]);
	end(d[0]);
	if (unit_heap_in_use() != 0) {
		fprintf(stderr, "%lu objects left\n", unit_heap_in_use());
		abort();
	}
	return 0;
}
