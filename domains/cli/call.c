/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domains/cli/call.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET_FOLDER  "/run/qubes"
#define DAEMON_WAIT_MS 60000
#define DAEMON_STEP_MS 10
#define EXIT_USAGE     2
/* Of the name of a desktop file; as qubes.StartApp takes it. */
#define APP_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define OPEN_NAME_SIZE                                                             \
	256 /* of qubes.OpenInVM: the name, filled up with NULs, then the contents \
	     */

static int fail(const GError *error)
{
	g_printerr("mullion: %s\n", error->message);
	return EXIT_NOT_REACHED;
}

/* --- the domain --- */

/* The only domain that allows disposables; NULL with an error that names the choices. */
static char *find_base(struct client *client, GError **error)
{
	g_autoptr(GVariant) reply =
		client_call(client, "List", NULL, "asking for the domains", error);
	g_autoptr(GString) names = g_string_new(NULL);
	g_autoptr(GVariantIter) domains = NULL;
	unsigned int count = 0;
	GVariant *item;

	if (!reply) {
		return NULL;
	}
	g_variant_get(reply, "(aa{sv}a(ss))", &domains, NULL);
	while ((item = g_variant_iter_next_value(domains))) {
		gboolean may_spawn = FALSE, is_disposable = FALSE;
		const char *name = "";

		g_variant_lookup(item, "disposables-allowed", "b", &may_spawn);
		g_variant_lookup(item, "disposable", "b", &is_disposable);
		g_variant_lookup(item, "name", "&s", &name);
		if (may_spawn && !is_disposable) {
			g_string_append_printf(names, "%s%s", count++ ? ", " : "", name);
		}
		g_variant_unref(item);
	}
	if (count != 1) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			    count ? "a disposable of which domain? %s allow it: --from=NAME"
				  : "no domain allows disposables%s: mullion domain set NAME "
				    "disposable.allowed=true",
			    names->str);
		return NULL;
	}
	return g_string_free(g_steal_pointer(&names), FALSE);
}

static char *start_disposable(struct client *client, const char *base, GError **error)
{
	g_autofree char *only = base ? g_strdup(base) : find_base(client, error);
	g_autoptr(GVariant) reply = NULL;
	char *name;

	if (!only) {
		return NULL;
	}
	reply = client_call(client, "StartDisposable", g_variant_new("(s)", only),
			    "starting a disposable", error);
	if (!reply) {
		return NULL;
	}
	g_variant_get(reply, "(s)", &name);
	return name;
}

/* Until its qrexec daemon listens; calls then wait there for the agent. */
static bool wait_for_daemon(const char *name, GError **error)
{
	g_autofree char *path = g_strdup_printf("%s/qrexec.%s", SOCKET_FOLDER, name);
	int waited_ms;

	for (waited_ms = 0; g_access(path, W_OK); waited_ms += DAEMON_STEP_MS) {
		if (waited_ms >= DAEMON_WAIT_MS || errno == EACCES) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
				    "%s cannot be called: %s: %s (systemctl status "
				    "qrexec-daemon@%s)",
				    name, path, g_strerror(errno), name);
			return false;
		}
		g_usleep(DAEMON_STEP_MS * 1000);
	}
	return true;
}

/* The name of a running domain to call, or NULL. */
static char *prepare(struct client *client, const char *target, bool is_disposable, GError **error)
{
	g_autofree char *name = NULL;
	g_autoptr(GVariant) reply = NULL;

	if (is_disposable) {
		name = start_disposable(client, target, error);
		if (!name) {
			return NULL;
		}
	} else {
		name = g_strdup(target);
		reply = client_call(client, "Start", g_variant_new("(s)", name), "starting", error);
		if (!reply) {
			return NULL;
		}
	}
	return wait_for_daemon(name, error) ? g_steal_pointer(&name) : NULL;
}

/* --- run --- */

static int run_line(struct client *client, const char *target, bool is_disposable, const char *line)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = prepare(client, target, is_disposable, &error);

	if (!name) {
		return fail(error);
	}
	/* Control characters of a domain must not reach dom0's terminal. */
	if (isatty(STDOUT_FILENO)) {
		execlp("qrexec-client", "qrexec-client", "-t", "-T", "-d", name, line, NULL);
	} else {
		execlp("qrexec-client", "qrexec-client", "-d", name, line, NULL);
	}
	g_printerr("mullion: qrexec-client: %s\n", g_strerror(errno));
	return EXIT_NOT_REACHED;
}

int call_run(struct client *client, const char *target, bool is_disposable, char **command)
{
	g_autofree char *words = g_strjoinv(" ", command);
	g_autofree char *line = g_strconcat("DEFAULT:", words, NULL);

	return run_line(client, target, is_disposable, line);
}

int call_app(struct client *client, const char *target, bool is_disposable, const char *app)
{
	g_autofree char *line = g_strdup_printf("DEFAULT:QUBESRPC qubes.StartApp+%s dom0", app);

	if (!*app || *app == '.' || *app == '-' || strspn(app, APP_CHARACTERS) != strlen(app)) {
		g_printerr("mullion: '%s' cannot be the name of a program: it is that of its "
			   ".desktop file, without the ending\n",
			   app);
		return EXIT_USAGE;
	}
	return run_line(client, target, is_disposable, line);
}

/* --- open --- */

static bool open_file(const char *path, int *fd, GError **error)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd >= 0 && fstat(*fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		return true;
	}
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", path,
		    *fd < 0		   ? g_strerror(errno)
		    : !S_ISREG(st.st_mode) ? "this is not a file"
					   : "the file is empty");
	if (*fd >= 0) {
		close(*fd);
	}
	return false;
}

static bool send_all(int to, const char *bytes, size_t size)
{
	ssize_t n;

	for (; size; bytes += n, size -= (size_t)n) {
		n = write(to, bytes, size);
		if (n < 0) {
			return false;
		}
	}
	return true;
}

/* In a child: the name and the contents, then the end of the stream. */
static int send_file(int fd, const char *path, int to)
{
	g_autofree char *base = g_path_get_basename(path);
	char name[OPEN_NAME_SIZE] = "";
	static char buffer[65536];
	ssize_t n;

	g_strlcpy(name, base, sizeof(name));
	if (!send_all(to, name, sizeof(name))) {
		return 1;
	}
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		if (!send_all(to, buffer, (size_t)n)) {
			return 1;
		}
	}
	return n < 0;
}

/* Our own process becomes the call; a child feeds it. */
static int open_in(const char *name, int fd, const char *path)
{
	int pipe_fds[2];
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC)) {
		g_printerr("mullion: %s\n", g_strerror(errno));
		return EXIT_NOT_REACHED;
	}
	pid = fork();
	if (pid == 0) {
		close(pipe_fds[0]);
		signal(SIGPIPE, SIG_DFL);
		_exit(send_file(fd, path, pipe_fds[1]));
	}
	if (pid > 0) {
		int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);

		/* What comes back was made by the document: dom0 does not take it. */
		dup2(pipe_fds[0], STDIN_FILENO);
		dup2(nothing, STDOUT_FILENO);
		execlp("qrexec-client", "qrexec-client", "-T", "-d", name,
		       "DEFAULT:QUBESRPC qubes.OpenInVM dom0", NULL);
	}
	g_printerr("mullion: qrexec-client: %s\n", g_strerror(errno));
	return EXIT_NOT_REACHED;
}

int call_open(struct client *client, const char *target, bool is_disposable, const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = NULL;
	int fd;

	/* The file first: nothing is started for one that cannot be read. */
	if (!open_file(path, &fd, &error)) {
		return fail(error);
	}
	name = prepare(client, target, is_disposable, &error);
	return name ? open_in(name, fd, path) : fail(error);
}

/* --- update --- */

#define UPDATE_LINE                                                         \
	"root:export DEBIAN_FRONTEND=noninteractive; apt-get -q update && " \
	"apt-get -q -y -o Dpkg::Options::=--force-confold dist-upgrade && apt-get clean"

/* The exit status of its package manager. */
static int update_in(const char *name)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("qrexec-client", "qrexec-client", "-t", "-T", "-d", name, UPDATE_LINE, NULL);
		g_printerr("mullion: qrexec-client: %s\n", g_strerror(errno));
		_exit(EXIT_NOT_REACHED);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		return EXIT_NOT_REACHED;
	}
	return WEXITSTATUS(status);
}

static int stop(struct client *client, const char *name, bool is_forced, const char *what)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
		client_call(client, "Stop", g_variant_new("(sb)", name, is_forced), what, &error);

	return reply ? EXIT_SUCCESS : fail(error);
}

int call_update(struct client *client, const char *name)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *started = prepare(client, name, false, &error);
	int status;

	if (!started) {
		return fail(error);
	}
	status = update_in(name);
	if (status) {
		g_printerr(
			"mullion: %s was not updated, its package manager ended with %d (it "
			"needs a network: mullion domain set %s network=NAME); it is as before\n",
			name, status, name);
		(void)stop(client, name, true, "ending");
		return EXIT_FAILURE;
	}
	return stop(client, name, false, "stopping");
}
