// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/fake_guest.h"

#include <xen/event_channel.h>

#define CONTROL_GFN 10
#define ARRAY_GFN   11

static struct domain *a, *b;

static void set_up(void)
{
	fake_set_up();
	a = fake_domain(1, 2);
	b = fake_domain(2, 1);
}

static void tear_down(void)
{
	fake_end(a);
	fake_end(b);
	EXPECT_EQ(unit_heap_in_use(), 0);
}

static void bind_pair(port_t *pa, port_t *pb)
{
	EXPECT_EQ(evtchn_alloc_unbound(a, b->id, pa), 0);
	EXPECT_EQ(evtchn_bind_interdomain(b, a, *pa, pb), 0);
}

static bool is_pending_2l(struct domain *d, port_t port)
{
	return d->shared_info->evtchn_pending[port.v / 64] >> (port.v % 64) & 1;
}

static u32 status_of(struct domain *d, port_t port)
{
	struct evtchn_status s;

	memset(&s, 0, sizeof(s));
	EXPECT_EQ(evtchn_status(d, port, &s), 0);
	return s.status;
}

static u32 *word(struct domain *d, port_t port)
{
	return (u32 *)fake_ram(d, ARRAY_GFN) + port.v;
}

static struct evtchn_fifo_control_block *control(struct domain *d)
{
	return fake_ram(d, CONTROL_GFN);
}

static void use_fifo(struct domain *d)
{
	fake_ram(d, CONTROL_GFN);
	fake_ram(d, ARRAY_GFN);
	EXPECT_EQ(evtchn_fifo_init_control(d, 0, gfn_of(CONTROL_GFN), 0), 0);
	EXPECT_EQ(evtchn_fifo_expand_array(d, gfn_of(ARRAY_GFN)), 0);
}

/* What a guest does with the queue: takes the head, clears its links, sees whether it is pending. */
static u32 take_head(struct domain *d, unsigned int priority)
{
	struct evtchn_fifo_control_block *c = control(d);
	u32 port = c->head[priority], *w;

	if (!port) {
		return 0;
	}
	w = word(d, port_of(port));
	c->head[priority] = *w & EVTCHN_FIFO_LINK_MASK;
	*w &= ~(1u << EVTCHN_FIFO_LINKED | EVTCHN_FIFO_LINK_MASK);
	*w &= ~(1u << EVTCHN_FIFO_PENDING);
	return port;
}

TEST(evtchn, a_bound_pair_carries_signals_both_ways)
{
	port_t pa, pb;

	set_up();
	bind_pair(&pa, &pb);
	EXPECT(is_pending_2l(b, pb)); /* at once: what was sent before is made up for */
	a->shared_info->evtchn_pending[0] = 0;
	EXPECT_EQ(evtchn_send(b, pb), 0);
	EXPECT(is_pending_2l(a, pa));
	EXPECT(vcpu_has_event(a->vcpus[0]));
	EXPECT_EQ(status_of(a, pa), EVTCHNSTAT_interdomain);
	tear_down();
}

TEST(evtchn, a_signal_interrupts_once_until_it_is_taken)
{
	port_t pa, pb;

	set_up();
	bind_pair(&pa, &pb);
	fake_notify_count = 0;
	EXPECT_EQ(evtchn_send(b, pb), 0);
	EXPECT_EQ(evtchn_send(b, pb), 0);
	EXPECT_EQ(fake_notify_count, 1);
	tear_down();
}

TEST(evtchn, a_masked_port_does_not_interrupt_until_it_is_unmasked)
{
	port_t pa, pb;

	set_up();
	bind_pair(&pa, &pb);
	a->shared_info->evtchn_mask[0] = ~0ul;
	fake_notify_count = 0;
	EXPECT_EQ(evtchn_send(b, pb), 0);
	EXPECT_EQ(fake_notify_count, 0);
	EXPECT_EQ(evtchn_unmask(a, pa), 0);
	EXPECT_EQ(fake_notify_count, 1);
	tear_down();
}

TEST(evtchn, ports_that_are_not_open_are_refused)
{
	port_t p;

	set_up();
	EXPECT_EQ(evtchn_send(a, port_of(0)), -EINVAL);
	EXPECT_EQ(evtchn_send(a, port_of(1)), -EINVAL);
	EXPECT_EQ(evtchn_send(a, port_of(4095)), -EINVAL);
	EXPECT_EQ(evtchn_send(a, port_of(~0u)), -EINVAL);
	EXPECT_EQ(evtchn_close(a, port_of(1)), -EINVAL);
	EXPECT_EQ(evtchn_close(a, port_of(~0u)), -EINVAL);
	EXPECT_EQ(evtchn_unmask(a, port_of(~0u)), -EINVAL);
	EXPECT_EQ(evtchn_bind_vcpu(a, port_of(1), 0), -EINVAL);
	EXPECT_EQ(evtchn_bind_vcpu(a, port_of(1), 2), -ENOENT);
	EXPECT_EQ(evtchn_bind_interdomain(a, b, port_of(3), &p), -EINVAL);
	EXPECT_EQ(evtchn_set_priority(a, port_of(1), 0), -ENOSYS);
	EXPECT_EQ(evtchn_poll(a, port_of(70000)), -EINVAL);
	tear_down();
}

TEST(evtchn, only_the_named_domain_may_bind)
{
	port_t pa, p;

	set_up();
	EXPECT_EQ(evtchn_alloc_unbound(a, domain_id_of(9), &pa), 0);
	EXPECT_EQ(evtchn_bind_interdomain(b, a, pa, &p), -EINVAL);
	EXPECT_EQ(evtchn_count(b), 0);
	EXPECT_EQ(status_of(a, pa), EVTCHNSTAT_unbound);
	EXPECT_EQ(evtchn_send(a, pa), 0); /* nobody listens: dropped */
	tear_down();
}

TEST(evtchn, closing_one_end_lets_the_other_wait_for_a_new_bind)
{
	port_t pa, pb, again;

	set_up();
	bind_pair(&pa, &pb);
	EXPECT_EQ(evtchn_close(b, pb), 0);
	EXPECT_EQ(status_of(a, pa), EVTCHNSTAT_unbound);
	EXPECT_EQ(status_of(b, pb), EVTCHNSTAT_closed);
	EXPECT_EQ(evtchn_bind_interdomain(b, a, pa, &again), 0);
	tear_down();
}

TEST(evtchn, a_closed_port_is_not_given_out_before_a_grace_period)
{
	port_t p, q, r;

	set_up();
	EXPECT_EQ(evtchn_alloc_unbound(a, b->id, &p), 0);
	EXPECT_EQ(evtchn_close(a, p), 0);
	EXPECT_EQ(evtchn_alloc_unbound(a, b->id, &q), 0);
	EXPECT(q.v != p.v);
	fake_grace();
	EXPECT_EQ(evtchn_alloc_unbound(a, b->id, &r), 0);
	EXPECT_EQ(r.v, p.v);
	tear_down();
}

TEST(evtchn, virtual_interrupts_are_bound_once_to_the_right_vcpu)
{
	port_t timer, other, exception;

	set_up();
	EXPECT_EQ(evtchn_bind_virq(a, VIRQ_TIMER, 1, &timer), 0);
	EXPECT_EQ(evtchn_bind_virq(a, VIRQ_TIMER, 1, &other), -EEXIST);
	EXPECT_EQ(evtchn_bind_virq(a, VIRQ_TIMER, 2, &other), -ENOENT);
	EXPECT_EQ(evtchn_bind_virq(a, NR_VIRQS, 0, &other), -EINVAL);
	EXPECT_EQ(evtchn_bind_virq(a, VIRQ_DOM_EXC, 1, &other), -EINVAL);
	EXPECT_EQ(evtchn_bind_virq(a, VIRQ_DOM_EXC, 0, &exception), 0);
	evtchn_virq_vcpu(a->vcpus[1], VIRQ_TIMER);
	EXPECT(is_pending_2l(a, timer));
	evtchn_virq_vcpu(a->vcpus[0], VIRQ_TIMER); /* not bound there */
	EXPECT_EQ(evtchn_send(a, timer), -EINVAL);
	EXPECT_EQ(evtchn_bind_vcpu(a, timer, 0), -EINVAL);
	EXPECT_EQ(evtchn_bind_vcpu(a, exception, 1), 0);
	/* Not the handler: nothing comes. Then it is. */
	evtchn_virq_global(VIRQ_DOM_EXC);
	EXPECT(!is_pending_2l(a, exception));
	EXPECT_EQ(evtchn_virq_set_handler(a, VIRQ_DOM_EXC), 0);
	EXPECT_EQ(evtchn_virq_set_handler(a, VIRQ_TIMER), -EINVAL);
	evtchn_virq_global(VIRQ_DOM_EXC);
	EXPECT(is_pending_2l(a, exception));
	EXPECT_EQ(evtchn_close(a, exception), 0);
	EXPECT_EQ(evtchn_close(a, timer), 0);
	fake_grace();
	EXPECT_EQ(evtchn_bind_virq(a, VIRQ_TIMER, 1, &other), 0);
	tear_down();
}

TEST(evtchn, two_level_ports_end_at_4095)
{
	unsigned int n = 0;
	port_t p;
	int rc;

	set_up();
	while ((rc = evtchn_bind_ipi(a, 0, &p)) == 0) {
		n++;
		EXPECT(p.v < 4096);
	}
	EXPECT_EQ(rc, -ENOSPC);
	EXPECT_EQ(n, 4095);
	tear_down();
}

TEST(evtchn, the_tools_limit_of_ports_holds)
{
	struct domain_config config = {.vcpu_count = 1, .evtchn_limit = 3};
	struct domain *d;
	port_t p;

	fake_set_up();
	EXPECT_EQ(domain_create(domain_id_of(4), &config, &d), 0);
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_EQ(evtchn_alloc_unbound(d, domain_id_of(0), &p), 0);
	}
	EXPECT_EQ(evtchn_alloc_unbound(d, domain_id_of(0), &p), -ENOSPC);
	fake_end(d);
}

TEST(evtchn, fifo_links_events_in_order_and_tells_once)
{
	port_t p[3];

	set_up();
	use_fifo(a);
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_EQ(evtchn_bind_ipi(a, 0, &p[i]), 0);
	}
	fake_notify_count = 0;
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_EQ(evtchn_send(a, p[i]), 0);
		EXPECT_EQ(evtchn_send(a, p[i]), 0); /* twice: still one link */
	}
	EXPECT_EQ(fake_notify_count, 1);
	EXPECT_EQ(control(a)->ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_EQ(take_head(a, EVTCHN_FIFO_PRIORITY_DEFAULT), p[i].v);
	}
	EXPECT_EQ(take_head(a, EVTCHN_FIFO_PRIORITY_DEFAULT), 0);
	tear_down();
}

TEST(evtchn, fifo_tail_that_was_taken_starts_a_new_queue)
{
	port_t p, q;

	set_up();
	use_fifo(a);
	EXPECT_EQ(evtchn_bind_ipi(a, 0, &p), 0);
	EXPECT_EQ(evtchn_bind_ipi(a, 0, &q), 0);
	EXPECT_EQ(evtchn_send(a, p), 0);
	EXPECT_EQ(take_head(a, 7), p.v);
	control(a)->ready = 0;
	EXPECT_EQ(evtchn_send(a, q), 0);
	EXPECT_EQ(control(a)->head[7], q.v);
	EXPECT_EQ(control(a)->ready, 1u << 7);
	EXPECT_EQ(take_head(a, 7), q.v);
	EXPECT_EQ(evtchn_send(a, q), 0); /* the tail itself again */
	EXPECT_EQ(take_head(a, 7), q.v);
	EXPECT_EQ(take_head(a, 7), 0);
	tear_down();
}

TEST(evtchn, fifo_priority_moves_an_event_to_another_queue)
{
	port_t p, q;

	set_up();
	use_fifo(a);
	EXPECT_EQ(evtchn_bind_ipi(a, 0, &p), 0);
	EXPECT_EQ(evtchn_bind_ipi(a, 0, &q), 0);
	EXPECT_EQ(evtchn_set_priority(a, p, 16), -EINVAL);
	EXPECT_EQ(evtchn_send(a, p), 0);
	EXPECT_EQ(take_head(a, 7), p.v);
	EXPECT_EQ(evtchn_set_priority(a, p, 2), 0);
	EXPECT_EQ(evtchn_send(a, p), 0);
	EXPECT_EQ(evtchn_send(a, q), 0); /* must not be linked behind p in the other queue */
	EXPECT_EQ(take_head(a, 2), p.v);
	EXPECT_EQ(take_head(a, 2), 0);
	EXPECT_EQ(take_head(a, 7), q.v);
	tear_down();
}

TEST(evtchn, fifo_masked_events_are_linked_at_unmask)
{
	port_t p;

	set_up();
	use_fifo(a);
	EXPECT_EQ(evtchn_bind_ipi(a, 0, &p), 0);
	*word(a, p) |= 1u << EVTCHN_FIFO_MASKED;
	EXPECT_EQ(evtchn_send(a, p), 0);
	EXPECT_EQ(control(a)->head[7], 0);
	EXPECT_EQ(evtchn_poll(a, p), 1);
	EXPECT_EQ(evtchn_unmask(a, p), 0);
	EXPECT_EQ(take_head(a, 7), p.v);
	tear_down();
}

TEST(evtchn, fifo_events_before_their_page_are_kept)
{
	port_t p;

	set_up();
	fake_ram(a, CONTROL_GFN);
	fake_ram(a, ARRAY_GFN);
	EXPECT_EQ(evtchn_bind_ipi(a, 0, &p), 0);
	EXPECT_EQ(evtchn_send(a, p), 0); /* in the old format */
	EXPECT_EQ(evtchn_fifo_init_control(a, 0, gfn_of(CONTROL_GFN), 0), 0);
	EXPECT_EQ(evtchn_fifo_expand_array(a, gfn_of(ARRAY_GFN)), 0);
	EXPECT_EQ(take_head(a, 7), p.v);
	tear_down();
}

TEST(evtchn, fifo_refusals)
{
	set_up();
	fake_ram(a, CONTROL_GFN);
	fake_ram(a, ARRAY_GFN);
	EXPECT_EQ(evtchn_fifo_expand_array(a, gfn_of(ARRAY_GFN)), -EOPNOTSUPP);
	EXPECT_EQ(evtchn_fifo_init_control(a, 9, gfn_of(CONTROL_GFN), 0), -ENOENT);
	EXPECT_EQ(evtchn_fifo_init_control(a, 0, gfn_of(CONTROL_GFN), 4), -EINVAL);
	EXPECT_EQ(evtchn_fifo_init_control(a, 0, gfn_of(CONTROL_GFN), 4096 - 64), -EINVAL);
	EXPECT_EQ(evtchn_fifo_init_control(a, 0, gfn_of(99), 0), -EINVAL);
	EXPECT_EQ(evtchn_fifo_init_control(a, 0, gfn_of(~0ull), 0), -EINVAL);
	EXPECT_EQ(evtchn_fifo_init_control(a, 0, gfn_of(CONTROL_GFN), 8), 0);
	EXPECT_EQ(evtchn_fifo_init_control(a, 0, gfn_of(CONTROL_GFN), 0), -EINVAL);
	EXPECT_EQ(evtchn_fifo_expand_array(a, gfn_of(99)), -EINVAL);
	for (unsigned int i = 0; i < 128; i++) {
		EXPECT_EQ(evtchn_fifo_expand_array(a, gfn_of(ARRAY_GFN)), 0);
	}
	EXPECT_EQ(evtchn_fifo_expand_array(a, gfn_of(ARRAY_GFN)), -ENOSPC);
	tear_down();
}

TEST(evtchn, a_hostile_guests_links_are_never_followed)
{
	port_t p, q;

	set_up();
	use_fifo(a);
	EXPECT_EQ(evtchn_bind_ipi(a, 0, &p), 0);
	EXPECT_EQ(evtchn_bind_ipi(a, 0, &q), 0);
	memset(fake_ram(a, ARRAY_GFN), 0xff, PAGE_SIZE);
	*word(a, p) = ~(1u << EVTCHN_FIFO_MASKED | 1u << EVTCHN_FIFO_LINKED);
	*word(a, q) = ~(1u << EVTCHN_FIFO_MASKED | 1u << EVTCHN_FIFO_LINKED);
	EXPECT_EQ(evtchn_send(a, p), 0);
	EXPECT_EQ(evtchn_send(a, q), 0);
	EXPECT_EQ(*word(a, p) & EVTCHN_FIFO_LINK_MASK, q.v);
	tear_down();
}

TEST(evtchn, reset_closes_all_and_goes_back_to_two_levels)
{
	port_t pa, pb, p;

	set_up();
	bind_pair(&pa, &pb);
	use_fifo(a);
	EXPECT_EQ(evtchn_reset(a), 0);
	fake_grace();
	EXPECT_EQ(evtchn_count(a), 0);
	EXPECT_EQ(status_of(b, pb), EVTCHNSTAT_unbound);
	EXPECT_EQ(evtchn_set_priority(a, pa, 1), -ENOSYS);
	EXPECT_EQ(evtchn_bind_ipi(a, 0, &p), 0);
	EXPECT_EQ(evtchn_send(a, p), 0);
	EXPECT(is_pending_2l(a, p));
	tear_down();
}

TEST(evtchn, a_peer_that_dies_leaves_a_port_that_is_unbound)
{
	port_t pa, pb, p;

	set_up();
	bind_pair(&pa, &pb);
	fake_end(b);
	EXPECT_EQ(status_of(a, pa), EVTCHNSTAT_unbound);
	EXPECT_EQ(evtchn_send(a, pa), 0);
	while (domain_kill(a) == -ERESTART) {
	}
	EXPECT_EQ(evtchn_alloc_unbound(a, domain_id_of(0), &p), -EINVAL);
	domain_put(a);
	fake_grace();
	EXPECT_EQ(unit_heap_in_use(), 0);
}

TEST(evtchn, pollers_wake_for_their_port_only)
{
	port_t p, q;

	set_up();
	EXPECT_EQ(evtchn_bind_ipi(a, 0, &p), 0);
	EXPECT_EQ(evtchn_bind_ipi(a, 0, &q), 0);
	a->shared_info->evtchn_mask[0] = ~0ul;
	a->vcpus[1]->is_blocked = true;
	a->vcpus[1]->poll_port = q.v;
	bitmap_set(a->poll_mask, 1);
	EXPECT_EQ(evtchn_send(a, p), 0);
	EXPECT(a->vcpus[1]->is_blocked);
	EXPECT_EQ(evtchn_send(a, q), 0);
	EXPECT(!a->vcpus[1]->is_blocked);
	EXPECT_EQ(a->poll_mask[0], 0);
	tear_down();
}

TEST(evtchn, a_failed_allocation_opens_nothing)
{
	unsigned int n;
	port_t p;
	int rc;

	for (n = 1; n < 50; n++) {
		set_up();
		fake_ram(a, CONTROL_GFN);
		for (unsigned int i = 0; i < 63; i++) {
			EXPECT_EQ(evtchn_bind_ipi(a, 0, &p), 0);
		}
		unit_fail_allocation(n);
		rc = evtchn_bind_ipi(a, 0, &p); /* needs another bucket */
		if (!rc) {
			rc = evtchn_fifo_init_control(a, 0, gfn_of(CONTROL_GFN), 0);
		}
		EXPECT_EQ(rc, unit_has_failed() ? -ENOMEM : 0);
		unit_fail_allocation(0);
		tear_down();
		if (!rc) {
			break;
		}
	}
	EXPECT(n > 2 && n < 50);
}

TEST_MAIN()
