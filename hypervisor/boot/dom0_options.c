/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/dom0_options.h"

#include "base/checked.h"
#include "hv/addr.h"
#include "hv/error.h"
#include "lib/string.h"

#define RESERVE_MAX (128ull << 20) /* left to the hypervisor when nobody says anything */

struct size {
	u64 bytes;
	bool is_negative;
	bool is_set;
};

static bool parse_digits(const char **text, u64 *value)
{
	const char *p = *text;

	*value = 0;
	while (*p >= '0' && *p <= '9') {
		if (!checked_mul_u64(*value, 10, value) ||
		    !checked_add_u64(*value, (u64)(*p - '0'), value)) {
			return false;
		}
		p++;
	}
	if (p == *text) {
		return false;
	}
	*text = p;
	return true;
}

static unsigned int unit_shift(char unit)
{
	switch (unit) {
	case 'b':
	case 'B':
		return 0;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	case 't':
	case 'T':
		return 40;
	default:
		return 10;
	}
}

static bool is_end(char c)
{
	return c == '\0' || c == ' ' || c == ',';
}

static bool parse_size(const char **text, u64 total_bytes, struct size *out)
{
	u64 value;

	out->is_negative = **text == '-';
	if (out->is_negative) {
		(*text)++;
	}
	if (!parse_digits(text, &value)) {
		return false;
	}
	if (**text == '%') {
		if (value > 100) {
			return false;
		}
		out->bytes = total_bytes / 100 * value + total_bytes % 100 * value / 100;
		(*text)++;
	} else {
		unsigned int shift = unit_shift(**text);

		if (value > ~0ull >> shift) {
			return false;
		}
		out->bytes = value << shift;
		if (!is_end(**text)) {
			if (!strchr("bBkKmMgGtT", **text)) {
				return false;
			}
			(*text)++;
		}
	}
	out->is_set = true;
	return is_end(**text);
}

static u64 size_resolve(const struct size *size, u64 available_bytes)
{
	if (!size->is_negative) {
		return size->bytes;
	}
	return size->bytes < available_bytes ? available_bytes - size->bytes : 0;
}

int dom0_memory_choose(const char *text, u64 total_bytes, u64 available_bytes,
		       struct dom0_memory *out)
{
	struct size initial = {0}, min = {0}, max = {0};
	struct dom0_memory m;

	while (text && *text && *text != ' ') {
		struct size *which = &initial;

		if (strncmp(text, "min:", 4) == 0) {
			which = &min;
			text += 4;
		} else if (strncmp(text, "max:", 4) == 0) {
			which = &max;
			text += 4;
		}
		if (!parse_size(&text, total_bytes, which)) {
			return -EINVAL;
		}
		if (*text == ',') {
			text++;
		}
	}

	m.max_bytes = max.is_set ? size_resolve(&max, available_bytes) : ~0ull;
	if (initial.is_set) {
		m.initial_bytes = size_resolve(&initial, available_bytes);
	} else {
		m.initial_bytes = available_bytes - MIN(available_bytes / 16, RESERVE_MAX);
	}
	if (min.is_set) {
		m.initial_bytes = MAX(m.initial_bytes, size_resolve(&min, available_bytes));
	}
	m.initial_bytes = MIN(MIN(m.initial_bytes, m.max_bytes), available_bytes) & PAGE_MASK;
	*out = m;
	return 0;
}
