// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * core/panic.h in a test: back to UNIT_PANICS(), or the end of the process.
 */
#include "core/panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/unit/unit.h"
#include "hv/error.h"

char unit_panic_text[256];
jmp_buf *unit_panic_jump;

static NORETURN void end(const char *fmt, va_list args)
{
	vsnprintf(unit_panic_text, sizeof(unit_panic_text), fmt, args);
	if (unit_panic_jump) {
		longjmp(*unit_panic_jump, 1);
	}
	fprintf(stderr, "panic: %s\n", unit_panic_text);
	abort();
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end(fmt, args);
}

void boot_refuse(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	end(fmt, args);
}

void check_failed(const char *what, const char *file, int line)
{
	panic("check failed: %s (%s:%d)", what, file, line);
}

bool panic_is_under_way(void)
{
	return false;
}

void panic_begin(void)
{
}

void panic_end(void)
{
	abort();
}

void panic_set_noreboot(bool is_noreboot)
{
}
