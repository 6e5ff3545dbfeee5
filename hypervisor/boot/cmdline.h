/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's options: words of the loader's command line, "name", "name=value" or "no-name".
 * Values are copied, so a caller needs no end of word. Pure: works on any text.
 */
#pragma once

#include "hv/compiler.h"
#include "hv/types.h"

#define CMDLINE_VALUE_MAX 128

/* The last "name=value" in text wins; false: there is none, or the value does not fit. */
bool cmdline_value(const char *text, const char *name, char *value, size_t capacity);
/* "name", "name=on|off|yes|no|true|false|1|0", "no-name", "noname"; otherwise otherwise. */
bool cmdline_flag(const char *text, const char *name, bool otherwise);
/* A decimal number from low to high; otherwise when it is missing or is none. */
u64 cmdline_number(const char *text, const char *name, u64 low, u64 high, u64 otherwise);
/* Calls report for each word whose name is none of known[] (NULL-terminated). */
void cmdline_unknown(const char *text, const char *const known[],
		     void (*report)(void *context, const char *word, size_t length), void *context);
