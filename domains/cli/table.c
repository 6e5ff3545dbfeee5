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

char *table_format_volumes(GVariant *volumes)
{
	GString *text = g_string_new(NULL);
	const char *domain, *file;
	guint64 size, used;
	GVariantIter all;

	g_string_append_printf(text, "%-24s %-18s %12s %12s\n", "DOMAIN", "DISK", "SIZE", "TAKES");
	g_variant_iter_init(&all, volumes);
	while (g_variant_iter_next(&all, "(&s&stt)", &domain, &file, &size, &used)) {
		g_string_append_printf(
			text, "%-24s %-18s %8" G_GUINT64_FORMAT " MiB %8" G_GUINT64_FORMAT " MiB\n",
			domain, file, size >> 20, used >> 20);
	}
	return g_string_free(text, FALSE);
}

char *table_format_volumes_json(GVariant *volumes)
{
	g_autoptr(JsonBuilder) builder = json_builder_new();
	g_autoptr(JsonNode) root = NULL;
	g_autofree char *line = NULL;
	const char *domain, *file;
	guint64 size, used;
	GVariantIter all;

	json_builder_begin_array(builder);
	g_variant_iter_init(&all, volumes);
	while (g_variant_iter_next(&all, "(&s&stt)", &domain, &file, &size, &used)) {
		json_builder_begin_object(builder);
		json_builder_set_member_name(builder, "domain");
		json_builder_add_string_value(builder, domain);
		json_builder_set_member_name(builder, "disk");
		json_builder_add_string_value(builder, file);
		json_builder_set_member_name(builder, "size-bytes");
		json_builder_add_int_value(builder, (gint64)size);
		json_builder_set_member_name(builder, "takes-bytes");
		json_builder_add_int_value(builder, (gint64)used);
		json_builder_end_object(builder);
	}
	json_builder_end_array(builder);
	root = json_builder_get_root(builder);
	line = json_to_string(root, FALSE);
	return g_strconcat(line, "\n", NULL);
}
