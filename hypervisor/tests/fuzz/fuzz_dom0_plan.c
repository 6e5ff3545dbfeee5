/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The input is a raw firmware map: 1 byte type, 3 bytes start and 3 bytes size in pages for each
 * region, behind 3 bytes of dom0's share. Whatever it is, RAM of the host is never direct, and the
 * guest's map adds up.
 */
#include <string.h>

#include "arch/x86/guest/dom0_plan.h"
#include "base/wire.h"
#include "boot/modules.h"

#define RAW_MAX 200u

static u32 u24(struct wire *in)
{
	u32 low = wire_u16le(in);

	return low | (u32)wire_u8(in) << 16;
}

static u64 ram_bytes(const struct memory_region *map, unsigned int count)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		sum += map[i].type == MEMORY_RAM ? map[i].end - map[i].start : 0;
	}
	return sum;
}

static void check(const struct dom0_plan_input *in, const struct dom0_plan *plan)
{
	unsigned int i, j;
	u64 end = 0;

	for (i = 0; i < plan->map_count; i++) {
		if (plan->map[i].start < end || plan->map[i].end <= plan->map[i].start) {
			__builtin_trap();
		}
		end = plan->map[i].end;
	}
	end = 0;
	for (i = 0; i < plan->direct_count; i++) {
		const struct dom0_span *s = &plan->direct[i];

		if (s->start < end || s->end <= s->start) {
			__builtin_trap();
		}
		end = s->end;
		for (j = 0; j < in->host_count; j++) {
			if (in->host[j].type == MEMORY_RAM && s->start < in->host[j].end &&
			    in->host[j].start < s->end) {
				__builtin_trap(); /* dom0 would reach other domains' memory */
			}
		}
		for (j = 0; j < in->excluded_count; j++) {
			if (s->start < in->excluded[j].end && in->excluded[j].start < s->end) {
				__builtin_trap();
			}
		}
	}
	if (plan->ram_bytes > in->ram_bytes ||
	    ram_bytes(plan->map, plan->map_count) + in->acpi_bytes != plan->ram_bytes) {
		__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size_bytes)
{
	static struct boot_region raw[RAW_MAX], regions[BOOT_REGION_MAX];
	static struct memory_region host[BOOT_REGION_MAX];
	static struct dom0_plan_input in;
	static struct dom0_plan plan;
	struct wire w = wire_of(data, size_bytes);
	unsigned int count = 0, i;
	const char *why = NULL;

	memset(&in, 0, sizeof(in));
	in.ram_bytes = (u64)u24(&w) << PAGE_SHIFT;
	in.acpi_bytes = 0x4000;
	in.excluded_count = 2;
	in.excluded[0] = (struct dom0_span){0xfee00000, 0xfef00000};
	in.excluded[1] = (struct dom0_span){(u64)u24(&w) << PAGE_SHIFT, 0xfec01000};
	while (wire_left(&w) >= 7 && count < RAW_MAX) {
		raw[count].type = wire_u8(&w) % 7;
		raw[count].start = hpa_of((u64)u24(&w) << PAGE_SHIFT);
		raw[count++].size_bytes = (u64)u24(&w) << PAGE_SHIFT;
	}
	in.host_count = boot_regions_sanitise(raw, count, regions, BOOT_REGION_MAX);
	for (i = 0; i < in.host_count; i++) {
		host[i].start = hpa_raw(regions[i].start);
		host[i].end = host[i].start + regions[i].size_bytes;
		host[i].type = regions[i].type;
	}
	in.host = host;
	if (dom0_plan_make(&in, &plan, &why) == 0) {
		check(&in, &plan);
	} else if (!why) {
		__builtin_trap(); /* a refusal has a sentence */
	}
	return 0;
}
