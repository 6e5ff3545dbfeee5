// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hypervisor's command line: any bytes up to a NUL.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report(void *context, const char *word, size_t length)
{
	const char *const *text = context;

	/* Words lie inside of the text, and have no blanks. */
	if (word < *text || word + length > *text + strlen(*text) || !length || memchr(word, ' ', length)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const known[] = {"console", "iommu", "noreboot", NULL};
	char *text = malloc(size + 1), value[8];
	const char *start = text;
	u64 n;

	memcpy(text, data, size);
	text[size] = '\0';
	memset(value, 'v', sizeof(value));
	if (cmdline_value(text, "console", value, sizeof(value)) && strlen(value) >= sizeof(value)) {
		abort();
	}
	(void)cmdline_flag(text, "iommu", true);
	n = cmdline_number(text, "maxcpus", 3, 77, 5);
	if (n < 3 || n > 77) {
		abort();
	}
	cmdline_unknown(text, known, report, &start);
	free(text);
	return 0;
}
