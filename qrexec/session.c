/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/session.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <security/pam_appl.h>

#include "qrexec/fork_client.h"
#include "qrexec/io.h"
#include "qrexec/serve.h"

/* Loaded only here, so that the agent itself stays small. */
struct pam {
	pam_handle_t *handle;
	int (*start)(const char *, const char *, const struct pam_conv *, pam_handle_t **);
	int (*account)(pam_handle_t *, int);
	int (*credentials)(pam_handle_t *, int);
	int (*open)(pam_handle_t *, int);
	int (*close)(pam_handle_t *, int);
	int (*end)(pam_handle_t *, int);
	char **(*environment)(pam_handle_t *);
};

static bool load_pam(struct pam *p)
{
	void *library = dlopen("libpam.so.0", RTLD_NOW);

	if (!library) {
		fprintf(stderr, "qrexec: %s\n", dlerror());
		return false;
	}
	*(void **)&p->start = dlsym(library, "pam_start");
	*(void **)&p->account = dlsym(library, "pam_acct_mgmt");
	*(void **)&p->credentials = dlsym(library, "pam_setcred");
	*(void **)&p->open = dlsym(library, "pam_open_session");
	*(void **)&p->close = dlsym(library, "pam_close_session");
	*(void **)&p->end = dlsym(library, "pam_end");
	*(void **)&p->environment = dlsym(library, "pam_getenvlist");
	return p->start && p->account && p->credentials && p->open && p->close && p->end &&
	       p->environment;
}

/* Nobody is there to answer questions. */
static int no_conversation(int count, const struct pam_message **messages,
			   struct pam_response **responses, void *data)
{
	return PAM_CONV_ERR;
}

static bool open_pam(struct pam *p, const char *user)
{
	static const struct pam_conv conversation = {.conv = no_conversation};
	int rc;

	if (!load_pam(p)) {
		return false;
	}
	rc = p->start("qrexec", user, &conversation, &p->handle);
	if (rc == PAM_SUCCESS) {
		rc = p->account(p->handle, PAM_SILENT);
	}
	if (rc == PAM_SUCCESS) {
		rc = p->credentials(p->handle, PAM_ESTABLISH_CRED | PAM_SILENT);
	}
	if (rc == PAM_SUCCESS) {
		rc = p->open(p->handle, PAM_SILENT);
	}
	if (rc != PAM_SUCCESS) {
		fprintf(stderr, "qrexec: no session for %s (PAM error %d)\n", user, rc);
		return false;
	}
	return true;
}

static void close_pam(struct pam *p)
{
	p->close(p->handle, PAM_SILENT);
	p->credentials(p->handle, PAM_DELETE_CRED | PAM_SILENT);
	p->end(p->handle, PAM_SUCCESS);
}

static bool become(const struct passwd *pw, struct pam *pam)
{
	char **variables = pam->handle ? pam->environment(pam->handle) : NULL;

	if (initgroups(pw->pw_name, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid)) {
		perror("qrexec: setuid");
		return false;
	}
	for (; variables && *variables; variables++) {
		putenv(*variables);
	}
	setenv("HOME", pw->pw_dir, 1);
	setenv("USER", pw->pw_name, 1);
	setenv("LOGNAME", pw->pw_name, 1);
	setenv("SHELL", *pw->pw_shell ? pw->pw_shell : "/bin/sh", 1);
	if (chdir(pw->pw_dir)) {
		(void)!chdir("/");
	}
	return true;
}

static _Noreturn void end_with(libvchan_t *vchan, int exit_code)
{
	libvchan_close(vchan);
	_exit(exit_code);
}

/* A user who is logged in has a program there that runs the call. Then this process waits for it.
 */
static void try_fork_server(const char *fork_server, enum qrexec_type type,
			    const struct qrexec_exec *exec, const struct command *command,
			    const struct service_config *config)
{
	const char *text = strchr(exec->command, ':') + 1; /* there is one: it has been parsed */
	struct qrexec_fork call = {.type = type, .exec = *exec};
	char byte;
	int fd;

	if (!fork_server || !fork_server_may_serve(command, config)) {
		return;
	}
	call.exec.command = text;
	call.exec.command_size = (uint32_t)strlen(text) + 1;
	fd = fork_server_pass(fork_server, command->user, &call);
	if (fd < 0) {
		return;
	}
	while (recv(fd, &byte, 1, 0) > 0 || errno == EINTR) {
	}
	_exit(0);
}

_Noreturn void session_main(enum qrexec_type type, const struct qrexec_exec *exec,
			    const char *fork_server)
{
	bool is_root = geteuid() == 0 && !getenv("QREXEC_NO_ROOT");
	struct command command = {0};
	struct service_config config = {0};
	const struct passwd *pw = NULL;
	struct pam pam = {0};
	libvchan_t *vchan;
	int status = 0;
	bool is_command = !command_parse(exec->command, true, &command) &&
			  !service_config_load(&command, &config);
	pid_t pid;

	if (is_command && *config.force_user) {
		strcpy(command.user, config.force_user);
	}
	if (is_command) {
		try_fork_server(fork_server, type, exec, &command, &config);
	}
	/* Before becoming the user: to the device files and xenstore only root need have access. */
	vchan = serve_connect(exec);
	if (!vchan) {
		_exit(QREXEC_EXIT_PROBLEM);
	}
	if (!is_command) {
		serve_refuse(vchan, "qrexec: not a command\n");
	}
	if (!is_root) {
		end_with(vchan, serve_call(type, vchan, &command, &config, SHELL_SYSTEM));
	}
	pw = getpwnam(command.user);
	if (!pw || !open_pam(&pam, command.user)) {
		serve_refuse(vchan, "qrexec: no such user, or no session for it\n");
	}
	pid = fork();
	if (pid == 0) {
		if (!become(pw, &pam)) {
			serve_refuse(vchan, "qrexec: cannot become the user\n");
		}
		end_with(vchan, serve_call(type, vchan, &command, &config, SHELL_LOGIN));
	}
	/* This process keeps the session open, and touches the vchan no more. */
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	close_pam(&pam);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : QREXEC_EXIT_PROBLEM);
}
