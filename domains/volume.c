/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h> /* renameat() */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_PREFIX ".new-" /* being made: not there yet */
#define OLD_PREFIX ".old-" /* being removed: not there any more */
#define RUN_SUFFIX "-run.img"
#define PROBE_NAME ".reflink"

GQuark volume_error_quark(void)
{
	return g_quark_from_static_string("mullion-volume");
}

bool volume_is_disposable(const char *name)
{
	return g_str_has_prefix(name, "disp") && name[4] &&
	       strspn(name + 4, "0123456789") == strlen(name + 4);
}

/* --- the real system calls --- */

static int io_make_directory(void *context, int at, const char *path)
{
	return mkdirat(at, path, 0700) ? -errno : 0;
}

static int io_clone(void *context, int at, const char *from, const char *to)
{
	int source = openat(at, from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int target, rc;

	if (source < 0) {
		return -errno;
	}
	target = openat(at, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (target < 0) {
		rc = -errno;
		close(source);
		return rc;
	}
	rc = ioctl(target, FICLONE, source) ? -errno : 0;
	if (rc) {
		(void)unlinkat(at, to, 0);
	}
	close(target);
	close(source);
	return rc;
}

static int io_make_file(void *context, int at, const char *path, uint64_t size_bytes)
{
	int fd = openat(at, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc;

	if (fd < 0) {
		return -errno;
	}
	rc = ftruncate(fd, (off_t)size_bytes) ? -errno : 0;
	if (rc) {
		(void)unlinkat(at, path, 0);
	}
	close(fd);
	return rc;
}

static int io_resize(void *context, int at, const char *path, uint64_t size_bytes)
{
	int fd = openat(at, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc;

	if (fd < 0) {
		return -errno;
	}
	rc = ftruncate(fd, (off_t)size_bytes) || fsync(fd) ? -errno : 0;
	close(fd);
	return rc;
}

static int io_rename(void *context, int at, const char *from, const char *to)
{
	return renameat(at, from, at, to) ? -errno : 0;
}

static int io_unlink(void *context, int at, const char *path, bool is_directory)
{
	return unlinkat(at, path, is_directory ? AT_REMOVEDIR : 0) ? -errno : 0;
}

static int io_sync(void *context, int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc;

	if (fd < 0) {
		return -errno;
	}
	rc = fsync(fd) ? -errno : 0;
	close(fd);
	return rc;
}

static const struct volume_io real_io = {
	.make_directory = io_make_directory,
	.clone = io_clone,
	.make_file = io_make_file,
	.resize = io_resize,
	.rename = io_rename,
	.unlink = io_unlink,
	.sync = io_sync,
};

/* --- small steps --- */

static bool fail(struct volume_store *store, const char *path, int rc, GError **error)
{
	if (rc == -EOPNOTSUPP || rc == -ENOTTY || rc == -EXDEV) {
		g_set_error(error, VOLUME_ERROR, VOLUME_ERROR_NO_REFLINK,
			    "%s is on a file system that cannot share blocks between files: put "
			    "it on XFS or btrfs",
			    store->path);
	} else {
		g_set_error(error, VOLUME_ERROR, VOLUME_ERROR_IO, "%s/%s: %s", store->path, path,
			    g_strerror(-rc));
	}
	return false;
}

static bool exists(struct volume_store *store, const char *path)
{
	struct stat st;

	return fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_folder(struct volume_store *store, const char *path)
{
	struct stat st;

	return fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static char *image(const char *folder, const char *file)
{
	return g_strdup_printf("%s/%s", folder, file);
}

static bool make_directory(struct volume_store *store, const char *path, GError **error)
{
	int rc = store->io.make_directory(store->io.context, store->fd, path);

	return rc == 0 || fail(store, path, rc, error);
}

static bool clone_file(struct volume_store *store, const char *from, const char *to, GError **error)
{
	int rc = store->io.clone(store->io.context, store->fd, from, to);

	return rc == 0 || fail(store, rc == -ENOENT ? from : to, rc, error);
}

static bool make_file(struct volume_store *store, const char *path, uint64_t size, GError **error)
{
	int rc = store->io.make_file(store->io.context, store->fd, path, size);

	return rc == 0 || fail(store, path, rc, error);
}

static bool sync_path(struct volume_store *store, const char *path, GError **error)
{
	int rc = store->io.sync(store->io.context, store->fd, path);

	return rc == 0 || fail(store, path, rc, error);
}

/* The rename itself, then its folder, so that it survives a power cut. */
static bool move(struct volume_store *store, const char *from, const char *to, GError **error)
{
	int rc = store->io.rename(store->io.context, store->fd, from, to);

	return rc == 0 ? sync_path(store, ".", error) : fail(store, from, rc, error);
}

static bool discard(struct volume_store *store, const char *path, GError **error)
{
	int rc = store->io.unlink(store->io.context, store->fd, path, false);

	return rc == 0 || rc == -ENOENT || fail(store, path, rc, error);
}

/* A folder of ours has files only, one level deep. */
static bool discard_folder(struct volume_store *store, const char *folder, GError **error)
{
	int fd = openat(store->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool is_ok = true;
	int rc;

	if (!dir) {
		rc = -errno;
		if (fd >= 0) {
			close(fd);
		}
		return rc == -ENOENT || fail(store, folder, rc, error);
	}
	while (is_ok && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			g_autofree char *path = image(folder, entry->d_name);

			is_ok = discard(store, path, error);
		}
	}
	closedir(dir);
	if (!is_ok) {
		return false;
	}
	rc = store->io.unlink(store->io.context, store->fd, folder, true);
	return rc == 0 || rc == -ENOENT || fail(store, folder, rc, error);
}

/* --- whole volumes --- */

bool volume_store_open(struct volume_store *store, const char *path, const struct volume_io *io,
		       GError **error)
{
	struct volume_store opened = {.io = io ? *io : real_io};

	opened.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (opened.fd < 0) {
		g_set_error(error, VOLUME_ERROR, VOLUME_ERROR_IO,
			    "%s: %s; the folder of the domains' disks must exist", path,
			    g_strerror(errno));
		return false;
	}
	opened.path = g_strdup(path);
	/* Ask the file system now, not at the first start. */
	if (!discard(&opened, PROBE_NAME, error) || !discard(&opened, PROBE_NAME "2", error) ||
	    !make_file(&opened, PROBE_NAME, 4096, error) ||
	    !clone_file(&opened, PROBE_NAME, PROBE_NAME "2", error) ||
	    !discard(&opened, PROBE_NAME "2", error) || !discard(&opened, PROBE_NAME, error)) {
		(void)unlinkat(opened.fd, PROBE_NAME, 0);
		volume_store_close(&opened);
		return false;
	}
	*store = opened;
	return true;
}

void volume_store_close(struct volume_store *store)
{
	if (store->path) {
		close(store->fd);
		g_clear_pointer(&store->path, g_free);
	}
}

static bool refuse_existing(struct volume_store *store, const char *name, GError **error)
{
	if (!exists(store, name)) {
		return true;
	}
	g_set_error(error, VOLUME_ERROR, VOLUME_ERROR_EXISTS, "%s already has volumes", name);
	return false;
}

static bool require_existing(struct volume_store *store, const char *name, GError **error)
{
	if (exists(store, name)) {
		return true;
	}
	g_set_error(error, VOLUME_ERROR, VOLUME_ERROR_MISSING, "%s has no volumes in %s", name,
		    store->path);
	return false;
}

static bool require_stopped(struct volume_store *store, const char *name, GError **error)
{
	g_autofree char *run = image(name, "root" RUN_SUFFIX);

	if (!exists(store, run)) {
		return true;
	}
	g_set_error(error, VOLUME_ERROR, VOLUME_ERROR_BUSY, "%s is started: stop it first", name);
	return false;
}

/* Fills the folder under its temporary name; the caller renames it or sweeps it up. */
static bool fill_new(struct volume_store *store, const char *folder, uint64_t private_bytes,
		     const char *private_from, const char *root_from, GError **error)
{
	g_autofree char *private_image = image(folder, "private.img");
	g_autofree char *root_image = image(folder, "root.img");

	if (!discard_folder(store, folder, error) || !make_directory(store, folder, error)) {
		return false;
	}
	if (private_from ? !clone_file(store, private_from, private_image, error)
			 : !make_file(store, private_image, private_bytes, error)) {
		return false;
	}
	if (root_from && (!clone_file(store, root_from, root_image, error) ||
			  !sync_path(store, root_image, error))) {
		return false;
	}
	return sync_path(store, private_image, error) && sync_path(store, folder, error);
}

bool volume_create(struct volume_store *store, const char *name, uint64_t private_bytes,
		   const char *root_image, GError **error)
{
	g_autofree char *folder = g_strconcat(NEW_PREFIX, name, NULL);

	if (!refuse_existing(store, name, error)) {
		return false;
	}
	if (!fill_new(store, folder, private_bytes, NULL, root_image, error)) {
		(void)discard_folder(store, folder, NULL);
		return false;
	}
	return move(store, folder, name, error);
}

bool volume_clone(struct volume_store *store, const char *from, const char *to, GError **error)
{
	g_autofree char *folder = g_strconcat(NEW_PREFIX, to, NULL);
	g_autofree char *private_from = image(from, "private.img");
	g_autofree char *root_from = image(from, "root.img");

	if (!require_existing(store, from, error) || !require_stopped(store, from, error) ||
	    !refuse_existing(store, to, error)) {
		return false;
	}
	if (!fill_new(store, folder, 0, private_from, exists(store, root_from) ? root_from : NULL,
		      error)) {
		(void)discard_folder(store, folder, NULL);
		return false;
	}
	return move(store, folder, to, error);
}

bool volume_remove(struct volume_store *store, const char *name, GError **error)
{
	g_autofree char *folder = g_strconcat(OLD_PREFIX, name, NULL);

	if (!require_existing(store, name, error) || !require_stopped(store, name, error) ||
	    !discard_folder(store, folder, error)) {
		return false;
	}
	return move(store, name, folder, error) && discard_folder(store, folder, error);
}

bool volume_replace_root(struct volume_store *store, const char *name, const char *root_image,
			 GError **error)
{
	g_autofree char *root = image(name, "root.img");
	g_autofree char *fresh = image(name, "new" RUN_SUFFIX);

	if (!require_existing(store, name, error) || !require_stopped(store, name, error)) {
		return false;
	}
	if (!exists(store, root)) {
		g_set_error(error, VOLUME_ERROR, VOLUME_ERROR_MISSING,
			    "%s has no system of its own: only a template has", name);
		return false;
	}
	if (!discard(store, fresh, error)) {
		return false;
	}
	if (!clone_file(store, root_image, fresh, error) || !sync_path(store, fresh, error)) {
		(void)discard(store, fresh, NULL);
		return false;
	}
	return move(store, fresh, root, error) && sync_path(store, name, error);
}

bool volume_grow_private(struct volume_store *store, const char *name, uint64_t private_bytes,
			 GError **error)
{
	g_autofree char *path = image(name, "private.img");
	struct stat st;
	int rc;

	if (fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		return require_existing(store, name, error) && fail(store, path, -errno, error);
	}
	if ((uint64_t)st.st_size > private_bytes) {
		g_set_error(error, VOLUME_ERROR, VOLUME_ERROR_SIZE,
			    "the home of %s has %" G_GUINT64_FORMAT
			    " MiB already; it can only grow",
			    name, (guint64)st.st_size >> 20);
		return false;
	}
	rc = store->io.resize(store->io.context, store->fd, path, private_bytes);
	return rc == 0 || fail(store, path, rc, error);
}

static bool discard_run_images(struct volume_store *store, const char *name, GError **error)
{
	static const char *const files[] = {"volatile" RUN_SUFFIX, "private" RUN_SUFFIX,
					    "new" RUN_SUFFIX, "root" RUN_SUFFIX};
	size_t i;

	/* root-run.img goes last: while it is there the domain counts as started. */
	for (i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = image(name, files[i]);

		if (!discard(store, path, error)) {
			return false;
		}
	}
	return true;
}

static bool make_run_images(struct volume_store *store, const struct volume_start *start,
			    GError **error)
{
	const char *base = start->template_name ? start->template_name : start->name;
	g_autofree char *root = image(base, "root.img");
	g_autofree char *root_run = image(start->name, "root" RUN_SUFFIX);
	g_autofree char *volatile_run = image(start->name, "volatile" RUN_SUFFIX);

	if (!clone_file(store, root, root_run, error) ||
	    !make_file(store, volatile_run, start->volatile_bytes, error)) {
		return false;
	}
	if (start->home_of) {
		g_autofree char *home = image(start->home_of, "private.img");
		g_autofree char *home_run = image(start->name, "private" RUN_SUFFIX);

		return clone_file(store, home, home_run, error);
	}
	return true;
}

bool volume_begin(struct volume_store *store, const struct volume_start *start, GError **error)
{
	bool is_disposable = volume_is_disposable(start->name);

	if (is_disposable) {
		if (!refuse_existing(store, start->name, error) ||
		    !make_directory(store, start->name, error)) {
			return false;
		}
	} else if (!require_existing(store, start->name, error) ||
		   !require_stopped(store, start->name, error)) {
		return false;
	}
	if (!make_run_images(store, start, error)) {
		if (is_disposable) {
			(void)discard_folder(store, start->name, NULL);
		} else {
			(void)discard_run_images(store, start->name, NULL);
		}
		return false;
	}
	return true;
}

bool volume_end(struct volume_store *store, const char *name, bool is_commit, GError **error)
{
	g_autofree char *root = image(name, "root.img");
	g_autofree char *root_run = image(name, "root" RUN_SUFFIX);

	if (volume_is_disposable(name)) {
		return discard_folder(store, name, error);
	}
	if (is_commit && exists(store, root) && exists(store, root_run)) {
		if (!sync_path(store, root_run, error) || !move(store, root_run, root, error) ||
		    !sync_path(store, name, error)) {
			return false;
		}
	}
	return discard_run_images(store, name, error);
}

bool volume_recover(struct volume_store *store, bool (*is_running)(const char *name, void *context),
		    void *context, GError **error)
{
	int fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool is_ok = true;

	if (!dir) {
		int rc = -errno;

		if (fd >= 0) {
			close(fd);
		}
		return fail(store, ".", rc, error);
	}
	while (is_ok && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (!is_folder(store, name)) {
			continue;
		}
		if (g_str_has_prefix(name, NEW_PREFIX) || g_str_has_prefix(name, OLD_PREFIX)) {
			is_ok = discard_folder(store, name, error);
		} else if (name[0] == '.' || (is_running && is_running(name, context))) {
			continue;
		} else if (volume_is_disposable(name)) {
			is_ok = discard_folder(store, name, error);
		} else {
			is_ok = discard_run_images(store, name, error);
		}
	}
	closedir(dir);
	return is_ok;
}

/* The images of one domain. */
static void list_folder(struct volume_store *store, const char *name, volume_found_t found,
			void *context)
{
	int fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		if (g_str_has_suffix(entry->d_name, ".img") &&
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode)) {
			found(name, entry->d_name, (uint64_t)st.st_size,
			      (uint64_t)st.st_blocks * 512, context);
		}
	}
	if (dir) {
		closedir(dir);
	} else if (fd >= 0) {
		close(fd);
	}
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool volume_list(struct volume_store *store, volume_found_t found, void *context, GError **error)
{
	g_autoptr(GDir) dir = g_dir_open(store->path, 0, error);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	const char *name;
	guint i;

	if (!dir) {
		return false;
	}
	while ((name = g_dir_read_name(dir))) {
		if (name[0] != '.' && is_folder(store, name)) {
			g_ptr_array_add(names, g_strdup(name));
		}
	}
	g_ptr_array_sort(names, compare_names);
	for (i = 0; i < names->len; i++) {
		list_folder(store, g_ptr_array_index(names, i), found, context);
	}
	return true;
}
