/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-open [-d DOMAIN] FILE: open a file in another domain (a disposable unless said
 * otherwise), and bring it back when it was changed there.
 *
 * The same program is both ends. --send (the caller's): 256 bytes with the name, the contents;
 * then what comes back, if anything, takes the place of the file. --serve (qubes.OpenInVM): the
 * file goes into a folder of its own, is opened with the user's program, and is sent back when
 * its contents changed. Source of the format: the service of stock Qubes agents.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME_SIZE 256

/* 0, or -1 with errno. */
static int copy_bytes(int from, int to, size_t *total)
{
	static char buffer[256 * 1024];
	ssize_t n, m, done;

	*total = 0;
	for (;;) {
		n = read(from, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return (int)n;
		}
		for (done = 0; done < n; done += m) {
			m = write(to, buffer + done, (size_t)(n - done));
			if (m < 0) {
				return -1;
			}
		}
		*total += (size_t)n;
	}
}

static int fail(const char *what)
{
	fprintf(stderr, "mullion-open: %s: %s\n", what, strerror(errno));
	return 1;
}

static int send_file(const char *path)
{
	char name[NAME_SIZE] = "", *copy = strdup(path), *temporary;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t size;
	int back;

	snprintf(name, sizeof(name), "%s", basename(copy));
	free(copy);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		return fail(path);
	}
	if (write(1, name, sizeof(name)) != sizeof(name) || copy_bytes(fd, 1, &size)) {
		return fail(path);
	}
	close(fd);
	close(1); /* the end of the contents */
	if (asprintf(&temporary, "%s.from-other-domain-XXXXXX", path) < 0) {
		return 1;
	}
	back = mkostemp(temporary, O_CLOEXEC);
	if (back < 0) {
		return fail(temporary);
	}
	if (copy_bytes(0, back, &size) || fchmod(back, st.st_mode & 0777) || fsync(back)) {
		unlink(temporary);
		return fail(path);
	}
	/* Nothing came back: it was only looked at. */
	if (!size ? unlink(temporary) : rename(temporary, path)) {
		return fail(path);
	}
	return 0;
}

/* A name for one file: letters, digits and a few signs; its ending decides the program. */
static void clean_name(char name[NAME_SIZE])
{
	char *p;

	name[NAME_SIZE - 1] = 0;
	for (p = name; *p; p++) {
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		      (*p >= '0' && *p <= '9') || strchr("._- ", *p))) {
			*p = '_';
		}
	}
	if (*name == '.' || *name == '-' || !*name) {
		*name = '_';
	}
}

static bool is_same_time(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int open_with_program(const char *path)
{
	const char *program = getenv("MULLION_OPENER");
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		/* Its output is not part of the file that goes back. */
		dup2(2, 1);
		close(0);
		open("/dev/null", O_RDONLY);
		program = program ? program : "/usr/lib/mullion/open-and-wait";
		execl(program, program, path, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status)
									       : 125;
}

static int serve(void)
{
	char name[NAME_SIZE], folder[] = "/tmp/opened-XXXXXX", path[PATH_MAX];
	struct stat before, after;
	size_t size, have = 0;
	ssize_t n;
	int fd, rc;

	while (have < sizeof(name) && (n = read(0, name + have, sizeof(name) - have)) > 0) {
		have += (size_t)n;
	}
	if (have < sizeof(name) || !mkdtemp(folder)) {
		return fail("no file came");
	}
	clean_name(name);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || copy_bytes(0, fd, &size) || fstat(fd, &before)) {
		return fail(name);
	}
	close(fd);
	rc = open_with_program(path);
	if (rc) {
		fprintf(stderr, "mullion-open: no program could open %s\n", name);
	}
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !fstat(fd, &after) && S_ISREG(after.st_mode) &&
	    !is_same_time(&before, &after)) {
		rc = copy_bytes(fd, 1, &size) ? 1 : rc;
	}
	unlink(path);
	rmdir(folder);
	return rc;
}

int main(int argc, char **argv)
{
	const char *target = "@dispvm", *socket = getenv("QREXEC_AGENT_SOCKET");
	char self[PATH_MAX], option[PATH_MAX + 20];
	ssize_t n;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && !strcmp(argv[1], "--serve")) {
		return serve();
	}
	if (argc == 3 && !strcmp(argv[1], "--send")) {
		return send_file(argv[2]);
	}
	if (argc == 4 && !strcmp(argv[1], "-d")) {
		target = argv[2];
		argv += 2;
		argc -= 2;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (argc != 2 || n <= 0) {
		fprintf(stderr, "usage: mullion-open [-d DOMAIN] FILE\n");
		return 2;
	}
	self[n] = 0;
	snprintf(option, sizeof(option), "--agent-socket=%s",
		 socket ? socket : "/run/qubes/qrexec-agent");
	execlp("qrexec-client-vm", "qrexec-client-vm", option, target, "qubes.OpenInVM", self,
	       "--send", argv[1], (char *)NULL);
	perror("mullion-open: qrexec-client-vm");
	return 125;
}
