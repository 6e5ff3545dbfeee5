/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-policy: what the policy says, and why.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qrexec/policy.h"
#include "qrexec/proto.h"

static const char *folder = "/etc/qubes/policy.d";
static const char *domains_file = "/run/mullion/domains";

static _Noreturn void usage(int code)
{
	fputs("usage: mullion-policy [--policy-dir=DIR] [--domains=FILE] COMMAND\n"
	      "  check SOURCE TARGET SERVICE[+ARGUMENT]    what happens to this call\n"
	      "  explain SOURCE TARGET SERVICE[+ARGUMENT]  which line decides, and why not others\n"
	      "  lint                                      faults, and lines that never decide\n"
	      "Exit code of check and explain: 0 allow, 1 deny, 2 ask; 3 for a broken policy.\n",
	      code ? stderr : stdout);
	exit(code);
}

static struct policy *load(void)
{
	struct policy_error error;
	struct policy *policy;

	if (!policy_load(&policy_files, folder, &policy, &error)) {
		return policy;
	}
	if (error.line) {
		fprintf(stderr, "%s:%d:%d: %s\n", error.file, error.line, error.column, error.text);
	} else {
		fprintf(stderr, "%s: %s\n", error.file, error.text);
	}
	fputs("the policy is broken: every call is denied\n", stderr);
	exit(3);
}

static void load_domains(struct domain_list *domains)
{
	char *text;
	int line = 0, rc;

	rc = policy_files.read_file(NULL, domains_file, &text);
	if (rc) {
		fprintf(stderr, "%s: %s\n", domains_file, strerror(-rc));
		exit(3);
	}
	rc = domain_list_parse(text, domains, &line);
	free(text);
	if (rc) {
		fprintf(stderr, "%s:%d: not a domain\n", domains_file, line);
		exit(3);
	}
}

static void print_rule(const struct policy_rule *rule)
{
	static const char *const actions[] = {"allow", "deny", "ask"};
	char source[DOMAIN_NAME_SIZE + 16], target[DOMAIN_NAME_SIZE + 16];

	token_format(&rule->source, source);
	token_format(&rule->target, target);
	printf("%s:%d: %s %s %s %s %s", rule->file, rule->line, rule->service ? rule->service : "*",
	       rule->argument ? rule->argument : "*", source, target, actions[rule->action]);
	if (rule->has_redirect) {
		token_format(&rule->redirect, target);
		printf(" target=%s", target);
	}
	if (rule->has_default) {
		token_format(&rule->default_target, target);
		printf(" default_target=%s", target);
	}
	if (*rule->user) {
		printf(" user=%s", rule->user);
	}
	putchar('\n');
}

static void explain(const struct policy *policy, const struct domain_list *domains,
		    const struct policy_call *call, const struct policy_verdict *v)
{
	const struct policy_rule *rule;
	const char *why;
	size_t i;

	for (i = 0; i < policy->rule_count; i++) {
		rule = &policy->rules[i];
		if (rule->service && strcmp(rule->service, call->service)) {
			continue; /* thousands of lines about other services help nobody */
		}
		why = policy_mismatch(rule, domains, call);
		printf("%-16s ", why ? why : "matches");
		print_rule(rule);
		if (!why) {
			break;
		}
	}
	printf("so: %s\n", v->reason);
}

static int check(int argc, char **argv, bool is_explained)
{
	static const char *const words[] = {"allow", "deny", "ask"};
	static struct policy_verdict v;
	struct policy *policy = load();
	struct domain_list domains;
	struct policy_call call;
	char *service, *plus;
	size_t i;

	if (argc != 3) {
		usage(4);
	}
	load_domains(&domains);
	service = strdup(argv[2]);
	plus = strchr(service, '+');
	call = (struct policy_call){.source = argv[0],
				    .target = argv[1],
				    .argument = plus ? argv[2] + (plus - service) : "+",
				    .service = service};
	if (plus) {
		*plus = 0;
	}
	policy_evaluate(policy, &domains, &call, &v);
	if (is_explained) {
		explain(policy, &domains, &call, &v);
	}
	printf("%s", words[v.action]);
	if (v.action == POLICY_ALLOW) {
		printf(" target=%s user=%s", v.target, *v.rule->user ? v.rule->user : "DEFAULT");
	}
	putchar('\n');
	for (i = 0; v.action == POLICY_ASK && i < v.candidate_count; i++) {
		printf("  %s%s\n", v.candidates[i],
		       v.default_candidate == (int)i ? " (default)" : "");
	}
	free(service);
	domain_list_fini(&domains);
	policy_destroy(policy);
	return (int)v.action;
}

/* True when every call that b matches is matched by a, judged by the words alone. */
static bool covers(const struct policy_rule *a, const struct policy_rule *b)
{
	bool is_service = !a->service || (b->service && !strcmp(a->service, b->service));
	bool is_argument = !a->argument || (b->argument && !strcmp(a->argument, b->argument));
	const struct token *pairs[2][2] = {{&a->source, &b->source}, {&a->target, &b->target}};
	int i;

	for (i = 0; i < 2; i++) {
		const struct token *x = pairs[i][0], *y = pairs[i][1];

		if (x->kind == TOKEN_WILDCARD ||
		    (x->kind == y->kind && !strcmp(x->text, y->text)) ||
		    (x->kind == TOKEN_ANYVM &&
		     (y->kind == TOKEN_NAME || y->kind == TOKEN_DISPVM_NAME ||
		      y->kind == TOKEN_DISPVM || y->kind == TOKEN_DEFAULT))) {
			continue;
		}
		return false;
	}
	return is_service && is_argument;
}

static int lint(void)
{
	struct policy *policy = load();
	size_t i, j;
	int found = 0;

	for (i = 0; i < policy->rule_count; i++) {
		for (j = 0; j < i && !covers(&policy->rules[j], &policy->rules[i]); j++) {
		}
		if (j < i) {
			printf("%s:%d: never decides, as %s:%d comes first\n",
			       policy->rules[i].file, policy->rules[i].line, policy->rules[j].file,
			       policy->rules[j].line);
			found = 1;
		}
	}
	printf("%zu rules in %zu files\n", policy->rule_count, policy->file_count);
	policy_destroy(policy);
	return found;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"policy-dir", required_argument, NULL, 'p'},
		{"domains", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *command;
	int opt;

	while ((opt = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (opt) {
		case 'p':
			folder = optarg;
			break;
		case 'd':
			domains_file = optarg;
			break;
		default:
			usage(opt == 'h' ? 0 : 4);
		}
	}
	if (optind == argc) {
		usage(4);
	}
	command = argv[optind++];
	if (!strcmp(command, "lint") && optind == argc) {
		return lint();
	}
	if (!strcmp(command, "check") || !strcmp(command, "explain")) {
		return check(argc - optind, argv + optind, *command == 'e');
	}
	usage(4);
}
