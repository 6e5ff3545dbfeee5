/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mullion-gui-agent: start of the compositor inside of a domain. */
#include "guid/agent/agent.h"
#include "guid/agent/view.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wlr/backend/headless.h>
#include <wlr/render/allocator.h>
#include <wlr/render/pixman.h>
#include <wlr/types/wlr_compositor.h>
#include <wlr/types/wlr_output_layout.h>
#include <wlr/types/wlr_viewporter.h>
#include <wlr/types/wlr_xdg_output_v1.h>
#include <wlr/util/log.h>

static void usage(FILE *to)
{
	fputs("Usage: mullion-gui-agent [OPTION...] [-- PROGRAM [ARGUMENT...]]\n"
	      "Shows the windows of this domain's programs on the desktop of another one.\n\n"
	      "  --domain=ID         domain of the desktop (0)\n"
	      "  --keyboard=LAYOUT   XKB layout, until the desktop tells its own\n"
	      "  --no-repeat         keys that are held do not repeat: where a domain may be so slow\n"
	      "                      that it takes a key for held before it sees it released\n"
	      "  --no-xwayland       no X11 programs\n"
	      "  --verbose           what wlroots says\n"
	      "PROGRAM is started with WAYLAND_DISPLAY and DISPLAY set; when it ends, so does "
	      "the agent.\n",
	      to);
}

static int output_start(struct agent *a)
{
	a->output = wlr_headless_add_output(a->backend, a->options.width, a->options.height);
	if (!a->output || !wlr_output_init_render(a->output, a->allocator, a->renderer)) {
		return -ENOMEM;
	}
	wlr_output_create_global(a->output); /* a headless output is on from the start */
	a->layout = wlr_output_layout_create();
	if (!a->layout) {
		return -ENOMEM;
	}
	wlr_output_layout_add_auto(a->layout, a->output);
	return wlr_xdg_output_manager_v1_create(a->display, a->layout) ? 0 : -ENOMEM;
}

static int compositor_start(struct agent *a)
{
	a->display = wl_display_create();
	if (!a->display) {
		return -ENOMEM;
	}
	a->loop = wl_display_get_event_loop(a->display);
	a->backend = wlr_headless_backend_create(a->display);
	a->renderer = wlr_pixman_renderer_create();
	if (!a->backend || !a->renderer || !wlr_renderer_init_wl_display(a->renderer, a->display)) {
		return -ENOMEM;
	}
	a->allocator = wlr_allocator_autocreate(a->backend, a->renderer);
	a->compositor = a->allocator ? wlr_compositor_create(a->display, a->renderer) : NULL;
	if (!a->compositor || !wlr_viewporter_create(a->display)) {
		return -ENOMEM;
	}
	return output_start(a);
}

static int parts_start(struct agent *a)
{
	int rc = compositor_start(a);

	rc = rc ? rc : views_start(a);
	rc = rc ? rc : seat_start(a);
	rc = rc ? rc : clipboard_start(a);
	rc = rc ? rc : xdg_start(a);
	if (rc) {
		return rc;
	}
	a->socket_name = wl_display_add_socket_auto(a->display);
	if (!a->socket_name) {
		fprintf(stderr, "no socket for programs can be made in XDG_RUNTIME_DIR (%s): %s\n",
			getenv("XDG_RUNTIME_DIR"), strerror(errno));
		return -errno;
	}
	if (!wlr_backend_start(a->backend)) {
		return -EIO;
	}
	if (a->options.is_xwayland_on && xwayland_start(a)) {
		fputs("no Xwayland: X11 programs will not start\n", stderr);
	}
	return 0;
}

static pid_t program_start(struct agent *a, char **argv)
{
	pid_t pid;

	setenv("WAYLAND_DISPLAY", a->socket_name, true);
	if (xwayland_display(a)) {
		setenv("DISPLAY", xwayland_display(a), true);
	} else {
		unsetenv("DISPLAY");
	}
	if (!argv[0]) {
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execvp(argv[0], argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	return pid;
}

static pid_t program;
static int program_status;

static int on_child(int signal_number, void *data)
{
	struct agent *a = data;
	int status;
	pid_t pid = program ? waitpid(program, &status, WNOHANG) : 0;

	if (pid == program && pid > 0) {
		program_status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		program = 0;
		wl_display_terminate(a->display);
	}
	return 0;
}

static int on_signal(int signal_number, void *data)
{
	struct agent *a = data;

	wl_display_terminate(a->display);
	return 0;
}

static int options_read(struct agent_options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{"domain", required_argument, NULL, 'd'},
		{"keyboard", required_argument, NULL, 'k'},
		{"no-repeat", no_argument, NULL, 'r'},
		{"no-xwayland", no_argument, NULL, 'x'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		char *end = NULL;
		long number;

		switch (c) {
		case 'd':
			number = strtol(optarg, &end, 10);
			if (!*optarg || *end || number < 0 || number > 32751) {
				fprintf(stderr, "--domain: \"%s\" is no domain id\n", optarg);
				return 2;
			}
			o->peer = (int)number;
			break;
		case 'k':
			o->keyboard_layout = optarg;
			break;
		case 'r':
			o->is_key_repeat_on = false;
			break;
		case 'x':
			o->is_xwayland_on = false;
			break;
		case 'v':
			wlr_log_init(WLR_DEBUG, NULL);
			break;
		case 'h':
			usage(stdout);
			return 1;
		default:
			usage(stderr);
			return 2;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct agent a = {
		.options = {.is_xwayland_on = true,
			    .is_key_repeat_on = true,
			    .width = 1920,
			    .height = 1080},
		.width = 1920,
		.height = 1080,
		.scale = 1,
	};
	int rc;

	wlr_log_init(WLR_ERROR, NULL);
	rc = options_read(&a.options, argc, argv);
	if (rc) {
		return rc == 1 ? 0 : rc;
	}
	if (!getenv("XDG_RUNTIME_DIR")) {
		fputs("XDG_RUNTIME_DIR is not set: there is no place for the display's socket\n",
		      stderr);
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	rc = parts_start(&a);
	if (rc) {
		fprintf(stderr, "cannot start the compositor: %s\n", strerror(-rc));
		return 1;
	}
	wl_event_loop_add_signal(a.loop, SIGTERM, on_signal, &a);
	wl_event_loop_add_signal(a.loop, SIGINT, on_signal, &a);
	wl_event_loop_add_signal(a.loop, SIGCHLD, on_child, &a);
	rc = link_start(&a);
	if (rc) {
		fprintf(stderr,
			"cannot offer the display to domain %d: %s\n"
			"This user needs /dev/xen/gntalloc, evtchn and the store of Xen, or "
			"VCHAN_SOCKET_DIR where there is no Xen.\n",
			a.options.peer, strerror(-rc));
		return 1;
	}
	notify_start(&a);
	tray_start(&a);
	program = program_start(&a, argv + optind);
	if (program < 0) {
		perror("fork");
		return 1;
	}
	wl_display_run(a.display);

	notify_stop(&a);
	tray_stop(&a);
	link_stop(&a);
	xwayland_stop(&a);
	wl_display_destroy_clients(a.display);
	fprintf(stderr, "copied %llu pixels\n", (unsigned long long)a.copied_pixels);
	wl_display_destroy(a.display);
	return program_status;
}
