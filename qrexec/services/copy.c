/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-copy FILE...  (also qvm-copy, qvm-copy-to-vm DOMAIN FILE...): copy to another domain.
 *
 * Starts qrexec-client-vm with itself as the program of the call; that second instance (--send)
 * writes the stream of copy_stream.h to its output and reads the result from its input. Progress
 * and errors go to stderr. Links are sent as links, never followed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/wire.h"
#include "qrexec/services/copy_stream.h"

static struct {
	uint32_t crc;
	uint64_t sent, total;
	bool is_terminal;
	time_t shown;
	bool is_broken; /* the other side stopped reading: its result says why */
} s;

static void show_progress(bool is_last)
{
	time_t now = time(NULL);

	if (!s.is_terminal || (now == s.shown && !is_last)) {
		return;
	}
	s.shown = now;
	fprintf(stderr, "\r%llu of %llu MB%s", (unsigned long long)(s.sent >> 20),
		(unsigned long long)(s.total >> 20), is_last ? "\n" : "");
}

static void put(const void *data, size_t size)
{
	const uint8_t *p = data;
	ssize_t n;

	s.crc = copy_crc(s.crc, p, size);
	while (size && !s.is_broken) {
		n = write(1, p, size);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			s.is_broken = true;
			return;
		}
		p += n;
		size -= (size_t)n;
	}
}

static void put_header(const char *path, const struct stat *st, uint64_t size)
{
	uint8_t bytes[COPY_HEADER_SIZE];
	struct wire_out out = wire_out_of(bytes, sizeof(bytes));

	wire_put_u32le(&out, path ? (uint32_t)strlen(path) + 1 : 0);
	wire_put_u32le(&out, path ? st->st_mode : 0);
	wire_put_u64le(&out, size);
	wire_put_u32le(&out, path ? (uint32_t)st->st_atim.tv_sec : 0);
	wire_put_u32le(&out, path ? (uint32_t)st->st_atim.tv_nsec : 0);
	wire_put_u32le(&out, path ? (uint32_t)st->st_mtim.tv_sec : 0);
	wire_put_u32le(&out, path ? (uint32_t)st->st_mtim.tv_nsec : 0);
	put(bytes, out.size);
	if (path) {
		put(path, strlen(path) + 1);
	}
}

static _Noreturn void fail(const char *path, const char *why)
{
	fprintf(stderr, "mullion-copy: %s: %s\n", path, why);
	exit(1);
}

/* A file that shrinks while it is sent would shift everything behind it. */
static void send_file(int parent, const char *name, const char *path)
{
	static uint8_t buffer[256 * 1024];
	struct stat st;
	uint64_t left;
	ssize_t n;
	int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st)) {
		fail(path, strerror(errno));
	}
	put_header(path, &st, (uint64_t)st.st_size);
	for (left = (uint64_t)st.st_size; left && !s.is_broken; left -= (uint64_t)n) {
		n = read(fd, buffer, left < sizeof(buffer) ? (size_t)left : sizeof(buffer));
		if (n <= 0) {
			fail(path, n ? strerror(errno) : "became shorter while it was copied");
		}
		put(buffer, (size_t)n);
		s.sent += (uint64_t)n;
		show_progress(false);
	}
	close(fd);
}

static void send_entry(int parent, const char *name, const char *path, bool is_counting);

static void send_folder(int parent, const char *name, const char *path, const struct stat *st,
			bool is_counting)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char *inner;

	if (!folder) {
		fail(path, strerror(errno));
	}
	if (!is_counting) {
		put_header(path, st, 0);
	}
	while ((entry = readdir(folder)) && !s.is_broken) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) {
			continue;
		}
		if (asprintf(&inner, "%s/%s", path, entry->d_name) < 0) {
			fail(path, "out of memory");
		}
		send_entry(fd, entry->d_name, inner, is_counting);
		free(inner);
	}
	closedir(folder);
	if (!is_counting) {
		put_header(path, st, 0);
	}
}

static void send_entry(int parent, const char *name, const char *path, bool is_counting)
{
	char target[COPY_TARGET_MAX + 1];
	struct stat st;
	ssize_t n;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW)) {
		fail(path, strerror(errno));
	}
	if (S_ISDIR(st.st_mode)) {
		send_folder(parent, name, path, &st, is_counting);
	} else if (S_ISREG(st.st_mode)) {
		if (is_counting) {
			s.total += (uint64_t)st.st_size;
		} else {
			send_file(parent, name, path);
		}
	} else if (S_ISLNK(st.st_mode)) {
		n = readlinkat(parent, name, target, sizeof(target));
		if (n <= 0 || n == sizeof(target)) {
			fail(path, "cannot read this link");
		}
		if (!is_counting) {
			put_header(path, &st, (uint64_t)n);
			put(target, (size_t)n);
		}
	} else if (is_counting) {
		fprintf(stderr, "mullion-copy: %s: not a file, folder or link: left out\n", path);
	}
}

static void send_argument(const char *argument, bool is_counting)
{
	char *copy = realpath(argument, NULL), *again = strdup(argument), *dir, *base;
	struct stat st;
	int parent;

	/* The last component as it was named, unless that is "." or the like. */
	base = basename(again);
	if (copy && (!strcmp(base, ".") || !strcmp(base, "..") || !strcmp(base, "/"))) {
		dir = copy;
		base = strrchr(copy, '/') + 1;
	} else {
		dir = strdup(argument);
	}
	parent = open(dir == copy ? dir : dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == copy && parent >= 0 && !fstat(parent, &st)) {
		send_folder(AT_FDCWD, copy, base, &st, is_counting);
	} else if (parent < 0) {
		fail(argument, strerror(errno));
	} else {
		send_entry(parent, base, base, is_counting);
	}
	close(parent);
	free(again);
	if (dir != copy) {
		free(dir);
	}
	free(copy);
}

static bool get_all(void *data, size_t size)
{
	uint8_t *p = data;
	ssize_t n;

	while (size) {
		n = read(0, p, size);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		p += n;
		size -= (size_t)n;
	}
	return true;
}

/* What the other side says is shown, so only as plain text. */
static void get_last_name(char *name, size_t capacity)
{
	uint8_t bytes[4];
	struct wire in = wire_of(bytes, sizeof(bytes));
	uint32_t size;
	size_t i;

	name[0] = 0;
	if (!get_all(bytes, sizeof(bytes))) {
		return;
	}
	size = wire_u32le(&in);
	if (size >= capacity || !get_all(name, size)) {
		name[0] = 0;
		return;
	}
	name[size] = 0;
	for (i = 0; i < size; i++) {
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f) {
			name[i] = '_';
		}
	}
}

static int get_result(void)
{
	uint8_t bytes[16];
	struct wire in = wire_of(bytes, sizeof(bytes));
	char name[COPY_PATH_MAX + 1];
	uint32_t error;
	uint64_t crc;

	if (!get_all(bytes, sizeof(bytes))) {
		fprintf(stderr, "mullion-copy: the other domain gave no result\n");
		return 1;
	}
	error = wire_u32le(&in);
	(void)wire_u32le(&in);
	crc = wire_u64le(&in);
	get_last_name(name, sizeof(name));
	if (error) {
		fprintf(stderr, "mullion-copy: in the other domain: %s: %s\n", name,
			error < 4096 ? strerror((int)error) : "unknown error");
		return 1;
	}
	if (crc != s.crc) {
		fprintf(stderr, "mullion-copy: what arrived is not what was sent\n");
		return 1;
	}
	return 0;
}

static int send_all(char **files)
{
	char **file;

	signal(SIGPIPE, SIG_IGN);
	s.is_terminal = isatty(2);
	for (file = files; *file; file++) {
		send_argument(*file, true);
	}
	for (file = files; *file; file++) {
		send_argument(*file, false);
	}
	put_header(NULL, NULL, 0);
	show_progress(true);
	return get_result();
}

static int usage(FILE *out, int code)
{
	fputs("usage: mullion-copy [-d DOMAIN] FILE...\n"
	      "       qvm-copy-to-vm DOMAIN FILE...\n"
	      "  -d, --domain DOMAIN  to this one; otherwise policy or the user decides\n"
	      "A FILE whose name begins with '-' is given as ./-NAME.\n",
	      out);
	return code;
}

int main(int argc, char **argv)
{
	const char *own = basename(argv[0]), *target = "@default";
	const char *socket = getenv("QREXEC_AGENT_SOCKET");
	char **call, option[PATH_MAX + 20], self[PATH_MAX];
	ssize_t n;
	int i = 0;

	if (argc > 2 && !strcmp(argv[1], "--send")) {
		return send_all(argv + 2);
	}
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		return usage(stdout, 0);
	}
	if (argc > 1 && !strcmp(own, "qvm-copy-to-vm")) {
		target = argv[1];
		argv++;
		argc--;
	} else if (argc > 2 && (!strcmp(argv[1], "-d") || !strcmp(argv[1], "--domain"))) {
		target = argv[2];
		argv += 2;
		argc -= 2;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	call = calloc((size_t)argc + 8, sizeof(*call));
	if (argc < 2 || n <= 0 || !call) {
		return usage(stderr, 2);
	}
	self[n] = 0;
	call[i++] = "qrexec-client-vm";
	if (socket) {
		snprintf(option, sizeof(option), "--agent-socket=%s", socket);
		call[i++] = option;
	}
	call[i++] = (char *)target;
	call[i++] = "qubes.Filecopy";
	call[i++] = self;
	call[i++] = "--send";
	memcpy(call + i, argv + 1, (size_t)(argc - 1) * sizeof(*call));
	execvp("qrexec-client-vm", call);
	perror("mullion-copy: qrexec-client-vm");
	return 125;
}
