/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time by the TSC. Its frequency comes from the vCPU's time page if the shared info can be mapped,
 * and is taken as 1 GHz otherwise, so that a broken hypervisor makes waits long, not endless.
 */
#include "guest.h"

static uint32_t mul = 0x80000000; /* nanoseconds = (cycles << shift) * mul / 2^32 */
static int8_t shift = 1;
static uint64_t start_system_ns, start_tsc; /* what the time page said at the start */

void time_init(void)
{
	if (!xen_leaf) {
		return;
	}
	shared_info_map();
	if (shared_info && shared_info->vcpu_info[0].time.tsc_to_system_mul) {
		mul = shared_info->vcpu_info[0].time.tsc_to_system_mul;
		shift = shared_info->vcpu_info[0].time.tsc_shift;
		start_system_ns = shared_info->vcpu_info[0].time.system_time;
		start_tsc = shared_info->vcpu_info[0].time.tsc_timestamp;
	}
}

static uint64_t to_ns(uint64_t cycles)
{
	cycles = shift >= 0 ? cycles << shift : cycles >> -shift;
	return (uint64_t)((unsigned __int128)cycles * mul >> 32);
}

uint64_t now_ns(void)
{
	return to_ns(rdtsc());
}

uint64_t system_ns(void)
{
	return start_system_ns + to_ns(rdtsc() - start_tsc);
}

void delay_us(uint64_t us)
{
	uint64_t end = now_ns() + us * 1000;

	while (now_ns() < end) {
		pause();
	}
}
