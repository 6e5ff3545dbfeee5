/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/policy.h"

#include <stdio.h>
#include <string.h>

/* A call with its names looked up. */
struct resolved {
	const struct domain_list *domains;
	const struct domain_info *source;
	struct token target; /* NAME, UUID, ADMINVM, DEFAULT, DISPVM, DISPVM_NAME */
	const struct domain_info *target_domain; /* of NAME, UUID, ADMINVM; NULL when unknown */
	const struct domain_info *dispvm;	 /* what a DISPVM would be made from, or NULL */
};

void token_format(const struct token *token, char text[DOMAIN_NAME_SIZE + 16])
{
	static const char *const prefixes[] = {
		[TOKEN_NAME] = "",
		[TOKEN_UUID] = "uuid:",
		[TOKEN_WILDCARD] = "*",
		[TOKEN_ADMINVM] = "@adminvm",
		[TOKEN_ANYVM] = "@anyvm",
		[TOKEN_TYPE] = "@type:",
		[TOKEN_TAG] = "@tag:",
		[TOKEN_DEFAULT] = "@default",
		[TOKEN_DISPVM] = "@dispvm",
		[TOKEN_DISPVM_NAME] = "@dispvm:",
		[TOKEN_DISPVM_TAG] = "@dispvm:@tag:",
	};

	snprintf(text, DOMAIN_NAME_SIZE + 16, "%s%s", prefixes[token->kind], token->text);
}

static bool is_admin(const struct domain_info *d)
{
	return !strcmp(d->name, "dom0");
}

static bool matches_domain(const struct token *t, const struct domain_info *d)
{
	switch (t->kind) {
	case TOKEN_WILDCARD:
		return true;
	case TOKEN_ANYVM:
		return !is_admin(d);
	case TOKEN_ADMINVM:
		return is_admin(d);
	case TOKEN_NAME:
		return !strcmp(t->text, d->name);
	case TOKEN_UUID:
		return !strcmp(t->text, d->uuid);
	case TOKEN_TYPE:
		return !strcmp(t->text, d->type);
	case TOKEN_TAG:
		return domain_has_tag(d, t->text);
	default:
		return false;
	}
}

/* A source may also be named by what it is a disposable of. */
static bool matches_source(const struct token *t, const struct resolved *call)
{
	const struct domain_info *made_from;

	if (t->kind != TOKEN_DISPVM_NAME && t->kind != TOKEN_DISPVM_TAG) {
		return matches_domain(t, call->source);
	}
	if (strcmp(call->source->type, "DispVM")) {
		return false;
	}
	if (t->kind == TOKEN_DISPVM_NAME) {
		return !strcmp(t->text, call->source->dispvm_template);
	}
	made_from = domain_list_find(call->domains, call->source->dispvm_template);
	return made_from && domain_has_tag(made_from, t->text);
}

static bool matches_target(const struct token *t, const struct resolved *call)
{
	bool is_disposable =
		call->target.kind == TOKEN_DISPVM || call->target.kind == TOKEN_DISPVM_NAME;

	switch (t->kind) {
	case TOKEN_WILDCARD:
		return true;
	case TOKEN_ANYVM:
		return call->target.kind != TOKEN_ADMINVM;
	case TOKEN_DEFAULT:
		return call->target.kind == TOKEN_DEFAULT;
	case TOKEN_DISPVM:
		return call->target.kind == TOKEN_DISPVM;
	case TOKEN_DISPVM_NAME:
		return is_disposable && call->dispvm && !strcmp(t->text, call->dispvm->name);
	case TOKEN_DISPVM_TAG:
		return is_disposable && call->dispvm && domain_has_tag(call->dispvm, t->text);
	case TOKEN_NAME:
		/* Also a name that nobody has: the rule decides, and then the call fails. */
		return call->target_domain ? matches_domain(t, call->target_domain)
					   : call->target.kind == TOKEN_NAME &&
						     !strcmp(t->text, call->target.text);
	default:
		return call->target_domain && matches_domain(t, call->target_domain);
	}
}

/* The disposable template behind a target token, or NULL. */
static const struct domain_info *dispvm_of(const struct token *t, const struct domain_info *source,
					   const struct domain_list *domains)
{
	const struct domain_info *d;

	if (t->kind == TOKEN_DISPVM) {
		d = *source->default_dispvm ? domain_list_find(domains, source->default_dispvm)
					    : NULL;
	} else if (t->kind == TOKEN_DISPVM_NAME) {
		d = domain_list_find(domains, t->text);
	} else {
		return NULL;
	}
	return d && d->is_template_for_dispvms ? d : NULL;
}

static void resolve_target(struct resolved *r, const struct token *target)
{
	r->target = *target;
	r->target_domain = NULL;
	if (target->kind == TOKEN_NAME) {
		r->target_domain = domain_list_find(r->domains, target->text);
	} else if (target->kind == TOKEN_ADMINVM) {
		r->target_domain = &r->domains->items[0];
	} else if (target->kind == TOKEN_UUID) {
		char text[DOMAIN_NAME_SIZE + 16];

		token_format(target, text);
		r->target_domain = domain_list_find(r->domains, text);
	}
	r->dispvm = dispvm_of(target, r->source, r->domains);
}

static bool matches_service(const struct policy_rule *rule, const struct policy_call *call)
{
	return (!rule->service || !strcmp(rule->service, call->service)) &&
	       (!rule->argument || !strcmp(rule->argument, call->argument));
}

static const struct policy_rule *first_match(const struct policy *policy,
					     const struct policy_call *call,
					     const struct resolved *r)
{
	const struct policy_rule *rule;
	size_t i;

	for (i = 0; i < policy->rule_count; i++) {
		rule = &policy->rules[i];
		if (matches_service(rule, call) && matches_source(&rule->source, r) &&
		    matches_target(&rule->target, r)) {
			return rule;
		}
	}
	return NULL;
}

/*
 * Where a call really goes. Writes the name and returns NULL, or returns why it goes nowhere.
 */
static const char *destination(const struct resolved *r, char name[DOMAIN_NAME_SIZE + 16],
			       char uuid[40])
{
	*uuid = 0;
	switch (r->target.kind) {
	case TOKEN_DEFAULT:
		return "no target was given, and the rule does not name one";
	case TOKEN_DISPVM:
	case TOKEN_DISPVM_NAME:
		if (!r->dispvm) {
			return "there is no such template of disposables";
		}
		snprintf(name, DOMAIN_NAME_SIZE + 16, "@dispvm:%s", r->dispvm->name);
		return NULL;
	default:
		break;
	}
	if (!r->target_domain) {
		return "there is no such target";
	}
	if (r->target_domain == r->source) {
		return "a domain does not call itself";
	}
	snprintf(name, DOMAIN_NAME_SIZE + 16, "%s", r->target_domain->name);
	strcpy(uuid, r->target_domain->uuid);
	return NULL;
}

static void deny(struct policy_verdict *out, const struct policy_rule *rule, const char *reason)
{
	out->action = POLICY_DENY;
	out->rule = rule;
	out->reason = reason;
	/* What no rule asked for is worth knowing; a rule may say no. */
	out->is_notified = !rule || rule->action != POLICY_DENY || rule->is_notified;
}

static void add_candidate(struct policy_verdict *out, const struct resolved *base,
			  const struct token *target)
{
	struct resolved r = *base;
	char name[DOMAIN_NAME_SIZE + 16], uuid[40];
	size_t i;

	resolve_target(&r, target);
	if (destination(&r, name, uuid) || out->candidate_count == POLICY_CANDIDATES_MAX) {
		return;
	}
	for (i = 0; i < out->candidate_count; i++) {
		if (!strcmp(out->candidates[i], name)) {
			return;
		}
	}
	strcpy(out->candidates[out->candidate_count++], name);
}

/* Offers a target when a call to it would not be denied; its rule may send it elsewhere. */
static void consider(struct policy_verdict *out, const struct policy *policy,
		     const struct policy_call *call, const struct resolved *base,
		     const struct token *target)
{
	struct resolved r = *base;
	const struct policy_rule *rule;

	resolve_target(&r, target);
	rule = first_match(policy, call, &r);
	if (rule && rule->action != POLICY_DENY) {
		add_candidate(out, base, rule->has_redirect ? &rule->redirect : target);
	}
}

static void collect_candidates(struct policy_verdict *out, const struct policy *policy,
			       const struct policy_call *call, const struct resolved *base)
{
	struct token t;
	const struct domain_info *d;
	size_t i;

	for (i = 0; i < base->domains->count; i++) {
		d = &base->domains->items[i];
		if (d->is_internal) {
			continue;
		}
		t = (struct token){.kind = i ? TOKEN_NAME : TOKEN_ADMINVM};
		strcpy(t.text, i ? d->name : "");
		consider(out, policy, call, base, &t);
		if (d->is_template_for_dispvms) {
			t.kind = TOKEN_DISPVM_NAME;
			consider(out, policy, call, base, &t);
		}
	}
}

static int find_candidate(const struct policy_verdict *out, const struct resolved *base,
			  const struct token *target)
{
	struct resolved r = *base;
	char name[DOMAIN_NAME_SIZE + 16], uuid[40];
	size_t i;

	resolve_target(&r, target);
	if (destination(&r, name, uuid)) {
		return -1;
	}
	for (i = 0; i < out->candidate_count; i++) {
		if (!strcmp(out->candidates[i], name)) {
			return (int)i;
		}
	}
	return -1;
}

static void evaluate_ask(struct policy_verdict *out, const struct policy *policy,
			 const struct policy_call *call, const struct resolved *r)
{
	const struct policy_rule *rule = out->rule;

	if (rule->has_redirect) {
		add_candidate(out, r, &rule->redirect);
	} else {
		collect_candidates(out, policy, call, r);
	}
	if (!out->candidate_count) {
		deny(out, rule, "there is no target that could be offered");
		return;
	}
	out->default_candidate = rule->has_default ? find_candidate(out, r, &rule->default_target)
						   : find_candidate(out, r, &r->target);
	out->action = POLICY_ASK;
	out->reason = "the user decides";
}

void policy_evaluate(const struct policy *policy, const struct domain_list *domains,
		     const struct policy_call *call, struct policy_verdict *out)
{
	struct resolved r = {.domains = domains};
	struct token target;
	const char *why;

	memset(out, 0, sizeof(*out));
	out->default_candidate = -1;
	r.source = domain_list_find(domains, call->source);
	if (!r.source) {
		deny(out, NULL, "there is no such source");
		return;
	}
	if (!token_parse(*call->target ? call->target : "@default", PLACE_CALL, &target)) {
		deny(out, NULL, "this is not a target");
		return;
	}
	resolve_target(&r, &target);
	out->rule = first_match(policy, call, &r);
	if (!out->rule) {
		deny(out, NULL, "no rule matches");
		return;
	}
	out->is_notified = out->rule->is_notified;
	switch (out->rule->action) {
	case POLICY_DENY:
		deny(out, out->rule, "a rule denies it");
		return;
	case POLICY_ASK:
		evaluate_ask(out, policy, call, &r);
		return;
	case POLICY_ALLOW:
		break;
	}
	if (out->rule->has_redirect) {
		resolve_target(&r, &out->rule->redirect);
	}
	why = destination(&r, out->target, out->target_uuid);
	if (why) {
		deny(out, out->rule, why);
		return;
	}
	out->action = POLICY_ALLOW;
	out->reason = "a rule allows it";
}

const char *policy_mismatch(const struct policy_rule *rule, const struct domain_list *domains,
			    const struct policy_call *call)
{
	struct resolved r = {.domains = domains, .source = domain_list_find(domains, call->source)};
	struct token target;

	if (!r.source ||
	    !token_parse(*call->target ? call->target : "@default", PLACE_CALL, &target)) {
		return "impossible call";
	}
	resolve_target(&r, &target);
	if (rule->service && strcmp(rule->service, call->service)) {
		return "another service";
	}
	if (rule->argument && strcmp(rule->argument, call->argument)) {
		return "another argument";
	}
	if (!matches_source(&rule->source, &r)) {
		return "another source";
	}
	return matches_target(&rule->target, &r) ? NULL : "another target";
}
