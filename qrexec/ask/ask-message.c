/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/ask/ask-message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool set(char *field, size_t capacity, const char *value)
{
	return (size_t)snprintf(field, capacity, "%s", value) < capacity;
}

static bool set_number(const char *value, unsigned int *out)
{
	char end;

	return sscanf(value, "%u%c", out, &end) == 1;
}

static bool add_candidate(struct ask_message *m, char *value)
{
	struct ask_candidate *c;
	char *space = strchr(value, ' ');

	if (!space || m->candidate_count == ASK_CANDIDATES_MAX) {
		return false;
	}
	*space = 0;
	c = &m->candidates[m->candidate_count++];
	return set(c->name, sizeof(c->name), value) && set(c->label, sizeof(c->label), space + 1);
}

static bool set_default(struct ask_message *m, const char *value)
{
	size_t i;

	for (i = 0; i < m->candidate_count; i++) {
		if (!strcmp(m->candidates[i].name, value)) {
			m->default_candidate = (int)i;
			return true;
		}
	}
	return false;
}

static bool set_key(struct ask_message *m, const char *key, char *value)
{
	const struct {
		const char *key;
		char *field;
		size_t capacity;
	} texts[] = {
		{"source", m->source, sizeof(m->source)},
		{"source_label", m->source_label, sizeof(m->source_label)},
		{"service", m->service, sizeof(m->service)},
		{"argument", m->argument, sizeof(m->argument)},
		{"target", m->target, sizeof(m->target)},
		{"reason", m->reason, sizeof(m->reason)},
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!strcmp(key, texts[i].key)) {
			return set(texts[i].field, texts[i].capacity, value);
		}
	}
	if (!strcmp(key, "candidate")) {
		return add_candidate(m, value);
	}
	return !strcmp(key, "default") && set_default(m, value);
}

/* The first line says what it is. */
static bool set_kind(struct ask_message *m, const char *key, const char *value)
{
	if (!strcmp(key, "ask")) {
		m->kind = ASK_QUESTION;
		return set_number(value, &m->number);
	}
	if (!strcmp(key, "cancel")) {
		m->kind = ASK_CANCEL;
		return set_number(value, &m->number);
	}
	m->kind = ASK_NOTICE;
	m->is_allowed = !strcmp(value, "allow");
	return !strcmp(key, "notify");
}

bool ask_message_parse(char *text, struct ask_message *out)
{
	char *line, *equals;
	bool is_first = true;

	memset(out, 0, sizeof(*out));
	out->default_candidate = -1;
	while ((line = strsep(&text, "\n"))) {
		equals = strchr(line, '=');
		if (!equals) {
			return false;
		}
		*equals = 0;
		if (!(is_first ? set_kind(out, line, equals + 1)
			       : set_key(out, line, equals + 1))) {
			return false;
		}
		is_first = false;
	}
	return !is_first && (out->kind != ASK_QUESTION || out->candidate_count);
}
