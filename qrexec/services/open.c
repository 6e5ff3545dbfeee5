/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mullion-open [-d DOMAIN] FILE: open a file in another domain (a disposable unless said
 * otherwise), and bring it back when it was changed there. An address of the web instead of a file
 * is opened there, too. --desktop is for a click: a window says what went wrong.
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

#define NAME_SIZE   256
#define REASON_SIZE 512
/* open_and_wait.c: it has said itself that the template has none. */
#define EXIT_NO_PROGRAM 3
/* A disposable's root disk has this much room and some more. */
#define FILE_MAX_BYTES (256ll << 20)

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
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		return 125;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
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
	if (rc > 128) {
		fprintf(stderr,
			"the program that showed %s crashed (signal %d): try another one, or a "
			"new copy of the file\n",
			name, rc - 128);
	} else if (rc && rc != EXIT_NO_PROGRAM) {
		fprintf(stderr,
			"the program for %s ended with %d: the file may be damaged, or of "
			"another kind than its name says\n",
			name, rc);
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

/* Before a machine is started for it. 0, or 1 with a sentence that says what to do. */
static int check_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "mullion-open: %s cannot be read: %s\n", path, strerror(errno));
		return 1;
	}
	close(fd);
	if (!S_ISREG(st.st_mode)) {
		fprintf(stderr, "mullion-open: %s is not a file: open what is in it one by one\n",
			path);
		return 1;
	}
	if (st.st_size == 0) {
		fprintf(stderr, "mullion-open: %s is empty: get it once more from where it came\n",
			path);
		return 1;
	}
	if (st.st_size > FILE_MAX_BYTES) {
		fprintf(stderr,
			"mullion-open: %s has %lld MiB, at most %lld are opened: copy it to a domain "
			"of its own (mullion-copy) and open it there\n",
			path, (long long)st.st_size >> 20, FILE_MAX_BYTES >> 20);
		return 1;
	}
	return 0;
}

/* --- a click --- */

/* The last line that a call said, without what a terminal would obey: it may be another domain's.
 */
static void keep_reason(int fd, char *reason, size_t size)
{
	FILE *said = fdopen(fd, "r");
	char line[REASON_SIZE], *p;

	*reason = 0;
	while (said && fgets(line, sizeof(line), said)) {
		line[strcspn(line, "\n")] = 0;
		for (p = line; *p; p++) {
			if (*p < ' ' || *p > '~') {
				*p = '?';
			}
		}
		if (*line) {
			snprintf(reason, size, "%s", line);
		}
	}
	if (said) {
		fclose(said);
	}
}

static _Noreturn void show_reason(const char *what, const char *reason)
{
	const char *window = getenv("MULLION_MESSAGE_WINDOW");
	char text[2 * PATH_MAX];

	snprintf(text, sizeof(text), "%s was not opened.\n\n%s\n\nThe file here is as it was.",
		 what, *reason ? reason : "The call ended without a reason.");
	fprintf(stderr, "%s\n", text);
	if (window) {
		execlp(window, window, text, (char *)NULL);
	}
	execlp("foot", "foot", "--title=Not opened", "--window-size-chars=76x10", "sh", "-c",
	       "printf '%s\n\nEnter closes this window. ' \"$1\"; read -r line", "sh", text,
	       (char *)NULL);
	_exit(1);
}

static bool is_address(const char *what)
{
	return !strncmp(what, "http://", 7) || !strncmp(what, "https://", 8) ||
	       !strncmp(what, "mailto:", 7);
}

static void call_url(const char *target, const char *url)
{
	int ends[2];

	/* One short line: a pipe takes it before anybody reads. */
	if (strlen(url) >= PIPE_BUF || pipe(ends) || dprintf(ends[1], "%s\n", url) < 0 ||
	    dup2(ends[0], 0) < 0) {
		fprintf(stderr, "mullion-open: the address is too long\n");
		_exit(1);
	}
	close(ends[0]);
	close(ends[1]);
	execlp("qrexec-client-vm", "qrexec-client-vm", target, "qubes.OpenURL", (char *)NULL);
	perror("mullion-open: qrexec-client-vm");
	_exit(125);
}

/* 0, or the sentence is in a window that this process becomes. */
static int open_from_desktop(const char *self, const char *target, const char *what)
{
	char reason[REASON_SIZE];
	int ends[2], status;
	pid_t pid;

	if (pipe(ends) || (pid = fork()) < 0) {
		return fail("starting");
	}
	if (pid == 0) {
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		execl(self, self, "-d", target, what, (char *)NULL);
		_exit(125);
	}
	close(ends[1]);
	keep_reason(ends[0], reason, sizeof(reason));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status)) {
		show_reason(what, reason);
	}
	return 0;
}

static int usage(FILE *out, int code)
{
	fputs("usage: mullion-open [-d DOMAIN] [--desktop] FILE|ADDRESS\n"
	      "  -d DOMAIN  there; otherwise in a new disposable, if policy allows\n"
	      "  --desktop  what goes wrong is said in a window, too\n"
	      "A FILE whose name begins with '-' is given as ./-NAME.\n",
	      out);
	return code;
}

int main(int argc, char **argv)
{
	const char *target = "@dispvm", *socket = getenv("QREXEC_AGENT_SOCKET");
	char self[PATH_MAX], option[PATH_MAX + 20];
	bool is_click = false;
	ssize_t n;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && !strcmp(argv[1], "--serve")) {
		return serve();
	}
	if (argc == 3 && !strcmp(argv[1], "--send")) {
		return send_file(argv[2]);
	}
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		return usage(stdout, 0);
	}
	if (argc > 3 && !strcmp(argv[1], "-d")) {
		target = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc > 2 && !strcmp(argv[1], "--desktop")) {
		is_click = true;
		argv++;
		argc--;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (argc != 2 || n <= 0) {
		return usage(stderr, 2);
	}
	self[n] = 0;
	if (is_click) {
		return open_from_desktop(self, target, argv[1]);
	}
	if (is_address(argv[1])) {
		call_url(target, argv[1]);
	}
	if (check_file(argv[1])) {
		return 1;
	}
	snprintf(option, sizeof(option), "--agent-socket=%s",
		 socket ? socket : "/run/qubes/qrexec-agent");
	execlp("qrexec-client-vm", "qrexec-client-vm", option, target, "qubes.OpenInVM", self,
	       "--send", argv[1], (char *)NULL);
	perror("mullion-open: qrexec-client-vm");
	return 125;
}
