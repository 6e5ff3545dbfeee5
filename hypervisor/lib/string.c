// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/string.h"

#include "hv/compiler.h"

/*
 * The string instructions are what current CPUs are fastest with beyond some hundred bytes
 * (ERMS), and short to call; callers with small fixed sizes get inline moves from the compiler.
 */
void *memcpy(void *to, const void *from, size_t size_bytes)
{
	void *result = to;
	size_t words = size_bytes / 8, rest = size_bytes % 8;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
	return result;
}

void *memmove(void *to, const void *from, size_t size_bytes)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	if (t <= f || t >= f + size_bytes) {
		return memcpy(to, from, size_bytes);
	}
	while (size_bytes) {
		size_bytes--;
		t[size_bytes] = f[size_bytes];
		barrier(); /* or the compiler makes a call of memmove() of it */
	}
	return to;
}

void *memset(void *to, int byte, size_t size_bytes)
{
	void *p = to;
	size_t words = size_bytes / 8, rest = size_bytes % 8;
	u64 pattern = (u64)(unsigned char)byte * 0x0101010101010101ull;

	__asm__ volatile("rep stosq" : "+D"(p), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(p), "+c"(rest) : "a"(pattern) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t size_bytes)
{
	const unsigned char *x = a, *y = b;

	for (; size_bytes; size_bytes--, x++, y++) {
		if (*x != *y) {
			return *x < *y ? -1 : 1;
		}
	}
	return 0;
}

size_t strnlen(const char *s, size_t limit)
{
	size_t length = 0;

	while (length < limit && s[length]) {
		length++;
		barrier();
	}
	return length;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t limit)
{
	for (; limit; limit--, a++, b++) {
		if (*a != *b || !*a) {
			return (int)(unsigned char)*a - (int)(unsigned char)*b;
		}
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		if (!*s) {
			return NULL;
		}
	}
	return (char *)s;
}
