/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/guest/dom0_plan.h"

#include "hv/error.h"
#include "lib/string.h"

#define SIZE_1M (1ull << 20)
#define SIZE_4G (1ull << 32)

static bool add_region(struct dom0_plan *plan, u64 start, u64 end, u32 type)
{
	if (start == end) {
		return true;
	}
	if (plan->map_count == DOM0_MAP_MAX) {
		return false;
	}
	plan->map[plan->map_count++] = (struct memory_region){start, end, type};
	return true;
}

static bool share_ram(const struct dom0_plan_input *in, struct dom0_plan *out)
{
	u64 left = in->ram_bytes & PAGE_MASK, take, start;
	unsigned int i;

	for (i = 0; i < in->host_count; i++) {
		const struct memory_region *r = &in->host[i];

		start = r->start;
		if (r->type != MEMORY_RAM) {
			if (!add_region(out, start, r->end, r->type)) {
				return false;
			}
			continue;
		}
		take = MIN(left, r->end - r->start);
		left -= take;
		out->ram_bytes += take;
		if (!add_region(out, start, start + take, MEMORY_RAM) ||
		    !add_region(out, start + take, r->end, MEMORY_BAD)) {
			return false;
		}
	}
	return true;
}

/* The end of the highest RAM below 4 GiB that has room becomes the place of the ACPI tables. */
static bool place_acpi(const struct dom0_plan_input *in, struct dom0_plan *out)
{
	unsigned int i = out->map_count;

	while (i-- > 0) {
		struct memory_region *r = &out->map[i];

		if (r->type != MEMORY_RAM || r->start < SIZE_1M || r->end > SIZE_4G ||
		    r->end - r->start <= in->acpi_bytes || out->map_count == DOM0_MAP_MAX) {
			continue;
		}
		memmove(r + 2, r + 1, (out->map_count - i - 1) * sizeof(*r));
		r->end -= in->acpi_bytes;
		out->acpi_start = r->end;
		r[1] = (struct memory_region){r->end, r->end + in->acpi_bytes, MEMORY_ACPI};
		out->map_count++;
		return true;
	}
	return false;
}

static bool add_direct(struct dom0_plan *plan, u64 start, u64 end)
{
	struct dom0_span *last = plan->direct_count ? &plan->direct[plan->direct_count - 1] : NULL;

	if (last && last->end == start) {
		last->end = end;
		return true;
	}
	if (plan->direct_count == DOM0_DIRECT_MAX) {
		return false;
	}
	plan->direct[plan->direct_count++] = (struct dom0_span){start, end};
	return true;
}

/*
 * May the page at be direct? *next is the nearest address behind it where the answer may change.
 * RAM of the host never is, whoever has it; below 4 GiB all else is, above only what firmware
 * names.
 */
static bool is_direct(const struct dom0_plan_input *in, u64 at, u64 *next)
{
	bool is_allowed = at < SIZE_4G;
	unsigned int i;

	*next = at < SIZE_4G ? SIZE_4G : ~0ull;
	for (i = 0; i < in->host_count; i++) {
		u64 start = in->host[i].start, end = in->host[i].end;

		if (at < start) {
			*next = MIN(*next, start);
		} else if (at < end) {
			*next = MIN(*next, end);
			is_allowed =
				in->host[i].type != MEMORY_RAM && in->host[i].type != MEMORY_BAD;
		}
	}
	for (i = 0; i < in->excluded_count; i++) {
		const struct dom0_span *x = &in->excluded[i];

		if (at < x->start) {
			*next = MIN(*next, x->start);
		} else if (at < x->end) {
			*next = MIN(*next, x->end);
			is_allowed = false;
		}
	}
	return is_allowed;
}

static bool find_direct(const struct dom0_plan_input *in, struct dom0_plan *out)
{
	u64 at = 0, next, end = SIZE_4G;
	unsigned int i;

	for (i = 0; i < in->host_count; i++) {
		if (in->host[i].type == MEMORY_RAM) {
			end = MAX(end, in->host[i].end);
		}
	}
	while (at < end) {
		if (is_direct(in, at, &next) && !add_direct(out, at, next)) {
			return false;
		}
		at = next;
	}
	return true;
}

int dom0_plan_make(const struct dom0_plan_input *in, struct dom0_plan *out, const char **why)
{
	memset(out, 0, sizeof(*out));
	if (!share_ram(in, out) || !find_direct(in, out)) {
		*why = "the firmware's memory map has too many pieces";
		return -ENOMEM;
	}
	if (!place_acpi(in, out)) {
		*why = "there is too little memory below 4 GiB for the first domain";
		return -ENOMEM;
	}
	return 0;
}

u64 dom0_plan_find(const struct dom0_plan *plan, u64 from, u64 end, u64 size_bytes, u64 align)
{
	unsigned int i = plan->map_count;

	while (i-- > 0) {
		const struct memory_region *r = &plan->map[i];
		u64 start = MAX(from, r->start), limit = MIN(end, r->end), at;

		if (r->type != MEMORY_RAM || start >= limit || size_bytes > limit - start) {
			continue;
		}
		at = (limit - size_bytes) & ~(align - 1);
		if (at >= start) {
			return at;
		}
	}
	return ~0ull;
}
