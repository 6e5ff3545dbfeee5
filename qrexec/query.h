/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of the policy socket: one question, one answer. Pure.
 *
 * Question: lines key=value, then an empty line. Answer: lines key=value, then the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define QUERY_NAME_SIZE 128

struct query {
	char source[QUERY_NAME_SIZE];
	char requested_source[QUERY_NAME_SIZE];
	char target[QUERY_NAME_SIZE];
	const char *service; /* "name+argument"; points into the text */
	size_t service_length;
	bool is_evaluation_only; /* just_evaluate=yes: nobody is asked, nothing is shown */
	bool is_yes_assumed;	 /* assume_yes_for_ask=yes */
};

/*
 * text is size bytes that end with an empty line. 0; -EINVAL: a line without '=', an unknown or
 * repeated key, a missing one, a value of impossible characters or too long.
 */
int query_parse(const char *text, size_t size, struct query *out);

/* True when text holds a whole question. */
bool query_is_complete(const char *text, size_t size);

struct answer {
	bool is_allowed;
	char user[QUERY_NAME_SIZE];
	char target[QUERY_NAME_SIZE];
	char target_uuid[QUERY_NAME_SIZE];
	char requested_target[QUERY_NAME_SIZE];
	bool is_autostart;
};

/* The same errors; an answer that is not whole is -EINVAL, never "allow". */
int answer_parse(const char *text, size_t size, struct answer *out);

/* Writes the answer; its length, or -1 when it does not fit. */
int answer_format(const struct answer *answer, char *text, size_t capacity);
