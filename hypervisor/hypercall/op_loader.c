/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the dom0 loader says: that it is done, or why it cannot (loader/interface.h). Once it is
 * done the number answers like any other that is not there.
 */
#include "core/console.h"
#include "core/log.h"
#include "core/panic.h"
#include "drivers/vga/vga_text.h"
#include "hypercall/hypercall.h"
#include "loader/interface.h"
#include "memory/guest_access.h"
#include "policy/policy.h"

static bool is_done;

static void starts(u32 entry)
{
	store_relaxed(&is_done, true);
	log_info("first domain: its kernel starts at %#x\n", entry);
	console_drop(&vga_text); /* the kernel's from now on */
}

/* The text goes to the machine's console: letters only. */
static void make_printable(char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (text[i] < ' ' || text[i] > '~') {
			text[i] = '?';
		}
	}
	text[length] = '\0';
}

static long fails(u64 what, guest_ptr_t text_at, u64 length)
{
	static const char *const advice[LOADER_FAILURE_COUNT] = {
		[LOADER_BAD_KERNEL] = "Check the file that the boot loader loads as the first module.",
		[LOADER_BAD_INITRD] = "Check the file that the boot loader loads as the second module.",
		[LOADER_SHORT_OF_RAM] = "Give the first domain more memory with dom0_mem=.",
	};
	char text[LOADER_TEXT_MAX + 1];

	if (what >= LOADER_FAILURE_COUNT || length > LOADER_TEXT_MAX) {
		return -EINVAL;
	}
	if (guest_read(text, text_at, length)) {
		return -EFAULT;
	}
	make_printable(text, length);
	boot_refuse("Cannot start the first domain: %s. %s", text,
		    advice[index_clamp(what, LOADER_FAILURE_COUNT)]);
}

long op_loader(struct hypercall *call)
{
	if (policy_loader(call->caller->domain) || load_relaxed(&is_done)) {
		return -ENOSYS;
	}
	switch (call->arg[0]) {
	case LOADER_STARTS:
		starts((u32)call->arg[1]);
		return 0;
	case LOADER_FAILS:
		return fails(call->arg[1], call_ptr(call, 2), call->arg[3]);
	default:
		return -ENOSYS;
	}
}
