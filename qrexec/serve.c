/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qrexec/serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qrexec/io.h"

libvchan_t *serve_connect(const struct qrexec_exec *exec)
{
	libvchan_t *vchan = call_connect((int)exec->domain, (int)exec->port, -1);

	if (!vchan) {
		fprintf(stderr, "qrexec: caller in domain %u is gone: %s\n", exec->domain,
			strerror(errno));
	}
	return vchan;
}

/* The display of mullion-gui-agent, for the user that this process is by now. */
static bool has_display(void)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/run/user/%u/wayland-0", (unsigned int)getuid());
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* A graphical program is started when the user's session is there; mostly it is, and then no
 * program is needed to find that out. */
static void wait_for_session(const struct command *command)
{
	struct command wait = {0};
	struct service_config none = {0};
	struct call_io io = {0};

	if (has_display() || command_parse("QUBESRPC qubes.WaitForSession dom0", false, &wait)) {
		return;
	}
	if (!service_start(&wait, &none, SHELL_SYSTEM, &io) && io.pid > 0) {
		(void)!write(io.sink_fd, command->user, strlen(command->user));
		(void)!write(io.sink_fd, "\n", 1);
		close(io.sink_fd);
		waitpid(io.pid, NULL, 0);
		close(io.source_fd);
		close(io.error_fd);
	}
	command_fini(&wait);
}

int serve_call(enum qrexec_type type, libvchan_t *vchan, const struct command *command,
	       const struct service_config *config, enum service_shell shell)
{
	struct call_io io = {.vchan = vchan, .is_service = true};
	int rc;

	if (config->is_waiting_for_session && !command->is_nogui) {
		wait_for_session(command);
	}
	if (type == MSG_JUST_EXEC) {
		rc = service_start_alone(command, shell);
		call_fail(vchan, rc, rc ? "qrexec: cannot start the command\n" : "");
		return rc;
	}
	rc = service_start(command, config, shell, &io);
	if (rc) {
		call_fail(vchan, rc,
			  rc == QREXEC_EXIT_NOT_FOUND ? "qrexec: no such service in this domain\n"
						      : "qrexec: cannot start the service\n");
		return rc;
	}
	return call_run(&io);
}

_Noreturn void serve_refuse(libvchan_t *vchan, const char *why)
{
	call_fail(vchan, QREXEC_EXIT_PROBLEM, why);
	libvchan_close(vchan);
	_exit(QREXEC_EXIT_PROBLEM);
}
