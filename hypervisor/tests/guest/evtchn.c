/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event channels in the 2-level format: delivery, masking, status, the refusals. */
#include "lib/event.h"

#define NOBODY	0x7ff5
#define NO_PORT 900 /* below the 2-level limit, never allocated here */

static evtchn_port_t a, b;

TEST(a_pair_inside_the_domain)
{
	event_init();
	EXPECT_EQ(event_bind_loop(&a, &b), 0);
	EXPECT(a != 0 && b != 0 && a != b);
}

/* Somebody may have sent before: the binding end is told to look. */
TEST(binding_makes_the_new_end_pending)
{
	EXPECT(event_is_pending(b));
	EXPECT(!event_is_pending(a));
	EXPECT(WAIT_FOR(event_seen[b] == 1, 100));
}

TEST(send_reaches_the_other_end_with_an_upcall)
{
	unsigned upcalls = event_upcalls;

	EXPECT_EQ(event_send(b), 0);
	EXPECT(event_is_pending(a));
	EXPECT(!event_is_pending(b));
	EXPECT(WAIT_FOR(event_seen[a] == 1, 100));
	EXPECT_EQ(event_upcalls, upcalls + 1);
	EXPECT_EQ(event_seen[b], 1);
}

TEST(two_sends_before_the_upcall_are_one_event)
{
	unsigned before = event_seen[a];

	EXPECT_EQ(event_send(b), 0);
	EXPECT_EQ(event_send(b), 0);
	EXPECT(WAIT_FOR(event_seen[a] == before + 1, 100));
	delay_us(1000);
	EXPECT_EQ(event_seen[a], before + 1);
}

TEST(a_masked_port_is_pending_without_upcall)
{
	unsigned upcalls = event_upcalls;
	unsigned before = event_seen[a];

	event_mask(a);
	EXPECT_EQ(event_send(b), 0);
	EXPECT(event_is_pending(a));
	EXPECT(!WAIT_FOR(event_upcalls != upcalls, 5));
	EXPECT_EQ(event_unmask(a), 0);
	EXPECT(WAIT_FOR(event_seen[a] == before + 1, 100));
}

TEST(unmask_without_a_pending_event_is_silent)
{
	unsigned upcalls = event_upcalls;

	event_mask(a);
	EXPECT_EQ(event_unmask(a), 0);
	EXPECT(!WAIT_FOR(event_upcalls != upcalls, 5));
}

TEST(the_vcpu_mask_does_not_matter_to_hvm_delivery)
{
	unsigned before = event_seen[a];

	EXPECT_EQ(event_send(b), 0);
	EXPECT(event_vcpu_info()->evtchn_upcall_pending == 1);
	EXPECT(event_vcpu_info()->evtchn_pending_sel >> (a / 64) & 1);
	EXPECT(WAIT_FOR(event_seen[a] == before + 1, 100));
	EXPECT_EQ(event_vcpu_info()->evtchn_upcall_pending, 0);
}

TEST(status_tells_what_a_port_is)
{
	struct evtchn_status s = {.dom = DOMID_SELF, .port = a};
	evtchn_port_t unbound, ipi;

	EXPECT_EQ(event_op(EVTCHNOP_status, &s), 0);
	EXPECT_EQ(s.status, EVTCHNSTAT_interdomain);
	EXPECT_EQ(s.u.interdomain.port, b);
	EXPECT_EQ(s.u.interdomain.dom, own_domain());
	EXPECT_EQ(event_alloc_self(&unbound), 0);
	s = (struct evtchn_status){.dom = DOMID_SELF, .port = unbound};
	EXPECT_EQ(event_op(EVTCHNOP_status, &s), 0);
	EXPECT_EQ(s.status, EVTCHNSTAT_unbound);
	EXPECT_EQ(s.u.unbound.dom, own_domain());
	EXPECT_EQ(event_bind_ipi(0, &ipi), 0);
	s = (struct evtchn_status){.dom = DOMID_SELF, .port = ipi};
	EXPECT_EQ(event_op(EVTCHNOP_status, &s), 0);
	EXPECT_EQ(s.status, EVTCHNSTAT_ipi);
	EXPECT_EQ(s.vcpu, 0);
	EXPECT_EQ(event_close(unbound), 0);
	EXPECT_EQ(event_close(ipi), 0);
	s = (struct evtchn_status){.dom = DOMID_SELF, .port = ipi};
	EXPECT_EQ(event_op(EVTCHNOP_status, &s), 0);
	EXPECT_EQ(s.status, EVTCHNSTAT_closed);
}

TEST(status_refusals)
{
	struct evtchn_status s = {.dom = NOBODY, .port = a};

	EXPECT_EQ(event_op(EVTCHNOP_status, &s), -ESRCH);
	s = (struct evtchn_status){.dom = DOMID_SELF, .port = 0x7fffffff};
	EXPECT_EQ(event_op(EVTCHNOP_status, &s), -EINVAL);
}

TEST(an_ipi_reaches_its_vcpu)
{
	evtchn_port_t ipi;

	EXPECT_EQ(event_bind_ipi(0, &ipi), 0);
	EXPECT_EQ(event_send(ipi), 0);
	EXPECT(WAIT_FOR(event_seen[ipi] == 1, 100));
	EXPECT_EQ(event_close(ipi), 0);
	EXPECT_EQ(event_bind_ipi(99, &ipi), -ENOENT);
	EXPECT_EQ(event_bind_ipi(0xffffffff, &ipi), -ENOENT);
}

TEST(virqs_bind_once)
{
	evtchn_port_t timer, again;

	EXPECT_EQ(event_bind_virq(VIRQ_TIMER, 0, &timer), 0);
	EXPECT_EQ(event_bind_virq(VIRQ_TIMER, 0, &again), -EEXIST);
	EXPECT_EQ(event_close(timer), 0);
	EXPECT_EQ(event_bind_virq(VIRQ_TIMER, 0, &timer), 0);
	EXPECT_EQ(event_close(timer), 0);
}

TEST(virq_refusals)
{
	evtchn_port_t port;

	EXPECT_EQ(event_bind_virq(NR_VIRQS, 0, &port), -EINVAL);
	EXPECT_EQ(event_bind_virq(0xffffffff, 0, &port), -EINVAL);
	EXPECT_EQ(event_bind_virq(VIRQ_TIMER, 99, &port), -ENOENT);
	EXPECT_EQ(event_bind_virq(VIRQ_CONSOLE, 99, &port), -EINVAL);
}

TEST(alloc_refusals)
{
	struct evtchn_alloc_unbound alloc = {.dom = NOBODY, .remote_dom = DOMID_SELF};

	EXPECT_EQ(event_op(EVTCHNOP_alloc_unbound, &alloc), -ESRCH);
}

TEST(bind_interdomain_refusals)
{
	struct evtchn_bind_interdomain bind = {.remote_dom = NOBODY, .remote_port = a};

	EXPECT_EQ(event_op(EVTCHNOP_bind_interdomain, &bind), -ESRCH);
	bind = (struct evtchn_bind_interdomain){.remote_dom = DOMID_SELF, .remote_port = NO_PORT};
	EXPECT_EQ(event_op(EVTCHNOP_bind_interdomain, &bind), -EINVAL);
	bind = (struct evtchn_bind_interdomain){.remote_dom = DOMID_SELF, .remote_port = a};
	EXPECT_EQ(event_op(EVTCHNOP_bind_interdomain, &bind), -EINVAL);
	bind = (struct evtchn_bind_interdomain){.remote_dom = DOMID_SELF,
						.remote_port = 0x7fffffff};
	EXPECT_EQ(event_op(EVTCHNOP_bind_interdomain, &bind), -EINVAL);
}

TEST(send_refusals)
{
	evtchn_port_t unbound;

	EXPECT_EQ(event_send(0), -EINVAL);
	EXPECT_EQ(event_send(NO_PORT), -EINVAL);
	EXPECT_EQ(event_send(0x7fffffff), -EINVAL);
	EXPECT_EQ(event_alloc_self(&unbound), 0);
	EXPECT_EQ(event_send(unbound), 0); /* nobody is there yet: silently nothing */
	EXPECT(!event_is_pending(unbound));
	EXPECT_EQ(event_close(unbound), 0);
}

TEST(close_refusals)
{
	EXPECT_EQ(event_close(0), -EINVAL);
	EXPECT_EQ(event_close(NO_PORT), -EINVAL);
	EXPECT_EQ(event_close(0x7fffffff), -EINVAL);
}

TEST(closing_one_end_leaves_the_other_unbound)
{
	evtchn_port_t x, y;
	struct evtchn_status s;

	EXPECT_EQ(event_bind_loop(&x, &y), 0);
	EXPECT_EQ(event_close(x), 0);
	s = (struct evtchn_status){.dom = DOMID_SELF, .port = y};
	EXPECT_EQ(event_op(EVTCHNOP_status, &s), 0);
	EXPECT_EQ(s.status, EVTCHNSTAT_unbound);
	EXPECT_EQ(event_send(y), 0);
	EXPECT_EQ(event_close(y), 0);
}

TEST(bind_vcpu_refusals)
{
	struct evtchn_bind_vcpu bind = {.port = a, .vcpu = 0};
	evtchn_port_t ipi, timer;

	EXPECT_EQ(event_op(EVTCHNOP_bind_vcpu, &bind), 0);
	bind.vcpu = 99;
	EXPECT_EQ(event_op(EVTCHNOP_bind_vcpu, &bind), -ENOENT);
	bind = (struct evtchn_bind_vcpu){.port = NO_PORT};
	EXPECT_EQ(event_op(EVTCHNOP_bind_vcpu, &bind), -EINVAL);
	EXPECT_EQ(event_bind_ipi(0, &ipi), 0);
	bind.port = ipi;
	EXPECT_EQ(event_op(EVTCHNOP_bind_vcpu, &bind), -EINVAL);
	EXPECT_EQ(event_bind_virq(VIRQ_TIMER, 0, &timer), 0);
	bind.port = timer;
	EXPECT_EQ(event_op(EVTCHNOP_bind_vcpu, &bind), -EINVAL);
	EXPECT_EQ(event_close(ipi), 0);
	EXPECT_EQ(event_close(timer), 0);
}

TEST(unmask_refusals)
{
	EXPECT_EQ(event_unmask(0x7fffffff), -EINVAL);
}

TEST(all_ports_can_be_allocated_and_come_back)
{
	static evtchn_port_t ports[4096];
	unsigned count = 0;

	while (count < ARRAY_SIZE(ports) && event_alloc_self(&ports[count]) == 0) {
		count++;
	}
	EXPECT(count > 1000);
	if (count < ARRAY_SIZE(ports)) {
		EXPECT_EQ(event_alloc_self(&ports[count]), -ENOSPC);
	}
	for (unsigned i = 0; i < count; i++) {
		if (!EXPECT_EQ(event_close(ports[i]), 0)) {
			break;
		}
	}
	EXPECT_EQ(event_alloc_self(&ports[0]), 0);
	EXPECT_EQ(event_close(ports[0]), 0);
}

TEST(reset_closes_everything)
{
	struct evtchn_reset reset = {.dom = DOMID_SELF};
	struct evtchn_status s = {.dom = DOMID_SELF, .port = a};

	EXPECT_EQ(event_op(EVTCHNOP_reset, &reset), 0);
	EXPECT_EQ(event_op(EVTCHNOP_status, &s), 0);
	EXPECT_EQ(s.status, EVTCHNSTAT_closed);
	reset.dom = NOBODY;
	EXPECT_EQ(event_op(EVTCHNOP_reset, &reset), -ESRCH);
}

TEST(bad_pointers_and_numbers)
{
	EXPECT_EQ(event_op(EVTCHNOP_send, (void *)0x800000000000UL), -EFAULT);
	EXPECT_EQ(event_op(EVTCHNOP_bind_virq, (void *)0xfffffffffffffffcUL), -EFAULT);
	EXPECT_EQ(event_op(EVTCHNOP_alloc_unbound, (void *)0x100000000000UL), -EFAULT);
	EXPECT_EQ(event_op(15, &a), -ENOSYS);
	EXPECT_EQ(event_op(99, &a), -ENOSYS);
}
