/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disks of domains: plain files in one folder for each domain, copied by reflink.
 *
 *     STORE/NAME/root.img          a template's system, read-only while anything runs from it
 *     STORE/NAME/private.img       the home of a domain, kept
 *     STORE/NAME/root-run.img      this start's copy-on-write copy of the template's root.img
 *     STORE/NAME/private-run.img   a disposable's home
 *     STORE/NAME/volatile-run.img  swap and scratch of this start
 *
 * Everything named -run.img belongs to one start and is discarded at its end. What is made or
 * removed as a whole appears and disappears by one rename, so a crash or power cut at any
 * moment leaves every volume as before or after; volume_recover() sweeps up what remains.
 * A running domain's guest writes private.img itself: the guest's own journal keeps that whole.
 *
 * The store must be on XFS or btrfs (reflink); anything else is refused with a sentence.
 * Not thread-safe for one store; names must have passed config_is_name() or be a disposable's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VOLUME_ERROR (volume_error_quark())
enum volume_error {
	VOLUME_ERROR_EXISTS,
	VOLUME_ERROR_MISSING,
	VOLUME_ERROR_BUSY,	 /* it is started */
	VOLUME_ERROR_NO_REFLINK, /* the file system cannot share blocks between files */
	VOLUME_ERROR_SIZE,	 /* a home cannot shrink */
	VOLUME_ERROR_IO,	 /* the system refused; the message has the file and the reason */
};
GQuark volume_error_quark(void);

/*
 * The system calls that change something, each 0 or -errno, so that a test can stop the world
 * before any one of them. volume_store_open() uses the real ones.
 */
struct volume_io {
	int (*make_directory)(void *context, int at, const char *path);
	int (*clone)(void *context, int at, const char *from, const char *to);
	int (*make_file)(void *context, int at, const char *path, uint64_t size_bytes);
	int (*resize)(void *context, int at, const char *path, uint64_t size_bytes);
	int (*rename)(void *context, int at, const char *from, const char *to);
	int (*unlink)(void *context, int at, const char *path, bool is_directory);
	int (*sync)(void *context, int at, const char *path);
	void *context;
};

struct volume_store {
	int fd; /* the folder */
	char *path;
	struct volume_io io;
};

/* Opens an existing folder; tries a reflink once. io NULL: the real calls. */
bool volume_store_open(struct volume_store *store, const char *path, const struct volume_io *io,
		       GError **error);
void volume_store_close(struct volume_store *store);

/* A new domain's home of private_bytes (sparse). root_image: a template's system to take in, or
 * NULL. */
bool volume_create(struct volume_store *store, const char *name, uint64_t private_bytes,
		   const char *root_image, GError **error);
bool volume_clone(struct volume_store *store, const char *from, const char *to, GError **error);
bool volume_remove(struct volume_store *store, const char *name, GError **error);
/* A template's system becomes a copy of root_image; what runs from the old one keeps that. */
bool volume_replace_root(struct volume_store *store, const char *name, const char *root_image,
			 GError **error);
bool volume_grow_private(struct volume_store *store, const char *name, uint64_t private_bytes,
			 GError **error);

/* What one start needs. */
struct volume_start {
	const char *name;
	const char
		*template_name; /* NULL: a template itself, which runs on a copy of its own root */
	const char *home_of;	/* a disposable: whose home it gets a copy of; else NULL */
	uint64_t volatile_bytes;
};
/* All run images, or none of them. A disposable's folder is made, too. */
bool volume_begin(struct volume_store *store, const struct volume_start *start, GError **error);
/* Discards the run images (and a disposable's folder); commit: a template keeps its root. */
bool volume_end(struct volume_store *store, const char *name, bool is_commit, GError **error);

/* After a crash: removes what no running domain owns. is_running may be NULL: none runs. */
bool volume_recover(struct volume_store *store, bool (*is_running)(const char *name, void *context),
		    void *context, GError **error);

/* dispN, as the daemon names disposables. */
bool volume_is_disposable(const char *name);

/* All images of all domains, by domain: their size, and what the file system has for them. */
typedef void (*volume_found_t)(const char *domain, const char *file, uint64_t size_bytes,
			       uint64_t used_bytes, void *context);
bool volume_list(struct volume_store *store, volume_found_t found, void *context, GError **error);
