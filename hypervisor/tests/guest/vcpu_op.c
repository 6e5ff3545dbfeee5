/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcpu_op: vcpu_info and runstate areas, time pages, the refusals. */
#include "lib/event.h"

#include <xen/vcpu.h>

#define OP(cmd, vcpu, arg) hypercall3(__HYPERVISOR_vcpu_op, cmd, vcpu, arg)

static uint8_t info_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct vcpu_runstate_info runstate __attribute__((aligned(64)));
static struct vcpu_time_info time_info __attribute__((aligned(64)));

TEST(this_vcpu_is_up_and_others_do_not_exist)
{
	EXPECT_EQ(OP(VCPUOP_is_up, 0, 0), 1);
	EXPECT_EQ(OP(VCPUOP_is_up, 99, 0), -ENOENT);
	EXPECT_EQ(OP(VCPUOP_is_up, 0xffffffff, 0), -ENOENT);
}

TEST(runstate_says_running_and_time_grows)
{
	struct vcpu_runstate_info first, second;

	EXPECT_EQ(OP(VCPUOP_get_runstate_info, 0, &first), 0);
	delay_us(2000);
	EXPECT_EQ(OP(VCPUOP_get_runstate_info, 0, &second), 0);
	EXPECT_EQ(first.state, RUNSTATE_running);
	EXPECT_EQ(second.state, RUNSTATE_running);
	EXPECT(second.time[RUNSTATE_running] > first.time[RUNSTATE_running]);
	EXPECT(second.time[RUNSTATE_offline] >= first.time[RUNSTATE_offline]);
}

TEST(runstate_area_is_kept_up)
{
	struct vcpu_register_runstate_memory_area area = {0};

	set_xen_guest_handle(area.addr.h, &runstate);
	memset(&runstate, 0xff, sizeof(runstate));
	EXPECT_EQ(OP(VCPUOP_register_runstate_memory_area, 0, &area), 0);
	EXPECT_EQ(runstate.state, RUNSTATE_running);
	EXPECT(runstate.state_entry_time > 0 && runstate.state_entry_time < 1UL << 60);
	EXPECT(runstate.time[RUNSTATE_running] < 1UL << 50);
}

TEST(runstate_area_refusals)
{
	struct vcpu_register_runstate_memory_area area = {.addr.p = 0x800000000000UL};

	EXPECT_EQ(OP(VCPUOP_register_runstate_memory_area, 99, &area), -ENOENT);
	EXPECT_EQ(OP(VCPUOP_register_runstate_memory_area, 0, 0x800000000000UL), -EFAULT);
}

TEST(vcpu_info_moves_with_its_contents)
{
	struct vcpu_register_vcpu_info reg = {.mfn = (uint64_t)info_page / PAGE_SIZE, .offset = 64};
	struct vcpu_info *moved = (struct vcpu_info *)(info_page + 64);
	evtchn_port_t a, b;

	event_init();
	EXPECT_EQ(OP(VCPUOP_register_vcpu_info, 0, &reg), 0);
	event_moved_info = moved;
	EXPECT(moved->time.tsc_to_system_mul != 0);
	EXPECT_EQ(event_bind_loop(&a, &b), 0);
	EXPECT_EQ(event_send(b), 0);
	EXPECT(WAIT_FOR(event_seen[a] > 0, 100));
}

TEST(vcpu_info_refusals)
{
	struct vcpu_register_vcpu_info reg = {.mfn = (uint64_t)info_page / PAGE_SIZE, .offset = 0};

	EXPECT_EQ(OP(VCPUOP_register_vcpu_info, 0, &reg), -EINVAL); /* only once */
	EXPECT_EQ(OP(VCPUOP_register_vcpu_info, 99, &reg), -ENOENT);
	EXPECT_EQ(OP(VCPUOP_register_vcpu_info, 0, 0x800000000000UL), -EFAULT);
}

TEST(time_area_can_be_registered)
{
	struct vcpu_register_time_memory_area area = {0};

	set_xen_guest_handle(area.addr.h, &time_info);
	EXPECT_EQ(OP(VCPUOP_register_vcpu_time_memory_area, 0, &area), 0);
	EXPECT(time_info.tsc_to_system_mul != 0);
	EXPECT_EQ(time_info.version & 1, 0);
}

TEST(up_and_down_need_a_vcpu)
{
	EXPECT_EQ(OP(VCPUOP_up, 99, 0), -ENOENT);
	EXPECT_EQ(OP(VCPUOP_down, 99, 0), -ENOENT);
}

TEST(initialise_refusals)
{
	EXPECT_EQ(OP(VCPUOP_initialise, 99, &runstate), -ENOENT);
	EXPECT_EQ(OP(VCPUOP_initialise, 0, 0x800000000000UL), -EFAULT);
}

TEST(unknown_operations_are_enosys)
{
	EXPECT_EQ(OP(77, 0, 0), -ENOSYS);
	EXPECT_EQ(OP(0xffff, 0, 0), -ENOSYS);
}
