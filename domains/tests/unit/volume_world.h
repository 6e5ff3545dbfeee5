/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store of volumes in a temporary folder, with plain copies in place of reflinks, in which any
 * system call can be made to fail.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "domains/volume.h"

/* Counts changes; from the one numbered stop_at on, nothing happens any more (stop_at 0: never). */
struct world {
	char *path;
	int calls, stop_at;
	bool is_single; /* only that one call fails */
	int error;	/* what a stopped call says */
	struct volume_store store;
};

static inline bool is_stopped(struct world *w)
{
	w->calls++;
	return w->stop_at != 0 && (w->is_single ? w->calls == w->stop_at : w->calls >= w->stop_at);
}

static inline int test_make_directory(void *context, int at, const char *path)
{
	struct world *w = context;

	if (is_stopped(w)) {
		return w->error;
	}
	return mkdirat(at, path, 0700) ? -errno : 0;
}

static inline int test_make_file(void *context, int at, const char *path, uint64_t size_bytes)
{
	struct world *w = context;
	int fd;

	if (is_stopped(w)) {
		return w->error;
	}
	fd = openat(at, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0) {
		return -errno;
	}
	EXPECT_EQ(ftruncate(fd, (off_t)size_bytes), 0);
	close(fd);
	return 0;
}

static inline int test_clone(void *context, int at, const char *from, const char *to)
{
	struct world *w = context;
	char buffer[4096];
	int source, target;
	ssize_t n;

	if (is_stopped(w)) {
		return w->error;
	}
	source = openat(at, from, O_RDONLY);
	if (source < 0) {
		return -errno;
	}
	target = openat(at, to, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (target < 0) {
		close(source);
		return -EEXIST;
	}
	while ((n = read(source, buffer, sizeof(buffer))) > 0) {
		EXPECT_EQ(write(target, buffer, (size_t)n), n);
	}
	close(target);
	close(source);
	return 0;
}

static inline int test_resize(void *context, int at, const char *path, uint64_t size_bytes)
{
	struct world *w = context;
	int fd;

	if (is_stopped(w)) {
		return w->error;
	}
	fd = openat(at, path, O_WRONLY);
	EXPECT(fd >= 0);
	EXPECT_EQ(ftruncate(fd, (off_t)size_bytes), 0);
	close(fd);
	return 0;
}

static inline int test_rename(void *context, int at, const char *from, const char *to)
{
	struct world *w = context;

	if (is_stopped(w)) {
		return w->error;
	}
	return renameat(at, from, at, to) ? -errno : 0;
}

static inline int test_unlink(void *context, int at, const char *path, bool is_directory)
{
	struct world *w = context;

	if (is_stopped(w)) {
		return w->error;
	}
	return unlinkat(at, path, is_directory ? AT_REMOVEDIR : 0) ? -errno : 0;
}

static inline int test_sync(void *context, int at, const char *path)
{
	struct world *w = context;

	return is_stopped(w) ? w->error : 0;
}

static inline void world_open(struct world *w)
{
	struct volume_io io = {test_make_directory, test_clone,	 test_make_file, test_resize,
			       test_rename,	    test_unlink, test_sync,	 w};

	*w = (struct world){.error = -EIO};
	w->path = g_dir_make_tmp("mullion-volume-XXXXXX", NULL);
	EXPECT(volume_store_open(&w->store, w->path, &io, NULL));
}

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static inline void world_close(struct world *w)
{
	volume_store_close(&w->store);
	nftw(w->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	g_free(w->path);
}

static inline bool has(struct world *w, const char *path)
{
	return faccessat(w->store.fd, path, F_OK, 0) == 0;
}
