/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/registry.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define NETWORK_HOPS_MAX 16 /* config_check_references() allows no more */

struct registry {
	char *directory;
	GPtrArray *configs; /* struct config, sorted by name */
	GArray *broken;	    /* struct registry_broken */
};

static int compare_configs(gconstpointer a, gconstpointer b)
{
	const struct config *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static void clear_broken(gpointer item)
{
	struct registry_broken *b = item;

	g_free(b->name);
	g_free(b->reason);
}

static bool find_index(const struct registry *r, const char *name, guint *index)
{
	guint i;

	for (i = 0; i < r->configs->len; i++) {
		const struct config *c = g_ptr_array_index(r->configs, i);

		if (strcmp(c->name, name) == 0) {
			*index = i;
			return true;
		}
	}
	return false;
}

const struct config *registry_find(const struct registry *r, const char *name)
{
	guint i;

	return find_index(r, name, &i) ? g_ptr_array_index(r->configs, i) : NULL;
}

static void note_broken(struct registry *r, const char *name, const char *reason)
{
	struct registry_broken b = {g_strdup(name), g_strdup(reason)};

	g_array_append_val(r->broken, b);
}

static void load_one(struct registry *r, const char *name)
{
	g_autoptr(GError) reason = NULL;
	struct config c;

	if (config_load(r->directory, name, &c, &reason)) {
		g_ptr_array_add(r->configs, g_memdup2(&c, sizeof(c)));
	} else {
		note_broken(r, name, reason->message);
	}
}

/* A registry in which one description is replaced, for checks; find() sees the new one. */
struct view {
	const struct registry *registry;
	const struct config *changed; /* NULL: none */
	const char *removed;	      /* NULL: none */
};

static const struct config *view_find(const char *name, void *context)
{
	const struct view *view = context;

	if (view->changed && strcmp(view->changed->name, name) == 0) {
		return view->changed;
	}
	if (view->removed && strcmp(view->removed, name) == 0) {
		return NULL;
	}
	return registry_find(view->registry, name);
}

/* Every description still holds in this view. */
static bool check_all(struct view *view, GError **error)
{
	guint i;

	for (i = 0; i < view->registry->configs->len; i++) {
		const struct config *c = g_ptr_array_index(view->registry->configs, i);

		if (view_find(c->name, view) == c &&
		    !config_check_references(c, view_find, view, error)) {
			return false;
		}
	}
	return !view->changed || config_check_references(view->changed, view_find, view, error);
}

/* Takes out what names a domain that is not there; until nothing changes, for chains. */
static void set_broken_aside(struct registry *r)
{
	struct view view = {.registry = r};
	bool is_changed = true;
	guint i;

	while (is_changed) {
		is_changed = false;
		for (i = 0; i < r->configs->len && !is_changed; i++) {
			const struct config *c = g_ptr_array_index(r->configs, i);
			g_autoptr(GError) reason = NULL;

			if (!config_check_references(c, view_find, &view, &reason)) {
				note_broken(r, c->name, reason->message);
				g_ptr_array_remove_index(r->configs, i);
				is_changed = true;
			}
		}
	}
}

struct registry *registry_open(const char *directory, GError **error)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, error);
	struct registry *r;
	const char *file;

	if (!dir) {
		return NULL;
	}
	r = g_new0(struct registry, 1);
	r->directory = g_strdup(directory);
	r->configs = g_ptr_array_new_with_free_func(g_free);
	r->broken = g_array_new(FALSE, FALSE, sizeof(struct registry_broken));
	g_array_set_clear_func(r->broken, clear_broken);

	while ((file = g_dir_read_name(dir))) {
		if (g_str_has_suffix(file, CONFIG_SUFFIX) && file[0] != '.') {
			g_autofree char *name =
				g_strndup(file, strlen(file) - strlen(CONFIG_SUFFIX));

			load_one(r, name);
		}
	}
	set_broken_aside(r);
	g_ptr_array_sort(r->configs, compare_configs);
	return r;
}

void registry_close(struct registry *r)
{
	if (r) {
		g_ptr_array_unref(r->configs);
		g_array_unref(r->broken);
		g_free(r->directory);
		g_free(r);
	}
}

size_t registry_count(const struct registry *r)
{
	return r->configs->len;
}

const struct config *registry_at(const struct registry *r, size_t index)
{
	return g_ptr_array_index(r->configs, index);
}

const struct registry_broken *registry_broken(const struct registry *r, size_t *count)
{
	*count = r->broken->len;
	return (const struct registry_broken *)(void *)r->broken->data;
}

/* A file of this name, also a broken one: nothing is overwritten by accident. */
static bool is_taken(const struct registry *r, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/%s" CONFIG_SUFFIX, r->directory, name);

	return registry_find(r, name) || g_file_test(path, G_FILE_TEST_EXISTS);
}

bool registry_add(struct registry *r, const struct config *c, GError **error)
{
	struct view view = {.registry = r, .changed = c};

	if (!config_is_name(c->name)) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_NAME,
			    "'%s' cannot be the name of a domain", c->name);
		return false;
	}
	if (is_taken(r, c->name)) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_NAME, "there is a domain %s already",
			    c->name);
		return false;
	}
	if (!check_all(&view, error) || !config_save(r->directory, c, error)) {
		return false;
	}
	g_ptr_array_add(r->configs, g_memdup2(c, sizeof(*c)));
	g_ptr_array_sort(r->configs, compare_configs);
	return true;
}

static bool refuse_unknown(const char *name, GError **error)
{
	g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_REFERENCE, "there is no domain %s", name);
	return false;
}

bool registry_change(struct registry *r, const struct config *c, GError **error)
{
	struct view view = {.registry = r, .changed = c};
	guint i;

	if (!find_index(r, c->name, &i)) {
		return refuse_unknown(c->name, error);
	}
	if (!check_all(&view, error) || !config_save(r->directory, c, error)) {
		return false;
	}
	*(struct config *)g_ptr_array_index(r->configs, i) = *c;
	return true;
}

bool registry_remove(struct registry *r, const char *name, GError **error)
{
	struct view view = {.registry = r, .removed = name};
	g_autofree char *path = g_strdup_printf("%s/%s" CONFIG_SUFFIX, r->directory, name);
	guint i;

	if (!find_index(r, name, &i)) {
		return refuse_unknown(name, error);
	}
	if (!check_all(&view, error)) {
		g_prefix_error(error, "%s is still in use: ", name);
		return false;
	}
	if (g_unlink(path)) {
		g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", path,
			    g_strerror(errno));
		return false;
	}
	g_ptr_array_remove_index(r->configs, i);
	return true;
}

const char **registry_needs(const struct registry *r, const char *name)
{
	const char *chain[NETWORK_HOPS_MAX];
	const struct config *c = registry_find(r, name);
	const char **needs;
	size_t count = 0, i;

	while (c && c->network[0] && count < NETWORK_HOPS_MAX) {
		c = registry_find(r, c->network);
		if (c) {
			chain[count++] = c->name;
		}
	}
	needs = g_new0(const char *, count + 1);
	for (i = 0; i < count; i++) {
		needs[i] = chain[count - 1 - i];
	}
	return needs;
}
