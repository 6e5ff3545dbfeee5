/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All described domains of this machine: the descriptions in one folder, kept in memory.
 *
 * Every change is checked against all the others before it is written, and what refers to a
 * domain keeps it from being removed. A description that is broken on disk does not stop the
 * rest: it is listed with the reason, and cannot be started. Not thread-safe.
 */
#pragma once

#include "domains/config.h"

struct registry;

struct registry_broken {
	char *name;   /* as the file is called */
	char *reason; /* a sentence */
};

/* Loads directory/NAME.domain, all of them. NULL only when the folder cannot be read. */
struct registry *registry_open(const char *directory, GError **error);
void registry_close(struct registry *r);

/* NULL: no such domain, or it is broken. Valid until the next change. */
const struct config *registry_find(const struct registry *r, const char *name);
/* Sorted by name; index below registry_count(). */
size_t registry_count(const struct registry *r);
const struct config *registry_at(const struct registry *r, size_t index);
/* Descriptions that could not be used, count in *count. */
const struct registry_broken *registry_broken(const struct registry *r, size_t *count);

/* Adds a new domain, or changes one (also its kind, when nobody minds); written before it counts.
 */
bool registry_add(struct registry *r, const struct config *c, GError **error);
bool registry_change(struct registry *r, const struct config *c, GError **error);
/* Refused while another domain names it as its template or network. */
bool registry_remove(struct registry *r, const char *name, GError **error);

/*
 * The domains that must run before name does, outermost first (its chain of networks); names
 * belong to the registry. Free the array with g_free(); NULL-terminated.
 */
const char **registry_needs(const struct registry *r, const char *name);
