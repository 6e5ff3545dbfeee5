/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kind_names[CONFIG_KIND_COUNT] = {"app", "template", "service"};
static const char *const label_names[LABEL_COUNT] = {"red",  "orange", "yellow", "green",
						     "gray", "blue",   "purple", "black"};

/* How a key is read and written; one row a key, so that parse, format and set agree. */
enum key_type { KEY_KIND, KEY_LABEL, KEY_NAME, KEY_U32, KEY_U64, KEY_BOOL };

struct key {
	const char *group, *name;
	enum key_type type;
	size_t offset;
	uint64_t min, max; /* numbers */
};

#define AT(member) offsetof(struct config, member)
static const struct key keys[] = {
	{"domain", "kind", KEY_KIND, AT(kind), 0, 0},
	{"domain", "label", KEY_LABEL, AT(label), 0, 0},
	{"domain", "template", KEY_NAME, AT(template_name), 0, 0},
	{"domain", "network", KEY_NAME, AT(network), 0, 0},
	{"domain", "disposables", KEY_NAME, AT(disposables), 0, 0},
	{"domain", "vcpus", KEY_U32, AT(vcpu_count), 1, 32},
	{"domain", "memory_mib", KEY_U64, AT(memory_mib), 64, 1048576},
	{"domain", "memory_max_mib", KEY_U64, AT(memory_max_mib), 64, 1048576},
	{"domain", "private_mib", KEY_U64, AT(private_mib), 16, 67108864},
	{"domain", "autostart", KEY_BOOL, AT(is_autostart), 0, 0},
	{"disposable", "allowed", KEY_BOOL, AT(may_spawn_disposables), 0, 0},
	{"disposable", "limit", KEY_U32, AT(disposable_limit), 1, 64},
};

GQuark config_error_quark(void)
{
	return g_quark_from_static_string("mullion-config");
}

const char *config_kind_name(enum config_kind kind)
{
	return kind < CONFIG_KIND_COUNT ? kind_names[kind] : "?";
}

const char *config_label_name(enum config_label label)
{
	return label < LABEL_COUNT ? label_names[label] : "?";
}

static bool is_disposable_name(const char *name)
{
	return g_str_has_prefix(name, "disp") && name[4] &&
	       strspn(name + 4, "0123456789") == strlen(name + 4);
}

bool config_is_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > CONFIG_NAME_MAX || !g_ascii_islower(name[0])) {
		return false;
	}
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != length) {
		return false;
	}
	/* These words mean something else where names are written. */
	return strcmp(name, "dom0") != 0 && strcmp(name, "none") != 0 && !is_disposable_name(name);
}

void config_init(struct config *c, const char *name, enum config_kind kind)
{
	*c = (struct config){
		.kind = kind,
		.label = kind == CONFIG_TEMPLATE ? LABEL_BLACK : LABEL_RED,
		.vcpu_count = 2,
		.memory_mib = 400,
		.memory_max_mib = 2000,
		.private_mib = 2048,
		.disposable_limit = 8,
	};
	g_strlcpy(c->name, name, sizeof(c->name));
}

static bool parse_word(const char *const *words, unsigned int count, const char *text, int *out)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = (int)i;
			return true;
		}
	}
	return false;
}

static bool refuse_value(const struct config *c, const struct key *key, const char *value,
			 const char *takes, GError **error)
{
	g_autofree char *shown = g_strescape(value, NULL);

	g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
		    "domain %s: [%s] %s=%.80s: it takes %s", c->name, key->group, key->name, shown,
		    takes);
	return false;
}

static bool set_number(struct config *c, const struct key *key, const char *value, GError **error)
{
	g_autofree char *takes = NULL;
	guint64 number;

	if (!g_ascii_string_to_unsigned(value, 10, key->min, key->max, &number, NULL)) {
		takes = g_strdup_printf("a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
					(guint64)key->min, (guint64)key->max);
		return refuse_value(c, key, value, takes, error);
	}
	if (key->type == KEY_U32) {
		*(uint32_t *)((char *)c + key->offset) = (uint32_t)number;
	} else {
		*(uint64_t *)((char *)c + key->offset) = number;
	}
	return true;
}

static bool set_key(struct config *c, const struct key *key, const char *value, GError **error)
{
	char *field = (char *)c + key->offset;
	int word;

	switch (key->type) {
	case KEY_KIND:
		if (!parse_word(kind_names, CONFIG_KIND_COUNT, value, &word)) {
			return refuse_value(c, key, value, "app, template or service", error);
		}
		c->kind = (enum config_kind)word;
		return true;
	case KEY_LABEL:
		if (!parse_word(label_names, LABEL_COUNT, value, &word)) {
			return refuse_value(
				c, key, value,
				"red, orange, yellow, green, gray, blue, purple or black", error);
		}
		c->label = (enum config_label)word;
		return true;
	case KEY_NAME:
		if (strcmp(value, "none") == 0) {
			value = "";
		} else if (!config_is_name(value)) {
			return refuse_value(c, key, value, "none, or the name of a domain", error);
		}
		g_strlcpy(field, value, CONFIG_NAME_MAX + 1);
		return true;
	case KEY_BOOL:
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
			return refuse_value(c, key, value, "true or false", error);
		}
		*(bool *)field = value[0] == 't';
		return true;
	case KEY_U32:
	case KEY_U64:
		return set_number(c, key, value, error);
	}
	g_assert_not_reached();
}

/* What one key cannot know. */
static bool check_whole(const struct config *c, GError **error)
{
	const char *why = NULL;

	if (c->memory_max_mib < c->memory_mib) {
		why = "memory_max_mib is below memory_mib";
	} else if (c->kind == CONFIG_TEMPLATE && c->template_name[0]) {
		why = "a template has no template of its own";
	} else if (c->kind != CONFIG_TEMPLATE && !c->template_name[0]) {
		why = "it needs template=NAME";
	} else if (strcmp(c->template_name, c->name) == 0) {
		why = "it cannot be its own template";
	} else if (strcmp(c->network, c->name) == 0) {
		why = "it cannot be its own network";
	} else if (c->kind == CONFIG_TEMPLATE && c->network[0]) {
		why = "a template is updated without network access of its own: network=none";
	}
	if (why) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_CONFLICT, "domain %s: %s", c->name,
			    why);
		return false;
	}
	return true;
}

static const struct key *find_key(const char *group, const char *name)
{
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(keys); i++) {
		if ((!group || strcmp(keys[i].group, group) == 0) &&
		    strcmp(keys[i].name, name) == 0) {
			return &keys[i];
		}
	}
	return NULL;
}

static bool refuse_unknown_key(const char *domain, const char *group, const char *key,
			       GError **error)
{
	g_autofree char *shown_group = g_strescape(group, NULL);
	g_autofree char *shown_key = g_strescape(key, NULL);

	g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_KEY, "domain %s: [%.40s] %.40s is not known",
		    domain, shown_group, shown_key);
	return false;
}

static bool parse_group(GKeyFile *file, const char *group, struct config *c, GError **error)
{
	g_auto(GStrv) names = g_key_file_get_keys(file, group, NULL, error);
	size_t i;

	for (i = 0; names && names[i]; i++) {
		const struct key *key = find_key(group, names[i]);
		g_autofree char *value = NULL;

		if (!key) {
			return refuse_unknown_key(c->name, group, names[i], error);
		}
		value = g_key_file_get_string(file, group, names[i], error);
		if (!value || !set_key(c, key, value, error)) {
			return false;
		}
	}
	return names != NULL;
}

bool config_parse(const char *name, const char *text, size_t size_bytes, struct config *out,
		  GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) reason = NULL;
	g_auto(GStrv) groups = NULL;
	struct config c;
	size_t i;

	if (!config_is_name(name)) {
		g_autofree char *shown = g_strescape(name, NULL);

		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_NAME,
			    "'%.64s' cannot be the name of a domain: use up to %d of a-z, 0-9, - "
			    "and _, a letter first",
			    shown, CONFIG_NAME_MAX);
		return false;
	}
	if (size_bytes > CONFIG_FILE_MAX || memchr(text, 0, size_bytes)) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SYNTAX,
			    "domain %s: the description is larger than %d bytes or not text", name,
			    CONFIG_FILE_MAX);
		return false;
	}
	/* GKeyFile takes an empty buffer for a missing one. */
	if (size_bytes == 0 ||
	    !g_key_file_load_from_data(file, text, size_bytes, G_KEY_FILE_NONE, &reason)) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SYNTAX, "domain %s: %s", name,
			    reason ? reason->message : "the description is empty");
		return false;
	}

	config_init(&c, name, CONFIG_APP);
	groups = g_key_file_get_groups(file, NULL);
	for (i = 0; groups[i]; i++) {
		if (!parse_group(file, groups[i], &c, error)) {
			return false;
		}
	}
	if (!g_key_file_has_key(file, "domain", "kind", NULL)) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SYNTAX,
			    "domain %s: [domain] kind= is missing", name);
		return false;
	}
	if (!check_whole(&c, error)) {
		return false;
	}
	*out = c;
	return true;
}

static char *format_value(const struct config *c, const struct key *key)
{
	const char *field = (const char *)c + key->offset;

	switch (key->type) {
	case KEY_KIND:
		return g_strdup(config_kind_name(c->kind));
	case KEY_LABEL:
		return g_strdup(config_label_name(c->label));
	case KEY_NAME:
		return g_strdup(field[0] ? field : "none");
	case KEY_BOOL:
		return g_strdup(*(const bool *)field ? "true" : "false");
	case KEY_U32:
		return g_strdup_printf("%u", *(const uint32_t *)field);
	case KEY_U64:
		return g_strdup_printf("%" G_GUINT64_FORMAT, (guint64) * (const uint64_t *)field);
	}
	g_assert_not_reached();
}

char *config_format(const struct config *c)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *value = format_value(c, &keys[i]);

		g_key_file_set_string(file, keys[i].group, keys[i].name, value);
	}
	return g_key_file_to_data(file, NULL, NULL);
}

bool config_set(struct config *c, const char *key, const char *value, GError **error)
{
	const char *dot = strchr(key, '.');
	g_autofree char *group = dot ? g_strndup(key, (gsize)(dot - key)) : NULL;
	const struct key *row = find_key(group, dot ? dot + 1 : key);
	struct config changed = *c;

	if (!row) {
		return refuse_unknown_key(c->name, group ? group : "domain", dot ? dot + 1 : key,
					  error);
	}
	if (!set_key(&changed, row, value, error) || !check_whole(&changed, error)) {
		return false;
	}
	*c = changed;
	return true;
}

static bool refuse_reference(const struct config *c, GError **error, const char *what,
			     const char *name, const char *why)
{
	g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_REFERENCE, "domain %s: %s %s %s", c->name,
		    what, name, why);
	return false;
}

bool config_check_references(const struct config *c, config_find_t find, void *context,
			     GError **error)
{
	const struct config *other;
	unsigned int steps = 0;

	if (c->template_name[0]) {
		other = find(c->template_name, context);
		if (!other) {
			return refuse_reference(c, error, "template", c->template_name,
						"does not exist");
		}
		if (other->kind != CONFIG_TEMPLATE) {
			return refuse_reference(c, error, "template", c->template_name,
						"is not a template");
		}
	}
	if (c->disposables[0]) {
		other = find(c->disposables, context);
		if (!other) {
			return refuse_reference(c, error, "disposables", c->disposables,
						"does not exist");
		}
		if (!other->may_spawn_disposables) {
			return refuse_reference(c, error, "disposables", c->disposables,
						"does not allow disposables");
		}
	}
	/* 16 hops are more than anybody wires up, and end a loop that does not pass c itself. */
	for (other = c; other->network[0]; steps++) {
		const char *next = other->network;

		if (steps == 16 || strcmp(next, c->name) == 0) {
			return refuse_reference(c, error, "network", c->network,
						"leads in a circle");
		}
		other = find(next, context);
		if (!other) {
			return refuse_reference(c, error, "network", next, "does not exist");
		}
		if (other->kind != CONFIG_SERVICE) {
			return refuse_reference(c, error, "network", next,
						"is not a service domain");
		}
	}
	return true;
}

static char *config_path(const char *directory, const char *name)
{
	return g_strdup_printf("%s/%s" CONFIG_SUFFIX, directory, name);
}

bool config_load(const char *directory, const char *name, struct config *out, GError **error)
{
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	struct stat st;
	gsize size_bytes;

	if (!config_is_name(name)) {
		return config_parse(name, "", 0, out, error); /* says what is wrong with it */
	}
	path = config_path(directory, name);
	if (stat(path, &st) == 0 && st.st_size > CONFIG_FILE_MAX) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SYNTAX,
			    "%s: larger than %d bytes, it is not a description of a domain", path,
			    CONFIG_FILE_MAX);
		return false;
	}
	return g_file_get_contents(path, &text, &size_bytes, error) &&
	       config_parse(name, text, size_bytes, out, error);
}

bool config_save(const char *directory, const struct config *c, GError **error)
{
	g_autofree char *path = config_path(directory, c->name);
	g_autofree char *text = config_format(c);

	return g_file_set_contents_full(
		path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644,
		error);
}
