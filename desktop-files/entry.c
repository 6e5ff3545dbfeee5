/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desktop-files/entry.h"

#include <glib.h>
#include <string.h>

static const char *const category_names[CATEGORY_COUNT] = {
	"AudioVideo", "Development", "Education", "Game",   "Graphics", "Network",
	"Office",     "Science",     "Settings",  "System", "Utility"};

static const char suffix[] = ".desktop";

/* A piece of the input; never terminated. */
struct span {
	const char *at;
	size_t size;
};

static bool span_is(struct span s, const char *word)
{
	return s.size == strlen(word) && memcmp(s.at, word, s.size) == 0;
}

/* Cuts s at the first separator: what is before it is returned, s keeps what is behind. */
static struct span span_cut(struct span *s, char separator)
{
	const char *found = s->size ? memchr(s->at, separator, s->size) : NULL;
	struct span head = {s->at, found ? (size_t)(found - s->at) : s->size};
	size_t used = found ? head.size + 1 : head.size;

	s->at += used;
	s->size -= used;
	return head;
}

static bool is_shown(gunichar c)
{
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_FORMAT: /* bidirectional marks and overrides, joiners, tags */
	case G_UNICODE_UNASSIGNED:
	case G_UNICODE_PRIVATE_USE:
	case G_UNICODE_SURROGATE:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
	case G_UNICODE_SPACE_SEPARATOR:
		return false;
	default:
		return true;
	}
}

void entry_sanitise_text(const char *from, size_t size_bytes, char *to, size_t capacity)
{
	size_t read = 0, written = 0;
	bool is_space_due = false;

	while (read < size_bytes) {
		gunichar c = g_utf8_get_char_validated(from + read, (gssize)(size_bytes - read));
		bool is_valid = c != (gunichar)-1 && c != (gunichar)-2;
		size_t length = is_valid ? (size_t)g_unichar_to_utf8(c, NULL) : 1;

		if (!is_valid || !is_shown(c)) {
			is_space_due = written > 0;
		} else {
			if (written + is_space_due + length + 1 > capacity) {
				break;
			}
			if (is_space_due) {
				to[written++] = ' ';
				is_space_due = false;
			}
			memcpy(to + written, from + read, length);
			written += length;
		}
		read += length;
	}
	to[written] = 0;
}

/* [A-Za-z0-9._-], no leading dot or dash, neither empty nor too long. */
static bool copy_id(struct span from, char to[ENTRY_ID_MAX + 1])
{
	size_t i;

	if (from.size == 0 || from.size > ENTRY_ID_MAX || from.at[0] == '.' || from.at[0] == '-') {
		return false;
	}
	for (i = 0; i < from.size; i++) {
		/* strchr() would find the terminator, too. */
		if (!g_ascii_isalnum(from.at[i]) && (!from.at[i] || !strchr("._-", from.at[i]))) {
			return false;
		}
	}
	memcpy(to, from.at, from.size);
	to[from.size] = 0;
	return true;
}

/* The file name without folders and suffix, if it can be an id. */
static bool parse_id(struct span file, char *id)
{
	size_t suffix_size = sizeof(suffix) - 1;
	const char *slash = file.size ? g_strrstr_len(file.at, (gssize)file.size, "/") : NULL;

	if (slash) {
		file.size -= (size_t)(slash + 1 - file.at);
		file.at = slash + 1;
	}
	if (file.size <= suffix_size ||
	    memcmp(file.at + file.size - suffix_size, suffix, suffix_size) != 0) {
		return false;
	}
	file.size -= suffix_size;
	return copy_id(file, id);
}

static unsigned int parse_categories(struct span value)
{
	unsigned int set = 0, i;

	while (value.size) {
		struct span word = span_cut(&value, ';');

		for (i = 0; i < CATEGORY_COUNT; i++) {
			if (span_is(word, category_names[i])) {
				set |= 1u << i;
			}
		}
	}
	return set;
}

/* An unknown key is no mistake: desktop files have many that dom0 does not need. */
static void apply_key(struct entry *e, struct span key, struct span value)
{
	if (span_is(key, "Name")) {
		entry_sanitise_text(value.at, value.size, e->name, sizeof(e->name));
	} else if (span_is(key, "Comment")) {
		entry_sanitise_text(value.at, value.size, e->comment, sizeof(e->comment));
	} else if (span_is(key, "Icon")) {
		if (!copy_id(value, e->icon)) {
			e->icon[0] = 0; /* a path, for instance: dom0 has an icon for that */
		}
	} else if (span_is(key, "Categories")) {
		e->categories = parse_categories(value);
	} else if (span_is(key, "NoDisplay") || span_is(key, "Hidden")) {
		e->is_hidden |= span_is(value, "true");
	}
}

/* Finds or adds the entry with this id; NULL when the list is full. */
static struct entry *entry_for(GHashTable *by_id, GArray *entries, const char *id, bool *is_full)
{
	gpointer index;
	struct entry fresh = {0};

	if (g_hash_table_lookup_extended(by_id, id, NULL, &index)) {
		return &g_array_index(entries, struct entry, GPOINTER_TO_SIZE(index));
	}
	if (entries->len == ENTRY_LIST_MAX) {
		*is_full = true;
		return NULL;
	}
	g_strlcpy(fresh.id, id, sizeof(fresh.id));
	g_array_append_val(entries, fresh);
	g_hash_table_insert(by_id, g_strdup(id), GSIZE_TO_POINTER(entries->len - 1));
	return &g_array_index(entries, struct entry, entries->len - 1);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->id, ((const struct entry *)b)->id);
}

/* A program without a name that can be shown is no entry. */
static void drop_nameless(GArray *entries, size_t *refused_count)
{
	guint i = 0;

	while (i < entries->len) {
		if (g_array_index(entries, struct entry, i).name[0]) {
			i++;
		} else {
			g_array_remove_index_fast(entries, i);
			(*refused_count)++;
		}
	}
}

void entry_parse_list(const char *text, size_t size_bytes, struct entry_list *out)
{
	g_autoptr(GHashTable) by_id = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GArray *entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	struct span rest = {text, MIN(size_bytes, ENTRY_INPUT_MAX)};

	*out = (struct entry_list){.is_truncated = size_bytes > ENTRY_INPUT_MAX};
	while (rest.size) {
		struct span line = span_cut(&rest, '\n');
		struct span file, key;
		struct entry *e = NULL;
		char id[ENTRY_ID_MAX + 1];

		if (!line.size) {
			continue;
		}
		file = span_cut(&line, ':');
		key = span_cut(&line, '=');
		if (!parse_id(file, id) || !key.size) {
			out->refused_count++;
			continue;
		}
		e = entry_for(by_id, entries, id, &out->is_truncated);
		if (e) {
			apply_key(e, key, line);
		}
	}
	drop_nameless(entries, &out->refused_count);
	if (entries->len) {
		qsort(entries->data, entries->len, sizeof(struct entry), compare_ids);
	}
	out->count = entries->len;
	out->entries = (struct entry *)(void *)g_array_free(entries, entries->len == 0);
}

void entry_list_clear(struct entry_list *list)
{
	g_free(list->entries);
	*list = (struct entry_list){0};
}

static bool is_id(const char text[ENTRY_ID_MAX + 1])
{
	char copy[ENTRY_ID_MAX + 1];

	return memchr(text, 0, ENTRY_ID_MAX + 1) &&
	       copy_id((struct span){text, strlen(text)}, copy);
}

static bool is_text(const char text[ENTRY_TEXT_MAX + 1])
{
	char copy[ENTRY_TEXT_MAX + 1];

	if (!memchr(text, 0, ENTRY_TEXT_MAX + 1)) {
		return false;
	}
	entry_sanitise_text(text, strlen(text), copy, sizeof(copy));
	return strcmp(copy, text) == 0;
}

bool entry_is_valid(const struct entry *e)
{
	return is_id(e->id) && is_text(e->name) && e->name[0] && is_text(e->comment) &&
	       (!e->icon[0] || is_id(e->icon)) && e->categories < 1u << CATEGORY_COUNT;
}

char *entry_format(const struct entry *e, const char *domain, const char *icon)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *shown = g_strdup_printf("%s: %s", domain, e->name);
	g_autofree char *command = g_strdup_printf("mullion run --app %s %s", e->id, domain);
	g_autoptr(GString) categories = g_string_new("X-Mullion;");
	unsigned int i;

	for (i = 0; i < CATEGORY_COUNT; i++) {
		if (e->categories & 1u << i) {
			g_string_append_printf(categories, "%s;", category_names[i]);
		}
	}
	g_key_file_set_string(file, "Desktop Entry", "Type", "Application");
	g_key_file_set_string(file, "Desktop Entry", "Name", shown);
	if (e->comment[0]) {
		g_key_file_set_string(file, "Desktop Entry", "Comment", e->comment);
	}
	g_key_file_set_string(file, "Desktop Entry", "Exec", command);
	g_key_file_set_string(file, "Desktop Entry", "Icon", icon);
	g_key_file_set_string(file, "Desktop Entry", "Categories", categories->str);
	g_key_file_set_string(file, "Desktop Entry", "X-Mullion-Domain", domain);
	if (e->is_hidden) {
		g_key_file_set_string(file, "Desktop Entry", "NoDisplay", "true");
	}
	return g_key_file_to_data(file, NULL, NULL);
}
