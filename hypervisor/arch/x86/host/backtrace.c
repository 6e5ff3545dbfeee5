// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86/host/backtrace.h"

#include "arch/contract/host.h"
#include "arch/x86/host/layout.h"
#include "core/log.h"

/* link/make_symbols.py writes them; the first link has none (symbols_none.S). */
extern const u32 symbol_count;
extern const u32 symbol_offsets[];   /* from text_start, ascending */
extern const u32 symbol_name_at[];   /* into symbol_names */
extern const char symbol_names[];

#define DEPTH_MAX 24

const char *symbol_find(u64 address, u64 *offset)
{
	u32 low = 0, high = symbol_count, middle, distance;

	if (address < (u64)text_start || address >= (u64)text_end || !symbol_count) {
		return NULL;
	}
	distance = (u32)(address - (u64)text_start);
	if (distance < symbol_offsets[0]) {
		return NULL;
	}
	while (high - low > 1) {
		middle = (low + high) / 2;
		if (symbol_offsets[middle] <= distance) {
			low = middle;
		} else {
			high = middle;
		}
	}
	*offset = distance - symbol_offsets[low];
	return &symbol_names[symbol_name_at[low]];
}

static void print_line(u64 address)
{
	u64 offset = 0;
	const char *name = symbol_find(address, &offset);

	if (name) {
		log_error("  %016lx %s+%#lx\n", address, name, offset);
	} else {
		log_error("  %016lx\n", address);
	}
}

/* Only the stack that we are on is read: a wrong frame pointer must not fault again. */
void backtrace_print(u64 rip, u64 rbp, u64 rsp)
{
	u64 top = (rsp | (STACK_SLOT_SIZE - 1)) + 1 - sizeof(struct cpu_info);
	unsigned int depth;

	log_error("Backtrace:\n");
	print_line(rip);
	for (depth = 0; depth < DEPTH_MAX; depth++) {
		if (rbp < rsp || rbp % 8 || rbp > top - 16) {
			return;
		}
		print_line(((const u64 *)rbp)[1] - 1);
		rsp = rbp + 16;
		rbp = *(const u64 *)rbp;
	}
}

void arch_backtrace(void)
{
	u64 rbp, rsp;

	__asm__ volatile("mov %%rbp, %0\n\tmov %%rsp, %1" : "=r"(rbp), "=r"(rsp));
	backtrace_print((u64)__builtin_return_address(0), *(const u64 *)rbp, rsp);
}
