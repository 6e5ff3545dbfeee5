/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qrexec-client: in dom0, run a command in a domain, or serve a domain's call here.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qrexec/connect.h"
#include "qrexec/io.h"
#include "qrexec/service.h"

#define RING_BYTES 65536

static _Noreturn void usage(int code)
{
	fputs("usage: qrexec-client [options] -d DOMAIN USER:COMMAND\n"
	      "  -d DOMAIN         where the command runs (dom0 with -c: here)\n"
	      "  -t, -T            replace control characters in its output, its errors\n"
	      "  -e                do not wait: start the command without input and output\n"
	      "  -l LOCAL_COMMAND  connect the command to this one instead of to ours\n"
	      "  -c IDENT,NAME,ID  serve the waiting call IDENT of domain NAME, number ID\n"
	      "  -W                with -c and two domains: wait until their call is over\n"
	      "  -w SECONDS        how long the other end may take to connect (60; 0: no limit)\n"
	      "  --socket-dir=DIR  where the daemons listen (default " QREXEC_SOCKET_DIR ")\n"
	      "USER may be DEFAULT. Exit code: that of the command; 125 problem, 126 refused,\n"
	      "127 not found.\n",
	      code ? stderr : stdout);
	exit(code);
}

struct options {
	const char *socket_dir, *domain, *local_command, *caller, *command;
	bool filter_output, filter_errors, is_alone, is_waiting;
};

static int serve_caller(const struct options *o)
{
	char *text = strdup(o->caller), *rest = text;
	const char *ident = strsep(&rest, ",");
	const char *name = strsep(&rest, ",");
	struct connect_caller caller = {.ident = ident, .name = name};
	int rc;

	if (!name || !rest) {
		usage(2);
	}
	caller.domain = (unsigned int)atoi(rest);
	if (!strcmp(o->domain, "dom0") || !strcmp(o->domain, "@adminvm")) {
		rc = connect_serve_here(o->socket_dir, &caller, o->command);
	} else {
		rc = connect_domains(o->socket_dir, &caller, o->domain, o->command, o->is_waiting);
	}
	free(text);
	return rc;
}

/* Our own input and output, or a local program's. */
static int open_local(const struct options *o, struct call_io *io)
{
	struct service_config none = {0};
	struct command local;

	if (!o->local_command) {
		io->source_fd = 0;
		io->sink_fd = 1;
		io->error_fd = 2;
		io->is_sink_own = true;
		return 0;
	}
	if (command_parse(o->local_command, false, &local) ||
	    service_start(&local, &none, SHELL_SYSTEM, io)) {
		return -1;
	}
	/* Its errors are its own business; the command's go to ours. */
	close(io->error_fd);
	io->error_fd = 2;
	command_fini(&local);
	return 0;
}

static int call_domain(const struct options *o)
{
	struct call_io io = {.filter_output = o->filter_output, .filter_errors = o->filter_errors};
	struct qrexec_place place;
	int fd, rc, status;

	fd = daemon_connect(o->socket_dir, o->domain);
	if (fd < 0 || daemon_request(fd, o->is_alone ? MSG_JUST_EXEC : MSG_EXEC_CMDLINE, 0,
				     o->command, &place)) {
		return QREXEC_EXIT_PROBLEM;
	}
	io.vchan = call_listen((int)place.domain, (int)place.port, RING_BYTES, fd);
	if (!io.vchan) {
		fprintf(stderr, "qrexec-client: %s does not answer: %s\n", o->domain,
			strerror(errno));
		return QREXEC_EXIT_PROBLEM;
	}
	if (o->is_alone) {
		io.source_fd = io.sink_fd = -1;
		io.error_fd = 2;
	} else if (open_local(o, &io)) {
		return QREXEC_EXIT_PROBLEM;
	}
	rc = call_run(&io);
	libvchan_close(io.vchan);
	if (io.pid > 0) {
		waitpid(io.pid, &status, 0);
	}
	close(fd);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"socket-dir", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options o = {.socket_dir = QREXEC_SOCKET_DIR};
	long seconds;
	char *end;
	int opt;

	call_claim_standard_descriptors();
	while ((opt = getopt_long(argc, argv, "+hd:l:etTc:w:W", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			o.socket_dir = optarg;
			break;
		case 'd':
			o.domain = optarg;
			break;
		case 'l':
			o.local_command = optarg;
			break;
		case 'e':
			o.is_alone = true;
			break;
		case 't':
			o.filter_output = true;
			break;
		case 'T':
			o.filter_errors = true;
			break;
		case 'c':
			o.caller = optarg;
			break;
		case 'w':
			seconds = strtol(optarg, &end, 10);
			if (*end || end == optarg || seconds < 0 || seconds > 86400) {
				usage(2);
			}
			call_set_timeout_s((int)seconds);
			break;
		case 'W':
			o.is_waiting = true;
			break;
		default:
			usage(opt == 'h' ? 0 : 2);
		}
	}
	if (!o.domain || optind + 1 != argc) {
		usage(2);
	}
	o.command = argv[optind];
	return o.caller ? serve_caller(&o) : call_domain(&o);
}
