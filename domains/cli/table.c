/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/cli/table.h"

#include <json-glib/json-glib.h>

static const struct {
	const char *title, *key;
} columns[] = {{"NAME", "name"},	{"STATE", "state"},	  {"LABEL", "label"},
	       {"KIND", "kind"},	{"TEMPLATE", "template"}, {"NETWORK", "network"},
	       {"MEMORY", "memory-mib"}};

#define COLUMN_COUNT G_N_ELEMENTS(columns)

static char *cell(GVariantDict *domain, const char *key)
{
	const char *text;
	guint64 number;

	if (g_variant_dict_lookup(domain, key, "&s", &text)) {
		return g_strdup(text[0] ? text : "-");
	}
	if (g_variant_dict_lookup(domain, key, "t", &number)) {
		return g_strdup_printf("%" G_GUINT64_FORMAT " MiB", number);
	}
	return g_strdup("-");
}

static void measure(GPtrArray *cells, glong *widths)
{
	guint i;

	for (i = 0; i < cells->len; i++) {
		glong width = g_utf8_strlen(g_ptr_array_index(cells, i), -1);

		widths[i % COLUMN_COUNT] = MAX(widths[i % COLUMN_COUNT], width);
	}
}

char *table_format(GVariant *domains, bool (*is_wanted)(GVariantDict *domain))
{
	g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
	GString *text = g_string_new(NULL);
	glong widths[COLUMN_COUNT] = {0};
	GVariantIter all;
	GVariant *item;
	guint i;

	for (i = 0; i < COLUMN_COUNT; i++) {
		g_ptr_array_add(cells, g_strdup(columns[i].title));
	}
	g_variant_iter_init(&all, domains);
	while ((item = g_variant_iter_next_value(&all))) {
		g_auto(GVariantDict) domain;

		g_variant_dict_init(&domain, item);
		for (i = 0; i < COLUMN_COUNT && is_wanted(&domain); i++) {
			g_ptr_array_add(cells, cell(&domain, columns[i].key));
		}
		g_variant_unref(item);
	}
	measure(cells, widths);
	for (i = 0; i < cells->len; i++) {
		bool is_last = i % COLUMN_COUNT == COLUMN_COUNT - 1;

		const char *shown = g_ptr_array_index(cells, i);

		if (is_last) {
			g_string_append_printf(text, "%s\n", shown);
		} else {
			g_string_append_printf(text, "%-*s  ", (int)widths[i % COLUMN_COUNT],
					       shown);
		}
	}
	return g_string_free(text, FALSE);
}

char *table_format_json(GVariant *domains, bool (*is_wanted)(GVariantDict *domain))
{
	GVariantBuilder wanted;
	g_autoptr(GVariant) list = NULL;
	g_autofree char *line = NULL;
	GVariantIter all;
	GVariant *item;

	g_variant_builder_init(&wanted, G_VARIANT_TYPE("aa{sv}"));
	g_variant_iter_init(&all, domains);
	while ((item = g_variant_iter_next_value(&all))) {
		g_auto(GVariantDict) domain;

		g_variant_dict_init(&domain, item);
		if (is_wanted(&domain)) {
			g_variant_builder_add_value(&wanted, item);
		}
		g_variant_unref(item);
	}
	list = g_variant_ref_sink(g_variant_builder_end(&wanted));
	line = json_gvariant_serialize_data(list, NULL);
	return g_strconcat(line, "\n", NULL);
}
