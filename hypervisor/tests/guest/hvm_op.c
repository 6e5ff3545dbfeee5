/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hvm_op: a domain's own parameters and the refusals. */
#include "lib/event.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define OP(cmd, arg) hypercall2(__HYPERVISOR_hvm_op, cmd, arg)
#define NOBODY	     0x7ff5

static long set(unsigned index, uint64_t value)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index, .value = value};

	return OP(HVMOP_set_param, &p);
}

static long get(unsigned index, uint64_t *value)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index, .value = ~0UL};
	long rc = OP(HVMOP_get_param, &p);

	*value = p.value;
	return rc;
}

TEST(callback_is_set_and_read_back)
{
	uint64_t value;

	EXPECT_EQ(set(HVM_PARAM_CALLBACK_IRQ, 2UL << 56 | 0xf3), 0);
	EXPECT_EQ(get(HVM_PARAM_CALLBACK_IRQ, &value), 0);
	EXPECT_EQ(value, 2UL << 56 | 0xf3);
}

/* Without the PC's interrupt controllers there is no line to pull: the vector stays. */
TEST(callback_by_a_line_changes_nothing)
{
	static const uint64_t lines[] = {9, 1UL << 56 | 3 << 11 | 1, 7UL << 56, 0};
	evtchn_port_t a, b;
	unsigned i;

	event_init();
	EXPECT_EQ(event_bind_loop(&a, &b), 0);
	event_unmask_locally(a);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		uint64_t value;
		unsigned before;

		EXPECT_EQ(set(HVM_PARAM_CALLBACK_IRQ, lines[i]), 0);
		EXPECT_EQ(get(HVM_PARAM_CALLBACK_IRQ, &value), 0);
		EXPECT_EQ(value, lines[i]);
		before = event_seen[a];
		EXPECT_EQ(event_send(b), 0);
		EXPECT(WAIT_FOR(event_seen[a] == before + 1, 1000));
	}
}

TEST(upcall_vector_of_one_vcpu)
{
	struct xen_hvm_evtchn_upcall_vector v = {.vcpu = 0, .vector = 0xf3};

	EXPECT_EQ(OP(HVMOP_set_evtchn_upcall_vector, &v), 0);
	v.vector = 0xf;
	EXPECT_EQ(OP(HVMOP_set_evtchn_upcall_vector, &v), -EINVAL);
	v = (struct xen_hvm_evtchn_upcall_vector){.vcpu = 99, .vector = 0xf3};
	EXPECT_EQ(OP(HVMOP_set_evtchn_upcall_vector, &v), -ENOENT);
	EXPECT_EQ(OP(HVMOP_set_evtchn_upcall_vector, 0x800000000000UL), -EFAULT);
}

static volatile unsigned upcalls;

static void on_upcall(struct trap_frame *frame)
{
	(void)frame;
	shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
	upcalls++;
	apic_eoi();
}

/* A vector set for one vCPU goes through its local APIC: it is acknowledged there. */
TEST(upcall_vector_goes_through_the_local_apic)
{
	struct xen_hvm_evtchn_upcall_vector v = {.vcpu = 0, .vector = 0xf4};
	evtchn_port_t a, b;

	event_init();
	apic_enable();
	trap_set_handler(0xf4, on_upcall);
	EXPECT_EQ(OP(HVMOP_set_evtchn_upcall_vector, &v), 0);
	EXPECT_EQ(event_bind_loop(&a, &b), 0);
	EXPECT(WAIT_FOR(upcalls > 0, 100));
	upcalls = 0;
	event_clear(a);
	event_clear(b);
	EXPECT_EQ(event_send(b), 0);
	EXPECT(WAIT_FOR(upcalls == 1, 100));
	event_clear(a);
	EXPECT_EQ(event_send(b), 0);
	EXPECT(WAIT_FOR(upcalls == 2, 100));
}

TEST(parameter_refusals)
{
	uint64_t value;
	struct xen_hvm_param p = {.domid = NOBODY, .index = HVM_PARAM_CALLBACK_IRQ};

	EXPECT_EQ(OP(HVMOP_get_param, &p), -ESRCH);
	EXPECT_EQ(OP(HVMOP_set_param, &p), -ESRCH);
	EXPECT_EQ(get(HVM_NR_PARAMS, &value), -EINVAL);
	EXPECT_EQ(set(HVM_NR_PARAMS, 1), -EINVAL);
	EXPECT_EQ(get(0xffffffff, &value), -EINVAL);
	EXPECT_EQ(OP(HVMOP_get_param, 0x800000000000UL), -EFAULT);
	EXPECT_EQ(OP(HVMOP_set_param, 0xfffffffffffffff8UL), -EFAULT);
}

TEST(unknown_operations_are_enosys)
{
	EXPECT_EQ(OP(99, 0), -ENOSYS);
}
