/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever a domain answers, each entry is a valid desktop file with our command. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "desktop-files/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void check(const struct entry *e)
{
	g_autofree char *text = entry_format(e, "work", "icon");
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *command = NULL;

	if (!entry_is_valid(e)) {
		abort();
	}
	if (!g_utf8_validate(text, -1, NULL) ||
	    !g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, NULL)) {
		abort();
	}
	command = g_key_file_get_string(file, "Desktop Entry", "Exec", NULL);
	if (!command || strncmp(command, "mullion run --app ", 18) != 0 ||
	    strpbrk(command, ";&|$`\"'\\<>%\n")) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	struct entry_list list;
	size_t i;

	entry_parse_list((const char *)data, size_bytes, &list);
	for (i = 0; i < list.count; i++) {
		check(&list.entries[i]);
	}
	entry_list_clear(&list);
	return 0;
}
