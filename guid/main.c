/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mullion-guid: the windows of one domain on this desktop. */
#include "guid/confine.h"
#include "guid/guid-application.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAME_LENGTH_MAX	  31
#define CRASHES_MAX	  5 /* in CRASH_SECONDS: then something is wrong for good */
#define CRASH_SECONDS	  60
#define RESTART_US	  200000
#define MEMORY_KEPT_BYTES (1024 * 1024)

static void usage(FILE *to)
{
	fputs("Usage: mullion-guid --domain=ID --name=NAME --label=LABEL [OPTION...]\n"
	      "Shows the windows of a domain, with its name and a frame in its colour.\n\n"
	      "  --domain=ID        of the domain that is shown\n"
	      "  --name=NAME        of the domain, as shown in titles\n"
	      "  --label=LABEL      red, orange, yellow, green, gray, blue, purple, black\n"
	      "  --utf8-titles      titles in other letters than ASCII\n"
	      "  --gpu              draw with OpenGL; without, the processor paints\n"
	      "  --windows=COUNT    how many windows the domain may have (1024)\n"
	      "  --memory=MIB       how much picture memory it may show (1024)\n",
	      to);
}

/* A whole decimal number in a range. */
static bool number_read(const char *option, const char *text, long lowest, long highest, long *out)
{
	char *end = NULL;

	errno = 0;
	*out = strtol(text, &end, 10);
	if (errno || end == text || *end || *out < lowest || *out > highest) {
		fprintf(stderr, "mullion-guid: --%s: \"%s\" is not a number from %ld to %ld\n",
			option, text, lowest, highest);
		return false;
	}
	return true;
}

/* The names that domains may have: a letter, then letters, digits, - and _. */
static bool name_ok(const char *name)
{
	size_t length = strlen(name);

	return length >= 1 && length <= NAME_LENGTH_MAX && g_ascii_isalpha(name[0]) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
		       length;
}

static bool option_read(struct guid_options *o, int c)
{
	long number;

	switch (c) {
	case 'd':
		if (!number_read("domain", optarg, 0, 32751, &number)) {
			return false;
		}
		o->domain = (int)number;
		return true;
	case 'n':
		if (!name_ok(optarg)) {
			fputs("mullion-guid: --name: not a name of a domain\n", stderr);
			return false;
		}
		o->name = optarg;
		return true;
	case 'l':
		o->label = label_find(optarg);
		if (!o->label) {
			fprintf(stderr, "mullion-guid: --label: there is no label \"%s\"\n",
				optarg);
		}
		return o->label != NULL;
	case 'u':
		o->is_utf8_allowed = TRUE;
		return true;
	case 'g':
		o->is_gpu_used = TRUE;
		return true;
	case 'w':
		if (!number_read("windows", optarg, 1, 65536, &number)) {
			return false;
		}
		o->window_count_max = (uint32_t)number;
		return true;
	case 'm':
		if (!number_read("memory", optarg, 1, 16384, &number)) {
			return false;
		}
		o->page_count_max = (uint32_t)number * 256;
		return true;
	default:
		usage(stderr);
		return false;
	}
}

static bool options_read(struct guid_options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{"domain", required_argument, NULL, 'd'},
		{"name", required_argument, NULL, 'n'},
		{"label", required_argument, NULL, 'l'},
		{"utf8-titles", no_argument, NULL, 'u'},
		{"gpu", no_argument, NULL, 'g'},
		{"windows", required_argument, NULL, 'w'},
		{"memory", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	o->domain = -1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout);
			exit(0);
		}
		if (!option_read(o, c)) {
			return false;
		}
	}
	if (o->domain < 0 || !o->name || !o->label || optind != argc) {
		usage(stderr);
		return false;
	}
	return true;
}

static int daemon_run(const struct guid_options *options)
{
	g_autofree char *program_name = g_strdup_printf("mullion.%s", options->name);
	struct guid_application *app;
	int rc;

	/* It ends with its parent, so that killing that one leaves no windows behind. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	rc = confine_files(options->is_gpu_used);
	if (rc) {
		fprintf(stderr, "mullion-guid: cannot give up files: %s\n", strerror(-rc));
		return 1;
	}
	/*
	 * Painting with the processor keeps the graphics drivers, which are large, out of a
	 * process that reads what a guest sends; see docs/gui.md.
	 */
	if (!options->is_gpu_used) {
		g_setenv("GSK_RENDERER", "cairo", TRUE);
		g_setenv("GDK_DEBUG", "gl-disable", TRUE);
	}
	/*
	 * Painting takes a piece of memory as large as a tile for each one and gives it back:
	 * mapped anew each time, that would be half of the work.
	 */
	(void)mallopt(M_MMAP_THRESHOLD, MEMORY_KEPT_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT_BYTES);
	/* Settings of dom0's desktop come from the compositor; no bus, no files of the user. */
	g_setenv("GSETTINGS_BACKEND", "memory", TRUE);
	g_setenv("GTK_A11Y", "none", TRUE);
	g_setenv("GIO_USE_VFS", "local", TRUE);
	g_set_prgname(program_name);
	if (!gtk_init_check()) {
		fputs("mullion-guid: there is no display (WAYLAND_DISPLAY, DISPLAY)\n", stderr);
		return 1;
	}
	app = guid_application_create(options);
	if (!app) {
		fprintf(stderr,
			"mullion-guid: no vchan to domain %d: %s\n"
			"This user needs /dev/xen/gntdev, evtchn and the store of Xen, or "
			"VCHAN_SOCKET_DIR where there is no Xen.\n",
			options->domain, strerror(errno));
		return 1;
	}
	rc = guid_application_run(app);
	guid_application_destroy(app);
	return rc;
}

static volatile sig_atomic_t child;
static volatile sig_atomic_t is_ending;

static void on_signal(int number)
{
	is_ending = 1;
	if (child) {
		kill((pid_t)child, SIGTERM);
	}
}

/* Waits for the daemon's end. Its exit code, or 128 + signal. */
static int child_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return 1;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Starts the daemon, and again when its agent left or it crashed; never reads from a guest. */
static int supervise(const struct guid_options *options)
{
	const struct sigaction action = {.sa_handler = on_signal};
	int crashes = 0, rc;
	time_t first_crash = 0;
	sigset_t ending, before;

	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	while (!is_ending) {
		pid_t pid;

		/* A signal that comes now reaches the child after it has its own handlers. */
		sigprocmask(SIG_BLOCK, &ending, &before);
		pid = fork();
		if (pid < 0) {
			perror("mullion-guid: fork");
			return 1;
		}
		if (pid == 0) {
			signal(SIGTERM, SIG_DFL);
			signal(SIGINT, SIG_DFL);
			sigprocmask(SIG_SETMASK, &before, NULL);
			exit(daemon_run(options));
		}
		child = pid;
		sigprocmask(SIG_SETMASK, &before, NULL);
		rc = child_wait(pid);
		child = 0;
		if (is_ending) {
			return 0;
		}
		if (rc != GUID_EXIT_AGENT_GONE && rc < 128) {
			return rc;
		}
		if (rc >= 128) {
			time_t now = time(NULL);

			fprintf(stderr, "mullion-guid: the daemon of %s ended by signal %d\n",
				options->name, rc - 128);
			if (now - first_crash > CRASH_SECONDS) {
				first_crash = now;
				crashes = 0;
			}
			if (++crashes > CRASHES_MAX) {
				return GUID_EXIT_CRASHES;
			}
		}
		usleep(RESTART_US);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct guid_options options = {.domain = -1};

	if (!options_read(&options, argc, argv)) {
		return 2;
	}
	return supervise(&options);
}
