/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The description of one domain: a small key file, one for each domain, named NAME.domain.
 *
 *     [domain]
 *     kind=app                 app | template | service
 *     label=green              red orange yellow green gray blue purple black
 *     template=debian          of an app or a service; a template has none
 *     network=none             none, or the name of the domain that provides it
 *     disposables=none         whose disposables open its documents; none: its own, if allowed
 *     vcpus=2                  1 .. 32
 *     memory_mib=400           what it starts with, 64 .. 1048576
 *     memory_max_mib=2000      what it may grow to, >= memory_mib
 *     private_mib=2048         size of its home, 16 .. 67108864
 *     autostart=false
 *
 *     [disposable]             only where disposables may be made from it
 *     allowed=true
 *     limit=8                  at once, 1 .. 64
 *
 * A description is checked whole before any of it is used: unknown groups and keys, values out
 * of range and references to itself are refused with the file's name, the key and the reason.
 * No global state; any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define CONFIG_NAME_MAX 31    /* characters; Qubes and xenstore agree on short names */
#define CONFIG_FILE_MAX 65536 /* bytes */
#define CONFIG_SUFFIX	".domain"

enum config_kind { CONFIG_APP, CONFIG_TEMPLATE, CONFIG_SERVICE, CONFIG_KIND_COUNT };

enum config_label {
	LABEL_RED,
	LABEL_ORANGE,
	LABEL_YELLOW,
	LABEL_GREEN,
	LABEL_GRAY,
	LABEL_BLUE,
	LABEL_PURPLE,
	LABEL_BLACK,
	LABEL_COUNT
};

struct config {
	char name[CONFIG_NAME_MAX + 1];
	enum config_kind kind;
	enum config_label label;
	char template_name[CONFIG_NAME_MAX + 1]; /* empty: none */
	char network[CONFIG_NAME_MAX + 1];	 /* empty: none */
	char disposables[CONFIG_NAME_MAX + 1];	 /* empty: its own, if it may have any */
	uint32_t vcpu_count;
	uint64_t memory_mib, memory_max_mib;
	uint64_t private_mib;
	bool is_autostart;
	bool may_spawn_disposables;
	uint32_t disposable_limit;
};

#define CONFIG_ERROR (config_error_quark())
enum config_error {
	CONFIG_ERROR_NAME,	/* the name of the domain (or file) is not allowed */
	CONFIG_ERROR_SYNTAX,	/* not a key file, or too large */
	CONFIG_ERROR_KEY,	/* an unknown group or key */
	CONFIG_ERROR_VALUE,	/* a value that the key does not take */
	CONFIG_ERROR_CONFLICT,	/* two values that do not go together */
	CONFIG_ERROR_REFERENCE, /* a domain that does not exist, is of the wrong kind, or a loop */
};
GQuark config_error_quark(void);

/* a-z, then a-z 0-9 - _; not dom0, none, or a number-like disposable name dispN. */
bool config_is_name(const char *name);

/* Defaults for a new domain of this name and kind. */
void config_init(struct config *c, const char *name, enum config_kind kind);

/* text: size_bytes bytes that need no terminator. *out is written only on success. */
bool config_parse(const char *name, const char *text, size_t size_bytes, struct config *out,
		  GError **error);

/* The text of c, as config_parse() takes it. Free with g_free(). */
char *config_format(const struct config *c);

/* Sets one key from text, as `mullion domain set` does; c is unchanged on error. */
bool config_set(struct config *c, const char *key, const char *value, GError **error);

/*
 * Checks what one description says of others: the template exists and is one, the network
 * domain exists and its own chain of networks ends. find() returns NULL for an unknown name.
 */
typedef const struct config *(*config_find_t)(const char *name, void *context);
bool config_check_references(const struct config *c, config_find_t find, void *context,
			     GError **error);

/* DIR/NAME.domain: read and check; write through a temporary file, synced and renamed. */
bool config_load(const char *directory, const char *name, struct config *out, GError **error);
bool config_save(const char *directory, const struct config *c, GError **error);

const char *config_kind_name(enum config_kind kind);
const char *config_label_name(enum config_label label);
