/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of a domain as entries of dom0's menu.
 *
 * A domain answers the service qubes.GetAppmenus with lines FILE.desktop:KEY=VALUE, where FILE is
 * a path or a name. Every byte of it is hostile. entry_parse_list() turns it into a bounded list of
 * sanitised entries; entry_format() writes one as a desktop file of dom0, whose command is
 * always ours: `mullion run --app ID DOMAIN`. Nothing of the guest's Exec, Icon path, actions or
 * translations reaches dom0.
 *
 * Pure: no files, no global state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ENTRY_LIST_MAX	512    /* entries of one domain */
#define ENTRY_ID_MAX	96     /* bytes, without .desktop */
#define ENTRY_TEXT_MAX	128    /* bytes of a name or comment */
#define ENTRY_INPUT_MAX 524288 /* bytes of one answer */

/* The menu's main categories that we pass on; freedesktop.org Desktop Menu Specification, A. */
enum entry_category {
	CATEGORY_AUDIO_VIDEO,
	CATEGORY_DEVELOPMENT,
	CATEGORY_EDUCATION,
	CATEGORY_GAME,
	CATEGORY_GRAPHICS,
	CATEGORY_NETWORK,
	CATEGORY_OFFICE,
	CATEGORY_SCIENCE,
	CATEGORY_SETTINGS,
	CATEGORY_SYSTEM,
	CATEGORY_UTILITY,
	CATEGORY_COUNT
};

struct entry {
	char id[ENTRY_ID_MAX + 1]; /* [A-Za-z0-9._-], no leading dot or dash */
	char name[ENTRY_TEXT_MAX +
		  1]; /* UTF-8 without control, bidirectional or separator characters */
	char comment[ENTRY_TEXT_MAX + 1];
	char icon[ENTRY_ID_MAX + 1]; /* its name in the domain's icon theme, as an id; or empty */
	unsigned int categories;     /* a bit for each enum entry_category */
	bool is_hidden;		     /* NoDisplay or Hidden */
};

struct entry_list {
	struct entry *entries; /* sorted by id; free with entry_list_clear() */
	size_t count;
	size_t refused_count; /* lines that broke a rule, for the log */
	bool is_truncated;    /* more than a limit allows: the rest was left out */
};

/* Always succeeds: what breaks a rule is left out and counted. */
void entry_parse_list(const char *text, size_t size_bytes, struct entry_list *out);
void entry_list_clear(struct entry_list *list);

/* What entry_parse_list() could have made: for whoever got it from a process that read a guest. */
bool entry_is_valid(const struct entry *e);

/*
 * The desktop file for dom0: shown as "DOMAIN: Name". domain passed config_is_name(); icon is the
 * name of dom0's own tinted icon. Free with g_free().
 */
char *entry_format(const struct entry *e, const char *domain, const char *icon);

/*
 * Makes at most capacity-1 bytes of valid UTF-8 that a person can be shown: control characters,
 * line and paragraph separators, bidirectional overrides, private-use and unassigned
 * characters become a space; runs of spaces become one; ends are trimmed.
 */
void entry_sanitise_text(const char *from, size_t size_bytes, char *to, size_t capacity);
