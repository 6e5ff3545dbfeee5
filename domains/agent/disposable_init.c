/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first program of a disposable, in the place of a service manager: the two agents at once,
 * and nothing that showing one document does not need.
 *
 * The initrd's program mounts the root disk and becomes this (mullion.init=); app domains start
 * systemd there. The agents are started before anything that may take time; the session bus is
 * started when the first program connects to it. There is no login manager, no journal (what the
 * programs say goes to the console, which dom0 keeps) and no system bus. It ends when the agent
 * of calls has ended for good, or when it is asked to power off: the disk is thrown away, so
 * nothing needs to be stopped in order.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "domains/agent/disposable_setup.h"

#define RESTART_DELAY_US 200000
#define RESTARTS_MAX	 20 /* of each program: then it is broken */
#define BUS_FD		 3  /* sd_listen_fds(3) */

struct program {
	const char *name; /* in messages */
	char *const *command;
	bool is_users;
	bool is_kept; /* started again when it ends */
	int listener; /* -1, or the socket that it is started with */
	pid_t pid;
	int starts;
};

static char *const qrexec_command[] = {"/usr/lib/qubes/qrexec-agent", NULL};
static char *const display_command[] = {"/usr/bin/mullion-gui-agent", NULL};
static char *const bus_command[] = {
	"/usr/bin/dbus-daemon", "--session", "--address=systemd:", "--nofork", "--nopidfile", NULL};
static char *const swap_command[] = {"/bin/sh", "-c",
				     "mkswap /dev/xvdc >/dev/null && swapon /dev/xvdc", NULL};

enum { QREXEC, DISPLAY_AGENT, BUS, SWAP, PROGRAM_COUNT };

static struct program programs[PROGRAM_COUNT] = {
	[QREXEC] = {"qrexec-agent", qrexec_command, .is_kept = true, .listener = -1},
	[DISPLAY_AGENT] = {"mullion-gui-agent", display_command, true, true, .listener = -1},
	[BUS] = {"dbus-daemon", bus_command, true, true, .listener = -1},
	[SWAP] = {"swap", swap_command, .listener = -1},
};

static void become_user(const struct passwd *pw)
{
	if (initgroups(pw->pw_name, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid) ||
	    chdir(pw->pw_dir)) {
		fprintf(stderr, "disposable-init: becoming %s: %s\n", pw->pw_name, strerror(errno));
		_exit(1);
	}
	setenv("HOME", pw->pw_dir, 1);
	setenv("USER", pw->pw_name, 1);
	setenv("LOGNAME", pw->pw_name, 1);
	setenv("SHELL", pw->pw_shell, 1);
}

static _Noreturn void run_child(const struct program *p, const struct passwd *pw)
{
	char number[16];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (p->listener >= 0) {
		snprintf(number, sizeof(number), "%d", (int)getpid());
		setenv("LISTEN_PID", number, 1);
		setenv("LISTEN_FDS", "1", 1);
		/* dup2() of a descriptor to itself would leave it to be closed. */
		if (p->listener == BUS_FD ? fcntl(BUS_FD, F_SETFD, 0) < 0
					  : dup2(p->listener, BUS_FD) < 0) {
			_exit(1);
		}
	}
	if (p->is_users) {
		become_user(pw);
	}
	execv(p->command[0], p->command);
	fprintf(stderr, "disposable-init: %s: %s\n", p->command[0], strerror(errno));
	_exit(127);
}

static void start(struct program *p, const struct passwd *pw)
{
	p->starts++;
	p->pid = fork();
	if (p->pid == 0) {
		run_child(p, pw);
	}
	if (p->pid < 0) {
		fprintf(stderr, "disposable-init: starting %s: %s\n", p->name, strerror(errno));
	}
}

static _Noreturn void power_off(void)
{
	reboot(RB_POWER_OFF);
	_exit(1); /* the kernel panics, and mulliond destroys the machine */
}

/* A program of ours ended: again, unless it always does. Without calls there is no use. */
static void handle_end(struct program *p, const struct passwd *pw)
{
	p->pid = 0;
	if (!p->is_kept || p->listener >= 0) {
		return; /* the bus: when somebody connects again */
	}
	if (p->starts > RESTARTS_MAX) {
		fprintf(stderr, "disposable-init: %s ends again and again\n", p->name);
		if (p == &programs[QREXEC]) {
			power_off();
		}
		return;
	}
	usleep(RESTART_DELAY_US);
	start(p, pw);
}

static void reap(const struct passwd *pw)
{
	pid_t pid;
	int i;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (i = 0; i < PROGRAM_COUNT; i++) {
			if (programs[i].pid == pid) {
				handle_end(&programs[i], pw);
			}
		}
	}
}

static int open_bus(const struct passwd *pw)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), DISPOSABLE_RUN "/bus");
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    chown(address.sun_path, pw->pw_uid, pw->pw_gid) || listen(fd, 64)) {
		perror("disposable-init: session bus");
		return -1;
	}
	return fd;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGRTMIN + 4); /* systemd(1): power off */
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void set_environment(void)
{
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", 1);
	setenv("XDG_RUNTIME_DIR", DISPOSABLE_RUN, 1);
	setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=" DISPOSABLE_RUN "/bus", 1);
	setenv("XDG_SESSION_TYPE", "wayland", 1);
}

static _Noreturn void serve(int signals, const struct passwd *pw)
{
	struct signalfd_siginfo info;
	struct pollfd watched[2];

	for (;;) {
		watched[0] = (struct pollfd){.fd = signals, .events = POLLIN};
		watched[1] = (struct pollfd){
			.fd = programs[BUS].pid > 0 ? -1 : programs[BUS].listener,
			.events = POLLIN,
		};
		if (poll(watched, 2, -1) < 0 && errno != EINTR) {
			power_off();
		}
		while (read(signals, &info, sizeof(info)) == sizeof(info)) {
			if (info.ssi_signo != SIGCHLD) {
				power_off();
			}
		}
		reap(pw);
		if (watched[1].revents && programs[BUS].pid <= 0 &&
		    programs[BUS].starts <= RESTARTS_MAX) {
			start(&programs[BUS], pw);
		}
	}
}

int main(void)
{
	const struct passwd *pw;
	int signals;

	if (getpid() != 1) {
		fputs("disposable-init: the first program of a disposable, and of nothing else\n",
		      stderr);
		return 2;
	}
	signals = open_signals();
	pw = getpwnam("user");
	if (signals < 0 || !pw || disposable_setup(pw)) {
		fputs("disposable-init: this template is not one of Mullion's\n", stderr);
		power_off();
	}
	set_environment();
	/* The display first: the document needs it later, but it takes longer to be ready. */
	start(&programs[DISPLAY_AGENT], pw);
	start(&programs[QREXEC], pw);
	programs[BUS].listener = open_bus(pw);
	disposable_setup_later(pw);
	if (access("/dev/xvdc", F_OK) == 0) {
		start(&programs[SWAP], pw);
	}
	serve(signals, pw);
}
