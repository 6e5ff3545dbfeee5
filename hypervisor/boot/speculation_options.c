/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot/speculation_options.h"

#include "boot/cmdline.h"
#include "hv/compiler.h"
#include "lib/string.h"

static const char *const names[SPECULATION_COUNT + 1] = {
	[SPECULATION_IBPB] = "ibpb",	       [SPECULATION_RETURN_STACK] = "rsb",
	[SPECULATION_VERW] = "verw",	       [SPECULATION_L1D_FLUSH] = "l1d-flush",
	[SPECULATION_AUTO_IBRS] = "auto-ibrs", [SPECULATION_GUEST_CONTROL] = "msr-sc",
};
static const char *const known[] = {"ibpb",   "rsb", "verw",	  "l1d-flush", "auto-ibrs",
				    "msr-sc", "no",  "bti-thunk", NULL};

/* What cmdline_flag() says whatever it is asked to say otherwise is what was said. */
static enum speculation_wish wish_of(const char *words, const char *name,
				     enum speculation_wish otherwise)
{
	bool a = cmdline_flag(words, name, false), b = cmdline_flag(words, name, true);

	return a != b ? otherwise : a ? SPECULATION_ON : SPECULATION_OFF;
}

static enum speculation_thunk thunk_of(const char *words, enum speculation_thunk otherwise)
{
	char value[16];

	if (!cmdline_value(words, "bti-thunk", value, sizeof(value))) {
		return otherwise;
	}
	return strcmp(value, "retpoline") == 0 ? SPECULATION_THUNK_RETPOLINE
	       : strcmp(value, "lfence") == 0  ? SPECULATION_THUNK_LFENCE
	       : strcmp(value, "jmp") == 0     ? SPECULATION_THUNK_JMP
					       : otherwise;
}

void speculation_options_parse(const char *command_line, struct speculation_options *out,
			       void (*report)(void *context, const char *word, size_t length),
			       void *context)
{
	char words[CMDLINE_VALUE_MAX] = "";
	bool is_off;
	unsigned int i;

	cmdline_value(command_line, "spec-ctrl", words, sizeof(words));
	for (i = 0; words[i]; i++) {
		words[i] = words[i] == ',' ? ' ' : words[i];
	}
	is_off = cmdline_flag(words, "no", false);
	for (i = 0; i < SPECULATION_COUNT; i++) {
		out->wish[i] =
			wish_of(words, names[i], is_off ? SPECULATION_OFF : SPECULATION_AUTO);
	}
	out->thunk = thunk_of(words, is_off ? SPECULATION_THUNK_JMP : SPECULATION_THUNK_AUTO);
	cmdline_unknown(words, known, report, context);
}
