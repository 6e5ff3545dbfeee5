/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

volatile unsigned event_upcalls;
volatile unsigned event_seen[EVENT_PORTS];
struct vcpu_info *event_moved_info;

struct vcpu_info *event_vcpu_info(void)
{
	return event_moved_info ? event_moved_info : &shared_info->vcpu_info[0];
}

static void collect(unsigned word)
{
	unsigned long *pending = &shared_info->evtchn_pending[word];
	unsigned long bits = *pending & ~shared_info->evtchn_mask[word];

	while (bits) {
		unsigned bit = (unsigned)__builtin_ctzl(bits);

		bits &= bits - 1;
		__atomic_fetch_and(pending, ~(1UL << bit), __ATOMIC_SEQ_CST);
		if (word * 64 + bit < EVENT_PORTS) {
			event_seen[word * 64 + bit]++;
		}
	}
}

static void upcall(struct trap_frame *frame)
{
	struct vcpu_info *info = event_vcpu_info();
	unsigned long selector;

	(void)frame;
	event_upcalls++;
	__atomic_exchange_n(&info->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
	selector = __atomic_exchange_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	while (selector) {
		collect((unsigned)__builtin_ctzl(selector));
		selector &= selector - 1;
	}
	/* This vector comes from outside the local APIC: no EOI. */
}

void event_init(void)
{
	struct xen_hvm_param param = {.domid = DOMID_SELF,
				      .index = HVM_PARAM_CALLBACK_IRQ,
				      .value = 2UL << 56 | EVENT_VECTOR};

	shared_info_map();
	if (!shared_info) {
		finish("FAIL", "shared info cannot be mapped");
	}
	trap_set_handler(EVENT_VECTOR, upcall);
	if (hypercall2(__HYPERVISOR_hvm_op, HVMOP_set_param, &param)) {
		finish("FAIL", "callback vector is refused");
	}
	event_vcpu_info()->evtchn_upcall_mask = 0;
}

long event_alloc_self(evtchn_port_t *port)
{
	struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	long rc = event_op(EVTCHNOP_alloc_unbound, &alloc);

	*port = alloc.port;
	return rc;
}

long event_bind_loop(evtchn_port_t *a, evtchn_port_t *b)
{
	struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF};
	long rc = event_alloc_self(a);

	if (rc) {
		return rc;
	}
	bind.remote_port = *a;
	rc = event_op(EVTCHNOP_bind_interdomain, &bind);
	*b = bind.local_port;
	return rc;
}

long event_bind_ipi(unsigned vcpu, evtchn_port_t *port)
{
	struct evtchn_bind_ipi bind = {.vcpu = vcpu};
	long rc = event_op(EVTCHNOP_bind_ipi, &bind);

	*port = bind.port;
	return rc;
}

long event_bind_virq(unsigned virq, unsigned vcpu, evtchn_port_t *port)
{
	struct evtchn_bind_virq bind = {.virq = virq, .vcpu = vcpu};
	long rc = event_op(EVTCHNOP_bind_virq, &bind);

	*port = bind.port;
	return rc;
}

long event_close(evtchn_port_t port)
{
	struct evtchn_close close = {.port = port};

	return event_op(EVTCHNOP_close, &close);
}

long event_send(evtchn_port_t port)
{
	struct evtchn_send send = {.port = port};

	return event_op(EVTCHNOP_send, &send);
}

long event_unmask(evtchn_port_t port)
{
	struct evtchn_unmask unmask = {.port = port};

	return event_op(EVTCHNOP_unmask, &unmask);
}

bool event_is_pending(evtchn_port_t port)
{
	return shared_info->evtchn_pending[port / 64] >> (port % 64) & 1;
}

void event_clear(evtchn_port_t port)
{
	__atomic_fetch_and(&shared_info->evtchn_pending[port / 64], ~(1UL << port % 64),
			   __ATOMIC_SEQ_CST);
}

void event_mask(evtchn_port_t port)
{
	__atomic_fetch_or(&shared_info->evtchn_mask[port / 64], 1UL << port % 64, __ATOMIC_SEQ_CST);
}

void event_unmask_locally(evtchn_port_t port)
{
	__atomic_fetch_and(&shared_info->evtchn_mask[port / 64], ~(1UL << port % 64),
			   __ATOMIC_SEQ_CST);
}
