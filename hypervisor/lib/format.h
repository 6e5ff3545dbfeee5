/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Formatted text into a bounded buffer: %s %.*s %c %d %u %x %p with l, ll, z, width, 0, - and #.
 * Always terminates; returns the length that the whole text would have had.
 */
#pragma once

#include <stdarg.h>

#include "hv/compiler.h"
#include "hv/types.h"

int format_text(char *to, size_t capacity, const char *fmt, ...) FORMAT_PRINTF(3, 4);
int format_text_v(char *to, size_t capacity, const char *fmt, va_list args) FORMAT_PRINTF(3, 0);
