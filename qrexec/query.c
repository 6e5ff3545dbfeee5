/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/query.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "qrexec/proto.h"

/* One line key=value of text; advances. False when there is no whole line or no '='. */
struct line {
	const char *key, *value;
	size_t key_length, value_length;
};

static bool next_line(const char **text, size_t *size, struct line *out)
{
	const char *end = memchr(*text, '\n', *size);
	const char *equals;
	size_t length;

	if (!end) {
		return false;
	}
	length = (size_t)(end - *text);
	equals = memchr(*text, '=', length);
	if (!equals) {
		return false;
	}
	out->key = *text;
	out->key_length = (size_t)(equals - *text);
	out->value = equals + 1;
	out->value_length = length - out->key_length - 1;
	*text = end + 1;
	*size -= length + 1;
	return true;
}

static bool is_key(const struct line *line, const char *key)
{
	return line->key_length == strlen(key) && !memcmp(line->key, key, line->key_length);
}

/* A name or token, once. */
static bool take_name(const struct line *line, char out[QUERY_NAME_SIZE])
{
	char text[QUERY_NAME_SIZE];

	if (line->value_length >= sizeof(text) || *out) {
		return false;
	}
	memcpy(text, line->value, line->value_length);
	text[line->value_length] = 0;
	if (memchr(text, 0, line->value_length) || (*text && !qrexec_is_name(text, "@:"))) {
		return false;
	}
	memcpy(out, text, sizeof(text));
	return true;
}

static bool take_flag(const struct line *line, bool *out)
{
	*out = line->value_length == 3 && !memcmp(line->value, "yes", 3);
	return *out || (line->value_length == 2 && !memcmp(line->value, "no", 2));
}

bool query_is_complete(const char *text, size_t size)
{
	return size >= 2 && text[size - 1] == '\n' && text[size - 2] == '\n';
}

static bool take_service(const struct line *line, struct query *out)
{
	size_t i;

	if (out->service || !line->value_length || *line->value == '+' ||
	    line->value_length >= QREXEC_SERVICE_SIZE_MAX) {
		return false;
	}
	for (i = 0; i < line->value_length; i++) {
		char one[2] = {line->value[i], 0};

		if (!one[0] || !qrexec_is_name(one, "+")) {
			return false;
		}
	}
	out->service = line->value;
	out->service_length = line->value_length;
	return true;
}

int query_parse(const char *text, size_t size, struct query *out)
{
	struct query q = {0};
	struct line line;
	bool has_target = false, is_valid;

	if (!query_is_complete(text, size)) {
		return -EINVAL;
	}
	size--; /* the empty line */
	while (size) {
		if (!next_line(&text, &size, &line)) {
			return -EINVAL;
		}
		if (is_key(&line, "source")) {
			is_valid = line.value_length && take_name(&line, q.source);
		} else if (is_key(&line, "intended_target")) {
			is_valid = !has_target && take_name(&line, q.target);
			has_target = true;
		} else if (is_key(&line, "requested_source")) {
			is_valid = take_name(&line, q.requested_source);
		} else if (is_key(&line, "service_and_arg")) {
			is_valid = take_service(&line, &q);
		} else if (is_key(&line, "just_evaluate")) {
			is_valid = take_flag(&line, &q.is_evaluation_only);
		} else if (is_key(&line, "assume_yes_for_ask")) {
			is_valid = take_flag(&line, &q.is_yes_assumed);
		} else {
			is_valid = false;
		}
		if (!is_valid) {
			return -EINVAL;
		}
	}
	if (!*q.source || !has_target || !q.service) {
		return -EINVAL;
	}
	*out = q;
	return 0;
}

int answer_parse(const char *text, size_t size, struct answer *out)
{
	struct answer a = {.is_autostart = true};
	struct line line;
	bool has_result = false, is_valid;

	while (size) {
		if (!next_line(&text, &size, &line)) {
			return -EINVAL;
		}
		if (is_key(&line, "result")) {
			is_valid = !has_result &&
				   ((line.value_length == 5 && !memcmp(line.value, "allow", 5)) ||
				    (line.value_length == 4 && !memcmp(line.value, "deny", 4)));
			a.is_allowed = line.value_length == 5;
			has_result = true;
		} else if (is_key(&line, "user")) {
			is_valid = take_name(&line, a.user);
		} else if (is_key(&line, "target")) {
			is_valid = line.value_length && take_name(&line, a.target);
		} else if (is_key(&line, "target_uuid")) {
			is_valid = take_name(&line, a.target_uuid);
		} else if (is_key(&line, "requested_target")) {
			is_valid = take_name(&line, a.requested_target);
		} else if (is_key(&line, "autostart")) {
			/* "True" and "False" is how the stock policy process says it. */
			is_valid = true;
			a.is_autostart = line.value_length == 3 || line.value_length == 4;
		} else {
			is_valid = false;
		}
		if (!is_valid) {
			return -EINVAL;
		}
	}
	if (!has_result || (a.is_allowed && !*a.target)) {
		return -EINVAL;
	}
	*out = a;
	return 0;
}

int answer_format(const struct answer *answer, char *text, size_t capacity)
{
	int size;

	if (!answer->is_allowed) {
		size = snprintf(text, capacity, "result=deny\n");
	} else {
		size = snprintf(text, capacity,
				"user=%s\nresult=allow\ntarget=%s\ntarget_uuid=%s\nautostart=%s\n"
				"requested_target=%s\n",
				answer->user, answer->target, answer->target_uuid,
				answer->is_autostart ? "True" : "False", answer->requested_target);
	}
	return size < 0 || (size_t)size >= capacity ? -1 : size;
}
