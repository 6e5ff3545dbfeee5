/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sched_op: yield, block, poll, the watchdog's and shutdown's refusals. */
#include "lib/event.h"

#include <xen/sched.h>

#define OP(cmd, arg) hypercall2(__HYPERVISOR_sched_op, cmd, arg)
#define MS	     1000000UL

static evtchn_port_t timer;

TEST(yield_comes_back)
{
	event_init();
	for (unsigned i = 0; i < 100; i++) {
		EXPECT_EQ(OP(SCHEDOP_yield, 0), 0);
	}
}

TEST(block_ends_with_an_event)
{
	EXPECT_EQ(event_bind_virq(VIRQ_TIMER, 0, &timer), 0);
	EXPECT_EQ(hypercall1(__HYPERVISOR_set_timer_op, system_ns() + 10 * MS), 0);
	irq_on();
	for (unsigned i = 0; i < 1000 && !event_seen[timer]; i++) {
		EXPECT_EQ(OP(SCHEDOP_block, 0), 0);
	}
	irq_off();
	EXPECT_EQ(event_seen[timer], 1);
}

TEST(poll_ends_with_its_event)
{
	evtchn_port_t ports[1] = {timer};
	struct sched_poll poll = {.nr_ports = 1};
	uint64_t start = now_ns();

	set_xen_guest_handle(poll.ports, ports);
	event_mask(timer);
	event_clear(timer);
	EXPECT_EQ(hypercall1(__HYPERVISOR_set_timer_op, system_ns() + 10 * MS), 0);
	EXPECT_EQ(OP(SCHEDOP_poll, &poll), 0);
	EXPECT(event_is_pending(timer));
	EXPECT(now_ns() - start < 5000 * MS);
	EXPECT_EQ(OP(SCHEDOP_poll, &poll), 0); /* pending: at once */
	event_clear(timer);
}

TEST(poll_ends_with_its_timeout)
{
	evtchn_port_t ports[1] = {timer};
	struct sched_poll poll = {.nr_ports = 1, .timeout = system_ns() + 10 * MS};
	uint64_t start = now_ns();

	set_xen_guest_handle(poll.ports, ports);
	EXPECT_EQ(OP(SCHEDOP_poll, &poll), 0);
	EXPECT(now_ns() - start >= 5 * MS);
	EXPECT(!event_is_pending(timer));
	event_unmask_locally(timer);
}

TEST(poll_refusals)
{
	static evtchn_port_t ports[200];
	struct sched_poll poll = {.nr_ports = 129, .timeout = 1};

	set_xen_guest_handle(poll.ports, ports);
	EXPECT_EQ(OP(SCHEDOP_poll, &poll), -EINVAL);
	poll.nr_ports = 0xffffffff;
	EXPECT_EQ(OP(SCHEDOP_poll, &poll), -EINVAL);
	poll.nr_ports = 1;
	ports[0] = 0x7fffffff;
	EXPECT_EQ(OP(SCHEDOP_poll, &poll), -EINVAL);
	set_xen_guest_handle(poll.ports, (evtchn_port_t *)0x800000000000UL);
	EXPECT_EQ(OP(SCHEDOP_poll, &poll), -EFAULT);
	EXPECT_EQ(OP(SCHEDOP_poll, 0x800000000000UL), -EFAULT);
}

TEST(watchdog_refusals)
{
	struct sched_watchdog dog = {.id = 99, .timeout = 10};

	EXPECT_EQ(OP(SCHEDOP_watchdog, &dog), -EINVAL);
	dog.id = 1;
	EXPECT_EQ(OP(SCHEDOP_watchdog, &dog), -EINVAL); /* it is not set */
	EXPECT_EQ(OP(SCHEDOP_watchdog, 0x800000000000UL), -EFAULT);
}

TEST(watchdog_is_set_and_stopped)
{
	struct sched_watchdog dog = {.id = 0, .timeout = 100};
	long id = OP(SCHEDOP_watchdog, &dog);

	EXPECT(id > 0);
	dog.id = (uint32_t)id;
	EXPECT_EQ(OP(SCHEDOP_watchdog, &dog), 0);
	dog.timeout = 0;
	EXPECT_EQ(OP(SCHEDOP_watchdog, &dog), 0);
}

TEST(shutdown_refusals)
{
	EXPECT_EQ(OP(SCHEDOP_shutdown, 0x800000000000UL), -EFAULT);
	EXPECT_EQ(OP(SCHEDOP_shutdown_code, 0x800000000000UL), -EFAULT);
}

TEST(remote_shutdown_refusals)
{
	struct sched_remote_shutdown remote = {.domain_id = 0x7ff5};

	EXPECT_EQ(OP(SCHEDOP_remote_shutdown, &remote), -ESRCH);
	EXPECT_EQ(OP(SCHEDOP_remote_shutdown, 0x800000000000UL), -EFAULT);
}

TEST(pin_override_is_for_pinned_hardware_domains)
{
	struct sched_pin_override pin = {.pcpu = 99};

	EXPECT_EQ(OP(SCHEDOP_pin_override, &pin), is_dom0() ? -EINVAL : -EPERM);
	EXPECT_EQ(OP(SCHEDOP_pin_override, 0x800000000000UL), is_dom0() ? -EFAULT : -EPERM);
}

TEST(unknown_operations_are_enosys)
{
	EXPECT_EQ(OP(8, 0), -ENOSYS);
	EXPECT_EQ(OP(0x7fffffff, 0), -ENOSYS);
}
