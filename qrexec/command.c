/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/command.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qrexec/proto.h"

#define RPC_WORD "QUBESRPC "

/* Copies the next word to out; false when there is none or it is too long. */
static bool take_word(const char **text, char *out, size_t capacity)
{
	size_t length = strcspn(*text, " ");

	if (!length || length >= capacity) {
		return false;
	}
	memcpy(out, *text, length);
	out[length] = 0;
	*text += length;
	while (**text == ' ') {
		(*text)++;
	}
	return true;
}

static int parse_service(const char *text, struct command *out)
{
	size_t length = strcspn(text, " ");
	char *plus;

	out->service = strndup(text, length);
	out->name = strndup(text, strcspn(text, "+ "));
	if (!out->service || !out->name) {
		return -ENOMEM;
	}
	/* A name is a file name: no '/', no way out of the service folder. */
	if (!qrexec_is_name(out->service, "+") || !qrexec_is_name(out->name, "") ||
	    out->name[0] == '.' || strlen(out->name) > 200) {
		return -EINVAL;
	}
	plus = strchr(out->service, '+');
	out->argument = plus ? plus + 1 : NULL;
	text += length;
	while (*text == ' ') {
		text++;
	}
	if (!take_word(&text, out->source, sizeof(out->source)) ||
	    !qrexec_is_name(out->source, "@:")) {
		return -EINVAL;
	}
	if (!*text) {
		return 0;
	}
	if (!take_word(&text, out->target_type, sizeof(out->target_type)) ||
	    (strcmp(out->target_type, "name") && strcmp(out->target_type, "keyword"))) {
		return -EINVAL;
	}
	/* A call without target has the keyword type and an empty target. */
	if (*text && (!take_word(&text, out->target, sizeof(out->target)) || *text ||
		      !qrexec_is_name(out->target, "@:"))) {
		return -EINVAL;
	}
	return 0;
}

int command_parse(const char *line, bool needs_user, struct command *out)
{
	struct command c = {0};
	const char *colon;
	int rc;

	if (needs_user) {
		colon = strchr(line, ':');
		if (!colon || colon == line || (size_t)(colon - line) >= sizeof(c.user)) {
			return -EINVAL;
		}
		memcpy(c.user, line, (size_t)(colon - line));
		if (!qrexec_is_name(c.user, "") || c.user[0] == '-') {
			return -EINVAL;
		}
		line = colon + 1;
	}
	if (!strncmp(line, "nogui:", 6)) {
		c.is_nogui = true;
		line += 6;
	}
	c.text = line;
	if (!strncmp(line, RPC_WORD, strlen(RPC_WORD))) {
		c.is_service = true;
		rc = parse_service(line + strlen(RPC_WORD), &c);
		if (rc) {
			command_fini(&c);
			return rc;
		}
	}
	*out = c;
	return 0;
}

void command_fini(struct command *command)
{
	free(command->service);
	free(command->name);
	command->service = command->name = NULL;
}

/* ---- settings of a service ---- */

static bool parse_bool(const char *value, bool *out)
{
	if (!strcmp(value, "true") || !strcmp(value, "1")) {
		*out = true;
		return true;
	}
	*out = false;
	return !strcmp(value, "false") || !strcmp(value, "0");
}

static bool parse_user(char *value, char *out, size_t capacity)
{
	size_t length = strlen(value);

	if (length >= 2 && (*value == '"' || *value == '\'') && value[length - 1] == *value) {
		value[length - 1] = 0;
		value++;
	}
	if (strlen(value) >= capacity || !qrexec_is_name(value, "") || *value == '-') {
		return false;
	}
	strcpy(out, value);
	return true;
}

static bool parse_setting(const char *key, char *value, struct service_config *out)
{
	const struct {
		const char *key;
		bool *flag;
	} flags[] = {
		{"wait-for-session", &out->is_waiting_for_session},
		{"skip-service-descriptor", &out->skip_descriptor},
		{"exit-on-service-eof", &out->exit_on_service_eof},
		{"exit-on-client-eof", &out->exit_on_client_eof},
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!strcmp(key, flags[i].key)) {
			return parse_bool(value, flags[i].flag);
		}
	}
	if (!strcmp(key, "force-user")) {
		return parse_user(value, out->force_user, sizeof(out->force_user));
	}
	return true;
}

/* Cuts white space at both ends, in place. */
static char *strip(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text)) {
		text++;
	}
	length = strlen(text);
	while (length && isspace((unsigned char)text[length - 1])) {
		text[--length] = 0;
	}
	return text;
}

static bool parse_line(char *text, struct service_config *out)
{
	char *equals;

	text[strcspn(text, "#")] = 0;
	text = strip(text);
	if (!*text) {
		return true;
	}
	equals = strchr(text, '=');
	if (!equals) {
		return false;
	}
	*equals = 0;
	return parse_setting(strip(text), strip(equals + 1), out);
}

int service_config_parse(const char *text, struct service_config *out, int *line)
{
	struct service_config config = {0};
	char copy[256];
	size_t length;

	for (*line = 1; *text; (*line)++) {
		length = strcspn(text, "\n");
		if (length >= sizeof(copy)) {
			return -EINVAL;
		}
		memcpy(copy, text, length);
		copy[length] = 0;
		if (!parse_line(copy, &config)) {
			return -EINVAL;
		}
		text += length + (text[length] == '\n');
	}
	*out = config;
	return 0;
}
