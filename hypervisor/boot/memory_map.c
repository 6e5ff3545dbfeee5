/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory map out of what firmware says. Firmware's maps have overlaps, odd sizes
 * and any order, so each point of the address space gets the most restrictive type that
 * anybody gives it. Quadratic in a few hundred entries, once.
 */
#include "boot/modules.h"

#define ADDRESS_LIMIT (1ull << 52) /* APM 2, 5.3: the most physical address bits there are */

/* How strong a claim is against another one on the same bytes; 0: not a claim. */
static unsigned int type_rank(u32 type)
{
	switch (type) {
	case BOOT_RAM:
		return 1;
	case BOOT_ACPI:
		return 2;
	case BOOT_NVS:
		return 3;
	case BOOT_BAD:
		return 5;
	default:
		return 4;
	}
}

static u32 type_known(u32 type)
{
	return type >= BOOT_RAM && type <= BOOT_BAD ? type : BOOT_RESERVED;
}

/* In whole pages: RAM only where all of the page is RAM. False: nothing is left. */
static bool region_bounds(const struct boot_region *r, u64 *start, u64 *end)
{
	u64 first = hpa_raw(r->start), last;

	if (first >= ADDRESS_LIMIT || r->size_bytes == 0) {
		return false;
	}
	last = r->size_bytes > ADDRESS_LIMIT - first ? ADDRESS_LIMIT : first + r->size_bytes;
	if (r->type == BOOT_RAM) {
		*start = ROUND_UP(first, PAGE_SIZE);
		*end = last & PAGE_MASK;
	} else {
		*start = first & PAGE_MASK;
		*end = ROUND_UP(last, PAGE_SIZE);
	}
	return *start < *end;
}

/*
 * The strongest claim on the byte at, or NULL; *next is where that may change: the
 * nearest start or end of any region behind at, ADDRESS_LIMIT when there is none.
 */
static const struct boot_region *strongest_at(const struct boot_region *in, unsigned int count,
					      u64 at, u64 *next)
{
	const struct boot_region *best = NULL;
	unsigned int i;
	u64 start, end;

	*next = ADDRESS_LIMIT;
	for (i = 0; i < count; i++) {
		if (!region_bounds(&in[i], &start, &end) || end <= at) {
			continue;
		}
		if (start > at) {
			*next = MIN(*next, start);
			continue;
		}
		*next = MIN(*next, end);
		if (!best || type_rank(in[i].type) > type_rank(best->type)) {
			best = &in[i];
		}
	}
	return best;
}

unsigned int boot_regions_sanitise(const struct boot_region *in, unsigned int in_count,
				   struct boot_region *out, unsigned int capacity)
{
	unsigned int count = 0;
	u64 at = 0, next;

	while (at < ADDRESS_LIMIT) {
		const struct boot_region *best = strongest_at(in, in_count, at, &next);
		struct boot_region *last = count ? &out[count - 1] : NULL;

		if (best && last && last->type == type_known(best->type) &&
		    hpa_raw(last->start) + last->size_bytes == at) {
			last->size_bytes += next - at;
		} else if (best) {
			if (count == capacity) {
				break;
			}
			out[count++] = (struct boot_region){
				.start = hpa_of(at),
				.size_bytes = next - at,
				.type = type_known(best->type),
			};
		}
		at = next;
	}
	return count;
}

bool boot_regions_have_ram(const struct boot_region *regions, unsigned int count, hpa_t start,
			   u64 size_bytes)
{
	u64 first = hpa_raw(start), region_first;
	unsigned int i;

	for (i = 0; i < count; i++) {
		region_first = hpa_raw(regions[i].start);
		if (regions[i].type == BOOT_RAM && first >= region_first &&
		    first - region_first < regions[i].size_bytes &&
		    size_bytes <= regions[i].size_bytes - (first - region_first)) {
			return true;
		}
	}
	return false;
}
