/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open-and-wait FILE|ADDRESS: open it with this domain's program for its type, and end when that
 * program does. open-and-wait --app ID: a program of the menu, ID.desktop.
 *
 * Types and programs as the freedesktop.org specifications say (shared-mime-info, mime-apps), by
 * GIO. The entry that hands files to disposables is left out: here the file has arrived.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gio/gdesktopappinfo.h>
#include <gio/gio.h>

#define HANDLER_ID	"org.mullion.Open.desktop"
#define LIST_NAME	"mullion-viewer" /* mullion-viewer-mimeapps.list */
#define SNIFF_SIZE	4096
#define EXIT_NO_PROGRAM 3
#define EXIT_MISSING	127

/* The beginning of the file helps where the name says nothing. */
static char *type_of(const char *path)
{
	guchar bytes[SNIFF_SIZE];
	FILE *file = fopen(path, "re");
	size_t size = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

	if (file) {
		fclose(file);
	}
	return g_content_type_guess(path, size ? bytes : NULL, size, NULL);
}

static bool is_handler(GAppInfo *app)
{
	return g_strcmp0(g_app_info_get_id(app), HANDLER_ID) == 0;
}

/* The one that the lists name, else any that says it can; never the one that hands files on. */
static GAppInfo *program_for(const char *type)
{
	GAppInfo *found = g_app_info_get_default_for_type(type, FALSE);
	GList *all, *at;

	if (found && !is_handler(found)) {
		return found;
	}
	g_clear_object(&found);
	all = g_app_info_get_all_for_type(type);
	for (at = all; at && !found; at = at->next) {
		if (!is_handler(at->data)) {
			found = g_object_ref(at->data);
		}
	}
	g_list_free_full(all, g_object_unref);
	return found;
}

/* Desktop Entry Specification, "The Exec key": one file, or none; other codes have no meaning here.
 */
static void put_word(GPtrArray *words, const char *word, const char *path, bool *has_file)
{
	g_autoptr(GString) plain = g_string_new(NULL);

	for (; *word; word++) {
		if (*word != '%' || !word[1]) {
			g_string_append_c(plain, *word);
			continue;
		}
		word++;
		if (*word == '%') {
			g_string_append_c(plain, '%');
		} else if (path && strchr("fFuU", *word)) {
			g_string_append(plain, path);
			*has_file = true;
		}
	}
	if (plain->len) {
		g_ptr_array_add(words, g_string_free(g_steal_pointer(&plain), FALSE));
	}
}

static int run(GAppInfo *app, const char *path)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
	const char *line = g_app_info_get_commandline(app);
	g_auto(GStrv) parts = NULL;
	bool has_file = false;
	int i;

	if (!line || !g_shell_parse_argv(line, NULL, &parts, NULL)) {
		fprintf(stderr, "open-and-wait: %s has no command\n", g_app_info_get_id(app));
		return EXIT_MISSING;
	}
	if (G_IS_DESKTOP_APP_INFO(app) &&
	    g_desktop_app_info_get_boolean(G_DESKTOP_APP_INFO(app), "Terminal")) {
		g_ptr_array_add(words, g_strdup("foot"));
	}
	for (i = 0; parts[i]; i++) {
		put_word(words, parts[i], path, &has_file);
	}
	if (path && !has_file) {
		g_ptr_array_add(words, g_strdup(path));
	}
	g_ptr_array_add(words, NULL);
	execvp(words->pdata[0], (char **)words->pdata);
	fprintf(stderr, "open-and-wait: %s: %s\n", (char *)words->pdata[0], strerror(errno));
	return EXIT_MISSING;
}

static int open_file(const char *path)
{
	g_autofree char *whole = g_canonicalize_filename(path, NULL); /* no option by its name */
	g_autofree char *type = type_of(whole);
	g_autofree char *mime = g_content_type_get_mime_type(type);
	g_autoptr(GAppInfo) app = program_for(type);
	g_autofree char *name = g_path_get_basename(whole);

	if (!app) {
		fprintf(stderr,
			"no program here opens %s (%s): install one in the template, or make the "
			"disposables from a template that has one\n",
			name, mime ? mime : type);
		return EXIT_NO_PROGRAM;
	}
	return run(app, whole);
}

/* qubes.OpenURL has looked at it: http, https or mailto, and nothing but printable characters. */
static int open_address(const char *address)
{
	g_autofree char *scheme = g_uri_parse_scheme(address);
	g_autofree char *type = g_strconcat("x-scheme-handler/", scheme, NULL);
	g_autoptr(GAppInfo) app = program_for(type);

	if (!app) {
		fprintf(stderr, "no program here opens %s addresses: install one in the template\n",
			scheme);
		return EXIT_NO_PROGRAM;
	}
	return run(app, address);
}

static int run_app(const char *id)
{
	g_autofree char *file = g_strconcat(id, ".desktop", NULL);
	g_autoptr(GDesktopAppInfo) app = strchr(id, '/') ? NULL : g_desktop_app_info_new(file);

	if (!app) {
		fprintf(stderr, "%s is not installed in this domain\n", id);
		return EXIT_MISSING;
	}
	return run(G_APP_INFO(app), NULL);
}

int main(int argc, char **argv)
{
	/* mime-apps: lists with a desktop's name come first. Ours has what shows a file here. */
	g_setenv("XDG_CURRENT_DESKTOP", LIST_NAME, TRUE);
	if (argc == 3 && strcmp(argv[1], "--app") == 0) {
		return run_app(argv[2]);
	}
	if (argc != 2 || !argv[1][0]) {
		fputs("usage: open-and-wait FILE|ADDRESS|--app ID\n", stderr);
		return 2;
	}
	return strstr(argv[1], "://") || !strncmp(argv[1], "mailto:", 7) ? open_address(argv[1])
									 : open_file(argv[1]);
}
