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
#include <sys/wait.h>
#include <unistd.h>

#include <security/pam_appl.h>

#include "qrexec/io.h"
#include "qrexec/service.h"

#define SOCKET_BUFFER 65536

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

/* A graphical program is started when the user's session is there. */
static void wait_for_session(const struct command *command)
{
	struct command wait = {0};
	struct service_config none = {0};
	struct call_io io = {0};

	if (command_parse("QUBESRPC qubes.WaitForSession dom0", false, &wait)) {
		return;
	}
	if (!service_start(&wait, &none, false, &io) && io.pid > 0) {
		(void)!write(io.sink_fd, command->user, strlen(command->user));
		(void)!write(io.sink_fd, "\n", 1);
		close(io.sink_fd);
		waitpid(io.pid, NULL, 0);
		close(io.source_fd);
		close(io.error_fd);
	}
	command_fini(&wait);
}

/* The part that is the user. Returns the exit code of the call. */
static int serve(enum qrexec_type type, libvchan_t *vchan, const struct command *command,
		 const struct service_config *config, bool is_root)
{
	struct call_io io = {.vchan = vchan, .is_service = true};
	int rc;

	if (config->is_waiting_for_session && !command->is_nogui) {
		wait_for_session(command);
	}
	if (type == MSG_JUST_EXEC) {
		rc = service_start_alone(command, is_root);
		call_fail(vchan, rc, rc ? "qrexec: cannot start the command\n" : "");
		return rc;
	}
	rc = service_start(command, config, is_root, &io);
	if (rc) {
		call_fail(vchan, rc,
			  rc == QREXEC_EXIT_NOT_FOUND ? "qrexec: no such service in this domain\n"
						      : "qrexec: cannot start the service\n");
		return rc;
	}
	return call_run(&io);
}

static _Noreturn void end_with(libvchan_t *vchan, int exit_code)
{
	libvchan_close(vchan);
	_exit(exit_code);
}

_Noreturn void session_main(enum qrexec_type type, const struct qrexec_exec *exec)
{
	bool is_root = geteuid() == 0 && !getenv("QREXEC_NO_ROOT");
	struct command command = {0};
	struct service_config config = {0};
	const struct passwd *pw = NULL;
	struct pam pam = {0};
	libvchan_t *vchan;
	int status = 0;
	pid_t pid;

	/* First the connection: to the device files and xenstore only root has access. */
	vchan = call_connect((int)exec->domain, (int)exec->port, -1);
	if (!vchan) {
		fprintf(stderr, "qrexec: caller in domain %u is gone: %s\n", exec->domain,
			strerror(errno));
		_exit(QREXEC_EXIT_PROBLEM);
	}
	if (command_parse(exec->command, true, &command) ||
	    service_config_load(&command, &config)) {
		call_fail(vchan, QREXEC_EXIT_PROBLEM, "qrexec: not a command\n");
		end_with(vchan, QREXEC_EXIT_PROBLEM);
	}
	if (*config.force_user) {
		strcpy(command.user, config.force_user);
	}
	if (!is_root) {
		end_with(vchan, serve(type, vchan, &command, &config, false));
	}
	pw = getpwnam(command.user);
	if (!pw || !open_pam(&pam, command.user)) {
		call_fail(vchan, QREXEC_EXIT_PROBLEM,
			  "qrexec: no such user, or no session for it\n");
		end_with(vchan, QREXEC_EXIT_PROBLEM);
	}
	pid = fork();
	if (pid == 0) {
		if (!become(pw, &pam)) {
			call_fail(vchan, QREXEC_EXIT_PROBLEM, "qrexec: cannot become the user\n");
			end_with(vchan, QREXEC_EXIT_PROBLEM);
		}
		end_with(vchan, serve(type, vchan, &command, &config, true));
	}
	/* This process keeps the session open, and touches the vchan no more. */
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	close_pam(&pam);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : QREXEC_EXIT_PROBLEM);
}
