/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "evtchn/evtchn.h"

#include <xen/event_channel.h>
#include <xen/xen.h>

#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "memory/guest_access.h"
#include "policy/policy.h"

static long do_alloc_unbound(struct domain *caller, struct evtchn_alloc_unbound *a)
{
	struct domain *d = domain_get_or_self(caller, a->dom);
	domain_id_t remote;
	port_t port;
	int rc;

	if (!d) {
		return -ESRCH;
	}
	rc = policy_evtchn_for(caller, d);
	if (!rc) {
		remote = a->remote_dom == DOMID_SELF ? caller->id : domain_id_of(a->remote_dom);
		rc = evtchn_alloc_unbound(d, remote, &port);
	}
	domain_put(d);
	if (!rc) {
		a->port = port.v;
	}
	return rc;
}

static long do_bind_interdomain(struct domain *caller, struct evtchn_bind_interdomain *a)
{
	struct domain *remote = domain_get_or_self(caller, a->remote_dom);
	port_t port;
	int rc;

	if (!remote) {
		return -ESRCH;
	}
	rc = evtchn_bind_interdomain(caller, remote, port_of(a->remote_port), &port);
	domain_put(remote);
	if (!rc) {
		a->local_port = port.v;
	}
	return rc;
}

static long do_bind_virq(struct domain *caller, struct evtchn_bind_virq *a)
{
	port_t port;
	int rc = evtchn_bind_virq(caller, a->virq, a->vcpu, &port);

	if (!rc) {
		a->port = port.v;
	}
	return rc;
}

static long do_bind_ipi(struct domain *caller, struct evtchn_bind_ipi *a)
{
	port_t port;
	int rc = evtchn_bind_ipi(caller, a->vcpu, &port);

	if (!rc) {
		a->port = port.v;
	}
	return rc;
}

static long do_status(struct domain *caller, struct evtchn_status *a)
{
	struct domain *d = domain_get_or_self(caller, a->dom);
	int rc;

	if (!d) {
		return -ESRCH;
	}
	rc = policy_evtchn_for(caller, d);
	if (!rc) {
		rc = evtchn_status(d, port_of(a->port), a);
	}
	domain_put(d);
	return rc;
}

static long do_reset(struct domain *caller, const struct evtchn_reset *a)
{
	struct domain *d = domain_get_or_self(caller, a->dom);
	int rc;

	if (!d) {
		return -ESRCH;
	}
	rc = policy_evtchn_for(caller, d);
	if (!rc) {
		rc = evtchn_reset(d);
	}
	domain_put(d);
	return rc == -ERESTART ? HYPERCALL_RESTART : rc;
}

static long do_init_control(struct domain *caller, struct evtchn_init_control *a)
{
	a->link_bits = EVTCHN_FIFO_LINK_BITS;
	return evtchn_fifo_init_control(caller, a->vcpu, gfn_of(a->control_gfn), a->offset);
}

union evtchn_arg {
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_bind_interdomain bind_interdomain;
	struct evtchn_bind_virq bind_virq;
	struct evtchn_bind_pirq bind_pirq;
	struct evtchn_bind_ipi bind_ipi;
	struct evtchn_close close;
	struct evtchn_send send;
	struct evtchn_status status;
	struct evtchn_bind_vcpu bind_vcpu;
	struct evtchn_unmask unmask;
	struct evtchn_reset reset;
	struct evtchn_init_control init_control;
	struct evtchn_expand_array expand_array;
	struct evtchn_set_priority set_priority;
};

/* Size of each argument, and whether it is written back; 0: no such operation. */
static const struct {
	u8 size_bytes;
	bool is_out;
} arg_shape[] = {
	[EVTCHNOP_bind_interdomain] = {sizeof(struct evtchn_bind_interdomain), true},
	[EVTCHNOP_bind_virq] = {sizeof(struct evtchn_bind_virq), true},
	[EVTCHNOP_bind_pirq] = {sizeof(struct evtchn_bind_pirq), false},
	[EVTCHNOP_close] = {sizeof(struct evtchn_close), false},
	[EVTCHNOP_send] = {sizeof(struct evtchn_send), false},
	[EVTCHNOP_status] = {sizeof(struct evtchn_status), true},
	[EVTCHNOP_alloc_unbound] = {sizeof(struct evtchn_alloc_unbound), true},
	[EVTCHNOP_bind_ipi] = {sizeof(struct evtchn_bind_ipi), true},
	[EVTCHNOP_bind_vcpu] = {sizeof(struct evtchn_bind_vcpu), false},
	[EVTCHNOP_unmask] = {sizeof(struct evtchn_unmask), false},
	[EVTCHNOP_reset] = {sizeof(struct evtchn_reset), false},
	[EVTCHNOP_init_control] = {sizeof(struct evtchn_init_control), true},
	[EVTCHNOP_expand_array] = {sizeof(struct evtchn_expand_array), false},
	[EVTCHNOP_set_priority] = {sizeof(struct evtchn_set_priority), false},
};

static long act(struct domain *d, unsigned int cmd, union evtchn_arg *a)
{
	switch (cmd) {
	case EVTCHNOP_alloc_unbound:
		return do_alloc_unbound(d, &a->alloc_unbound);
	case EVTCHNOP_bind_interdomain:
		return do_bind_interdomain(d, &a->bind_interdomain);
	case EVTCHNOP_bind_virq:
		return do_bind_virq(d, &a->bind_virq);
	case EVTCHNOP_bind_ipi:
		return do_bind_ipi(d, &a->bind_ipi);
	case EVTCHNOP_bind_pirq:
		return -EINVAL; /* no domain has physical interrupts as events */
	case EVTCHNOP_close:
		return evtchn_close(d, port_of(a->close.port));
	case EVTCHNOP_send:
		return evtchn_send(d, port_of(a->send.port));
	case EVTCHNOP_status:
		return do_status(d, &a->status);
	case EVTCHNOP_bind_vcpu:
		return evtchn_bind_vcpu(d, port_of(a->bind_vcpu.port), a->bind_vcpu.vcpu);
	case EVTCHNOP_unmask:
		return evtchn_unmask(d, port_of(a->unmask.port));
	case EVTCHNOP_reset:
		return do_reset(d, &a->reset);
	case EVTCHNOP_init_control:
		return do_init_control(d, &a->init_control);
	case EVTCHNOP_expand_array:
		return evtchn_fifo_expand_array(d, gfn_of(a->expand_array.array_gfn));
	case EVTCHNOP_set_priority:
		return evtchn_set_priority(d, port_of(a->set_priority.port), a->set_priority.priority);
	default:
		return -ENOSYS;
	}
}

/* arg: command, pointer. */
long op_event_channel(struct hypercall *call)
{
	struct domain *d = call->caller->domain;
	u32 cmd = (u32)call->arg[0];
	union evtchn_arg a;
	long rc;

	if (cmd >= ARRAY_SIZE(arg_shape) || !arg_shape[index_clamp(cmd, ARRAY_SIZE(arg_shape))].size_bytes) {
		return -ENOSYS;
	}
	cmd = (u32)index_clamp(cmd, ARRAY_SIZE(arg_shape));
	memset(&a, 0, sizeof(a));
	if (guest_read(&a, call_ptr(call, 1), arg_shape[cmd].size_bytes)) {
		return -EFAULT;
	}
	rc = act(d, cmd, &a);
	if (!rc && arg_shape[cmd].is_out && guest_write(call_ptr(call, 1), &a, arg_shape[cmd].size_bytes)) {
		/* What was opened stays open: the port is its own, and it can be closed by reset. */
		return -EFAULT;
	}
	return rc;
}
