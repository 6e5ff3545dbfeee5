/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the policy process says to the window: text to struct. Pure, no GTK.
 *
 * The format is described in policy_daemon.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ASK_NAME_SIZE	   256
#define ASK_CANDIDATES_MAX 256

enum ask_kind { ASK_QUESTION, ASK_CANCEL, ASK_NOTICE };

struct ask_candidate {
	char name[ASK_NAME_SIZE];
	char label[32]; /* a colour name */
};

struct ask_message {
	enum ask_kind kind;
	unsigned int number; /* QUESTION, CANCEL */
	bool is_allowed;     /* NOTICE */
	char source[ASK_NAME_SIZE], source_label[32];
	char service[ASK_NAME_SIZE], argument[ASK_NAME_SIZE];
	char target[ASK_NAME_SIZE];
	char reason[640]; /* NOTICE */
	size_t candidate_count;
	struct ask_candidate candidates[ASK_CANDIDATES_MAX];
	int default_candidate; /* index, or -1 */
};

/* text: lines, without the empty one at the end; changed in place. False when it is no message. */
bool ask_message_parse(char *text, struct ask_message *out);
