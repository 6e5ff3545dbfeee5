// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/string.h"

size_t string_copy(char *to, const char *from, size_t capacity)
{
	size_t length = strlen(from);
	size_t copied = length < capacity ? length : capacity - 1;

	if (capacity) {
		memcpy(to, from, copied);
		to[copied] = '\0';
	}
	return length;
}
