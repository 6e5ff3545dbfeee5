/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What policy has to know about the domains of this machine.
 *
 * Text, one domain a line: NAME key=value...; keys: type (AppVM, DispVM, TemplateVM, ...),
 * uuid, label (a colour name), tags (comma between), default_dispvm (what @dispvm means for
 * it), dispvm_template (of a disposable: what it was made from), template_for_dispvms=yes,
 * running=yes, internal=yes (never offered to the user). Lines with '#' first are comments.
 * dom0 is always there. Written by whoever manages domains, to /run/mullion/domains. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define DOMAIN_NAME_SIZE 64

struct domain_info {
	char name[DOMAIN_NAME_SIZE];
	char type[16];
	char uuid[40];
	char label[16];
	char default_dispvm[DOMAIN_NAME_SIZE];
	char dispvm_template[DOMAIN_NAME_SIZE];
	char tags[256]; /* ",a,b," */
	bool is_template_for_dispvms, is_running, is_internal;
};

struct domain_list {
	struct domain_info *items; /* [0] is dom0 */
	size_t count;
};

/* 0; -EINVAL with *line; -ENOMEM. After success domain_list_fini(). */
int domain_list_parse(const char *text, struct domain_list *out, int *line);
void domain_list_fini(struct domain_list *list);

/* By name, or by "uuid:..."; NULL when unknown. */
const struct domain_info *domain_list_find(const struct domain_list *list, const char *name);
bool domain_has_tag(const struct domain_info *domain, const char *tag);
