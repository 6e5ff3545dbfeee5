/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A description from any bytes: what is accepted can be written and read back to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domains/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct config c, again;
	g_autofree char *text = NULL;
	g_autofree char *text_again = NULL;

	if (!config_parse("work", (const char *)data, size_bytes, &c, NULL)) {
		return 0;
	}
	text = config_format(&c);
	if (!config_parse("work", text, strlen(text), &again, NULL)) {
		abort();
	}
	text_again = config_format(&again);
	if (strcmp(text, text_again) != 0) {
		abort();
	}
	return 0;
}
