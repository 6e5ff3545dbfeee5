/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/service.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "qrexec/proto.h"

#define CONFIG_SIZE_MAX 4096

/* First existing "folder/service+argument" or "folder/service" of a list of folders. */
static bool find_file(const char *folders, const struct command *command, char path[PATH_MAX])
{
	const char *names[2] = {command->service, command->name};
	size_t length;
	struct stat st;
	int i;

	while (*folders) {
		length = strcspn(folders, ":");
		for (i = command->argument ? 0 : 1; i < 2; i++) {
			if (snprintf(path, PATH_MAX, "%.*s/%s", (int)length, folders, names[i]) <
				    PATH_MAX &&
			    !stat(path, &st)) {
				return true;
			}
		}
		folders += length;
		folders += *folders == ':';
	}
	return false;
}

static const char *from_environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

int service_config_load(const struct command *command, struct service_config *out)
{
	const char *folders = from_environment("QUBES_RPC_CONFIG_PATH", "/etc/qubes/rpc-config");
	char path[PATH_MAX], text[CONFIG_SIZE_MAX + 1];
	ssize_t size;
	int fd, line = 0;

	memset(out, 0, sizeof(*out));
	if (!command->is_service || !find_file(folders, command, path)) {
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (fd >= 0) {
		close(fd);
	}
	if (size < 0 || size > CONFIG_SIZE_MAX) {
		fprintf(stderr, "qrexec: %s: cannot be read, or larger than %d bytes\n", path,
			CONFIG_SIZE_MAX);
		return -EINVAL;
	}
	text[size] = 0;
	if (service_config_parse(text, out, &line)) {
		fprintf(stderr, "qrexec: %s:%d: not a setting\n", path, line);
		return -EINVAL;
	}
	return 0;
}

static void set_environment(const struct command *c)
{
	if (!c->is_service) {
		return;
	}
	setenv("QREXEC_REMOTE_DOMAIN", c->source, 1);
	setenv("QREXEC_SERVICE_FULL_NAME", c->service, 1);
	if (c->argument) {
		setenv("QREXEC_SERVICE_ARGUMENT", c->argument, 1);
	} else {
		unsetenv("QREXEC_SERVICE_ARGUMENT");
	}
	setenv("QREXEC_REQUESTED_TARGET_TYPE", c->target_type, 1);
	setenv(strcmp(c->target_type, "keyword") ? "QREXEC_REQUESTED_TARGET"
						 : "QREXEC_REQUESTED_TARGET_KEYWORD",
	       c->target, 1);
}

static _Noreturn void exec_program(const struct command *c, const char *path,
				   enum service_shell kind)
{
	const struct passwd *pw = kind == SHELL_SYSTEM ? NULL : getpwuid(getuid());
	const char *shell = pw && *pw->pw_shell ? pw->pw_shell : "/bin/sh";
	const char *base = strrchr(shell, '/');
	char name[64];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	set_environment(c);
	close_range(3, ~0u, 0); /* whatever a library opened without O_CLOEXEC */
	if (path && !access(path, X_OK)) {
		execl(path, path, c->argument, (char *)NULL);
	} else if (path) {
		execl("/bin/sh", "sh", path, c->argument, (char *)NULL);
	} else {
		/* A leading '-' makes it a login shell. */
		snprintf(name, sizeof(name), "%s%s", kind == SHELL_LOGIN ? "-" : "",
			 base ? base + 1 : shell);
		execl(shell, name, "-c", c->text, (char *)NULL);
	}
	fprintf(stderr, "qrexec: cannot run %s: %s\n", path ? path : shell, strerror(errno));
	_exit(errno == ENOENT ? QREXEC_EXIT_NOT_FOUND : QREXEC_EXIT_PROBLEM);
}

static int start_program(const struct command *c, const char *path, enum service_shell shell,
			 struct call_io *io)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
		perror("qrexec: pipe");
		return QREXEC_EXIT_PROBLEM;
	}
	pid = fork();
	if (pid < 0) {
		perror("qrexec: fork");
		return QREXEC_EXIT_PROBLEM;
	}
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		exec_program(c, path, shell);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	(void)fcntl(err[0], F_SETFL, O_NONBLOCK);
	io->sink_fd = in[1];
	io->source_fd = out[0];
	io->error_fd = err[0];
	io->pid = pid;
	return 0;
}

/* A service that is a socket gets "service+argument source\0" first, unless it has no use for it.
 */
static int connect_service(const struct command *c, const struct service_config *config,
			   const char *path, struct call_io *io)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char descriptor[QREXEC_SERVICE_SIZE_MAX + 3 * COMMAND_NAME_MAX];
	int fd, size;

	if (strlen(path) >= sizeof(address.sun_path)) {
		return QREXEC_EXIT_PROBLEM;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		fprintf(stderr, "qrexec: %s: %s\n", path, strerror(errno));
		if (fd >= 0) {
			close(fd);
		}
		return QREXEC_EXIT_PROBLEM;
	}
	if (!config->skip_descriptor) {
		size = snprintf(descriptor, sizeof(descriptor), "%s%s %s%s%s%s%s", c->service,
				c->argument ? "" : "+", c->source, *c->target_type ? " " : "",
				c->target_type, *c->target_type ? " " : "", c->target);
		if (size < 0 || (size_t)size >= sizeof(descriptor) ||
		    write(fd, descriptor, (size_t)size + 1) != size + 1) {
			close(fd);
			return QREXEC_EXIT_PROBLEM;
		}
	}
	io->sink_fd = io->source_fd = fd;
	io->error_fd = -1;
	io->pid = 0;
	return 0;
}

/* The file of a service, or NULL for a command. An exit code when it does not exist. */
static int find_service(const struct command *c, char path[PATH_MAX], const char **found)
{
	*found = NULL;
	if (!c->is_service) {
		return 0;
	}
	if (!find_file(from_environment("QREXEC_SERVICE_PATH",
					"/usr/local/etc/qubes-rpc:/etc/qubes-rpc"),
		       c, path)) {
		fprintf(stderr, "qrexec: service %s is not installed\n", c->service);
		return QREXEC_EXIT_NOT_FOUND;
	}
	*found = path;
	return 0;
}

int service_start(const struct command *command, const struct service_config *config,
		  enum service_shell shell, struct call_io *io)
{
	char path[PATH_MAX];
	const char *found;
	struct stat st;
	int rc = find_service(command, path, &found);

	if (rc) {
		return rc;
	}
	io->exit_on_client_eof = config->exit_on_client_eof;
	io->exit_on_service_eof = config->exit_on_service_eof;
	if (found && !stat(found, &st) && S_ISSOCK(st.st_mode)) {
		return connect_service(command, config, found, io);
	}
	return start_program(command, found, shell, io);
}

int service_start_alone(const struct command *command, enum service_shell shell)
{
	char path[PATH_MAX];
	const char *found;
	int rc = find_service(command, path, &found);
	pid_t pid;
	int null;

	if (rc) {
		return rc;
	}
	pid = fork();
	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		exec_program(command, found, shell);
	}
	return pid < 0 ? QREXEC_EXIT_PROBLEM : 0;
}
