/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy of calls between domains: which line decides a call, and how.
 *
 * policy_parse.c turns files into rules; policy.c finds the first rule that matches a call.
 * Files are read through a struct policy_reader, so that both are the same code in the policy
 * process, the command line tool, the tests and the fuzzer. Grammar: qrexec-policy(5).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "qrexec/domain_list.h"

enum token_kind {
	TOKEN_NAME,
	TOKEN_UUID,
	TOKEN_WILDCARD,	   /* * */
	TOKEN_ADMINVM,	   /* @adminvm, dom0 */
	TOKEN_ANYVM,	   /* @anyvm: everything but @adminvm */
	TOKEN_TYPE,	   /* @type:T */
	TOKEN_TAG,	   /* @tag:T */
	TOKEN_DEFAULT,	   /* @default */
	TOKEN_DISPVM,	   /* @dispvm */
	TOKEN_DISPVM_NAME, /* @dispvm:NAME */
	TOKEN_DISPVM_TAG,  /* @dispvm:@tag:T */
};

struct token {
	enum token_kind kind;
	char text[DOMAIN_NAME_SIZE]; /* name, UUID, type or tag */
};

enum policy_action { POLICY_ALLOW, POLICY_DENY, POLICY_ASK };

struct policy_rule {
	char *service;	/* NULL: any */
	char *argument; /* "+argument"; NULL: any */
	struct token source, target;
	enum policy_action action;
	bool has_redirect, has_default;
	struct token redirect;	     /* target= */
	struct token default_target; /* default_target= */
	char user[DOMAIN_NAME_SIZE]; /* empty: the domain's default */
	bool is_autostart;
	bool is_notified;
	const char *file; /* owned by the policy */
	int line;
};

struct policy {
	struct policy_rule *rules;
	size_t rule_count;
	char **files;
	size_t file_count;
};

struct policy_reader {
	void *context;
	/* Whole file, NUL-terminated, freed by the caller. 0 or -errno. */
	int (*read_file)(void *context, const char *path, char **text);
	/* Names in a folder (any order), array and names freed by the caller. 0 or -errno. */
	int (*list_folder)(void *context, const char *path, char ***names, size_t *count);
};

struct policy_error {
	char file[256];
	int line;   /* 0: the file as a whole */
	int column; /* from 1; 0: the line as a whole */
	char text[200];
};

/*
 * Reads folder/ *.policy and what they include. 0; -EINVAL with *error filled: a file that cannot
 * be read or has a fault makes the whole policy unusable. After success policy_destroy().
 */
int policy_load(const struct policy_reader *reader, const char *folder, struct policy **out,
		struct policy_error *error);
void policy_destroy(struct policy *policy);

/* The reader of real files. */
extern const struct policy_reader policy_files;

enum token_place { PLACE_SOURCE, PLACE_TARGET, PLACE_REDIRECT, PLACE_CALL };

/* False when text is no token, or none that can stand in this place. */
bool token_parse(const char *text, enum token_place place, struct token *out);

/* As written in a policy: "@tag:x", "dom0" as "@adminvm". */
void token_format(const struct token *token, char text[DOMAIN_NAME_SIZE + 16]);

struct policy_call {
	const char *source;
	const char *target;   /* as asked for; "" is @default */
	const char *service;  /* without argument */
	const char *argument; /* with its '+' */
};

#define POLICY_CANDIDATES_MAX 256

struct policy_verdict {
	enum policy_action action;
	const struct policy_rule *rule;	    /* NULL: no rule matched, or the call is impossible */
	const char *reason;		    /* a sentence for people, static */
	char target[DOMAIN_NAME_SIZE + 16]; /* allow: name, "dom0" or "@dispvm:NAME" */
	char target_uuid[40];
	bool is_notified;
	/* ask: what the user may choose, like `target` */
	size_t candidate_count;
	char candidates[POLICY_CANDIDATES_MAX][DOMAIN_NAME_SIZE + 16];
	int default_candidate; /* index, or -1 */
};

void policy_evaluate(const struct policy *policy, const struct domain_list *domains,
		     const struct policy_call *call, struct policy_verdict *out);

/* What the rule lacks to match, or NULL when it matches: for `explain`. */
const char *policy_mismatch(const struct policy_rule *rule, const struct domain_list *domains,
			    const struct policy_call *call);
