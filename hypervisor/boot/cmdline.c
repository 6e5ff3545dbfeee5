// SPDX-License-Identifier: GPL-2.0-or-later
#include "boot/cmdline.h"

#include "lib/string.h"

struct word {
	const char *start;
	size_t length;	    /* of the whole word */
	size_t name_length; /* up to '=' or the end */
};

/* The next word at or after p; false at the end. */
static bool next_word(const char **p, struct word *w)
{
	const char *s = *p;

	while (*s == ' ' || *s == '\t') {
		s++;
	}
	if (!*s) {
		return false;
	}
	*w = (struct word){.start = s};
	while (s[w->length] && s[w->length] != ' ' && s[w->length] != '\t') {
		w->length++;
	}
	while (w->name_length < w->length && s[w->name_length] != '=') {
		w->name_length++;
	}
	*p = s + w->length;
	return true;
}

static bool is_text(const char *s, size_t length, const char *expected)
{
	return strlen(expected) == length && strncmp(s, expected, length) == 0;
}

static bool is_name(const struct word *w, const char *name)
{
	return is_text(w->start, w->name_length, name);
}

/* "no-name" or "noname", without a value. */
static bool is_negated(const struct word *w, const char *name)
{
	const char *s = w->start;
	size_t length = w->length;

	if (length < 2 || s[0] != 'n' || s[1] != 'o') {
		return false;
	}
	s += 2;
	length -= 2;
	if (length && *s == '-') {
		s++;
		length--;
	}
	return is_text(s, length, name);
}

bool cmdline_value(const char *text, const char *name, char *value, size_t capacity)
{
	bool is_found = false;
	struct word w;
	size_t length;

	while (next_word(&text, &w)) {
		if (w.name_length == w.length || !is_name(&w, name)) {
			continue;
		}
		length = w.length - w.name_length - 1;
		if (length >= capacity) {
			is_found = false;
			continue;
		}
		memcpy(value, w.start + w.name_length + 1, length);
		value[length] = '\0';
		is_found = true;
	}
	return is_found;
}

static bool parse_flag(const char *s, size_t length, bool otherwise)
{
	static const char *const yes[] = {"on", "yes", "true", "1"}, *const no[] = {"off", "no", "false", "0"};
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (is_text(s, length, yes[i])) {
			return true;
		}
		if (is_text(s, length, no[i])) {
			return false;
		}
	}
	return otherwise;
}

bool cmdline_flag(const char *text, const char *name, bool otherwise)
{
	bool result = otherwise;
	struct word w;

	while (next_word(&text, &w)) {
		if (is_negated(&w, name)) {
			result = false;
		} else if (is_name(&w, name)) {
			result = w.name_length == w.length ||
				 parse_flag(w.start + w.name_length + 1, w.length - w.name_length - 1,
					    result);
		}
	}
	return result;
}

u64 cmdline_number(const char *text, const char *name, u64 low, u64 high, u64 otherwise)
{
	char value[21];
	u64 n = 0;
	size_t i;

	if (!cmdline_value(text, name, value, sizeof(value)) || !value[0]) {
		return otherwise;
	}
	for (i = 0; value[i]; i++) {
		if (value[i] < '0' || value[i] > '9' || n > (high - (u64)(value[i] - '0')) / 10) {
			return otherwise;
		}
		n = n * 10 + (u64)(value[i] - '0');
	}
	return n >= low && n <= high ? n : otherwise;
}

void cmdline_unknown(const char *text, const char *const known[],
		     void (*report)(void *context, const char *word, size_t length), void *context)
{
	const char *const *k;
	struct word w;

	while (next_word(&text, &w)) {
		for (k = known; *k && !is_name(&w, *k) && !is_negated(&w, *k); k++) {
		}
		if (!*k) {
			report(context, w.start, w.length);
		}
	}
}
