/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy parser, and evaluation of what it took. The input is split at bytes 1: a folder of
 * files named by their place. Whatever the files say: nobody calls himself or somebody unknown.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qrexec/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *texts[4];
static int text_count;

static int read_file(void *context, const char *path, char **text)
{
	const char *slash = strrchr(path, '/');
	int i = (slash ? slash[1] : path[0]) - '0';

	if (i < 0 || i >= text_count) {
		return -ENOENT;
	}
	*text = strdup(texts[i]);
	return *text ? 0 : -ENOMEM;
}

static int list_folder(void *context, const char *path, char ***names, size_t *count)
{
	int i;

	*names = calloc(4, sizeof(char *));
	for (i = 0; i < text_count && i < 2; i++) {
		(*names)[i] = strdup(i ? "1.policy" : "0.policy");
	}
	*count = (size_t)i;
	return 0;
}

static void evaluate(const struct policy *policy)
{
	static const char *const targets[] = {"b", "@default", "@dispvm", "@adminvm", "a", "x"};
	static struct domain_list domains;
	static struct policy_verdict v;
	struct policy_call call = {.source = "a", .service = "s", .argument = "+"};
	size_t i;
	int line;

	if (!domains.count &&
	    domain_list_parse("a default_dispvm=d tags=t\nb tags=t,u\nd template_for_dispvms=yes\n",
			      &domains, &line)) {
		abort();
	}
	for (i = 0; i < 6; i++) {
		call.target = targets[i];
		policy_evaluate(policy, &domains, &call, &v);
		if (v.action == POLICY_ALLOW &&
		    (!v.rule || v.rule->action != POLICY_ALLOW || !strcmp(v.target, "a") ||
		     (strcmp(v.target, "dom0") && strcmp(v.target, "@dispvm:d") &&
		      !domain_list_find(&domains, v.target)))) {
			abort();
		}
		if (v.action == POLICY_ASK &&
		    (!v.candidate_count || v.rule->action != POLICY_ASK)) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct policy_reader reader = {.read_file = read_file, .list_folder = list_folder};
	struct policy_error error;
	struct policy *policy;
	char *copy, *at;

	if (size > 4000) {
		return 0;
	}
	copy = malloc(size + 1);
	memcpy(copy, data, size);
	copy[size] = 0;
	texts[0] = copy;
	text_count = 1;
	for (at = copy; text_count < 4 && (at = strchr(at, 1)); at++) {
		*at = 0;
		texts[text_count++] = at + 1;
	}
	if (!policy_load(&reader, "p", &policy, &error)) {
		evaluate(policy);
		policy_destroy(policy);
	} else if (!error.text[0]) {
		abort(); /* a fault without a word about it */
	}
	free(copy);
	return 0;
}
