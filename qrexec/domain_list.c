/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/domain_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qrexec/proto.h"

#define DOMAINS_MAX   65536
#define LINE_MAX_SIZE 1024

static bool set_text(char *field, size_t capacity, const char *value, const char *extra)
{
	if (strlen(value) >= capacity || (*value && !qrexec_is_name(value, extra))) {
		return false;
	}
	strcpy(field, value);
	return true;
}

static bool set_flag(bool *flag, const char *value)
{
	*flag = !strcmp(value, "yes");
	return *flag || !strcmp(value, "no");
}

static bool set_key(struct domain_info *d, const char *key, const char *value)
{
	char tags[sizeof(d->tags) - 2];

	if (!strcmp(key, "type")) {
		return set_text(d->type, sizeof(d->type), value, "");
	}
	if (!strcmp(key, "uuid")) {
		return set_text(d->uuid, sizeof(d->uuid), value, "");
	}
	if (!strcmp(key, "label")) {
		return set_text(d->label, sizeof(d->label), value, "");
	}
	if (!strcmp(key, "default_dispvm")) {
		return set_text(d->default_dispvm, sizeof(d->default_dispvm), value, "");
	}
	if (!strcmp(key, "dispvm_template")) {
		return set_text(d->dispvm_template, sizeof(d->dispvm_template), value, "");
	}
	if (!strcmp(key, "tags")) {
		if (!set_text(tags, sizeof(tags), value, ",")) {
			return false;
		}
		snprintf(d->tags, sizeof(d->tags), ",%s,", tags);
		return true;
	}
	if (!strcmp(key, "template_for_dispvms")) {
		return set_flag(&d->is_template_for_dispvms, value);
	}
	if (!strcmp(key, "running")) {
		return set_flag(&d->is_running, value);
	}
	return !strcmp(key, "internal") && set_flag(&d->is_internal, value);
}

static bool parse_line(char *text, struct domain_info *d)
{
	char *word, *equals;

	*d = (struct domain_info){.type = "AppVM", .label = "red"};
	word = strsep(&text, " \t");
	if (!set_text(d->name, sizeof(d->name), word, "") || !*word || *word == '-') {
		return false;
	}
	while ((word = strsep(&text, " \t"))) {
		if (!*word) {
			continue;
		}
		equals = strchr(word, '=');
		if (!equals) {
			return false;
		}
		*equals = 0;
		if (!set_key(d, word, equals + 1)) {
			return false;
		}
	}
	return true;
}

/* Adds one, or fills in dom0. 0 or -errno. */
static int add(struct domain_list *list, const struct domain_info *d)
{
	struct domain_info *bigger;

	if (!strcmp(d->name, "dom0")) {
		list->items[0] = *d;
		strcpy(list->items[0].type, "AdminVM");
		return 0;
	}
	if (domain_list_find(list, d->name) || list->count == DOMAINS_MAX) {
		return -EINVAL;
	}
	if ((list->count & (list->count - 1)) == 0) {
		bigger = realloc(list->items, list->count * 2 * sizeof(*bigger));
		if (!bigger) {
			return -ENOMEM;
		}
		list->items = bigger;
	}
	list->items[list->count++] = *d;
	return 0;
}

int domain_list_parse(const char *text, struct domain_list *out, int *line)
{
	struct domain_list list = {.count = 1};
	struct domain_info d;
	char copy[LINE_MAX_SIZE];
	size_t length;
	int rc = 0;

	list.items = calloc(1, sizeof(*list.items));
	if (!list.items) {
		return -ENOMEM;
	}
	strcpy(list.items[0].name, "dom0");
	strcpy(list.items[0].type, "AdminVM");
	list.items[0].is_running = true;
	for (*line = 1; *text && !rc; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		if (length >= sizeof(copy)) {
			rc = -EINVAL;
			break;
		}
		memcpy(copy, text, length);
		copy[length] = 0;
		if (length && *copy != '#') {
			rc = parse_line(copy, &d) ? add(&list, &d) : -EINVAL;
		}
		if (rc) {
			break;
		}
		(*line)++;
	}
	if (rc) {
		domain_list_fini(&list);
		return rc;
	}
	*out = list;
	return 0;
}

void domain_list_fini(struct domain_list *list)
{
	free(list->items);
	*list = (struct domain_list){0};
}

const struct domain_info *domain_list_find(const struct domain_list *list, const char *name)
{
	size_t i;

	if (!strncmp(name, "uuid:", 5)) {
		for (i = 0; i < list->count; i++) {
			if (*list->items[i].uuid && !strcmp(list->items[i].uuid, name + 5)) {
				return &list->items[i];
			}
		}
		return NULL;
	}
	for (i = 0; i < list->count; i++) {
		if (!strcmp(list->items[i].name, name)) {
			return &list->items[i];
		}
	}
	return NULL;
}

bool domain_has_tag(const struct domain_info *domain, const char *tag)
{
	char wanted[DOMAIN_NAME_SIZE + 2];

	if (!*tag || strlen(tag) >= DOMAIN_NAME_SIZE) {
		return false;
	}
	snprintf(wanted, sizeof(wanted), ",%s,", tag);
	return strstr(domain->tags, wanted);
}
