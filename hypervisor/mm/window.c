/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/window.h"

#include "core/percpu.h"
#include "hv/error.h"
#include "lib/string.h"

/*
 * Bits of the slots in use on this CPU. No atomics: an interrupt handler that opens windows in
 * between has closed them again when it returns, so it leaves the word as it found it.
 */
DEFINE_PER_CPU(u32, windows_open);

void *window_map(mfn_t mfn)
{
	u32 *open = this_cpu_ptr(windows_open);
	unsigned int slot = (unsigned int)__builtin_ctz(~*open);

	CHECK(slot < WINDOW_SLOTS);
	*open |= 1u << slot;
	barrier(); /* taken before it is filled: a handler in between must not take it */
	return arch_window_set(slot, mfn);
}

void window_unmap(void *p)
{
	unsigned int slot = arch_window_slot(p);
	u32 *open = this_cpu_ptr(windows_open);

	CHECK(slot < WINDOW_SLOTS && (*open & 1u << slot));
	arch_window_set(slot, MFN_INVALID);
	barrier();
	*open &= ~(1u << slot);
}

void window_zero(mfn_t mfn)
{
	void *p = window_map(mfn);

	memset(p, 0, PAGE_SIZE);
	window_unmap(p);
}

void window_copy(mfn_t to, mfn_t from)
{
	void *source = window_map(from), *p = window_map(to);

	memcpy(p, source, PAGE_SIZE);
	window_unmap(p);
	window_unmap(source);
}

bool window_is_idle(void)
{
	return *this_cpu_ptr(windows_open) == 0;
}
