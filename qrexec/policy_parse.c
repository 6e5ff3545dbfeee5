/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From policy files to rules. One line is one rule or one directive; there is no other nesting. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qrexec/policy.h"
#include "qrexec/proto.h"

#define INCLUDE_DEPTH_MAX 8
#define RULES_MAX	  100000
#define FILES_MAX	  1000
#define WORDS_MAX	  16
#define LINE_SIZE_MAX	  1024

/* What include-service adds in front of each line of a file. */
struct prefix {
	const char *service, *argument; /* "*" or a name; "*" or "+..." */
};

struct parser {
	const struct policy_reader *reader;
	struct policy *policy;
	struct policy_error *error;
	const char *file;
	int line;
	int depth;
};

struct words {
	char text[LINE_SIZE_MAX]; /* cut into words */
	char *word[WORDS_MAX];
	int column[WORDS_MAX];
	int count;
};

__attribute__((format(printf, 3, 4))) static int fault(struct parser *p, int column,
						       const char *format, ...)
{
	va_list arguments;

	snprintf(p->error->file, sizeof(p->error->file), "%s", p->file);
	p->error->line = p->line;
	p->error->column = column;
	va_start(arguments, format);
	vsnprintf(p->error->text, sizeof(p->error->text), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* ---- tokens ---- */

static bool set_name(struct token *out, enum token_kind kind, const char *text)
{
	if (!qrexec_is_name(text, "") || *text == '-' || strlen(text) >= sizeof(out->text)) {
		return false;
	}
	out->kind = kind;
	strcpy(out->text, text);
	return true;
}

static bool parse_any_token(const char *text, struct token *out)
{
	static const struct {
		const char *word;
		enum token_kind kind;
	} words[] =
		{
			{"*", TOKEN_WILDCARD},	     {"@adminvm", TOKEN_ADMINVM},
			{"dom0", TOKEN_ADMINVM},     {"@anyvm", TOKEN_ANYVM},
			{"@default", TOKEN_DEFAULT}, {"@dispvm", TOKEN_DISPVM},
		},
	  prefixes[] = {
		  {"uuid:", TOKEN_UUID},
		  {"@type:", TOKEN_TYPE},
		  {"@tag:", TOKEN_TAG},
		  {"@dispvm:@tag:", TOKEN_DISPVM_TAG},
		  {"@dispvm:", TOKEN_DISPVM_NAME},
	  };
	size_t i, length;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(text, words[i].word)) {
			out->kind = words[i].kind;
			return true;
		}
	}
	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		length = strlen(prefixes[i].word);
		if (!strncmp(text, prefixes[i].word, length)) {
			return set_name(out, prefixes[i].kind, text + length);
		}
	}
	return set_name(out, TOKEN_NAME, text);
}

bool token_parse(const char *text, enum token_place place, struct token *out)
{
	static const unsigned int everywhere =
		1 << TOKEN_NAME | 1 << TOKEN_UUID | 1 << TOKEN_ADMINVM | 1 << TOKEN_DISPVM_NAME;
	static const unsigned int sets = 1 << TOKEN_WILDCARD | 1 << TOKEN_ANYVM | 1 << TOKEN_TYPE |
					 1 << TOKEN_TAG | 1 << TOKEN_DISPVM_TAG;
	static const unsigned int allowed[] = {
		[PLACE_SOURCE] = everywhere | sets,
		[PLACE_TARGET] = everywhere | sets | 1 << TOKEN_DEFAULT | 1 << TOKEN_DISPVM,
		[PLACE_REDIRECT] = everywhere | 1 << TOKEN_DISPVM,
		[PLACE_CALL] = everywhere | 1 << TOKEN_DISPVM | 1 << TOKEN_DEFAULT,
	};

	return parse_any_token(text, out) && (allowed[place] & 1 << out->kind);
}

/* ---- one rule ---- */

static int parse_service(struct parser *p, const char *word, int column, char **out)
{
	if (!strcmp(word, "*")) {
		*out = NULL;
		return 0;
	}
	if (!qrexec_is_name(word, "")) {
		return fault(p, column, "\"%.40s\" is not a service", word);
	}
	*out = strdup(word);
	return *out ? 0 : -ENOMEM;
}

static int parse_argument(struct parser *p, const char *word, int column, bool is_any_service,
			  char **out)
{
	if (!strcmp(word, "*")) {
		*out = NULL;
		return 0;
	}
	if (*word != '+' || (word[1] && !qrexec_is_name(word + 1, "+"))) {
		return fault(p, column, "\"%.40s\" is not an argument: *, + or +ARGUMENT", word);
	}
	if (is_any_service) {
		return fault(p, column, "an argument needs a service, not *");
	}
	*out = strdup(word);
	return *out ? 0 : -ENOMEM;
}

static int parse_yes_no(struct parser *p, const char *value, int column, bool *out)
{
	*out = !strcmp(value, "yes");
	if (!*out && strcmp(value, "no")) {
		return fault(p, column, "\"%.40s\" is neither yes nor no", value);
	}
	return 0;
}

/* Which keys have been seen, as bits. */
enum key { KEY_TARGET = 1, KEY_USER = 2, KEY_DEFAULT = 4, KEY_NOTIFY = 8, KEY_AUTOSTART = 16 };

static int parse_value(struct parser *p, struct policy_rule *rule, enum key key, const char *value,
		       int column)
{
	switch (key) {
	case KEY_TARGET:
		rule->has_redirect = token_parse(value, PLACE_REDIRECT, &rule->redirect);
		return rule->has_redirect
			       ? 0
			       : fault(p, column, "\"%.40s\" cannot be a target=", value);
	case KEY_DEFAULT:
		rule->has_default = token_parse(value, PLACE_REDIRECT, &rule->default_target);
		return rule->has_default
			       ? 0
			       : fault(p, column, "\"%.40s\" cannot be a default_target=", value);
	case KEY_USER:
		if (!qrexec_is_name(value, "") || *value == '-' ||
		    strlen(value) >= sizeof(rule->user)) {
			return fault(p, column, "\"%.40s\" is not a user", value);
		}
		strcpy(rule->user, value);
		return 0;
	case KEY_NOTIFY:
		return parse_yes_no(p, value, column, &rule->is_notified);
	case KEY_AUTOSTART:
		return parse_yes_no(p, value, column, &rule->is_autostart);
	}
	return -EINVAL;
}

static int parse_parameter(struct parser *p, struct policy_rule *rule, char *word, int column,
			   unsigned int *seen)
{
	static const struct {
		const char *name;
		enum key key;
		unsigned int actions;
	} keys[] = {
		{"target", KEY_TARGET, 1 << POLICY_ALLOW | 1 << POLICY_ASK},
		{"user", KEY_USER, 1 << POLICY_ALLOW | 1 << POLICY_ASK},
		{"default_target", KEY_DEFAULT, 1 << POLICY_ASK},
		{"notify", KEY_NOTIFY, 1 << POLICY_ALLOW | 1 << POLICY_ASK | 1 << POLICY_DENY},
		{"autostart", KEY_AUTOSTART, 1 << POLICY_ALLOW | 1 << POLICY_ASK},
	};
	char *equals = strchr(word, '=');
	size_t i;

	if (!equals) {
		return fault(p, column, "\"%.40s\" is not key=value", word);
	}
	*equals = 0;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!strcmp(word, keys[i].name)) {
			break;
		}
	}
	if (i == sizeof(keys) / sizeof(keys[0])) {
		return fault(p, column, "unknown key \"%.40s\"", word);
	}
	if (!(keys[i].actions & 1 << rule->action)) {
		return fault(p, column, "this action has no \"%s\"", word);
	}
	if (*seen & keys[i].key) {
		return fault(p, column, "\"%s\" twice", word);
	}
	*seen |= keys[i].key;
	return parse_value(p, rule, keys[i].key, equals + 1, column + (int)strlen(word) + 1);
}

static int parse_action(struct parser *p, struct words *w, int first, struct policy_rule *rule)
{
	static const char *const names[] = {
		[POLICY_ALLOW] = "allow", [POLICY_DENY] = "deny", [POLICY_ASK] = "ask"};
	unsigned int seen = 0;
	int i, rc;

	for (i = 0; i < 3 && strcmp(w->word[first], names[i]); i++) {
	}
	if (i == 3) {
		return fault(p, w->column[first], "\"%.40s\" is neither allow, deny nor ask",
			     w->word[first]);
	}
	rule->action = (enum policy_action)i;
	rule->is_notified = rule->action == POLICY_DENY;
	rule->is_autostart = true;
	for (i = first + 1; i < w->count; i++) {
		rc = parse_parameter(p, rule, w->word[i], w->column[i], &seen);
		if (rc) {
			return rc;
		}
	}
	return 0;
}

/* The rest of a line, after service and argument. */
static int parse_ends(struct parser *p, struct words *w, int first, struct policy_rule *rule)
{
	if (!token_parse(w->word[first], PLACE_SOURCE, &rule->source)) {
		return fault(p, w->column[first], "\"%.40s\" cannot be a source", w->word[first]);
	}
	if (!token_parse(w->word[first + 1], PLACE_TARGET, &rule->target)) {
		return fault(p, w->column[first + 1], "\"%.40s\" cannot be a target",
			     w->word[first + 1]);
	}
	return parse_action(p, w, first + 2, rule);
}

static void free_rule(struct policy_rule *rule)
{
	free(rule->service);
	free(rule->argument);
}

static int add_rule(struct parser *p, const struct policy_rule *rule)
{
	struct policy *policy = p->policy;
	struct policy_rule *bigger;

	if (policy->rule_count == RULES_MAX) {
		return fault(p, 0, "more than %d rules", RULES_MAX);
	}
	if ((policy->rule_count & (policy->rule_count - 1)) == 0) {
		bigger = realloc(policy->rules, (policy->rule_count ? policy->rule_count * 2 : 1) *
							sizeof(*bigger));
		if (!bigger) {
			return -ENOMEM;
		}
		policy->rules = bigger;
	}
	policy->rules[policy->rule_count++] = *rule;
	return 0;
}

static int parse_rule(struct parser *p, struct words *w, const struct prefix *prefix)
{
	struct policy_rule rule = {.file = p->file, .line = p->line};
	const char *service = prefix ? prefix->service : w->word[0];
	const char *argument = prefix ? prefix->argument : w->word[1];
	int first = prefix ? 0 : 2;
	int rc;

	if (w->count < first + 3) {
		return fault(p, 0,
			     prefix ? "a rule is SOURCE TARGET ACTION"
				    : "a rule is SERVICE ARGUMENT SOURCE TARGET ACTION");
	}
	rc = parse_service(p, service, w->column[0], &rule.service);
	if (!rc) {
		rc = parse_argument(p, argument, w->column[prefix ? 0 : 1], !rule.service,
				    &rule.argument);
	}
	if (!rc) {
		rc = parse_ends(p, w, first, &rule);
	}
	if (!rc) {
		rc = add_rule(p, &rule);
	}
	if (rc) {
		free_rule(&rule);
	}
	return rc;
}

/* ---- files ---- */

static int parse_file(struct parser *parent, const char *path, const struct prefix *prefix);
static int parse_folder(struct parser *parent, const char *path);

/* Relative to the folder of the current file. */
static char *join_path(const struct parser *p, const char *path)
{
	const char *slash = strrchr(p->file, '/');
	char *joined;

	if (*path == '/' || !slash) {
		return strdup(path);
	}
	return asprintf(&joined, "%.*s/%s", (int)(slash - p->file), p->file, path) < 0 ? NULL
										       : joined;
}

static int parse_directive(struct parser *p, struct words *w)
{
	struct prefix prefix;
	const char *name = w->word[0];
	bool is_service = !strcmp(name, "!include-service");
	bool is_folder = !strcmp(name, "!include-dir");
	char *path, *unused = NULL;
	int rc = 0;

	if (!is_service && !is_folder && strcmp(name, "!include")) {
		return fault(p, w->column[0], "unknown directive \"%.40s\"", name);
	}
	if (w->count != (is_service ? 4 : 2)) {
		return fault(p, 0,
			     is_service ? "!include-service SERVICE ARGUMENT FILE"
					: "a directive has one path");
	}
	if (is_service) {
		prefix = (struct prefix){.service = w->word[1], .argument = w->word[2]};
		rc = parse_service(p, prefix.service, w->column[1], &unused);
		free(unused);
		unused = NULL;
		if (!rc) {
			rc = parse_argument(p, prefix.argument, w->column[2],
					    !strcmp(prefix.service, "*"), &unused);
			free(unused);
		}
		if (rc) {
			return rc;
		}
	}
	path = join_path(p, w->word[w->count - 1]);
	if (!path) {
		return -ENOMEM;
	}
	rc = is_folder ? parse_folder(p, path) : parse_file(p, path, is_service ? &prefix : NULL);
	free(path);
	return rc;
}

/* Cuts at white space; in an old file also at commas, and '$' is '@'. */
static int cut_words(struct parser *p, const char *line, size_t length, bool is_old,
		     struct words *out)
{
	const char *separators = is_old ? " \t\r," : " \t\r";
	size_t i;

	out->count = 0;
	if (length >= sizeof(out->text)) {
		return fault(p, 0, "line longer than %d bytes", LINE_SIZE_MAX - 1);
	}
	for (i = 0; i < length; i++) {
		if (!line[i] || (line[i] & 0x80)) {
			return fault(p, (int)i + 1, "a byte that is not ASCII text");
		}
		out->text[i] = is_old && line[i] == '$' ? '@' : line[i];
	}
	out->text[length] = 0;
	for (i = 0; i < length;) {
		if (strchr(separators, out->text[i])) {
			out->text[i++] = 0;
			continue;
		}
		if (out->count == WORDS_MAX) {
			return fault(p, (int)i + 1, "more than %d words", WORDS_MAX);
		}
		out->column[out->count] = (int)i + 1;
		out->word[out->count++] = out->text + i;
		while (i < length && !strchr(separators, out->text[i])) {
			i++;
		}
	}
	return 0;
}

static int parse_text(struct parser *p, const char *text, const struct prefix *prefix)
{
	struct words *w = malloc(sizeof(*w));
	size_t length;
	int rc = w ? 0 : -ENOMEM;

	for (p->line = 1; *text && !rc; p->line++) {
		length = strcspn(text, "\n");
		rc = cut_words(p, text, text[0] == '#' ? 0 : length, prefix, w);
		if (!rc && w->count && w->word[0][0] == '!') {
			rc = prefix ? fault(p, w->column[0], "no directives in such a file")
				    : parse_directive(p, w);
		} else if (!rc && w->count && w->word[0][0] != '#') {
			rc = parse_rule(p, w, prefix);
		}
		text += length + (text[length] == '\n');
	}
	free(w);
	return rc;
}

/* The policy keeps the names, as its rules point to them. */
static const char *keep_name(struct policy *policy, const char *path)
{
	char **bigger = realloc(policy->files, (policy->file_count + 1) * sizeof(*bigger));
	char *copy = strdup(path);

	if (bigger) {
		policy->files = bigger;
	}
	if (!bigger || !copy) {
		free(copy);
		return NULL;
	}
	policy->files[policy->file_count++] = copy;
	return copy;
}

static int parse_file(struct parser *parent, const char *path, const struct prefix *prefix)
{
	struct parser p = *parent;
	char *text = NULL;
	int rc;

	p.depth++;
	if (p.depth > INCLUDE_DEPTH_MAX) {
		return fault(parent, 0, "more than %d files include each other", INCLUDE_DEPTH_MAX);
	}
	if (p.policy->file_count == FILES_MAX) {
		return fault(parent, 0, "more than %d files", FILES_MAX);
	}
	rc = p.reader->read_file(p.reader->context, path, &text);
	if (rc) {
		return fault(parent, 0, "cannot read %.120s: %s", path, strerror(-rc));
	}
	p.file = keep_name(p.policy, path);
	rc = p.file ? parse_text(&p, text, prefix) : -ENOMEM;
	free(text);
	return rc;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_policy_name(const char *name)
{
	size_t length = strlen(name);

	return *name != '.' && length > 7 && !strcmp(name + length - 7, ".policy");
}

/* Order and spelling must mean the same to people, ls and us. */
static bool is_good_name(const char *name)
{
	return name[strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz_.-")] == 0;
}

static int parse_folder(struct parser *parent, const char *path)
{
	struct parser p = *parent;
	char **names = NULL, *file;
	size_t i, count = 0;
	int rc;

	p.depth++;
	if (p.depth > INCLUDE_DEPTH_MAX) {
		return fault(parent, 0, "more than %d files include each other", INCLUDE_DEPTH_MAX);
	}
	rc = p.reader->list_folder(p.reader->context, path, &names, &count);
	if (rc) {
		return fault(parent, 0, "cannot read %.120s: %s", path, strerror(-rc));
	}
	qsort(names, count, sizeof(*names), compare_names);
	for (i = 0; i < count && !rc; i++) {
		if (!is_policy_name(names[i])) {
			continue;
		}
		if (!is_good_name(names[i])) {
			rc = fault(parent, 0,
				   "%.80s: only a-z, 0-9 and _.- in the name of a policy file",
				   names[i]);
		} else if (asprintf(&file, "%s/%s", path, names[i]) < 0) {
			rc = -ENOMEM;
		} else {
			rc = parse_file(&p, file, NULL);
			free(file);
		}
	}
	for (i = 0; i < count; i++) {
		free(names[i]);
	}
	free(names);
	return rc;
}

int policy_load(const struct policy_reader *reader, const char *folder, struct policy **out,
		struct policy_error *error)
{
	struct parser p = {.reader = reader, .error = error, .file = folder};
	int rc;

	memset(error, 0, sizeof(*error));
	p.policy = calloc(1, sizeof(*p.policy));
	rc = p.policy ? parse_folder(&p, folder) : -ENOMEM;
	if (rc) {
		if (rc == -ENOMEM) {
			fault(&p, 0, "not enough memory");
		}
		policy_destroy(p.policy);
		return -EINVAL;
	}
	*out = p.policy;
	return 0;
}

void policy_destroy(struct policy *policy)
{
	size_t i;

	if (!policy) {
		return;
	}
	for (i = 0; i < policy->rule_count; i++) {
		free_rule(&policy->rules[i]);
	}
	for (i = 0; i < policy->file_count; i++) {
		free(policy->files[i]);
	}
	free(policy->rules);
	free(policy->files);
	free(policy);
}
