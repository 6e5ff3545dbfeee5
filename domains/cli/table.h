/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of domains for people (a table) or programs (JSON).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* domains: aa{sv} as org.mullion.Domains1.List gives it. Free with g_free(). */
char *table_format(GVariant *domains, bool (*is_wanted)(GVariantDict *domain));
char *table_format_json(GVariant *domains, bool (*is_wanted)(GVariantDict *domain));
/* volumes: a(sstt): domain, file, bytes, bytes that it takes (shared ones count for each). */
char *table_format_volumes(GVariant *volumes);
char *table_format_volumes_json(GVariant *volumes);
