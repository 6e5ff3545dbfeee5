/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few functions of <string.h> that a freestanding compiler may call, and bounded
 * strings. In arch/unit the C library's are used.
 */
#pragma once

#include "hv/types.h"

void *memcpy(void *to, const void *from, size_t size_bytes);
void *memmove(void *to, const void *from, size_t size_bytes);
void *memset(void *to, int byte, size_t size_bytes);
int memcmp(const void *a, const void *b, size_t size_bytes);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit);
char *strchr(const char *s, int c);
/* Copies what fits and always terminates; returns strlen(from). */
size_t string_copy(char *to, const char *from, size_t capacity);
