/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console_ring.h"

#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/sched.h>

#define PATIENCE_NS 5000000000UL
#define MAX_PORTS   4096

static volatile struct xencons_interface *ring;
static struct evtchn_status channel;
static bool is_stuck; /* nobody reads any more: one wait is enough */

static uint64_t param(uint32_t index)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};

	return hypercall2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p) == 0 ? p.value : 0;
}

bool console_ring_init(void)
{
	uint64_t frame = param(HVM_PARAM_CONSOLE_PFN);

	channel.dom = DOMID_SELF;
	channel.port = (evtchn_port_t)param(HVM_PARAM_CONSOLE_EVTCHN);
	if (frame == 0 ||
	    hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &channel) != 0) {
		return false;
	}
	ring = (volatile struct xencons_interface *)(frame * PAGE_SIZE);
	return true;
}

static bool leads_to_dom0(evtchn_port_t port)
{
	struct evtchn_status now = {.dom = DOMID_SELF, .port = port};

	return hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &now) == 0 &&
	       now.status == EVTCHNSTAT_interdomain &&
	       now.u.interdomain.dom == channel.u.interdomain.dom &&
	       now.u.interdomain.port == channel.u.interdomain.port;
}

/* A test may have closed its ports; the other end waits then, and can be bound again. */
static void connect_again(void)
{
	struct evtchn_bind_interdomain bind = {.remote_dom = channel.u.interdomain.dom,
					       .remote_port = channel.u.interdomain.port};

	if (hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind) == 0) {
		channel.port = bind.local_port;
		return;
	}
	for (evtchn_port_t port = 1; port < MAX_PORTS; port++) { /* a fuzzer did so itself */
		if (leads_to_dom0(port)) {
			channel.port = port;
			return;
		}
	}
}

static void notify(void)
{
	struct evtchn_send send;

	if (!leads_to_dom0(channel.port)) {
		connect_again();
	}
	send.port = channel.port;
	hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send);
}

static bool wait_for_space(uint32_t size)
{
	uint64_t end = now_ns() + (is_stuck ? 0 : PATIENCE_NS);

	if (ring->out_prod - ring->out_cons <= sizeof(ring->out) - size) {
		return true;
	}
	notify();
	while (ring->out_prod - ring->out_cons > sizeof(ring->out) - size && now_ns() < end) {
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	}
	is_stuck = ring->out_prod - ring->out_cons > sizeof(ring->out) - size;
	return !is_stuck;
}

void console_ring_put(char c)
{
	if (!wait_for_space(1)) {
		return;
	}
	ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = c;
	__atomic_thread_fence(__ATOMIC_RELEASE); /* pairs with the reader's look at out_prod */
	ring->out_prod++;
	if (c == '\n') {
		notify();
	}
}

void console_ring_drain(void)
{
	wait_for_space(sizeof(ring->out));
}
