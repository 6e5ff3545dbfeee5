/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event channels in the FIFO format: control block, event array, queues by priority. */
#include "lib/event.h"

#define MASKED	(1U << EVTCHN_FIFO_MASKED)
#define PENDING (1U << EVTCHN_FIFO_PENDING)
#define LINKED	(1U << EVTCHN_FIFO_LINKED)

static uint8_t control_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static uint32_t array[2][PAGE_SIZE / 4] __attribute__((aligned(PAGE_SIZE)));
static volatile unsigned upcalls;
static evtchn_port_t a, b;

static struct evtchn_fifo_control_block *control(void)
{
	return (struct evtchn_fifo_control_block *)control_page;
}

static volatile uint32_t *word_of(evtchn_port_t port)
{
	return &array[port / 1024][port % 1024];
}

static void upcall(struct trap_frame *frame)
{
	(void)frame;
	event_vcpu_info()->evtchn_upcall_pending = 0;
	upcalls++;
}

/* What Linux does: take the head, clear LINKED and LINK, handle, clear PENDING. */
static evtchn_port_t take(unsigned priority)
{
	uint32_t head = control()->head[priority];
	uint32_t word = *word_of(head);

	control()->head[priority] = word & ((1U << EVTCHN_FIFO_LINK_BITS) - 1);
	*word_of(head) = word & ~(LINKED | PENDING | ((1U << EVTCHN_FIFO_LINK_BITS) - 1));
	if (control()->head[priority] == 0) {
		__atomic_fetch_and(&control()->ready, ~(1U << priority), __ATOMIC_SEQ_CST);
	}
	return head;
}

/* Binding makes the new end pending; take that event out of the way. */
static void bind_quietly(evtchn_port_t *to, evtchn_port_t *from)
{
	EXPECT_EQ(event_bind_loop(to, from), 0);
	EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), *from);
	*word_of(*to) = 0;
}

TEST(refusals_before_it_is_on)
{
	struct evtchn_expand_array expand = {.array_gfn = (uint64_t)array / PAGE_SIZE};
	struct evtchn_init_control init = {.control_gfn = (uint64_t)control_page / PAGE_SIZE};

	event_init();
	trap_set_handler(EVENT_VECTOR, upcall);
	EXPECT_EQ(event_op(EVTCHNOP_expand_array, &expand), -EOPNOTSUPP);
	init.vcpu = 99;
	EXPECT_EQ(event_op(EVTCHNOP_init_control, &init), -ENOENT);
	init.vcpu = 0;
	init.offset = 4;
	EXPECT_EQ(event_op(EVTCHNOP_init_control, &init), -EINVAL);
	init.offset = PAGE_SIZE - 8;
	EXPECT_EQ(event_op(EVTCHNOP_init_control, &init), -EINVAL);
	init.offset = 0;
	init.control_gfn = 1UL << 40;
	EXPECT_EQ(event_op(EVTCHNOP_init_control, &init), -EINVAL);
	EXPECT_EQ(event_op(EVTCHNOP_init_control, (void *)0x800000000000UL), -EFAULT);
}

TEST(init_control_switches_the_format)
{
	struct evtchn_init_control init = {.control_gfn = (uint64_t)control_page / PAGE_SIZE};
	struct evtchn_expand_array expand = {.array_gfn = (uint64_t)array / PAGE_SIZE};

	EXPECT_EQ(event_op(EVTCHNOP_init_control, &init), 0);
	EXPECT_EQ(init.link_bits, EVTCHN_FIFO_LINK_BITS);
	for (evtchn_port_t port = 0; port < 64; port++) {
		*word_of(port) = start_ports >> port & 1 ? MASKED : 0;
	}
	EXPECT_EQ(event_op(EVTCHNOP_expand_array, &expand), 0);
	EXPECT_EQ(event_op(EVTCHNOP_init_control, &init), -EINVAL); /* once for each vCPU */
	bind_quietly(&a, &b);
}

TEST(a_new_port_is_masked_until_the_guest_says_so)
{
	/* Its word is the guest's: zero here, so not masked. */
	EXPECT_EQ(*word_of(a) & (PENDING | LINKED), 0);
}

TEST(send_links_the_event_and_tells_the_queue)
{
	unsigned before = upcalls;

	*word_of(a) = 0;
	EXPECT_EQ(event_send(b), 0);
	EXPECT_EQ(*word_of(a) & (PENDING | LINKED), PENDING | LINKED);
	EXPECT(control()->ready >> EVTCHN_FIFO_PRIORITY_DEFAULT & 1);
	EXPECT_EQ(control()->head[EVTCHN_FIFO_PRIORITY_DEFAULT], a);
	EXPECT(WAIT_FOR(upcalls == before + 1, 100));
}

TEST(events_come_in_the_order_they_were_sent)
{
	evtchn_port_t from[4], to[4];

	EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), a);
	for (unsigned i = 0; i < 4; i++) {
		bind_quietly(&to[i], &from[i]);
	}
	for (unsigned i = 4; i-- > 0;) {
		EXPECT_EQ(event_send(from[i]), 0);
	}
	for (unsigned i = 4; i-- > 0;) {
		EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), to[i]);
	}
	EXPECT_EQ(control()->head[EVTCHN_FIFO_PRIORITY_DEFAULT], 0);
	for (unsigned i = 0; i < 4; i++) {
		EXPECT_EQ(event_close(to[i]), 0);
		EXPECT_EQ(event_close(from[i]), 0);
	}
}

TEST(a_pending_event_is_not_linked_twice)
{
	*word_of(a) = 0;
	EXPECT_EQ(event_send(b), 0);
	EXPECT_EQ(event_send(b), 0);
	EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), a);
	EXPECT_EQ(control()->ready, 0);
}

TEST(a_masked_event_is_pending_and_not_linked)
{
	*word_of(a) = MASKED;
	EXPECT_EQ(event_send(b), 0);
	EXPECT_EQ(*word_of(a) & (MASKED | PENDING | LINKED), MASKED | PENDING);
	EXPECT_EQ(event_unmask(a), 0);
	EXPECT_EQ(*word_of(a) & (MASKED | PENDING | LINKED), PENDING | LINKED);
	EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), a);
}

TEST(priorities_have_their_own_queues)
{
	struct evtchn_set_priority set = {.port = a, .priority = 2};

	EXPECT_EQ(event_op(EVTCHNOP_set_priority, &set), 0);
	*word_of(a) = 0;
	EXPECT_EQ(event_send(b), 0);
	EXPECT_EQ(control()->head[2], a);
	EXPECT(control()->ready >> 2 & 1);
	EXPECT_EQ(take(2), a);
	set.priority = EVTCHN_FIFO_MAX_QUEUES;
	EXPECT_EQ(event_op(EVTCHNOP_set_priority, &set), -EINVAL);
	set = (struct evtchn_set_priority){.port = 900, .priority = 1};
	EXPECT_EQ(event_op(EVTCHNOP_set_priority, &set), -EINVAL);
}

TEST(ports_beyond_the_array_are_silent_until_it_grows)
{
	struct evtchn_expand_array expand = {.array_gfn = (uint64_t)array[1] / PAGE_SIZE};
	static evtchn_port_t ports[1200];
	evtchn_port_t to, from;
	unsigned count = 0;

	do {
		if (!EXPECT_EQ(event_alloc_self(&ports[count]), 0)) {
			return;
		}
	} while (ports[count++] < 1030 && count < ARRAY_SIZE(ports));
	EXPECT_EQ(event_bind_loop(&to, &from), 0);
	EXPECT(to > 1030 && from > 1030);
	EXPECT_EQ(event_send(from), 0);
	EXPECT_EQ(control()->ready, 0);
	EXPECT_EQ(event_op(EVTCHNOP_expand_array, &expand), 0);
	*word_of(to) = 0;
	EXPECT_EQ(event_send(from), 0);
	EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), to);
	for (unsigned i = 0; i < count; i++) {
		EXPECT_EQ(event_close(ports[i]), 0);
	}
	EXPECT_EQ(event_close(to), 0);
	EXPECT_EQ(event_close(from), 0);
	expand.array_gfn = 1UL << 40;
	EXPECT(event_op(EVTCHNOP_expand_array, &expand) < 0);
}

/* A hostile guest writes nonsense where the hypervisor reads links. */
TEST(nonsense_in_the_event_words_harms_nothing)
{
	for (uint32_t pattern = 0; pattern < 64; pattern++) {
		*word_of(a) = pattern * 0x04210843U;
		control()->ready = pattern;
		control()->head[EVTCHN_FIFO_PRIORITY_DEFAULT] = pattern * 0x01010101U;
		*word_of(b) = ~*word_of(a);
		event_send(b);
		event_unmask(a);
	}
	*word_of(a) = 0;
	EXPECT_EQ(event_close(a), 0);
	EXPECT_EQ(event_close(b), 0);
}

TEST(reset_goes_back_to_two_levels)
{
	struct evtchn_reset reset = {.dom = DOMID_SELF};
	struct evtchn_expand_array expand = {.array_gfn = (uint64_t)array / PAGE_SIZE};

	EXPECT_EQ(event_op(EVTCHNOP_reset, &reset), 0);
	EXPECT_EQ(event_op(EVTCHNOP_expand_array, &expand), -EOPNOTSUPP);
	EXPECT_EQ(event_bind_loop(&a, &b), 0);
	event_unmask_locally(a);
	event_clear(a);
	EXPECT_EQ(event_send(b), 0);
	EXPECT(event_is_pending(a));
}
