/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-menu DOMAIN...: put the programs of running domains into the menu of dom0's user, each
 * with the domain's name and a picture in its colour. See mullion-menu(1).
 */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desktop-files/guest.h"

#define DOMAINS_FILE "/run/mullion/domains"
#define PREFIX	     "mullion." /* no domain's name has a dot: mullion.DOMAIN.ID */

struct places {
	char *applications, *icons;
	const char *domains_file;
};

/* The label in mulliond's list, which is ours: lines NAME KEY=VALUE... */
static int label_of(const struct places *places, const char *domain)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	int i, j;

	if (!g_file_get_contents(places->domains_file, &text, NULL, NULL)) {
		return -1;
	}
	lines = g_strsplit(text, "\n", -1);
	for (i = 0; lines[i]; i++) {
		g_auto(GStrv) words = g_strsplit(lines[i], " ", -1);

		for (j = 1; words[0] && strcmp(words[0], domain) == 0 && words[j]; j++) {
			if (g_str_has_prefix(words[j], "label=")) {
				return icon_label_rgb(words[j] + strlen("label="));
			}
		}
	}
	return -1;
}

static bool put_file(const char *folder, const char *name, const char *suffix, const void *data,
		     size_t size_bytes)
{
	g_autofree char *path = g_strconcat(folder, "/", name, suffix, NULL);
	g_autoptr(GError) error = NULL;

	/* Written beside it and renamed: a menu that is open never sees half a file. */
	if (!g_file_set_contents(path, data, (gssize)size_bytes, &error)) {
		fprintf(stderr, "mullion-menu: %s\n", error->message);
		return false;
	}
	return true;
}

static bool put_entry(const struct places *places, const struct entry *e, const char *domain,
		      uint32_t rgb)
{
	g_autofree char *name = g_strconcat(PREFIX, domain, ".", e->id, NULL);
	g_autofree char *text = entry_format(e, domain, name);
	static uint8_t pixels[ICON_BYTES], png[ICON_PNG_MAX];

	if (!e->icon[0] || !guest_icon(domain, e->icon, rgb, pixels)) {
		icon_plain(rgb, pixels);
	}
	return put_file(places->icons, name, ".png", png, icon_png(pixels, png)) &&
	       put_file(places->applications, name, ".desktop", text, strlen(text));
}

static bool is_listed(const struct entry_list *list, const char *id, const char *suffix)
{
	size_t length = strlen(id) - strlen(suffix), i;

	for (i = 0; i < list->count; i++) {
		if (strlen(list->entries[i].id) == length &&
		    memcmp(list->entries[i].id, id, length) == 0 && !list->entries[i].is_hidden) {
			return true;
		}
	}
	return false;
}

/* What the domain no longer has goes out of the menu. */
static void forget(const char *folder, const char *domain, const char *suffix,
		   const struct entry_list *list)
{
	g_autofree char *begin = g_strconcat(PREFIX, domain, ".", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		if (g_str_has_prefix(name, begin) && g_str_has_suffix(name, suffix) &&
		    !is_listed(list, name + strlen(begin), suffix)) {
			g_unlink(path);
		}
	}
}

/* Domains that this machine no longer has: nobody asks them any more. */
static void forget_removed(const struct places *places, const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_auto(GStrv) parts = g_strsplit(name, ".", 3); /* "mullion", domain, the rest */

		if (g_str_has_prefix(name, PREFIX) && g_strv_length(parts) == 3 &&
		    label_of(places, parts[1]) < 0) {
			g_autofree char *path = g_build_filename(folder, name, NULL);

			g_unlink(path);
		}
	}
}

static bool sync_domain(const struct places *places, const char *domain, bool is_removal)
{
	struct entry_list list = {0};
	int rgb = label_of(places, domain);
	bool is_ok = true;
	size_t i;

	if (!is_removal && rgb < 0) {
		fprintf(stderr, "mullion-menu: %s is not a domain of this machine\n", domain);
		return false;
	}
	if (!is_removal && !guest_entries(domain, &list)) {
		return false;
	}
	for (i = 0; i < list.count && is_ok; i++) {
		if (!list.entries[i].is_hidden) {
			is_ok = put_entry(places, &list.entries[i], domain, (uint32_t)rgb);
		}
	}
	if (list.is_truncated) {
		fprintf(stderr, "mullion-menu: %s has more programs than a menu takes\n", domain);
	}
	forget(places->applications, domain, ".desktop", &list);
	forget(places->icons, domain, ".png", &list);
	entry_list_clear(&list);
	return is_ok;
}

/* As config_is_name() has it: what else comes from a command line is no domain. */
static bool is_domain_name(const char *name)
{
	return *name >= 'a' && *name <= 'z' && strlen(name) <= 31 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name);
}

static bool make_folders(struct places *places, const char *data)
{
	places->applications = g_build_filename(data, "applications", NULL);
	places->icons = g_build_filename(data, "icons/hicolor/64x64/apps", NULL);
	if (g_mkdir_with_parents(places->applications, 0755) ||
	    g_mkdir_with_parents(places->icons, 0755)) {
		fprintf(stderr, "mullion-menu: %s: %s\n", data, g_strerror(errno));
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	gboolean is_removal = FALSE;
	g_autofree char *data = NULL, *domains_file = NULL;
	const GOptionEntry entries[] = {{"remove", 0, 0, G_OPTION_ARG_NONE, &is_removal,
					 "take the domains' programs out of the menu", NULL},
					{"data", 0, 0, G_OPTION_ARG_FILENAME, &data,
					 "where the menu is (default: $XDG_DATA_HOME)", "FOLDER"},
					{"domains", 0, 0, G_OPTION_ARG_FILENAME, &domains_file,
					 "mulliond's list (default " DOMAINS_FILE ")", "FILE"},
					{NULL, 0, 0, 0, NULL, NULL, NULL}};
	g_autoptr(GOptionContext) context = g_option_context_new("DOMAIN...");
	g_autoptr(GError) error = NULL;
	struct places places = {0};
	int i, status = 0;

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) || argc < 2) {
		fprintf(stderr, "mullion-menu: %s; see mullion-menu --help\n",
			error ? error->message : "which domain?");
		return 2;
	}
	places.domains_file = domains_file ? domains_file : DOMAINS_FILE;
	if (!make_folders(&places, data ? data : g_get_user_data_dir())) {
		return 1;
	}
	for (i = 1; i < argc; i++) {
		if (!is_domain_name(argv[i])) {
			fprintf(stderr, "mullion-menu: '%s' cannot be a domain's name\n", argv[i]);
			status = 1;
		} else if (!sync_domain(&places, argv[i], is_removal)) {
			status = 1;
		}
	}
	if (g_file_test(places.domains_file, G_FILE_TEST_EXISTS)) {
		forget_removed(&places, places.applications);
		forget_removed(&places, places.icons);
	}
	g_free(places.applications);
	g_free(places.icons);
	return status;
}
