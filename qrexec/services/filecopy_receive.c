/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qubes.Filecopy: puts what another domain sends into ~/QubesIncoming/<that domain>.
 *
 * Nothing that exists is ever replaced. A file appears under its name when it is complete, and
 * not before: it is written without a name and linked at the end. Entries are created relative to
 * the descriptor of the folder just made, one component at a time, so there is no path to trick.
 * Landlock leaves this process the one folder, seccomp the few calls for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wire.h"
#include "common/sandbox.h"
#include "qrexec/services/copy_stream.h"

struct receiver {
	int folders[COPY_DEPTH_MAX + 1]; /* [0] is the incoming folder */
	int depth;
	int file; /* being written, or -1 */
	bool has_temporary_name;
	char temporary[64]; /* where files without name do not exist */
	char name[256];
	struct timespec times[2];
	uint32_t mode;
};

static void set_times(const struct copy_entry *e, struct timespec times[2])
{
	times[0] = (struct timespec){.tv_sec = e->atime, .tv_nsec = e->atime_ns};
	times[1] = (struct timespec){.tv_sec = e->mtime, .tv_nsec = e->mtime_ns};
}

static int open_folder(void *context, const struct copy_entry *entry)
{
	struct receiver *r = context;
	int parent = r->folders[r->depth];
	int fd;

	/* Ours alone until everything is in it. */
	if (mkdirat(parent, entry->name, 0700)) {
		return -errno;
	}
	fd = openat(parent, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	r->folders[++r->depth] = fd;
	return 0;
}

static int close_folder(void *context, const struct copy_entry *entry)
{
	struct receiver *r = context;
	int fd = r->folders[r->depth--];
	struct timespec times[2];
	int rc = 0;

	set_times(entry, times);
	/* The user can always look into it and remove it. */
	if (fchmod(fd, entry->mode | 0700) || futimens(fd, times)) {
		rc = -errno;
	}
	close(fd);
	return rc;
}

static int open_file(void *context, const struct copy_entry *entry)
{
	struct receiver *r = context;
	int parent = r->folders[r->depth];

	snprintf(r->name, sizeof(r->name), "%s", entry->name);
	r->mode = entry->mode | 0600;
	set_times(entry, r->times);
	r->has_temporary_name = false;
	/* Better now than after a gigabyte. */
	if (!faccessat(parent, r->name, F_OK, AT_SYMLINK_NOFOLLOW)) {
		return -EEXIST;
	}
	r->file = openat(parent, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (r->file < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		snprintf(r->temporary, sizeof(r->temporary), ".incoming-%d", (int)getpid());
		r->file =
			openat(parent, r->temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		r->has_temporary_name = r->file >= 0;
	}
	if (r->file < 0) {
		return -errno;
	}
	/* The room first: a full disk is said at once. Not every file system can. */
	if (entry->size && fallocate(r->file, FALLOC_FL_KEEP_SIZE, 0, (off_t)entry->size) &&
	    errno != EOPNOTSUPP) {
		return -errno;
	}
	return 0;
}

static int file_data(void *context, const uint8_t *data, size_t size)
{
	struct receiver *r = context;
	ssize_t n;

	while (size) {
		n = write(r->file, data, size);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n ? -errno : -EIO;
		}
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static void drop_file(struct receiver *r)
{
	if (r->file < 0) {
		return;
	}
	close(r->file);
	r->file = -1;
	if (r->has_temporary_name) {
		unlinkat(r->folders[r->depth], r->temporary, 0);
	}
}

static int close_file(void *context)
{
	struct receiver *r = context;
	int parent = r->folders[r->depth];
	char path[32];
	int rc = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->file);
	if (fchmod(r->file, r->mode) || futimens(r->file, r->times)) {
		rc = -errno;
	} else if (r->has_temporary_name
			   ? linkat(parent, r->temporary, parent, r->name, 0)
			   : linkat(AT_FDCWD, path, parent, r->name, AT_SYMLINK_FOLLOW)) {
		rc = -errno; /* EEXIST, when somebody was faster */
	}
	drop_file(r);
	return rc;
}

static int make_link(void *context, const struct copy_entry *entry, const char *target)
{
	struct receiver *r = context;

	return symlinkat(target, r->folders[r->depth], entry->name) ? -errno : 0;
}

/* ~/QubesIncoming/NAME, made if needed. */
static int open_incoming(char *path, size_t capacity)
{
	const char *home = getenv("HOME"), *source = getenv("QREXEC_REMOTE_DOMAIN");
	char *slash;

	if (!home || !source || !*source || strchr(source, '/') || *source == '.') {
		errno = EINVAL;
		return -1;
	}
	if (snprintf(path, capacity, "%s/QubesIncoming/%s", home, source) >= (int)capacity) {
		errno = ENAMETOOLONG;
		return -1;
	}
	slash = strrchr(path, '/');
	*slash = 0;
	if (mkdir(path, 0700) && errno != EEXIST) {
		return -1;
	}
	*slash = '/';
	if (mkdir(path, 0700) && errno != EEXIST) {
		return -1;
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void send_result(const struct copy_reader *reader, int error)
{
	uint8_t bytes[20 + COPY_PATH_MAX];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));
	size_t size = strnlen(reader->path, COPY_PATH_MAX);

	wire_put_u32le(&out, (uint32_t)error);
	wire_put_u32le(&out, 0);
	wire_put_u64le(&out, reader->crc);
	wire_put_u32le(&out, (uint32_t)size);
	wire_put_bytes(&out, reader->path, size);
	(void)!write(1, bytes, out.size);
}

static int receive(struct copy_reader *reader)
{
	static uint8_t buffer[256 * 1024];
	ssize_t n;
	int rc;

	while (!copy_reader_is_done(reader)) {
		n = read(0, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n ? -errno : -EPIPE; /* the sender left in the middle */
		}
		rc = copy_reader_feed(reader, buffer, (size_t)n);
		if (rc) {
			return rc;
		}
	}
	return 0;
}

int main(void)
{
	static const struct copy_handlers handlers = {.open_folder = open_folder,
						      .close_folder = close_folder,
						      .open_file = open_file,
						      .file_data = file_data,
						      .close_file = close_file,
						      .link = make_link};
	static const char *const calls[] = {
		"mkdirat", "openat",	"linkat",    "symlinkat", "unlinkat", /* make the entries */
		"fchmod",  "utimensat", "fallocate", "faccessat", "faccessat2", NULL,
	};
	static struct copy_reader reader;
	static struct receiver r = {.file = -1};
	char path[4096];
	struct sandbox_path paths[] = {{path, true}, {"/proc/self/fd", false}, {0}};
	int rc;

	umask(0);
	r.folders[0] = open_incoming(path, sizeof(path));
	copy_reader_init(&reader, &handlers, &r);
	if (r.folders[0] < 0) {
		fprintf(stderr, "qubes.Filecopy: no folder for what comes: %s\n", strerror(errno));
		send_result(&reader, errno);
		return 1;
	}
	rc = sandbox_enter(calls, paths);
	if (!rc) {
		rc = receive(&reader);
	}
	drop_file(&r);
	send_result(&reader, -rc);
	if (rc) {
		fprintf(stderr, "qubes.Filecopy: %s: %s\n", reader.path, strerror(-rc));
	}
	return rc ? 1 : 0;
}
